//! Any messages in any order.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;

use common::{ClientMessage, Network, OWN, host};
use proptest::prelude::*;
use umqtt_dhcp::{MessageType, RestoreError, Server, saved_len};
use umqtt_net::{Instant, Interface};

const LEASES: usize = 5;

#[derive(Clone, Debug)]
enum Step {
    Message { what: u8, client: u32, last: u8, broadcast: bool },
    Bytes(Vec<u8>),
    Pass(u64),
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let message =
        (0..7_u8, 0..9_u32, 0..12_u8, any::<bool>()).prop_map(|(what, client, last, broadcast)| {
            Step::Message { what, client, last, broadcast }
        });
    let step = prop_oneof![
        12 => message,
        1 => prop::collection::vec(any::<u8>(), 0..400).prop_map(Step::Bytes),
        2 => (0..4000_u64).prop_map(Step::Pass),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 0..200)
}

fn message(what: u8, client: u32, address: Ipv4Addr) -> ClientMessage {
    match what {
        0 => ClientMessage::discover(client),
        1 => ClientMessage::discover(client).option(50, &address.octets()),
        2 => ClientMessage::select(client, address),
        3 => ClientMessage::reboot(client, address),
        4 => ClientMessage::renew(client, address),
        5 => ClientMessage::release(client, address),
        _ => ClientMessage::decline(client, address),
    }
}

proptest! {
    /// Each address has one client until that has given it back or let its lease expire, whatever
    /// comes; the model knows nothing but what was acknowledged.
    #[test]
    fn no_address_has_two_clients(steps in steps()) {
        let mut net = Network::<LEASES>::new();
        // Client and end of the lease, by address.
        let mut granted: HashMap<Ipv4Addr, (u32, Instant)> = HashMap::new();
        for step in steps {
            match step {
                Step::Message { what, client, last, broadcast } => {
                    let address = host(last);
                    let flags = if broadcast { 0x8000 } else { 0 };
                    let mut sent = message(what, client, address);
                    sent.flags = flags;
                    let Some(answer) = net.send(&sent) else {
                        let mine = granted.get(&address).is_some_and(|(who, _)| *who == client);
                        if what >= 5 && mine {
                            granted.remove(&address);
                        }
                        continue;
                    };
                    prop_assert_eq!(&answer.bytes[4..8], &sent.xid.to_be_bytes()[..]);
                    let given = answer.address();
                    if !answer.is(MessageType::Nak) {
                        let used = granted.get(&given);
                        let others = used.is_some_and(|(who, until)| {
                            *who != client && net.now < *until
                        });
                        prop_assert!(!others, "{given} is {used:?}'s");
                        prop_assert!((2..=254).contains(&given.octets()[3]));
                    }
                    if answer.is(MessageType::Ack) {
                        granted.retain(|_, (who, _)| *who != client);
                        let until = net.now + umqtt_dhcp::DEFAULT_LEASE_TIME;
                        granted.insert(given, (client, until));
                    }
                }
                Step::Bytes(bytes) => {
                    net.send_from(&bytes, Interface::AccessPoint);
                }
                Step::Pass(secs) => net.pass(secs),
                Step::Restart => {
                    let mut buf = [0; saved_len(LEASES)];
                    let len = net.server.to_bytes(net.now, &mut buf).unwrap();
                    net.server = Server::from_bytes(OWN, net.now, &buf[..len]).unwrap();
                }
            }
            let model = granted.values().filter(|(_, until)| net.now < *until).count();
            prop_assert!(model <= net.server.active_leases(net.now));
            let count = net.server.leases().count();
            prop_assert!(count <= LEASES);
            let hosts: HashSet<_> = net.server.leases().map(|lease| lease.host).collect();
            let macs: HashSet<_> = net.server.leases().map(|lease| lease.client.mac()).collect();
            prop_assert_eq!((hosts.len(), macs.len()), (count, count), "one lease of each");
        }
    }

    /// Saved bytes with a right checksum but any content.
    #[test]
    fn any_saved_bytes(body in prop::collection::vec(any::<u8>(), 0..100), count in 0..6_u8) {
        let mut bytes = vec![b'D', 1, 192, 168, 4, count];
        bytes.extend(body);
        let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes);
        bytes.extend(crc.to_le_bytes());
        let now = Instant::from_millis(5);
        match Server::<LEASES>::from_bytes(OWN, now, &bytes) {
            Ok(server) => {
                let mut again = [0; saved_len(LEASES)];
                let len = server.to_bytes(now, &mut again).unwrap();
                prop_assert_eq!(&again[..len], &bytes[..]);
            }
            Err(error) => {
                prop_assert!(matches!(error, RestoreError::Format | RestoreError::Contradiction));
            }
        }
    }
}
