//! Memberships of multicast groups are reported from every address the device gets.

use std::net::Ipv4Addr;

use umqtt_net::{Addressing, Interface, Net, PortUse, Udp, UdpId};
use umqtt_net_smoltcp::NetLimits;
use umqtt_net_smoltcp::smoltcp::wire::{IgmpRepr, IgmpVersion};

use crate::wire::Trouble;
use crate::world::{FIXED, NETMASK, OURS, World};

const MDNS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const OTHER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 7);

fn report(from: Ipv4Addr, group_addr: Ipv4Addr) -> (Ipv4Addr, IgmpRepr) {
    (from, IgmpRepr::MembershipReport { group_addr, version: IgmpVersion::Version2 })
}

/// What is sent of IGMP in a while.
fn sent(world: &mut World) -> Vec<(Ipv4Addr, IgmpRepr)> {
    world.pass(50);
    world.wire.take_igmp()
}

fn join(world: &mut World, group: Ipv4Addr) -> UdpId {
    let socket = Udp::bind(&mut world.net, 0, PortUse::Exclusive).unwrap().id;
    world.net.join(socket, group, Interface::Station).unwrap();
    socket
}

#[test]
fn a_membership_is_reported_again_from_another_address() {
    let mut world = World::new();
    join(&mut world, MDNS);
    assert_eq!(sent(&mut world), [report(OURS, MDNS)]);
    world.net.set_addressing(Addressing::fixed(OTHER, NETMASK));
    assert_eq!(sent(&mut world), [report(OTHER, MDNS)]);
    // The same address once more is no news.
    world.net.set_addressing(Addressing::fixed(OTHER, NETMASK));
    assert_eq!(sent(&mut world), []);
}

#[test]
fn a_membership_is_reported_once_there_is_an_address() {
    let mut world = World::unconfigured(NetLimits::CHIP, Trouble::default(), 1);
    join(&mut world, MDNS);
    assert_eq!(sent(&mut world), []);
    world.net.set_addressing(FIXED);
    assert_eq!(sent(&mut world), [report(OURS, MDNS)]);
}

#[test]
fn a_membership_that_was_left_is_not_reported_again() {
    let mut world = World::new();
    let socket = join(&mut world, MDNS);
    sent(&mut world);
    Udp::close(&mut world.net, socket);
    assert_eq!(sent(&mut world), [(OURS, IgmpRepr::LeaveGroup { group_addr: MDNS })]);
    world.net.set_addressing(Addressing::fixed(OTHER, NETMASK));
    assert_eq!(sent(&mut world), []);
    // And there is room for as many as before.
    join(&mut world, MDNS);
    assert_eq!(sent(&mut world), [report(OTHER, MDNS)]);
    assert!(world.net.udp().is_some());
}

#[test]
fn memberships_outlive_the_time_without_an_address() {
    let mut world = World::new();
    join(&mut world, MDNS);
    join(&mut world, Ipv4Addr::new(239, 1, 2, 3));
    assert_eq!(sent(&mut world).len(), 2);
    world.net.set_addressing(Addressing::DHCP);
    assert_eq!(sent(&mut world), []);
    world.net.set_addressing(FIXED);
    let both = [report(OURS, MDNS), report(OURS, Ipv4Addr::new(239, 1, 2, 3))];
    let again = sent(&mut world);
    assert!(again.len() == 2 && both.iter().all(|one| again.contains(one)), "{again:?}");
}
