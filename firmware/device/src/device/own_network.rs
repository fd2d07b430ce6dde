//! The own network, as the services see it that are for it alone.

use core::net::{IpAddr, Ipv4Addr};

use umqtt_net::{Duration, InterfaceAddr};

use super::state::DeviceState;
use crate::board::Board;
use crate::net::{Interface, Net};
use crate::platform::Platform;
use crate::settings::{Param, Settings};

/// How often the address is looked at: not every stack reports a change.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);
/// The same where there is none yet: stations come as soon as the access point runs, and its
/// address may be there a little later.
const LOOK_FOR_ADDRESS: Duration = Duration::from_secs(1);

/// How long until the own network is to be looked at again.
pub(super) fn look_interval(found: bool) -> Duration {
    if found { LOOK_INTERVAL } else { LOOK_FOR_ADDRESS }
}

/// The device's address in its own network, while that is there: on a board with a radio as long as
/// the access point runs.
pub(super) fn own_network<P: Platform>(
    state: &mut DeviceState<P>,
    net: &dyn Net,
) -> Option<(InterfaceAddr, Ipv4Addr)> {
    if state.board.radio().is_some() {
        state.wifi.as_ref()?.access_point.network()?;
    }
    let mut found = None;
    net.addresses(&mut |own| {
        if let (Interface::AccessPoint, IpAddr::V4(address)) = (own.interface, own.address) {
            found.get_or_insert((own, address));
        }
    });
    found
}

/// The address that the settings give the device there: `network` with .1 at the end.
pub(super) fn wanted_address(settings: &Settings) -> Ipv4Addr {
    let network = settings.number(Param::Network).cast_unsigned();
    Ipv4Addr::from_bits(network & 0xFFFF_FF00 | 1)
}
