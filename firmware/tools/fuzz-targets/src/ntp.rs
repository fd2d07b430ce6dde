//! Any bytes as datagrams to the client of network time, and to the server.

use std::net::SocketAddr;

use umqtt_ntp::{ANSWERS_PER_SECOND, Client, Mode, Packet, Server, ServerClock, Timestamp};

/// Runs the target. Each datagram is a byte with its length, one that says what to do with it, and
/// its bytes: to the client as they are or with the number it asked with, or to the server.
pub fn run(mut input: &[u8]) {
    let server_addr = SocketAddr::from(([192, 0, 2, 1], 123));
    let stranger = SocketAddr::from(([192, 0, 2, 2], 123));
    let mut client = Client::new();
    let mut server = Server::default();
    let mut now = umqtt_net::Instant::ZERO;
    client.start(now);
    let (mut random, mut answers) = (1_u64, 0_u32);
    while let [len, what, rest @ ..] = input {
        let (datagram, rest) = rest.split_at(rest.len().min(usize::from(*len)));
        input = rest;
        client.handle_timeout(now);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let asked = client.poll_transmit(now, server_addr, random);
        if let Some(asked) = asked {
            let request = Packet::parse(&asked).expect("a whole packet");
            assert!(request.mode == Mode::Client && !request.transmit.is_none());
        }
        let mut datagram = datagram.to_vec();
        if what & 1 != 0
            && let Some(origin) = datagram.get_mut(24..32)
        {
            origin.copy_from_slice(&random.to_be_bytes());
        }
        let from = if what & 2 != 0 { stranger } else { server_addr };
        let waiting = client.is_waiting();
        if let Ok(sample) = client.handle_datagram(now, from, &datagram) {
            assert!(waiting && from == server_addr, "it was asked for");
            let packet = Packet::parse(&datagram).expect("a whole packet");
            assert_eq!(packet.origin, Timestamp::from_bits(random), "it answers the last request");
            assert!((1..16).contains(&sample.stratum));
            assert!(sample.unix_millis_at(now) >= umqtt_ntp::FIRST_UNIX_MILLIS);
        }
        let clock =
            ServerClock { unix_millis: now.as_millis(), stratum: *what, ..ServerClock::local() };
        let answer = server.handle_datagram(now, (what & 4 == 0).then_some(&clock), &datagram);
        if let Some(answer) = answer {
            assert!(what & 4 == 0 && (1..16).contains(what), "the clock is known");
            let (request, answer) = (Packet::parse(&datagram), Packet::parse(&answer));
            let (request, answer) = (request.expect("whole"), answer.expect("whole"));
            assert_eq!((request.mode, answer.mode), (Mode::Client, Mode::Server));
            assert_eq!((answer.origin, answer.stratum), (request.transmit, *what));
            answers += 1;
        }
        let next = now + umqtt_net::Duration::from_millis(u64::from(what >> 3) * 20);
        if next.as_millis() / 1000 != now.as_millis() / 1000 {
            // A second of the server's may lie in two of ours.
            assert!(answers <= 2 * u32::from(ANSWERS_PER_SECOND));
            answers = 0;
        }
        now = if what & 0x80 != 0 { client.poll_at().unwrap_or(next).max(next) } else { next };
    }
}
