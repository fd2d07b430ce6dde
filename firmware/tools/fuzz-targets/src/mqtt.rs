//! Any bytes from an MQTT client: at worst its connection closes, and another client is served all
//! the same.

use umqtt_mqtt::{AllowAll, Broker, ConnId, Instant, Interface, Limits, Peer, QoS};

const NOISY: ConnId = ConnId(1);
const QUIET: ConnId = ConnId(2);

fn drain(broker: &mut Broker) -> Vec<u8> {
    let mut quiet = Vec::new();
    while let Some(conn) = broker.poll_writable() {
        let bytes = broker.outgoing(conn).to_vec();
        if conn == QUIET {
            quiet.extend(&bytes);
        }
        broker.sent(conn, bytes.len());
    }
    while let Some(conn) = broker.poll_close() {
        assert_ne!(conn, QUIET, "the other client has done nothing");
        broker.closed(conn, Instant::ZERO);
    }
    while broker.poll_local().is_some() {}
    quiet
}

// The first byte says in pieces of which size the rest arrives.
/// Runs the target.
pub fn run(input: &[u8]) {
    let Some((&piece, bytes)) = input.split_first() else { return };
    let mut broker = Broker::new(Limits::SMALL);
    let peer = Peer::new(([192, 168, 4, 2], 50_000).into(), Interface::Station);
    broker.subscribe(b"#", QoS::AtMostOnce).expect("the first subscription");
    broker.open(QUIET, peer, Instant::ZERO, &mut AllowAll).expect("the first connection");
    broker.receive(
        QUIET,
        b"\x10\x10\0\x04MQTT\x04\x02\0\0\0\x04calm",
        Instant::ZERO,
        &mut AllowAll,
    );
    assert_eq!(drain(&mut broker), [0x20, 2, 0, 0]);

    broker.open(NOISY, peer, Instant::ZERO, &mut AllowAll).expect("the second connection");
    for (at, part) in bytes.chunks(usize::from(piece).max(1)).enumerate() {
        broker.receive(NOISY, part, Instant::from_millis(at as u64), &mut AllowAll);
        broker.handle_timeout(Instant::from_millis(at as u64));
        drain(&mut broker);
        // A client may take the other's id over: then there is nobody left to ask.
        if !broker.clients().any(|client| client.id == "calm") {
            return;
        }
    }
    // PINGREQ, PINGRESP.
    broker.receive(QUIET, b"\xc0\0", Instant::ZERO, &mut AllowAll);
    assert_eq!(drain(&mut broker), [0xd0, 0]);
}
