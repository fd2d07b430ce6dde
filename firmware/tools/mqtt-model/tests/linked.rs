//! Our client's state machine against our broker's, back to back in virtual time, with the network
//! cut at every byte.

use proptest::collection::vec;
use proptest::prelude::*;
use umqtt_mqtt::client::{Client, ClientEvent, ClientOptions, NetworkRequest};
use umqtt_mqtt::{AllowAll, Broker, ConnId, Duration, Instant, Interface, Limits, Peer, QoS};

const QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

/// Who publishes, and who subscribes.
const FROM: usize = 0;
const TO: usize = 1;

/// A client, its connection, and what it heard.
struct End {
    client: Client,
    conn: Option<ConnId>,
    /// Bytes that may still move each way before the connection breaks.
    up: usize,
    down: usize,
    heard: Vec<(usize, QoS)>,
    granted: usize,
    dials: usize,
}

struct Net {
    broker: Broker,
    ends: [End; 2],
    now: Instant,
    conns: u32,
    /// The server cannot be reached.
    away: bool,
    /// The quality of service of each message that was taken for sending.
    sent: Vec<QoS>,
}

const ALL: usize = usize::MAX;

impl Net {
    /// Both clients connected, and one subscribed.
    fn new(clean: bool) -> Net {
        let end = |name: &str, seed| {
            let options = ClientOptions::new(name).clean_session(clean).max_inflight(3);
            let client = Client::new(options, seed);
            End { client, conn: None, up: ALL, down: ALL, heard: Vec::new(), granted: 0, dials: 0 }
        };
        let ends = [end("from", 1), end("to", 2)];
        let broker = Broker::new(Limits::SMALL);
        let mut net =
            Net { broker, ends, now: Instant::ZERO, conns: 0, away: false, sent: Vec::new() };
        net.ends[TO].client.subscribe(b"t/#", QoS::ExactlyOnce).expect("room for one");
        net.ends.iter_mut().for_each(|end| end.client.start(Instant::ZERO));
        net.run();
        assert_eq!(net.ends[TO].granted, 1);
        net
    }

    /// Publishes the next number; what was refused is not expected either.
    fn publish(&mut self, qos: QoS) {
        let number = self.sent.len().to_string();
        if self.ends[FROM].client.publish(b"t/n", number.as_bytes(), qos, false).is_ok() {
            self.sent.push(qos);
        }
    }

    /// Moves bytes until nothing moves.
    fn run(&mut self) {
        while self.turn(FROM) | self.turn(TO) {}
    }

    /// Moves what one client has to say and to hear; whether anything happened.
    fn turn(&mut self, index: usize) -> bool {
        let end = &mut self.ends[index];
        let mut moved = false;
        while let Some(wish) = end.client.poll_network() {
            moved = true;
            if let Some(conn) = end.conn.take() {
                self.broker.closed(conn, self.now);
            }
            if wish == NetworkRequest::Close {
                continue;
            }
            end.dials += 1;
            self.conns += 1;
            let (conn, peer) = (
                ConnId(self.conns),
                Peer::new(([192, 168, 4, 3], 1000).into(), Interface::Station),
            );
            if self.away || self.broker.open(conn, peer, self.now, &mut AllowAll).is_err() {
                end.client.closed(self.now);
            } else {
                end.conn = Some(conn);
                end.client.connected(self.now);
            }
        }
        if let Some(conn) = end.conn {
            let bytes = end.client.outgoing();
            let bytes = bytes[..bytes.len().min(end.up)].to_vec();
            end.client.sent(bytes.len());
            self.broker.receive(conn, &bytes, self.now, &mut AllowAll);
            let mut buffer = [0; 100];
            let n = self.broker.copy_outgoing(conn, &mut buffer);
            let heard = n.min(end.down);
            let taken = end.client.receive(&buffer[..heard], self.now);
            // What the client has no room for waits, unless it is lost on the way.
            let (n, heard) = if heard == n { (taken, taken) } else { (n, heard) };
            self.broker.sent(conn, n);
            moved |= !bytes.is_empty() || n > 0;
            (end.up, end.down) = (spend(end.up, bytes.len()), spend(end.down, heard));
            let broken =
                end.up == 0 && !end.client.outgoing().is_empty() || end.down == 0 && heard < n;
            if broken {
                self.cut(index);
            }
        }
        self.look();
        moved
    }

    fn cut(&mut self, index: usize) {
        let end = &mut self.ends[index];
        (end.up, end.down) = (ALL, ALL);
        if let Some(conn) = end.conn.take() {
            self.broker.closed(conn, self.now);
            end.client.closed(self.now);
        }
    }

    fn look(&mut self) {
        while self.broker.poll_writable().is_some() {}
        while let Some(conn) = self.broker.poll_close() {
            for end in self.ends.iter_mut().filter(|end| end.conn == Some(conn)) {
                end.conn = None;
                end.client.closed(self.now);
            }
        }
        for end in &mut self.ends {
            while let Some(event) = end.client.poll_event() {
                match event {
                    ClientEvent::Message(message) => {
                        let payload = std::str::from_utf8(message.payload()).expect("digits");
                        end.heard.push((payload.parse().expect("a number"), message.qos()));
                    }
                    ClientEvent::Subscribed { granted, .. } => {
                        assert_eq!(granted, Some(QoS::ExactlyOnce));
                        end.granted += 1;
                    }
                    _ => {}
                }
            }
        }
    }

    /// Lets time pass, stopping wherever somebody asks for it.
    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            self.run();
            let clients = self.ends.iter().filter_map(|end| end.client.poll_at());
            let Some(at) = clients.chain(self.broker.poll_at()).min().filter(|at| *at <= end)
            else {
                break;
            };
            self.now = self.now.max(at);
            self.ends.iter_mut().for_each(|end| end.client.handle_timeout(self.now));
            self.broker.handle_timeout(self.now);
            self.look();
        }
        self.now = end;
    }

    /// Gives everybody time to come back, and looks at what arrived.
    fn judge(&mut self) -> Result<(), String> {
        self.pass(Duration::from_millis(200_000));
        let heard = &self.ends[TO].heard;
        for (number, qos) in self.sent.iter().enumerate() {
            let times = heard.iter().filter(|(n, q)| n == &number && q == qos).count();
            let fits = match qos {
                QoS::AtMostOnce => times <= 1,
                QoS::AtLeastOnce => times >= 1,
                QoS::ExactlyOnce => times == 1,
            };
            if !fits {
                return Err(format!("message {number} at {qos:?} came {times} times: {heard:?}"));
            }
        }
        for qos in QOS {
            let mut first: Vec<_> =
                heard.iter().filter(|(_, q)| *q == qos).map(|(n, _)| *n).collect();
            let mut seen = std::collections::BTreeSet::new();
            first.retain(|n| seen.insert(*n));
            if !first.is_sorted() {
                return Err(format!("{qos:?} out of order: {first:?}"));
            }
        }
        match heard.iter().find(|(n, qos)| self.sent.get(*n) != Some(qos)) {
            Some(other) => Err(format!("nobody sent {other:?}")),
            None => Ok(()),
        }
    }
}

fn spend(budget: usize, spent: usize) -> usize {
    if budget == ALL { ALL } else { budget - spent }
}

/// Some messages of each quality, with one connection broken after so many bytes, and the one after
/// it again.
fn tell(qos: &[QoS], end: usize, cuts: &[(usize, usize)]) {
    let mut net = Net::new(false);
    let mut cuts = cuts.iter();
    let mut arm = |net: &mut Net| {
        if let Some((up, down)) = cuts.next() {
            (net.ends[end].up, net.ends[end].down) = (*up, *down);
        }
    };
    arm(&mut net);
    qos.iter().for_each(|qos| net.publish(*qos));
    net.run();
    arm(&mut net);
    if let Err(why) = net.judge() {
        panic!("{qos:?}, end {end}, cut: {why}");
    }
}

const MIXED: [QoS; 5] = [QOS[1], QOS[2], QOS[0], QOS[2], QOS[1]];

#[test]
fn cut_at_every_byte() {
    for qos in [&[QOS[1]][..], &[QOS[2]], &MIXED] {
        for end in [FROM, TO] {
            for n in 0..150 {
                tell(qos, end, &[(n, ALL)]);
                tell(qos, end, &[(ALL, n)]);
            }
        }
    }
}

#[test]
fn cut_again_at_every_byte_after_coming_back() {
    for qos in [&[QOS[1]][..], &[QOS[2]]] {
        for end in [FROM, TO] {
            for first in (0..24).flat_map(|n| [(n, ALL), (ALL, n)]) {
                for second in (0..48).flat_map(|n| [(n, ALL), (ALL, n)]) {
                    tell(qos, end, &[first, second]);
                }
            }
        }
    }
}

/// How many messages may be on their way is for each side to choose for what it sends.
#[test]
fn a_server_may_send_more_at_a_time_than_the_client_does() {
    for qos in QOS {
        let mut net = Net::new(false);
        net.broker.set_limits(Limits::DESKTOP);
        let sent: Vec<_> = (0..60).map(|n: usize| (n, qos)).collect();
        for (n, qos) in &sent {
            net.broker.publish(b"t/n", n.to_string().as_bytes(), *qos, false).expect("is valid");
        }
        net.pass(Duration::from_millis(1_000));
        assert_eq!(net.ends[TO].heard, sent);
        assert_eq!(net.ends[TO].dials, 1, "all over one connection");
    }
}

#[test]
fn a_server_that_forgot_is_subscribed_to_again() {
    for clean in [false, true] {
        let mut net = Net::new(clean);
        net.publish(QOS[2]);
        net.run();
        // Another broker in its place, which knows nobody.
        net.broker = Broker::new(Limits::SMALL);
        for end in [FROM, TO] {
            net.cut(end);
        }
        net.pass(Duration::from_millis(5_000));
        assert_eq!(net.ends[TO].granted, 2, "asked again");
        net.publish(QOS[2]);
        net.judge().unwrap();
    }
}

#[test]
fn a_server_that_is_away_is_asked_ever_more_rarely_and_found_again() {
    let mut net = Net::new(false);
    net.away = true;
    net.cut(TO);
    net.cut(FROM);
    net.publish(QOS[1]);
    net.publish(QOS[2]);
    let dials = |net: &Net| net.ends[TO].dials;
    let mut before = dials(&net);
    let mut counts = Vec::new();
    for _ in 0..6 {
        net.pass(Duration::from_millis(120_000));
        counts.push(dials(&net) - before);
        before = dials(&net);
    }
    assert!((7..20).contains(&counts[0]), "from a second up: {counts:?}");
    assert!(
        counts[1..].iter().all(|count| (2..=4).contains(count)),
        "in the end once a minute: {counts:?}"
    );
    net.away = false;
    net.judge().unwrap();
}

/// One thing that happens.
#[derive(Clone, Debug)]
enum Act {
    Publish(QoS),
    /// One end's connection breaks after so many more bytes.
    Break {
        end: usize,
        up: Option<usize>,
        down: Option<usize>,
    },
    Cut(usize),
    Pass(Duration),
    Run,
}

fn act() -> impl Strategy<Value = Act> {
    let budget = || proptest::option::of(0usize..60);
    prop_oneof![
        5 => (0usize..3).prop_map(|qos| Act::Publish(QOS[qos])),
        2 => (0usize..2, budget(), budget()).prop_map(|(end, up, down)| Act::Break { end, up, down }),
        1 => (0usize..2).prop_map(Act::Cut),
        2 => (0u64..4_000).prop_map(|ms| Act::Pass(Duration::from_millis(ms))),
        2 => Just(Act::Run),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_breaks_all_arrives(acts in vec(act(), 0..60)) {
        let mut net = Net::new(false);
        for act in acts {
            match act {
                Act::Publish(qos) => net.publish(qos),
                Act::Break { end, up, down } => {
                    net.ends[end].up = up.unwrap_or(ALL);
                    net.ends[end].down = down.unwrap_or(ALL);
                }
                Act::Cut(end) => net.cut(end),
                Act::Pass(span) => net.pass(span),
                Act::Run => net.run(),
            }
        }
        for end in &mut net.ends {
            (end.up, end.down) = (ALL, ALL);
        }
        net.judge().map_err(TestCaseError::fail)?;
    }
}
