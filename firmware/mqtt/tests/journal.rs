//! What is acknowledged is in the journal first, and nothing else waits for it.

use std::collections::BTreeMap;

use umqtt_mqtt::wire::{Connect, PacketType, Publish, Subscribe, Unsubscribe, Version, emit_ack};
use umqtt_mqtt::{
    AllowAll, Batch, Broker, Change, ConnId, Duration, Instant, Interface, Limits, Peer, QoS,
    Restore, RestoreError, Restored,
};

const Q0: QoS = QoS::AtMostOnce;
const Q1: QoS = QoS::AtLeastOnce;
const Q2: QoS = QoS::ExactlyOnce;
const PUBLISHER: ConnId = ConnId(1);
const SUBSCRIBER: ConnId = ConnId(2);

#[derive(Default)]
struct Store(BTreeMap<Vec<u8>, Vec<u8>>);

impl Store {
    fn apply(&mut self, batch: &Batch) {
        for change in batch.iter() {
            match change {
                Change::Put { key, value } => drop(self.0.insert(key.into(), value.into())),
                Change::Delete { key } => drop(self.0.remove(key)),
                Change::DeletePrefix { prefix } => self.0.retain(|key, _| !key.starts_with(prefix)),
            }
        }
    }

    fn restore(&self) -> Result<(Broker, Restored), RestoreError> {
        let mut restore = Restore::new();
        self.0.iter().try_for_each(|(key, value)| restore.record(key, value))?;
        let mut broker = Broker::new(Limits::DESKTOP);
        broker.start_journal();
        let restored = broker.restore(restore, Instant::ZERO)?;
        Ok((broker, restored))
    }

    /// Commits all there is to commit.
    fn commit(&mut self, broker: &mut Broker) {
        while let Some(batch) = broker.poll_journal() {
            self.apply(&batch);
            broker.journal_committed();
        }
    }
}

fn broker() -> Broker {
    let mut broker = Broker::new(Limits::DESKTOP);
    broker.start_journal();
    broker
}

fn packet(fill: impl FnOnce(&mut Vec<u8>) -> bool) -> Vec<u8> {
    let mut packet = Vec::new();
    assert!(fill(&mut packet));
    packet
}

fn send(broker: &mut Broker, conn: ConnId, bytes: &[u8]) {
    broker.receive(conn, bytes, Instant::from_millis(1), &mut AllowAll);
}

fn connect(broker: &mut Broker, conn: ConnId, clean: bool) {
    broker.closed(conn, Instant::from_millis(1));
    let peer = Peer::new(([127, 0, 0, 1], 1).into(), Interface::Station);
    broker.open(conn, peer, Instant::from_millis(1), &mut AllowAll).expect("room");
    let connect = Connect {
        version: Version::V311,
        client_id: &format!("client {}", conn.0),
        clean_session: clean,
        keep_alive: 0,
        bridge: false,
        will: None,
        user: None,
        password: None,
    };
    send(broker, conn, &packet(|p| connect.emit(p)));
}

fn subscribe(broker: &mut Broker, conn: ConnId, filter: &[u8], qos: QoS) {
    send(broker, conn, &packet(|p| Subscribe::emit(7, &[(filter, qos)], p)));
}

fn publish(broker: &mut Broker, topic: &[u8], qos: QoS, retain: bool) {
    let publish = Publish { topic, payload: b"x", qos, retain, dup: false, packet_id: 9 };
    send(broker, PUBLISHER, &packet(|p| publish.emit(p)));
}

/// What a client is sent now.
fn sent(broker: &mut Broker, conn: ConnId) -> Vec<u8> {
    while broker.poll_writable().is_some() {}
    let mut all = Vec::new();
    loop {
        let bytes = broker.outgoing(conn).to_vec();
        if bytes.is_empty() {
            return all;
        }
        broker.sent(conn, bytes.len());
        all.extend(bytes);
    }
}

/// A stored session that subscribes to `t`, and a publisher; all of it committed.
fn story(qos: QoS) -> (Broker, Store) {
    let (mut broker, mut store) = (broker(), Store::default());
    connect(&mut broker, PUBLISHER, false);
    connect(&mut broker, SUBSCRIBER, false);
    store.commit(&mut broker);
    subscribe(&mut broker, SUBSCRIBER, b"t", qos);
    store.commit(&mut broker);
    for conn in [PUBLISHER, SUBSCRIBER] {
        sent(&mut broker, conn);
    }
    (broker, store)
}

#[test]
fn every_acknowledgement_waits_for_its_commit() {
    let (mut broker, mut store) = (broker(), Store::default());
    let answers = |broker: &mut Broker, store: &mut Store, conn, wanted: &[u8]| {
        assert_eq!(sent(broker, conn), [0_u8; 0], "before {wanted:x?} is committed");
        let batch = broker.poll_journal().expect("something to write");
        assert_eq!(sent(broker, conn), [0_u8; 0], "while {wanted:x?} is written");
        store.apply(&batch);
        broker.journal_committed();
        assert_eq!(sent(broker, conn), wanted);
    };
    connect(&mut broker, SUBSCRIBER, false);
    answers(&mut broker, &mut store, SUBSCRIBER, &[0x20, 2, 0, 0]);
    subscribe(&mut broker, SUBSCRIBER, b"t", Q2);
    answers(&mut broker, &mut store, SUBSCRIBER, &[0x90, 3, 0, 7, 2]);
    connect(&mut broker, PUBLISHER, false);
    answers(&mut broker, &mut store, PUBLISHER, &[0x20, 2, 0, 0]);
    broker.closed(SUBSCRIBER, Instant::from_millis(1));
    publish(&mut broker, b"t", Q1, false);
    answers(&mut broker, &mut store, PUBLISHER, &[0x40, 2, 0, 9]);
    publish(&mut broker, b"t", Q2, false);
    answers(&mut broker, &mut store, PUBLISHER, &[0x50, 2, 0, 9]);
    send(&mut broker, PUBLISHER, &emit_ack(PacketType::Pubrel, 9));
    answers(&mut broker, &mut store, PUBLISHER, &[0x70, 2, 0, 9]);
    publish(&mut broker, b"r", Q1, true);
    answers(&mut broker, &mut store, PUBLISHER, &[0x40, 2, 0, 9]);
    // It comes back: the session's messages of QoS 2 leave once their packet ids are known.
    connect(&mut broker, SUBSCRIBER, false);
    let known = b"\x20\x02\x01\x00\x32\x06\x00\x01t\x00\x01x";
    assert_eq!(sent(&mut broker, SUBSCRIBER), known);
    answers(&mut broker, &mut store, SUBSCRIBER, b"\x34\x06\x00\x01t\x00\x02x");
    send(&mut broker, SUBSCRIBER, &emit_ack(PacketType::Pubrec, 2));
    answers(&mut broker, &mut store, SUBSCRIBER, &[0x62, 2, 0, 2]);
    send(&mut broker, SUBSCRIBER, &packet(|p| Unsubscribe::emit(3, &[b"t"], p)));
    answers(&mut broker, &mut store, SUBSCRIBER, &[0xb0, 2, 0, 3]);
    // A session that ends, too.
    connect(&mut broker, SUBSCRIBER, true);
    answers(&mut broker, &mut store, SUBSCRIBER, &[0x20, 2, 0, 0]);
    assert!(broker.journal_is_idle());
}

#[test]
fn acknowledgements_leave_in_their_order() {
    let (mut broker, mut store) = story(Q1);
    broker.closed(SUBSCRIBER, Instant::from_millis(1));
    publish(&mut broker, b"t", Q1, false);
    publish(&mut broker, b"nobody", Q1, false); // has nothing to wait for, and waits
    let batch = broker.poll_journal().expect("something to write");
    publish(&mut broker, b"t", Q1, false);
    store.apply(&batch);
    broker.journal_committed();
    assert_eq!(sent(&mut broker, PUBLISHER), [0x40, 2, 0, 9, 0x40, 2, 0, 9]);
    store.commit(&mut broker);
    assert_eq!(sent(&mut broker, PUBLISHER), [0x40, 2, 0, 9]);
}

#[test]
fn what_needs_no_commit_waits_for_none() {
    let (mut broker, _) = story(Q1);
    let clean = ConnId(3);
    connect(&mut broker, clean, true);
    assert_eq!(sent(&mut broker, clean), [0x20, 2, 0, 0]);
    // The disk stands still with something written,
    publish(&mut broker, b"t", Q1, false);
    let _batch = broker.poll_journal().expect("something to write");
    // and QoS 0, clean sessions, pings and messages nobody has to keep go on.
    connect(&mut broker, ConnId(4), true);
    assert_eq!(sent(&mut broker, ConnId(4)), [0x20, 2, 0, 0]);
    subscribe(&mut broker, clean, b"t", Q2);
    assert_eq!(sent(&mut broker, clean), [0x90, 3, 0, 7, 2]);
    sent(&mut broker, SUBSCRIBER);
    publish(&mut broker, b"t", Q0, false);
    assert_eq!(sent(&mut broker, SUBSCRIBER), b"\x30\x04\x00\x01tx");
    send(&mut broker, clean, &[0xc0, 0]);
    assert_eq!(sent(&mut broker, clean), b"\xd0\x00\x30\x04\x00\x01tx");
    let publish =
        Publish { topic: b"u", payload: b"", qos: Q1, retain: false, dup: false, packet_id: 5 };
    send(&mut broker, clean, &packet(|p| publish.emit(p)));
    assert_eq!(sent(&mut broker, clean), [0x40, 2, 0, 5]);
}

#[test]
fn what_is_delivered_before_it_is_written_is_never_written() {
    let (mut broker, mut store) = story(Q1);
    let before = store.0.clone();
    publish(&mut broker, b"t", Q1, false);
    assert_eq!(sent(&mut broker, SUBSCRIBER), b"\x32\x06\x00\x01t\x00\x01x");
    send(&mut broker, SUBSCRIBER, &emit_ack(PacketType::Puback, 1));
    assert!(broker.poll_journal().is_none());
    assert_eq!(sent(&mut broker, PUBLISHER), [0x40, 2, 0, 9]);
    store.commit(&mut broker);
    assert_eq!(store.0, before);
}

#[test]
fn a_message_for_many_is_written_once() {
    let (mut broker, mut store) = (broker(), Store::default());
    for n in 10..110 {
        connect(&mut broker, ConnId(n), false);
        subscribe(&mut broker, ConnId(n), b"t", Q1);
        broker.closed(ConnId(n), Instant::from_millis(1));
    }
    connect(&mut broker, PUBLISHER, true);
    publish(&mut broker, b"t", Q1, false);
    store.commit(&mut broker);
    let of = |store: &Store, kind| store.0.keys().filter(|key| key[0] == kind).count();
    assert_eq!([b'M', b'Q', b'S', b'F'].map(|kind| of(&store, kind)), [1, 100, 100, 100]);
    for n in 10..110 {
        connect(&mut broker, ConnId(n), true);
    }
    store.commit(&mut broker);
    assert!(store.0.is_empty(), "{:?}", store.0);
}

#[test]
fn a_refused_client_is_told_at_once_and_a_lost_one_loses_nothing() {
    let (mut broker, mut store) = story(Q2);
    publish(&mut broker, b"t", Q2, false);
    broker.closed(SUBSCRIBER, Instant::from_millis(1));
    broker.closed(PUBLISHER, Instant::from_millis(1));
    store.commit(&mut broker);
    let (mut broker, restored) = store.restore().expect("whole");
    assert_eq!((restored.sessions, restored.subscriptions), (2, 1));
    assert_eq!((restored.queued, restored.retained), (1, 0));
    connect(&mut broker, SUBSCRIBER, false);
    assert_eq!(
        sent(&mut broker, SUBSCRIBER),
        b"\x20\x02\x01\x00\x3c\x06\x00\x01t\x00\x01x",
        "resent with its packet id"
    );
    // What it has sent before the restart is known.
    connect(&mut broker, PUBLISHER, false);
    publish(&mut broker, b"t", Q2, false);
    store.commit(&mut broker);
    assert_eq!(sent(&mut broker, PUBLISHER), b"\x20\x02\x01\x00\x50\x02\x00\x09");
    assert_eq!(sent(&mut broker, SUBSCRIBER), b"", "not twice");
}

#[test]
fn records_that_make_no_sense_are_refused_and_never_a_panic() {
    let (mut broker, mut store) = story(Q2);
    publish(&mut broker, b"t", Q2, true);
    broker.closed(SUBSCRIBER, Instant::from_millis(1));
    publish(&mut broker, b"t", Q1, false);
    store.commit(&mut broker);
    let (mut whole, mut refused) = (0, 0);
    for (key, value) in &store.0 {
        // Missing, cut, and every bit of it flipped.
        let mut damaged = vec![(key.clone(), None)];
        for len in 0..value.len() {
            damaged.push((key.clone(), Some(value[..len].to_vec())));
        }
        for bit in 0..8 * value.len() {
            let mut value = value.clone();
            value[bit / 8] ^= 1 << (bit % 8);
            damaged.push((key.clone(), Some(value)));
        }
        for bit in 0..8 * key.len() {
            let mut other = key.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            damaged.push((other, Some(value.clone())));
        }
        for (new, value) in damaged {
            let mut records = Store(store.0.clone());
            records.0.remove(key);
            if let Some(value) = value {
                records.0.insert(new, value);
            }
            match records.restore() {
                Ok((mut broker, _)) => {
                    whole += 1;
                    for conn in [PUBLISHER, SUBSCRIBER] {
                        connect(&mut broker, conn, false);
                        sent(&mut broker, conn);
                    }
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(whole > 100 && refused > 100, "{whole} {refused}");
}

const DAY: u64 = 24 * 60 * 60 * 1000;
/// Unix time when a test begins, ms.
const EPOCH: u64 = 1_800_000_000_000;

/// A broker made of the records, the clock of which says so; and what it writes at its start.
fn restart(store: &mut Store, unix: Option<u64>) -> Broker {
    let mut restore = Restore::new();
    store.0.iter().for_each(|(key, value)| restore.record(key, value).expect("a record"));
    let mut broker = Broker::new(Limits::DESKTOP.session_expiry(Duration::from_millis(DAY)));
    broker.start_journal();
    if let Some(unix) = unix {
        broker.set_unix_time(unix, Instant::ZERO);
    }
    broker.restore(restore, Instant::ZERO).expect("what was written");
    store.commit(&mut broker);
    broker
}

/// Time passes; whether there still is a session at the end.
fn survives(broker: &mut Broker, store: &mut Store, until: u64) -> bool {
    while let Some(at) = broker.poll_at().filter(|at| at.as_millis() <= until) {
        broker.handle_timeout(at);
    }
    store.commit(broker);
    broker.stored_sessions_len() > 0
}

/// A session whose client goes at some time of the broker, kept.
fn left_at(at: u64, unix: Option<u64>) -> Store {
    let mut store = Store::default();
    let mut broker = restart(&mut store, unix);
    connect(&mut broker, SUBSCRIBER, false);
    store.commit(&mut broker);
    broker.closed(SUBSCRIBER, Instant::from_millis(at));
    store.commit(&mut broker);
    store
}

#[test]
fn sessions_age_while_nothing_runs() {
    let mut store = left_at(1000, Some(EPOCH));
    // Off for most of a day.
    let mut broker = restart(&mut store, Some(EPOCH + DAY - 5_000));
    assert!(survives(&mut broker, &mut store, 5_999));
    assert!(!survives(&mut broker, &mut store, 6_000));
    // For more than that.
    let mut store = left_at(1000, Some(EPOCH));
    let mut broker = restart(&mut store, Some(EPOCH + 2 * DAY));
    assert!(!survives(&mut broker, &mut store, 0));
    assert_eq!(store.0.len(), 0, "and there is no record left");
}

#[test]
fn sessions_age_through_any_number_of_restarts() {
    let mut store = left_at(0, Some(EPOCH));
    for hours in (5..24).step_by(5) {
        let mut broker = restart(&mut store, Some(EPOCH + hours * DAY / 24));
        assert!(survives(&mut broker, &mut store, 1_000));
    }
    let mut broker = restart(&mut store, Some(EPOCH + DAY - 1_000));
    assert!(survives(&mut broker, &mut store, 999));
    assert!(!survives(&mut broker, &mut store, 1_000));
    // One whose client was connected when the power went, and never came back.
    let mut store = Store::default();
    let mut broker = restart(&mut store, Some(EPOCH));
    connect(&mut broker, SUBSCRIBER, false);
    store.commit(&mut broker);
    let mut broker = restart(&mut store, Some(EPOCH + 3 * DAY));
    assert!(survives(&mut broker, &mut store, 1_000), "it was in use");
    let mut broker = restart(&mut store, Some(EPOCH + 4 * DAY));
    assert!(!survives(&mut broker, &mut store, 0));
}

#[test]
fn a_clock_that_was_set_ends_no_session_before_its_time_has_passed() {
    // Back behind the moment: then only what the broker has run counts.
    let mut store = left_at(1000, Some(EPOCH));
    let mut broker = restart(&mut store, Some(EPOCH - 300 * DAY));
    assert!(survives(&mut broker, &mut store, DAY - 1));
    assert!(!survives(&mut broker, &mut store, DAY));
    // Not known, before or after.
    for (before, after) in [(None, None), (None, Some(EPOCH)), (Some(EPOCH), None)] {
        let mut store = left_at(1000, before);
        let mut broker = restart(&mut store, after);
        assert!(survives(&mut broker, &mut store, DAY - 1), "{before:?} {after:?}");
        assert!(!survives(&mut broker, &mut store, DAY), "{before:?} {after:?}");
    }
    // Forward by a year while it runs: what has left since counts from then.
    let mut store = Store::default();
    let mut broker = restart(&mut store, Some(EPOCH));
    connect(&mut broker, SUBSCRIBER, false);
    broker.set_unix_time(EPOCH + 365 * DAY, Instant::from_millis(5_000));
    broker.closed(SUBSCRIBER, Instant::from_millis(6_000));
    store.commit(&mut broker);
    assert!(survives(&mut broker, &mut store, DAY), "while it runs no clock is asked");
    let mut broker = restart(&mut store, Some(EPOCH + 365 * DAY + DAY / 2));
    assert!(survives(&mut broker, &mut store, DAY / 2));
    assert!(!survives(&mut broker, &mut store, DAY / 2 + 1_000));
}

#[test]
fn a_client_that_is_back_is_not_away_after_a_restart() {
    let mut store = left_at(1000, Some(EPOCH));
    let mut broker = restart(&mut store, Some(EPOCH + DAY / 2));
    connect(&mut broker, SUBSCRIBER, false);
    store.commit(&mut broker);
    let mut broker = restart(&mut store, Some(EPOCH + 5 * DAY));
    assert!(survives(&mut broker, &mut store, DAY - 1));
}
