//! Any bytes, and messages that another implementation has written.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::net::{Ipv4Addr, SocketAddr};

use common::{Build, dump};
use proptest::prelude::*;
use simple_dns::TYPE;
use umqtt_dns::wire::{CLASS_IN, DnsMessage, Item, Section, rtype};
use umqtt_dns::{Data, MESSAGE_LEN, NameBuf, Responder, Transmit, Writer};
use umqtt_net::{Instant, Interface, Peer};

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec!["mqtt.local", "a.b.example", "b.example", "example"])
            .prop_map(str::to_string),
        "[a-zA-Z][a-z0-9-]{0,20}(\\.[a-z0-9_]{1,20}){0,3}",
    ]
}

#[derive(Clone, Debug)]
enum Entry {
    A(String, u32, [u8; 4]),
    Ptr(String, u32, String),
    Srv(String, u32, String, u16),
}

fn entry() -> impl Strategy<Value = Entry> {
    prop_oneof![
        (name(), any::<u32>(), any::<[u8; 4]>()).prop_map(|(n, t, a)| Entry::A(n, t, a)),
        (name(), any::<u32>(), name()).prop_map(|(n, t, o)| Entry::Ptr(n, t, o)),
        (name(), any::<u32>(), name(), any::<u16>())
            .prop_map(|(n, t, o, port)| Entry::Srv(n, t, o, port)),
    ]
}

fn owned(text: &str) -> NameBuf {
    NameBuf::from_text(text).unwrap()
}

proptest! {
    /// What we write is read by others as it was meant, and by us.
    #[test]
    fn messages_are_read_by_others(entries in prop::collection::vec(entry(), 0..8)) {
        let mut buf = [0; 1500];
        let mut writer = Writer::new(&mut buf, 7, 0x8000).unwrap();
        let mut expected = Vec::new();
        for entry in &entries {
            let (name, kind, ttl, other, line) = match entry {
                Entry::A(n, ttl, a) => (n, rtype::A, ttl, None,
                    format!("= {n} A {ttl} {}", Ipv4Addr::from(*a))),
                Entry::Ptr(n, ttl, o) => (n, rtype::PTR, ttl, Some(owned(o)),
                    format!("= {n} PTR {ttl} {o}")),
                Entry::Srv(n, ttl, o, port) => (n, rtype::SRV, ttl, Some(owned(o)),
                    format!("= {n} SRV {ttl} {o}:{port}")),
            };
            let data = match (entry, &other) {
                (Entry::A(_, _, address), _) => Data::A((*address).into()),
                (Entry::Srv(_, _, _, port), Some(target)) =>
                    Data::Srv { port: *port, target: target.name() },
                (_, other) => Data::Name(other.as_ref().unwrap().name()),
            };
            let kind = (kind, CLASS_IN);
            writer.record(Section::Answer, &owned(name).name(), kind, *ttl, data).unwrap();
            expected.push(line);
        }
        let len = writer.finish();
        prop_assert_eq!(dump(&buf[..len]), &expected[..]);
        let message = DnsMessage::parse(&buf[..len]).unwrap();
        let read: Vec<_> = message.records(Section::Answer).map(|record| {
            let rest = match (record.address(), record.target(), record.srv()) {
                (Some(address), None, None) => format!("A {} {address}", record.ttl),
                (None, Some(target), None) => format!("PTR {} {target}", record.ttl),
                (None, None, Some(srv)) => format!("SRV {} {}:{}", record.ttl, srv.target, srv.port),
                other => panic!("{other:?}"),
            };
            format!("= {} {rest}", record.name)
        }).collect();
        prop_assert_eq!(read, expected);
    }

    /// What has no room leaves the message as it was.
    #[test]
    fn no_room(room in 0..120_usize, names in prop::collection::vec(name(), 1..6)) {
        let mut buf = vec![0; room];
        let Ok(mut writer) = Writer::new(&mut buf, 7, 0) else {
            prop_assert!(room < 12);
            return Ok(());
        };
        let mut written = Vec::new();
        for name in names {
            if writer.question(&owned(&name).name(), rtype::A, CLASS_IN).is_ok() {
                written.push(format!("? {name} A"));
            }
        }
        let len = writer.finish();
        prop_assert_eq!(dump(&buf[..len]), written);
    }

    /// Any bytes as a message: nothing panics, and there is no more in it than fits.
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300), counts in any::<[u8; 4]>()) {
        let mut bytes = bytes;
        for (n, count) in counts.iter().enumerate() {
            if let Some(place) = bytes.get_mut(4 + 2 * n..6 + 2 * n) {
                place.copy_from_slice(&[0, count % 8]);
            }
        }
        let Ok(message) = DnsMessage::parse(&bytes) else { return Ok(()) };
        for item in message.items() {
            match item {
                Ok(Item::Question(question)) => {
                    prop_assert!(question.name.to_string().len() <= 4 * 255);
                }
                Ok(Item::Record(_, record)) => {
                    prop_assert!(record.data().len() <= bytes.len());
                    let _ = (record.address(), record.target(), record.srv());
                    let _ = record.negative_ttl();
                }
                Err(_) => {}
            }
        }
        prop_assert!(message.items().count() <= 32);
    }

    /// The name server of the access point: an answer repeats number and question, and has at most
    /// 16 bytes more than the question.
    #[test]
    fn nothing_is_amplified(
        change in prop::collection::vec((any::<u16>(), any::<u8>()), 0..4),
        name in name(),
        upstream in any::<bool>(),
    ) {
        let mut responder: Responder<2> = Responder::new(Ipv4Addr::new(192, 168, 4, 1));
        responder.set_upstream(upstream.then_some(Ipv4Addr::new(10, 0, 0, 1)));
        let mut query = Build::query(7).ask(&name, TYPE::A).bytes();
        let len = query.len();
        for (at, byte) in change {
            query[usize::from(at) % len] = byte;
        }
        let from = SocketAddr::from(([192, 168, 4, 2], 4000));
        let from = Peer::new(from, Interface::AccessPoint);
        let mut buf = [0; MESSAGE_LEN];
        match responder.handle_query(&query, from, Instant::ZERO, 99, &mut buf) {
            Some(Transmit::Client { len, to }) => {
                prop_assert_eq!(to, from);
                prop_assert!(len <= query.len() + 16);
                prop_assert_eq!(&buf[..2], &query[..2]);
                prop_assert!(buf[2] & 0x80 != 0);
            }
            Some(Transmit::Upstream { len, .. }) => {
                prop_assert!(upstream && len <= query.len());
                prop_assert!(buf[2] & 0x80 == 0);
            }
            None => {}
        }
    }
}
