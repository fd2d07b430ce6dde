//! Multicast groups.

use core::net::Ipv4Addr;

use smoltcp::phy::Device;
use umqtt_net::NetError;

use super::SmolNet;

impl<D: Device> SmolNet<D> {
    pub(super) fn join_group(&mut self, group: Ipv4Addr) -> Result<(), NetError> {
        self.interface.join_multicast_group(group).map_err(|_| NetError::Full)
    }

    pub(super) fn leave_group(&mut self, group: Ipv4Addr) {
        let _ = self.interface.leave_multicast_group(group); // it was joined
    }
}
