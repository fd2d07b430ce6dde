//! In place of `groups` where a board has no use for multicast groups: none can be joined.

use smoltcp::phy::Device;

use super::SmolNet;

impl<D: Device> SmolNet<D> {
    #[cfg(feature = "udp")]
    pub(super) fn join_group(&mut self, _: core::net::Ipv4Addr) -> Result<(), umqtt_net::NetError> {
        Err(umqtt_net::NetError::Failed)
    }

    #[cfg(feature = "udp")]
    pub(super) fn leave_group(&mut self, _: core::net::Ipv4Addr) {}

    pub(super) fn forget_groups(&mut self) {}

    pub(super) fn join_groups(&mut self) {}
}
