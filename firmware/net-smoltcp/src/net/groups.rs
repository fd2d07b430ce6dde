//! Multicast groups. smoltcp reports a membership once, when the group is joined, and from the
//! address it has then; so groups are joined only while there is an address, and again when it
//! changes.

use core::net::Ipv4Addr;

use smoltcp::iface::SocketSet;
use smoltcp::phy::Device;
use umqtt_net::NetError;

use super::{SmolNet, smoltcp_instant};

impl<D: Device> SmolNet<D> {
    pub(super) fn join_group(&mut self, group: Ipv4Addr) -> Result<(), NetError> {
        if self.address().is_none() {
            return Ok(()); // see `join_groups`
        }
        self.interface.join_multicast_group(group).map_err(|_| NetError::Full)
    }

    pub(super) fn leave_group(&mut self, group: Ipv4Addr) {
        let _ = self.interface.leave_multicast_group(group); // it was joined, or there is no address
    }

    /// Forgets the memberships that were reported from the address the interface had. To be called
    /// when it has none, so that no packet says that they were left.
    pub(super) fn forget_groups(&mut self) {
        for (_, group) in &self.udp.groups {
            let _ = self.interface.leave_multicast_group(*group); // it was joined
        }
        // smoltcp forgets a group with its next frames. No socket has a part in it.
        let mut no_sockets = SocketSet::new([]);
        self.interface.poll_egress(smoltcp_instant(self.now), &mut self.device, &mut no_sockets);
    }

    /// Joins all groups anew: each is reported from the address the interface has now.
    pub(super) fn join_groups(&mut self) {
        for (_, group) in &self.udp.groups {
            let _ = self.interface.join_multicast_group(*group); // there is room: it was joined
        }
    }
}
