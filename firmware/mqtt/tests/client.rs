//! The client against the broker here, and against a server that misbehaves.

mod net;

use net::{Door, peer};
use umqtt_mqtt::client::{Client, ClientEvent, ClientOptions, NetworkRequest, Reason, WillMessage};
use umqtt_mqtt::client::{ClientPublishError, RequestError};
use umqtt_mqtt::wire::{Connack, ReturnCode, Version};
use umqtt_mqtt::{Broker, ConnId, Duration, Instant, Limits, Publication, QoS};

const Q0: QoS = QoS::AtMostOnce;
const Q1: QoS = QoS::AtLeastOnce;
const Q2: QoS = QoS::ExactlyOnce;

/// A client and a broker with a network between them that can be cut.
struct Pair {
    client: Client,
    broker: Broker,
    now: Instant,
    conn: u32,
    linked: bool,
    /// Connections cannot be made.
    down: bool,
    /// The network carries nothing, either way, not even its own end.
    silent: bool,
    dials: u32,
}

impl Pair {
    fn new(options: ClientOptions) -> Pair {
        let mut pair = Pair {
            client: Client::new(options, 7),
            broker: Broker::new(Limits::SMALL),
            now: Instant::ZERO,
            conn: 0,
            linked: false,
            down: false,
            silent: false,
            dials: 0,
        };
        pair.client.start(Instant::ZERO);
        pair.run();
        pair
    }

    /// Moves bytes until nothing moves.
    fn run(&mut self) {
        loop {
            let mut moved = false;
            while let Some(wish) = self.client.poll_network() {
                moved = true;
                match wish {
                    NetworkRequest::Connect => self.dial(),
                    NetworkRequest::Close => self.cut_broker(),
                }
            }
            if self.linked {
                let bytes = self.client.outgoing().to_vec();
                moved |= !bytes.is_empty();
                self.client.sent(bytes.len());
                if !self.silent {
                    self.broker.receive(ConnId(self.conn), &bytes, self.now, &mut Door);
                    let mut buffer = [0; 11];
                    let n = self.broker.copy_outgoing(ConnId(self.conn), &mut buffer);
                    let n = self.client.receive(&buffer[..n], self.now);
                    moved |= n > 0;
                    self.broker.sent(ConnId(self.conn), n);
                }
            }
            while self.broker.poll_writable().is_some() {}
            while let Some(conn) = self.broker.poll_close() {
                moved = true;
                if conn.0 == self.conn && self.linked && !self.silent {
                    self.linked = false;
                    self.client.closed(self.now);
                }
            }
            if !moved {
                return;
            }
        }
    }

    fn dial(&mut self) {
        self.dials += 1;
        self.conn += 1;
        if self.down || self.broker.open(ConnId(self.conn), peer(1), self.now, &mut Door).is_err() {
            return self.client.closed(self.now);
        }
        self.linked = true;
        self.client.connected(self.now);
    }

    fn cut_broker(&mut self) {
        self.linked = false;
        self.broker.closed(ConnId(self.conn), self.now);
    }

    /// The cable is pulled; both ends notice.
    fn cut(&mut self) {
        self.cut_broker();
        self.client.closed(self.now);
        self.run();
    }

    fn pass(&mut self, span: u64) {
        let end = self.now + Duration::from_millis(span);
        loop {
            let next = [self.client.poll_at(), self.broker.poll_at()].into_iter().flatten().min();
            let Some(at) = next.filter(|at| *at <= end) else { break };
            self.now = self.now.max(at);
            self.client.handle_timeout(self.now);
            self.broker.handle_timeout(self.now);
            self.run();
        }
        self.now = end;
    }

    fn event(&mut self) -> Option<ClientEvent> {
        // What waits for room for its events goes on.
        self.run();
        self.client.poll_event()
    }

    fn events(&mut self) -> Vec<String> {
        let mut events = Vec::new();
        while let Some(event) = self.event() {
            events.push(match event {
                ClientEvent::Message(m) => {
                    let mark = if m.retain() { "!" } else { "" };
                    let (topic, payload) = (m.topic().escape_ascii(), m.payload().escape_ascii());
                    format!("{mark}{topic}={payload}@{}", m.qos() as u8)
                }
                ClientEvent::Subscribed { filter, granted } => {
                    format!("{} {:?}", filter.escape_ascii(), granted.map(|q| q as u8))
                }
                ClientEvent::Connected { session_present } => {
                    format!("connected {session_present}")
                }
                other => format!("{other:?}"),
            });
        }
        events
    }

    fn heard(&mut self) -> Vec<String> {
        self.run();
        let mut heard = Vec::new();
        while let Some(m) = self.broker.poll_local() {
            let (topic, payload) = (m.topic().escape_ascii(), m.payload().escape_ascii());
            heard.push(format!("{topic}={payload}@{}", m.qos() as u8));
        }
        heard
    }

    fn server_says(&mut self, topic: &str, payload: &str, qos: QoS) {
        self.broker.publish(topic.as_bytes(), payload.as_bytes(), qos, false).expect("valid");
    }
}

#[test]
fn connects_subscribes_and_exchanges_messages_at_each_quality() {
    for version in [Version::V31, Version::V311] {
        let mut pair = Pair::new(ClientOptions::new("c").version(version));
        pair.broker.subscribe(b"up/#", Q2).expect("room");
        pair.client.subscribe(b"down/#", Q2).expect("room");
        assert_eq!(pair.events(), ["connected false", "down/# Some(2)"]);
        for (qos, payload) in [(Q0, "zero"), (Q1, "one"), (Q2, "two")] {
            pair.client.publish(b"up/x", payload.as_bytes(), qos, false).expect("connected");
            pair.server_says("down/x", payload, qos);
        }
        assert_eq!(pair.heard(), ["up/x=zero@0", "up/x=one@1", "up/x=two@2"]);
        assert_eq!(pair.events(), ["down/x=zero@0", "down/x=one@1", "down/x=two@2"]);
        assert!(pair.client.unsubscribe(b"down/#") && !pair.client.unsubscribe(b"down/#"));
        pair.run();
        pair.server_says("down/x", "more", Q0);
        assert_eq!(pair.events(), Vec::<String>::new());
    }
}

/// [MQTT-3.1.3-1], [MQTT-3.1.2-9]
#[test]
fn user_password_and_will_reach_the_server() {
    let message = Publication::new(b"gone", b"c").expect("short");
    let options = ClientOptions::new("c")
        .user("me")
        .password(b"secret")
        .will(WillMessage::new(message).qos(Q1));
    let mut pair = Pair::new(options.clone());
    pair.broker.subscribe(b"#", Q2).expect("room");
    assert_eq!(pair.events(), ["connected false"]);
    pair.cut();
    assert_eq!(pair.heard(), ["gone=c@1"]);

    let mut pair = Pair::new(options.password(b"guess"));
    assert_eq!(pair.events(), ["Refused(BadCredentials)"]);
    pair.pass(10_000);
    assert!(pair.events().len() >= 2, "it tries again");
}

#[test]
fn a_lost_connection_comes_back_with_everything() {
    let mut pair = Pair::new(ClientOptions::new("c"));
    pair.client.subscribe(b"a", Q0).expect("room");
    pair.client.subscribe(b"b", Q1).expect("room");
    assert_eq!(pair.events(), ["connected false", "a Some(0)", "b Some(1)"]);
    pair.down = true;
    pair.cut();
    assert_eq!(pair.events(), ["Disconnected(Network)"]);
    assert_eq!(pair.client.publish(b"up", b"x", Q0, false), Err(ClientPublishError::NotConnected));
    pair.client.publish(b"up", b"kept", Q1, false).expect("room");
    let before = pair.dials;
    pair.pass(120_000);
    let attempts = pair.dials - before;
    assert!((6..=16).contains(&attempts), "{attempts} attempts in two minutes");
    pair.down = false;
    pair.broker.subscribe(b"up", Q1).expect("room");
    pair.pass(60_000);
    assert_eq!(pair.events(), ["connected false", "a Some(0)", "b Some(1)"]);
    assert_eq!(pair.heard(), ["up=kept@1"]);
}

/// [MQTT-3.1.2-4], [MQTT-4.4.0-1]
#[test]
fn a_kept_session_goes_on_where_it_was() {
    let options = ClientOptions::new("c").clean_session(false);
    let mut pair = Pair::new(options);
    pair.client.subscribe(b"#", Q2).expect("room");
    assert_eq!(pair.events(), ["connected false", "# Some(2)"]);
    pair.silent = true;
    pair.client.publish(b"up", b"lost at first", Q2, false).expect("room");
    pair.run();
    pair.silent = false;
    pair.cut();
    pair.server_says("down", "waited", Q2);
    pair.pass(2_000);
    let wanted = ["Disconnected(Network)", "connected true", "down=waited@2", "up=lost at first@2"];
    assert_eq!(pair.events(), wanted);
}

/// [MQTT-4.3.3-2]
#[test]
fn a_repeated_qos_2_message_is_reported_once() {
    for version in [Version::V31, Version::V311] {
        let options = ClientOptions::new("c").clean_session(false);
        let mut pair = Pair::new(options.version(version));
        pair.client.subscribe(b"t", Q2).expect("room");
        pair.events();
        pair.server_says("t", "once", Q2);
        // The message gets through, the answer does not.
        let mut buffer = [0; 50];
        let n = pair.broker.copy_outgoing(ConnId(pair.conn), &mut buffer);
        pair.broker.sent(ConnId(pair.conn), n);
        hear(&mut pair.client, &buffer[..n], pair.now);
        pair.cut();
        pair.pass(2_000);
        let messages = pair.events().into_iter().filter(|e| e.contains("once")).count();
        assert_eq!((messages, pair.broker.stats().messages_sent), (1, 1), "{version:?}");
    }
}

/// [MQTT-3.1.2-23]
#[test]
fn keeps_alive_and_notices_silence() {
    let mut pair = Pair::new(ClientOptions::new("c").keep_alive(10));
    pair.pass(600_000);
    assert_eq!(pair.events(), ["connected false"]);
    assert_eq!(pair.broker.stats().keep_alive_timeouts, 0);
    pair.silent = true;
    pair.pass(19_999);
    assert!(pair.client.is_connected());
    pair.pass(1);
    assert_eq!(pair.events(), ["Disconnected(Timeout)"]);
    assert!(!pair.linked, "it hung up");
}

/// [MQTT-3.14.4-1], [MQTT-3.14.4-3]
#[test]
fn stopping_sends_what_is_queued_and_leaves_no_will() {
    let message = Publication::new(b"gone", b"c").expect("short");
    let will = WillMessage::new(message);
    let mut pair = Pair::new(ClientOptions::new("c").will(will));
    pair.broker.subscribe(b"#", Q0).expect("room");
    pair.client.publish(b"bye", b"1", Q0, false).expect("connected");
    pair.client.stop(pair.now);
    assert_eq!(pair.heard(), ["bye=1@0"]);
    assert_eq!(pair.events(), ["connected false", "Disconnected(Stopped)"]);
    assert_eq!((pair.linked, pair.broker.clients_len()), (false, 0));
    pair.pass(600_000);
    assert_eq!((pair.dials, pair.client.poll_at()), (1, None));
    pair.client.start(pair.now);
    assert_eq!(pair.events(), ["connected false"]);
}

#[test]
fn many_subscriptions_go_out_in_batches_and_are_bounded() {
    let options = ClientOptions::new("c").max_subscriptions(20);
    let mut pair = Pair::new(options);
    for n in 0..20 {
        pair.client.subscribe(format!("t/{n}").as_bytes(), Q0).expect("room");
    }
    assert_eq!(pair.client.subscribe(b"t/20", Q0), Err(RequestError::TooMany));
    assert!(matches!(pair.client.subscribe(b"#/", Q0), Err(RequestError::Filter(_))));
    assert_eq!(pair.events().len(), 21);
    assert_eq!(pair.broker.subscriptions_len(), 20);
    for n in 0..20 {
        assert!(pair.client.unsubscribe(format!("t/{n}").as_bytes()));
    }
    pair.client.subscribe(b"t/5", Q1).expect("room");
    assert_eq!(pair.events(), ["t/5 Some(1)"]);
    assert_eq!(pair.broker.subscriptions_len(), 1);
}

/// What there is no room for waits on the connection: nothing is dropped, nor acknowledged before
/// it was taken ([MQTT-4.5.0-2]).
#[test]
fn what_it_has_no_room_for_waits_with_the_server() {
    for clean in [true, false] {
        let options = ClientOptions::new("c").clean_session(clean).max_event_bytes(1);
        let mut pair = Pair::new(options);
        pair.client.subscribe(b"#", Q2).expect("room");
        pair.events();
        let payloads = [("a", Q1), ("b", Q0), ("c", Q1), ("d", Q2), ("e", Q2)];
        for (payload, qos) in payloads {
            pair.server_says("t", &payload.repeat(8), qos);
            pair.run();
        }
        assert!(pair.client.memory() < 1_000, "one of them is here");
        let expected =
            payloads.map(|(payload, qos)| format!("t={}@{}", payload.repeat(8), qos as u8));
        assert_eq!(pair.events(), expected);
        assert_eq!(pair.client.dropped(), 0);
        pair.server_says("t", "next", Q2);
        assert_eq!(pair.events(), ["t=next@2"]);
    }
}

/// Bytes come from the server, all of which are taken at once.
fn hear(client: &mut Client, bytes: &[u8], now: Instant) {
    assert_eq!(client.receive(bytes, now), bytes.len());
}

/// A client that has just been accepted by a server of the test's own making.
fn accepted() -> Client {
    let mut client = Client::new(ClientOptions::new("c"), 1);
    client.start(Instant::ZERO);
    assert_eq!(client.poll_network(), Some(NetworkRequest::Connect));
    client.connected(Instant::ZERO);
    let n = client.outgoing().len();
    client.sent(n);
    let connack = Connack { session_present: false, code: ReturnCode::Accepted };
    hear(&mut client, &connack.emit(), Instant::ZERO);
    assert_eq!(client.poll_event(), Some(ClientEvent::Connected { session_present: false }));
    client
}

#[test]
fn a_server_that_misbehaves_is_left() {
    for bytes in [
        &[0x20, 2, 0, 0][..],      // CONNACK again
        &[0x10, 0],                // CONNECT
        &[0x90, 3, 0, 1, 0],       // SUBACK to nothing
        &[0xb0, 2, 0xff, 0xff],    // UNSUBACK to nothing
        &[0x90, 0x80, 0x80, 0x01], // too large, and no message
        &[0x32, 0x80, 0x80, 0x04], // too large, and ends within its topic
        &[0x30, 3, 0, 1, b'#'],    // a wildcard
        &[0xff],                   // nothing at all
    ] {
        let mut client = accepted();
        hear(&mut client, bytes, Instant::from_millis(5));
        if bytes[0] == 0x32 {
            hear(&mut client, &[0xff; 65_536], Instant::from_millis(5));
            assert_eq!(client.poll_event(), Some(ClientEvent::TooLarge(65_540)));
        }
        assert_eq!(
            client.poll_event(),
            Some(ClientEvent::Disconnected(Reason::Protocol)),
            "{bytes:x?}"
        );
        assert_eq!(client.poll_network(), Some(NetworkRequest::Close));
        assert!(client.poll_at().is_some_and(|at| at > Instant::from_millis(5)));
    }
}

/// Short messages take many times their length: what there is no room for waits on the connection.
#[test]
fn a_flood_of_short_messages_waits_and_none_is_lost() {
    let mut client = accepted();
    client.set_options(ClientOptions::new("c").max_event_bytes(1_000));
    let all: Vec<u8> = (0..2_000)
        .flat_map(|n: u32| net::message("r", &[b'0' + (n % 10) as u8], Q0, 0, false))
        .collect();
    let (mut rest, mut payloads) = (&all[..], Vec::new());
    while !rest.is_empty() {
        let taken = client.receive(rest, Instant::ZERO);
        assert!(client.memory() < 2_500, "{} bytes", client.memory());
        assert_eq!(client.receive(&rest[taken..], Instant::ZERO), 0, "it is full");
        rest = &rest[taken..];
        while let Some(event) = client.poll_event() {
            let ClientEvent::Message(message) = event else { panic!("{event:?}") };
            payloads.extend_from_slice(message.payload());
        }
    }
    assert_eq!(payloads, "0123456789".repeat(200).as_bytes());
    assert_eq!(client.dropped(), 0);
}

/// Nor do those that wait to be sent take more than was said.
#[test]
fn short_messages_to_a_server_that_does_not_read_have_a_bound() {
    let mut client = accepted();
    client.set_options(ClientOptions::new("c").max_queue_bytes(2_000));
    for qos in [Q0, Q1] {
        let sent = (0..1_000).filter(|_| client.publish(b"r", b"", qos, false).is_ok()).count();
        assert!((5..100).contains(&sent), "{sent} at {qos:?}");
    }
    assert!(client.unsent_memory() < 8_000 && client.memory() < 10_000);
}

/// A server's messages of 100 bytes of payload, to a client that takes packets of 64.
#[test]
fn messages_that_are_too_large_are_passed_over_and_acknowledged() {
    let large = |qos, id| net::message("t", &[b'x'; 100], qos, id, false);
    let small = net::message("t", b"small", Q0, 0, false);
    let all = [large(Q0, 0), small.clone(), large(Q1, 7), large(Q2, 8), small].concat();
    for size in 1..=all.len() {
        let mut client = accepted();
        client.set_options(ClientOptions::new("c").max_packet(64));
        let mut events = Vec::new();
        for piece in all.chunks(size) {
            hear(&mut client, piece, Instant::from_millis(5));
            while let Some(event) = client.poll_event() {
                events.push(match event {
                    ClientEvent::TooLarge(bytes) => format!("{bytes} bytes"),
                    ClientEvent::Message(message) => {
                        String::from_utf8_lossy(message.payload()).into()
                    }
                    other => panic!("{other:?}"),
                });
            }
        }
        assert_eq!(events, ["105 bytes", "small", "107 bytes", "107 bytes", "small"]);
        assert_eq!((client.is_connected(), client.dropped(), client.refused()), (true, 3, 0));
        assert_eq!(client.outgoing(), [0x40, 2, 0, 7, 0x50, 2, 0, 8]);
    }
}

/// A server that lets such topics through would send the message again on every connection.
#[test]
fn messages_with_a_bad_topic_are_passed_over_and_acknowledged() {
    for topic in ["a\u{1}", "\u{9f}", "\u{ffff}/b"] {
        let bad = |qos, id| net::message(topic, b"x", qos, id, true);
        let good = net::message("\u{feff}t", b"good", Q0, 0, false);
        let all = [bad(Q0, 0), good.clone(), bad(Q1, 7), bad(Q2, 8), good].concat();
        let mut client = accepted();
        let mut events = Vec::new();
        client.set_options(ClientOptions::new("c").max_event_bytes(4096));
        for piece in all.chunks(3) {
            hear(&mut client, piece, Instant::from_millis(5));
        }
        while let Some(event) = client.poll_event() {
            events.push(match event {
                ClientEvent::BadTopic => String::from("bad"),
                ClientEvent::Message(message) => String::from_utf8_lossy(message.payload()).into(),
                other => panic!("{other:?}"),
            });
        }
        assert_eq!(events, ["bad", "good", "bad", "bad", "good"]);
        assert_eq!((client.is_connected(), client.dropped(), client.refused()), (true, 3, 0));
        assert_eq!(client.outgoing(), [0x40, 2, 0, 7, 0x50, 2, 0, 8]);
    }
}

#[test]
fn a_server_that_does_not_answer_is_left() {
    let mut client = Client::new(ClientOptions::new("c"), 1);
    client.start(Instant::ZERO);
    client.connected(Instant::ZERO);
    client.handle_timeout(Instant::from_millis(29_999));
    assert_eq!(client.poll_at(), Some(Instant::from_millis(30_000)));
    client.handle_timeout(Instant::from_millis(30_000));
    assert!(client.poll_at().is_some_and(|at| (30_500..=31_000).contains(&at.as_millis())));
}

proptest::proptest! {
    /// Whatever the server sends, at worst the connection ends and the next attempt is planned.
    #[test]
    fn any_bytes_from_the_server(
        chunks in proptest::collection::vec(
            proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..20), 0..20),
    ) {
        let mut client = accepted();
        client.subscribe(b"#", Q2).expect("room");
        client.publish(b"t", b"x", Q2, false).expect("room");
        for (now, chunk) in chunks.iter().enumerate() {
            let mut rest = &chunk[..];
            while !rest.is_empty() {
                rest = &rest[client.receive(rest, Instant::from_millis(now as u64))..];
                while client.poll_event().is_some() {}
            }
            proptest::prop_assert!(client.poll_at().is_some());
        }
    }
}
