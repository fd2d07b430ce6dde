//! Any bytes as messages of DHCP clients, and as saved leases.

use core::net::Ipv4Addr;
use std::collections::{HashMap, HashSet};

use umqtt_dhcp::{DEFAULT_LEASE_TIME, DhcpRequest, HEADER_LEN, MessageType, REPLY_LEN, Server};
use umqtt_net::{Duration, Instant, Interface, Peer};

const OWN: Ipv4Addr = Ipv4Addr::new(192, 168, 4, 1);
const LEASES: usize = 3;

/// Runs the target. Each message is a byte with its length less a header's, one with its client,
/// one that says how much time passes before, and its options; a length of less than a header's
/// stands for raw bytes.
pub fn run(mut input: &[u8]) {
    let from = Peer::new(([0, 0, 0, 0], 68).into(), Interface::AccessPoint);
    let mut server: Server<LEASES> = Server::new(OWN);
    let mut now = Instant::ZERO;
    // Client and end of the lease, by address.
    let mut granted: HashMap<Ipv4Addr, (u8, Instant)> = HashMap::new();
    let _ = Server::<LEASES>::from_bytes(OWN, now, input);
    while let [len, client, wait, rest @ ..] = input {
        now += Duration::from_secs(u64::from(*wait) * 60);
        let options = usize::from(*len).checked_sub(HEADER_LEN);
        let (body, rest) = rest.split_at(rest.len().min(options.unwrap_or(usize::from(*len))));
        input = rest;
        let mut message = Vec::new();
        if options.is_some() {
            message.resize(HEADER_LEN, 0);
            message[..3].copy_from_slice(&[1, 1, 6]);
            message[28..34].copy_from_slice(&[2, 0, 0, 0, 0, *client]);
            message[236..].copy_from_slice(&[99, 130, 83, 99]);
        }
        message.extend(body);
        server.handle_datagram(&message, from, now);
        let mut buf = [0; REPLY_LEN];
        let answer = server.poll_transmit(&mut buf);
        let Some(request) = DhcpRequest::parse(&message) else {
            assert_eq!(answer, None, "it is no message of a client");
            continue;
        };
        // Who has an identifier is known by that.
        if request.client_id.is_none() {
            let gives_up = [MessageType::Release, MessageType::Decline];
            if gives_up.contains(&request.message_type) {
                granted.retain(|_, (who, _)| who != client);
            }
            let [.., a, b, c, d] = buf[..20] else { unreachable!("of 20 bytes") };
            let address = Ipv4Addr::new(a, b, c, d);
            if answer.is_some() && !address.is_unspecified() {
                let used = granted.get(&address);
                assert!(used.is_none_or(|(who, until)| who == client || now >= *until));
                if request.message_type == MessageType::Request {
                    granted.retain(|_, (who, _)| who != client);
                    granted.insert(address, (*client, now + DEFAULT_LEASE_TIME));
                }
            }
        }
        let hosts: HashSet<u8> = server.leases().map(|lease| lease.host).collect();
        assert_eq!(hosts.len(), server.leases().count(), "one lease of each address");
        let mut saved = [0; umqtt_dhcp::saved_len(LEASES)];
        let len = server.to_bytes(now, &mut saved).expect("there is room");
        let again = Server::<LEASES>::from_bytes(OWN, now, &saved[..len]).expect("it was written");
        assert_eq!(again.active_leases(now), server.active_leases(now));
    }
}
