//! The life of leases in virtual time.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::net::Ipv4Addr;

use common::{ClientMessage, Network, OWN, host, mac};
use umqtt_dhcp::{
    DECLINE_TIME, MESSAGES_PER_SECOND, MessageType, OFFER_TIME, RestoreError, Server, saved_len,
};
use umqtt_net::Interface;

#[test]
fn a_client_joins() {
    let mut net = Network::<8>::new();
    let offer = net.send(&ClientMessage::discover(1)).unwrap();
    assert!(offer.is(MessageType::Offer));
    assert_eq!(offer.to, "255.255.255.255:68".parse().unwrap());
    assert_eq!(offer.bytes.len(), 300, "the smallest message of BOOTP");
    assert_eq!(offer.bytes[..4], [2, 1, 6, 0]);
    assert_eq!(offer.bytes[4..8], 0x1001_u32.to_be_bytes());
    assert_eq!(offer.bytes[28..34], mac(1));
    assert_eq!(offer.option(1), Some(&[255, 255, 255, 0][..]));
    assert_eq!(offer.option(3), Some(&OWN.octets()[..]), "the router");
    assert_eq!(offer.option(6), Some(&OWN.octets()[..]), "the DNS server");
    assert_eq!(offer.option(28), Some(&[192, 168, 4, 255][..]));
    assert_eq!(offer.option(54), Some(&OWN.octets()[..]));
    assert_eq!(offer.option(51), Some(&7200_u32.to_be_bytes()[..]));
    assert_eq!(offer.option(58), Some(&3600_u32.to_be_bytes()[..]));
    assert_eq!(offer.option(59), Some(&6300_u32.to_be_bytes()[..]));
    assert_eq!(net.server.active_leases(net.now), 0, "an offer is no lease");

    let ack = net.send(&ClientMessage::select(1, offer.address())).unwrap();
    assert!(ack.is(MessageType::Ack));
    assert_eq!(ack.address(), offer.address());
    assert_eq!(net.server.active_leases(net.now), 1);
    assert!(net.server.take_changed());
    assert!(!net.server.take_changed());
}

#[test]
fn everybody_gets_another_address() {
    let mut net = Network::<8>::new();
    let mut addresses: Vec<_> = (0..8).map(|client| net.join(client).unwrap()).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), 8);
    assert!(addresses.iter().all(|a| (2..=254).contains(&a.octets()[3])));
}

#[test]
fn a_lease_is_renewed_for_as_long_as_the_client_likes() {
    let mut net = Network::<8>::new();
    let address = net.join(1).unwrap();
    net.server.take_changed();
    for _ in 0..10 {
        net.pass(3600);
        let ack = net.send(&ClientMessage::renew(1, address)).unwrap();
        assert!(ack.is(MessageType::Ack));
        assert_eq!(ack.to, (address, 68).into(), "the client has an address");
        assert_eq!(ack.bytes[12..16], address.octets());
    }
    assert_eq!(net.server.active_leases(net.now), 1);
    assert!(!net.server.take_changed(), "renewing wears no flash");
    net.pass(7200);
    assert_eq!(net.server.active_leases(net.now), 0);
}

#[test]
fn who_comes_back_gets_its_address_again() {
    let mut net = Network::<8>::new();
    let address = net.join(1).unwrap();
    net.pass(1_000_000);
    for client in 2..8 {
        net.join(client).unwrap();
    }
    assert_eq!(net.join(1), Some(address));
    // It asks without a DHCPDISCOVER when it was only switched off.
    let ack = net.send(&ClientMessage::reboot(1, address)).unwrap();
    assert!(ack.is(MessageType::Ack));
}

#[test]
fn a_requested_address_is_given_if_it_is_free() {
    let mut net = Network::<8>::new();
    let offer = net.send(&ClientMessage::discover(1).option(50, &host(77).octets())).unwrap();
    assert_eq!(offer.address(), host(77));
    net.send(&ClientMessage::select(1, host(77))).unwrap();
    for wanted in [host(77), OWN, host(0), host(255), Ipv4Addr::new(10, 0, 0, 7)] {
        let offer = net.send(&ClientMessage::discover(2).option(50, &wanted.octets())).unwrap();
        assert_ne!(offer.address(), wanted);
        for message in [ClientMessage::select(2, wanted), ClientMessage::reboot(2, wanted)] {
            let nak = net.send(&message).unwrap();
            assert!(nak.is(MessageType::Nak), "{wanted}");
            assert_eq!(nak.to, "255.255.255.255:68".parse().unwrap());
            assert_eq!(nak.option(51), None);
            assert_eq!(nak.bytes[10], 0x80, "RFC 2131 table 3");
        }
        let nak = net.send(&ClientMessage::renew(2, wanted)).unwrap();
        assert!(nak.is(MessageType::Nak), "{wanted}");
    }
    assert_eq!(net.server.stats().naks, 15);
}

#[test]
fn an_offer_keeps_its_address_for_a_while() {
    let mut net = Network::<8>::new();
    let wish = |client| ClientMessage::discover(client).option(50, &host(9).octets());
    assert_eq!(net.send(&wish(1)).unwrap().address(), host(9));
    assert_ne!(net.send(&wish(2)).unwrap().address(), host(9));
    assert_eq!(net.send(&wish(1)).unwrap().address(), host(9), "the same client again");
    net.pass(OFFER_TIME.as_secs());
    assert_eq!(net.send(&wish(2)).unwrap().address(), host(9));
}

#[test]
fn a_flood_of_strangers_moves_nobody() {
    let mut net = Network::<8>::new();
    let own: Vec<_> = (1..=7).map(|client| net.join(client).unwrap()).collect();
    net.server.take_changed();
    let slow = net.send(&ClientMessage::discover(8)).unwrap().address();
    for stranger in 1000..20_000 {
        if stranger % u32::from(MESSAGES_PER_SECOND) == 0 {
            net.pass(1);
        }
        let offer = net.send(&ClientMessage::discover(stranger)).unwrap();
        assert!(!own.contains(&offer.address()));
    }
    net.pass(1);
    assert_eq!(net.server.leases().count(), 7);
    assert!(!net.server.take_changed());
    // Whose offer was forgotten gets its address all the same.
    assert!(net.send(&ClientMessage::select(8, slow)).unwrap().is(MessageType::Ack));
    for (client, address) in (1..).zip(own) {
        assert!(net.send(&ClientMessage::renew(client, address)).unwrap().is(MessageType::Ack));
    }
}

#[test]
fn when_all_leases_are_in_use_newcomers_wait() {
    let mut net = Network::<4>::new();
    let first = net.join(1).unwrap();
    net.pass(10);
    let others: Vec<_> = (2..5).map(|client| net.join(client).unwrap()).collect();
    assert_eq!(net.send(&ClientMessage::discover(9)), None);
    assert!(net.send(&ClientMessage::reboot(9, host(99))).unwrap().is(MessageType::Nak));
    assert_eq!(net.server.stats().exhausted, 2);

    // The one that expires first makes room, and no other.
    net.pass(7195);
    let offer = net.send(&ClientMessage::discover(9)).unwrap();
    assert!(net.send(&ClientMessage::select(9, offer.address())).unwrap().is(MessageType::Ack));
    for (client, address) in (2..).zip(others) {
        assert!(net.send(&ClientMessage::renew(client, address)).unwrap().is(MessageType::Ack));
    }
    assert!(net.send(&ClientMessage::renew(1, first)).unwrap().is(MessageType::Nak));
}

#[test]
fn all_addresses_of_the_network_can_be_in_use() {
    let mut net = Network::<300>::new();
    for client in 0..253 {
        if client % 20 == 0 {
            net.pass(1);
        }
        net.join(client).unwrap();
    }
    assert_eq!(net.send(&ClientMessage::discover(999)), None);
    net.pass(7200);
    net.join(999).unwrap();
}

#[test]
fn a_lease_is_given_back() {
    let mut net = Network::<1>::new();
    let address = net.join(1).unwrap();
    assert_eq!(net.send(&ClientMessage::release(2, address)), None);
    assert_eq!(net.send(&ClientMessage::release(1, host(200))), None);
    assert_eq!(net.server.active_leases(net.now), 1, "it is not theirs");
    assert_eq!(net.send(&ClientMessage::release(1, address)), None, "no answer");
    assert_eq!(net.server.active_leases(net.now), 0);
    assert_eq!(net.server.stats().releases, 1);
    net.join(2).unwrap();
}

#[test]
fn a_declined_address_is_set_aside() {
    let mut net = Network::<8>::new();
    let address = net.join(1).unwrap();
    assert_eq!(net.send(&ClientMessage::decline(2, address)), None);
    assert_eq!(net.server.stats().declines, 0, "it is not that client's");
    assert_eq!(net.send(&ClientMessage::decline(1, address)), None);
    assert_eq!(net.server.stats().declines, 1);
    assert_ne!(net.join(1), Some(address));
    assert!(net.send(&ClientMessage::reboot(2, address)).unwrap().is(MessageType::Nak));
    net.pass(DECLINE_TIME.as_secs());
    assert!(net.send(&ClientMessage::reboot(2, address)).unwrap().is(MessageType::Ack));
}

#[test]
fn a_client_that_knows_its_address_is_told_the_rest() {
    let mut net = Network::<8>::new();
    let inform = ClientMessage { ciaddr: host(50), ..ClientMessage::new(MessageType::Inform, 1) };
    let ack = net.send(&inform).unwrap();
    assert!(ack.is(MessageType::Ack));
    assert_eq!(ack.to, (host(50), 68).into());
    assert_eq!(ack.address(), Ipv4Addr::UNSPECIFIED);
    assert_eq!((ack.option(51), ack.option(58)), (None, None), "RFC 2131 section 4.3.5");
    assert_eq!(ack.option(3), Some(&OWN.octets()[..]));
    assert_eq!(net.server.leases().count(), 0);
    for ciaddr in [Ipv4Addr::UNSPECIFIED, Ipv4Addr::new(8, 8, 8, 8), OWN, host(255), host(0)] {
        assert_eq!(net.send(&ClientMessage { ciaddr, ..inform.clone() }), None, "{ciaddr}");
    }
}

#[test]
fn what_is_for_others() {
    let mut net = Network::<8>::new();
    let offered = net.send(&ClientMessage::discover(1)).unwrap().address();
    let other = ClientMessage::reboot(1, host(9)).option(54, &[192, 168, 4, 3]);
    assert_eq!(net.send(&other), None);
    let wish = ClientMessage::discover(2).option(50, &offered.octets());
    assert_eq!(net.send(&wish).unwrap().address(), offered, "it has chosen another offer");
    let relayed = ClientMessage { giaddr: host(3), ..ClientMessage::discover(3) };
    assert_eq!(net.send(&relayed), None);
    let bytes = ClientMessage::discover(3).bytes();
    assert_eq!(net.send_from(&bytes, Interface::Station), None);
    assert_eq!(net.send_from(&bytes, Interface::Loopback), None);
    assert_eq!(net.send_from(b"nonsense", Interface::AccessPoint), None);
    for broken in [[0; 6], [1, 0, 0, 0, 0, 1], [255; 6]] {
        assert_eq!(net.send(&ClientMessage { mac: broken, ..ClientMessage::discover(1) }), None);
    }
    for message_type in [2, 5, 6] {
        assert_eq!(net.send(&ClientMessage { message_type, ..ClientMessage::discover(1) }), None);
    }
    assert_eq!(
        net.send(&ClientMessage::new(MessageType::Request, 1)),
        None,
        "a request for nothing"
    );
    let stats = net.server.stats();
    assert_eq!((stats.other_server, stats.relayed, stats.other_interface), (1, 1, 2));
    assert_eq!(stats.malformed, 8);
}

#[test]
fn the_broadcast_flag_is_repeated() {
    let mut net = Network::<8>::new();
    for flags in [0x8000, 0] {
        let offer = net.send(&ClientMessage { flags, ..ClientMessage::discover(1) }).unwrap();
        assert_eq!(offer.bytes[10..12], flags.to_be_bytes());
        assert_eq!(offer.to.ip(), Ipv4Addr::BROADCAST);
    }
}

#[test]
fn clients_are_known_by_their_identifier() {
    let mut net = Network::<8>::new();
    let id = [0, 1, 2, 3];
    let one = ClientMessage::discover(1).option(61, &id);
    let offer = net.send(&one).unwrap();
    assert_eq!(offer.option(61), Some(&id[..]), "RFC 6842");
    let select = ClientMessage::select(1, offer.address()).option(61, &id);
    assert!(net.send(&select).unwrap().is(MessageType::Ack));
    // It has another network card now; and its old one belongs to somebody else.
    let other_card = ClientMessage { mac: mac(2), ..one.clone() };
    assert_eq!(net.send(&other_card).unwrap().address(), offer.address());
    assert_ne!(net.send(&ClientMessage::discover(1)).unwrap().address(), offer.address());
    // A longer identifier counts for nothing, the hardware address for all.
    let long = ClientMessage::discover(3).option(61, &[7; 200]);
    let address = net.send(&long).unwrap().address();
    let select = ClientMessage::select(3, address).option(61, &[7; 200]);
    assert!(net.send(&select).unwrap().is(MessageType::Ack));
    assert_ne!(net.send(&ClientMessage { mac: mac(4), ..long }).unwrap().address(), address);
}

#[test]
fn leases_outlive_a_restart() {
    let mut net = Network::<4>::new();
    let address = net.join(1).unwrap();
    let with_id = ClientMessage::reboot(2, host(50)).option(61, b"\0mine");
    net.send(&with_id).unwrap();
    net.join(3).unwrap();
    net.send(&ClientMessage::release(
        3,
        net.server.address_of(net.server.leases().last().unwrap()),
    ));
    let mut buf = [0; saved_len(4)];
    let len = net.server.to_bytes(net.now, &mut buf).unwrap();
    let saved = &buf[..len];

    // The device was off for a moment, and its clock starts anew.
    let mut after = Network::<4>::new();
    after.server = Server::from_bytes(OWN, after.now, saved).unwrap();
    assert_eq!(after.server.active_leases(after.now), 2);
    assert!(after.send(&ClientMessage::reboot(9, address)).unwrap().is(MessageType::Nak));
    assert!(after.send(&ClientMessage::renew(1, address)).unwrap().is(MessageType::Ack));
    assert!(after.send(&with_id).unwrap().is(MessageType::Ack));

    // Every bit of it counts, and nothing that is cut off is taken.
    for at in 0..len * 8 {
        let mut damaged = saved.to_vec();
        damaged[at / 8] ^= 1 << (at % 8);
        assert!(after.server.restore(after.now, &damaged).is_err(), "bit {at}");
    }
    for short in 0..len {
        assert!(after.server.restore(after.now, &saved[..short]).is_err(), "{short} bytes");
        assert_eq!(net.server.to_bytes(net.now, &mut [0; 400][..short]), None);
    }
    assert_eq!(after.server.active_leases(after.now), 2, "it has kept what it had");
    let elsewhere = Ipv4Addr::new(10, 0, 0, 1);
    let refused = Server::<4>::from_bytes(elsewhere, after.now, saved);
    assert_eq!(refused.unwrap_err(), RestoreError::Network);
    // A device with fewer leases takes what it has room for.
    let small = Server::<1>::from_bytes(OWN, after.now, saved).unwrap();
    assert_eq!(small.active_leases(after.now), 1);
}

#[test]
fn without_its_leases_the_device_grants_what_clients_remember() {
    let mut net = Network::<8>::new();
    let address = net.join(1).unwrap();
    let mut after = Network::<8>::new();
    assert!(after.send(&ClientMessage::renew(1, address)).unwrap().is(MessageType::Ack));
    let mut after = Network::<8>::new();
    assert_eq!(after.join(1), Some(address), "where the search begins depends on the client");
}

#[test]
fn another_network_begins_anew() {
    let mut net = Network::<8>::new();
    let address = net.join(1).unwrap();
    net.server.set_address(Ipv4Addr::new(10, 1, 2, 1));
    assert!(net.send(&ClientMessage::renew(1, address)).unwrap().is(MessageType::Nak));
    let offer = net.send(&ClientMessage::discover(1)).unwrap();
    assert_eq!(offer.address().octets()[..3], [10, 1, 2]);
}

#[test]
fn the_device_s_own_address_is_given_to_nobody_whichever_it_is() {
    let own = Ipv4Addr::new(192, 168, 4, 77);
    let mut net = Network::<253>::new();
    net.server = Server::new(own);
    let mut given = std::collections::BTreeSet::new();
    for client in 0..252 {
        net.pass(1);
        let offered = net.send(&ClientMessage::discover(client)).unwrap().address();
        let ack = net.send(&ClientMessage::reboot(client, offered)).unwrap();
        assert!(ack.is(MessageType::Ack) && given.insert(offered), "{offered}");
    }
    assert!(!given.contains(&own));
    assert_eq!(net.send(&ClientMessage::discover(998)), None, "there is none left");
    assert!(net.send(&ClientMessage::reboot(999, own)).unwrap().is(MessageType::Nak));
}

#[test]
fn a_flood_is_looked_at_in_part_and_counted() {
    let mut net = Network::<4>::new();
    let address = net.join(1).unwrap();
    net.pass(1);
    let discover = ClientMessage::discover(2);
    let answered = (0..1000).filter(|_| net.send(&discover).is_some()).count();
    assert_eq!(answered, usize::from(MESSAGES_PER_SECOND));
    assert_eq!(net.server.stats().flooded, 1000 - u32::from(MESSAGES_PER_SECOND));
    assert!(net.send(&ClientMessage::renew(1, address)).is_none());
    net.pass(1);
    assert!(net.send(&ClientMessage::renew(1, address)).unwrap().is(MessageType::Ack));
}
