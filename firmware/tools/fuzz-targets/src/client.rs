//! Any bytes from the server of an MQTT client, while it publishes and subscribes.

use umqtt_mqtt::client::{Client, ClientOptions, NetworkRequest};
use umqtt_mqtt::{Duration, Instant, QoS};

const CONNACK: &[u8] = b"\x20\x02\0\0";

/// Runs the target: the first byte says in pieces of which size the rest arrives, and whether the
/// server accepts the client.
pub fn run(input: &[u8]) {
    let Some((&way, bytes)) = input.split_first() else { return };
    let options = ClientOptions::new("x").max_packet(300).max_queue_bytes(500);
    let mut client = Client::new(options, 7);
    client.subscribe(b"a/#", QoS::ExactlyOnce).expect("there is room");
    client.start(Instant::ZERO);
    let mut now = Instant::ZERO;
    if way & 1 == 0 {
        connect(&mut client, now);
        assert_eq!(client.receive(CONNACK, now), CONNACK.len());
    }
    for (at, part) in bytes.chunks(usize::from(way >> 1).max(1)).enumerate() {
        connect(&mut client, now);
        let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][at % 3];
        let _ = client.publish(b"t", b"payload", qos, false);
        let mut rest = part;
        while !rest.is_empty() {
            let taken = client.receive(rest, now);
            assert!(client.memory() < 64 * 1024, "it is bounded");
            rest = &rest[taken..];
            drain(&mut client);
        }
        assert!(client.memory() < 64 * 1024, "it is bounded");
        now += Duration::from_millis(100);
        if client.poll_at().is_some_and(|due| due <= now) {
            client.handle_timeout(now);
        }
    }
    client.stop(now);
    for _ in 0..100 {
        drain(&mut client);
        let Some(due) = client.poll_at() else { return };
        now = now.max(due);
        client.handle_timeout(now);
    }
    panic!("a client that is to stop does");
}

/// Makes the connection the client wants.
fn connect(client: &mut Client, now: Instant) {
    while let Some(wish) = client.poll_network() {
        if wish == NetworkRequest::Connect {
            client.connected(now);
        }
    }
}

fn drain(client: &mut Client) {
    loop {
        let len = client.outgoing().len();
        if len == 0 {
            break;
        }
        client.sent(len);
    }
    while client.poll_event().is_some() {}
}
