//! What MQTT asks of a client, packet by packet, against a server that the test plays.

use umqtt_mqtt::client::{Client, ClientEvent, ClientOptions, NetworkRequest, Reason};
use umqtt_mqtt::wire::{Connack, Connect, FixedHeader, PacketType, Publish, ReturnCode, Version};
use umqtt_mqtt::wire::{Suback, Subscribe, emit_ack};
use umqtt_mqtt::{Duration, Instant};

const Q1: umqtt_mqtt::QoS = umqtt_mqtt::QoS::AtLeastOnce;
const Q2: umqtt_mqtt::QoS = umqtt_mqtt::QoS::ExactlyOnce;

/// All the client has to send, sent.
fn outgoing(client: &mut Client) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let bytes = client.outgoing().to_vec();
        if bytes.is_empty() {
            return all;
        }
        client.sent(bytes.len());
        all.extend(bytes);
    }
}

/// The packets among them: `kind#id` and the marks `+` for repeated ones.
fn sent(client: &mut Client) -> Vec<String> {
    let bytes = outgoing(client);
    let mut rest = &bytes[..];
    let mut lines = Vec::new();
    while let Ok(Some(header)) = FixedHeader::parse(rest, Version::V311) {
        let (packet, after) = rest.split_at(header.total());
        let body = &packet[header.len..];
        lines.push(match Publish::parse(&header, body) {
            Ok(p) if header.kind == PacketType::Publish => {
                format!("{}Publish#{}", if p.dup { "+" } else { "" }, p.packet_id)
            }
            _ if body.len() == 2 => format!("{:?}#{}", header.kind, body[1]),
            _ => format!("{:?}", header.kind),
        });
        rest = after;
    }
    assert!(rest.is_empty());
    lines
}

/// A client at the time it may send CONNECT.
fn dialled(options: ClientOptions) -> Client {
    let mut client = Client::new(options, 1);
    client.start(Instant::ZERO);
    assert_eq!(client.poll_network(), Some(NetworkRequest::Connect));
    client.connected(Instant::ZERO);
    client
}

/// Bytes come from the server, all of which are taken at once.
fn hear(client: &mut Client, bytes: &[u8], now: Instant) {
    assert_eq!(client.receive(bytes, now), bytes.len());
}

fn welcome(client: &mut Client, session_present: bool, now: Instant) {
    let connack = Connack { session_present, code: ReturnCode::Accepted };
    hear(client, &connack.emit(), now);
}

fn online(options: ClientOptions) -> Client {
    let mut client = dialled(options);
    outgoing(&mut client);
    welcome(&mut client, false, Instant::ZERO);
    client
}

fn staying() -> ClientOptions {
    ClientOptions::new("c").clean_session(false)
}

/// The network fails and comes back; the server has kept the session.
fn reconnect(client: &mut Client) {
    client.closed(Instant::from_millis(100));
    let at = client.poll_at().expect("it tries again");
    client.handle_timeout(at);
    assert_eq!(client.poll_network(), Some(NetworkRequest::Connect));
    client.connected(at);
    assert_eq!(sent(client), ["Connect"]);
    welcome(client, true, at);
}

fn publish_to(client: &mut Client, first: u8, id: u8) {
    hear(client, &[first, 6, 0, 1, b't', 0, id, b'x'], Instant::ZERO);
}

/// [MQTT-3.1.0-1], [MQTT-2.2.2-1]: CONNECT goes first, and nothing until it is answered.
#[test]
fn connect_is_the_first_packet() {
    let mut client = dialled(ClientOptions::new("c"));
    client.subscribe(b"#", Q1).expect("room");
    client.publish(b"t", b"x", Q1, false).expect("room");
    let bytes = outgoing(&mut client);
    let header = FixedHeader::parse(&bytes, Version::V311).expect("valid").expect("whole");
    assert_eq!(header.total(), bytes.len());
    let connect = Connect::parse(&bytes[header.len..]).expect("valid").expect("3.1.1");
    assert_eq!((connect.client_id, connect.keep_alive), ("c", 60));
    welcome(&mut client, false, Instant::ZERO);
    assert_eq!(sent(&mut client), ["Subscribe", "Publish#1"]);
}

/// [MQTT-3.1.3-7]: without a name only a clean session of MQTT 3.1.1 can be asked for.
#[test]
fn a_nameless_client_does_not_ask_to_be_remembered() {
    let stay = ClientOptions::new("").clean_session(false);
    let old = ClientOptions::new("").version(Version::V31);
    for options in [stay, old] {
        let mut client = dialled(options);
        assert!(client.outgoing().is_empty());
        assert_eq!(client.poll_event(), Some(ClientEvent::Disconnected(Reason::Protocol)));
        assert_eq!((client.poll_network(), client.poll_at()), (Some(NetworkRequest::Close), None));
    }
    assert_eq!(sent(&mut dialled(ClientOptions::new(""))), ["Connect"]);
}

/// [MQTT-3.1.2-22], [MQTT-3.1.2-18], [MQTT-3.1.2-20]: a password needs a user name.
#[test]
fn a_password_is_not_sent_alone() {
    let mut client = dialled(ClientOptions::new("c").password(b"secret"));
    assert!(client.outgoing().is_empty());
    assert_eq!(client.poll_event(), Some(ClientEvent::Disconnected(Reason::Protocol)));
}

/// [MQTT-3.1.2-23]: however long the answers take, no two packets are further apart than the
/// keep-alive.
#[test]
fn pings_come_within_the_keep_alive() {
    for (keep_alive, delay) in [(60, 9_000), (60, 0), (4, 3_900)] {
        let mut client = dialled(ClientOptions::new("c").keep_alive(keep_alive));
        outgoing(&mut client);
        let delay = Duration::from_millis(delay);
        welcome(&mut client, false, Instant::ZERO + delay);
        let mut last = Instant::ZERO;
        for _ in 0..10 {
            let at = client.poll_at().expect("a ping is due");
            assert!(at <= last + Duration::from_secs(keep_alive.into()), "{at:?} after {last:?}");
            client.handle_timeout(at);
            assert_eq!(sent(&mut client), ["Pingreq"]);
            hear(&mut client, &[0xd0, 0], at + delay);
            last = at;
        }
    }
}

/// [MQTT-3.1.2-23]: a server that does not answer is left before the next ping would be due.
#[test]
fn an_unanswered_ping_ends_the_connection_within_the_keep_alive() {
    for (keep_alive, patience) in [(4, 4_000), (10, 10_000), (60, 10_000)] {
        let mut client = online(ClientOptions::new("c").keep_alive(keep_alive));
        let patience = Duration::from_millis(patience);
        let pinged = client.poll_at().expect("a ping is due");
        client.handle_timeout(pinged);
        assert_eq!(client.poll_at(), Some(pinged + patience));
        client.handle_timeout(pinged + patience);
        assert_eq!(client.poll_network(), Some(NetworkRequest::Close));
    }
}

/// [MQTT-2.3.1-1], [MQTT-2.3.1-2], [MQTT-2.3.1-5], [MQTT-4.3.2-1], [MQTT-4.3.3-1]: each message
/// gets an id of its own, and keeps it until the transfer is over.
#[test]
fn packet_ids_are_unused_ones() {
    let mut client = online(staying());
    let publish = |client: &mut Client, qos| {
        client.publish(b"t", b"x", qos, false).expect("room");
        sent(client)
    };
    assert_eq!(publish(&mut client, umqtt_mqtt::QoS::AtMostOnce), ["Publish#0"]);
    assert_eq!(publish(&mut client, Q1), ["Publish#1"]);
    assert_eq!(publish(&mut client, Q2), ["Publish#2"]);
    for round in 0..65_600_u32 {
        let bytes = outgoing(&mut client);
        assert!(bytes.is_empty());
        client.publish(b"t", b"x", Q1, false).expect("room");
        let packet = outgoing(&mut client);
        let id = u16::from_be_bytes([packet[5], packet[6]]);
        assert!(id > 2, "id {id} in round {round}");
        hear(&mut client, &emit_ack(PacketType::Puback, id), Instant::ZERO);
    }
}

/// [MQTT-2.3.1-3], [MQTT-3.3.1-1], [MQTT-4.1.0-1], [MQTT-4.4.0-1], [MQTT-4.6.0-1], [MQTT-3.1.2-4]:
/// a kept session goes on with the same ids in the same order.
#[test]
fn what_is_unacknowledged_is_sent_again_in_its_order() {
    let mut client = online(staying());
    for qos in [Q1, Q2, Q1, Q2] {
        client.publish(b"t", b"x", qos, false).expect("room");
    }
    assert_eq!(sent(&mut client), ["Publish#1", "Publish#2", "Publish#3", "Publish#4"]);
    hear(&mut client, &emit_ack(PacketType::Puback, 1), Instant::ZERO);
    hear(&mut client, &emit_ack(PacketType::Pubrec, 4), Instant::ZERO);
    assert_eq!(sent(&mut client), ["Pubrel#4"]);
    client.publish(b"t", b"never sent", Q1, false).expect("room");
    reconnect(&mut client);
    assert_eq!(sent(&mut client), ["Pubrel#4", "+Publish#2", "+Publish#3", "Publish#5"]);
    reconnect(&mut client);
    assert_eq!(sent(&mut client), ["Pubrel#4", "+Publish#2", "+Publish#3", "+Publish#5"]);
}

/// [MQTT-4.6.0-2], [MQTT-4.6.0-3], [MQTT-4.6.0-4], [MQTT-2.3.1-6], [MQTT-3.3.4-1], [MQTT-4.3.2-2],
/// [MQTT-4.3.3-2]
#[test]
fn answers_go_in_the_order_of_what_they_answer() {
    let mut client = online(ClientOptions::new("c"));
    for (first, id) in [(0x32, 7), (0x34, 9), (0x32, 3), (0x34, 2)] {
        publish_to(&mut client, first, id);
    }
    assert_eq!(sent(&mut client), ["Puback#7", "Pubrec#9", "Puback#3", "Pubrec#2"]);
    publish_to(&mut client, 0x3c, 9);
    assert_eq!(sent(&mut client), ["Pubrec#9"], "known already");
    for id in [2, 9] {
        hear(&mut client, &emit_ack(PacketType::Pubrel, id), Instant::ZERO);
    }
    assert_eq!(sent(&mut client), ["Pubcomp#2", "Pubcomp#9"]);
    let messages = std::iter::from_fn(|| client.poll_event());
    assert_eq!(messages.filter(|event| matches!(event, ClientEvent::Message(_))).count(), 4);

    for _ in 0..3 {
        client.publish(b"t", b"x", Q2, false).expect("room");
    }
    outgoing(&mut client);
    for id in [3, 1, 2] {
        hear(&mut client, &emit_ack(PacketType::Pubrec, id), Instant::ZERO);
    }
    assert_eq!(sent(&mut client), ["Pubrel#3", "Pubrel#1", "Pubrel#2"]);
}

/// [MQTT-3.14.4-1], [MQTT-3.14.4-2]: DISCONNECT is the last packet, and then it hangs up.
#[test]
fn nothing_follows_disconnect() {
    let mut client = online(ClientOptions::new("c"));
    client.publish(b"t", b"x", Q1, false).expect("room");
    client.stop(Instant::from_millis(5));
    assert_eq!(sent(&mut client), ["Publish#1", "Disconnect"]);
    assert_eq!(client.poll_network(), Some(NetworkRequest::Close));
    hear(&mut client, &emit_ack(PacketType::Puback, 1), Instant::from_millis(6));
    client.subscribe(b"#", Q1).expect("room");
    client.publish(b"t", b"later", Q1, false).expect("room");
    assert_eq!((sent(&mut client), client.poll_at()), (Vec::new(), None));
}

/// [MQTT-1.5.3-1], [MQTT-1.5.3-2], [MQTT-2.2.2-2], [MQTT-3.3.1-4], [MQTT-4.8.0-1]: it leaves a
/// server that breaks the protocol.
#[test]
fn a_violation_ends_the_connection() {
    for (what, bytes) in [
        ("ill-formed topic", &[0x30, 3, 0, 1, 0xff][..]),
        ("surrogate", &[0x30, 5, 0, 3, 0xed, 0xa0, 0x80]),
        ("U+0000", &[0x30, 3, 0, 1, 0]),
        ("QoS 3", &[0x36, 5, 0, 1, b't', 0, 1]),
        ("DUP at QoS 0", &[0x38, 3, 0, 1, b't']),
        ("packet id 0", &[0x32, 5, 0, 1, b't', 0, 0]),
        ("flags of PUBREL", &[0x60, 2, 0, 1]),
        ("flags of PINGRESP", &[0xd1, 0]),
        ("a client's packet", &[0x82, 6, 0, 1, 0, 1, b't', 0]),
    ] {
        let mut client = online(ClientOptions::new("c"));
        client.poll_event();
        hear(&mut client, bytes, Instant::ZERO);
        assert_eq!(
            client.poll_event(),
            Some(ClientEvent::Disconnected(Reason::Protocol)),
            "{what}"
        );
        assert_eq!(client.poll_network(), Some(NetworkRequest::Close), "{what}");
    }
}

/// [MQTT-3.9.3-2], [MQTT-4.8.0-1]
#[test]
fn a_reserved_return_code_ends_the_connection() {
    for code in [3, 0x7f, 0x81, 0xff] {
        let mut client = online(ClientOptions::new("c"));
        client.poll_event();
        client.subscribe(b"#", Q1).expect("room");
        let bytes = outgoing(&mut client);
        let asked = Subscribe::parse(&bytes[2..], Version::V311).expect("valid");
        let mut suback = Vec::new();
        assert!(Suback::emit(asked.packet_id, &[code], &mut suback));
        hear(&mut client, &suback, Instant::ZERO);
        assert_eq!(client.poll_event(), Some(ClientEvent::Disconnected(Reason::Protocol)));
    }
}
