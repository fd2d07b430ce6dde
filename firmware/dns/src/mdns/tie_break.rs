//! Who gets a name that two want at the same time, RFC 6762 section 8.2.

use core::cmp::Ordering;

use heapless::Vec;

use super::record_set::OwnRecord;
use super::zone::{Lifetime, Zone};
use crate::name::Name;
use crate::wire::{CLASS_FLAG, DnsMessage, Item, Record, Section, rtype};
use crate::writer::Writer;

/// Bytes of a record's data that are compared.
const COMPARED: usize = 160;

/// A record as it is compared: class, type, data with its names not compressed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    class: u16,
    rtype: u16,
    data: Vec<u8, COMPARED, u8>,
}

impl Key {
    fn of(record: &Record<'_>) -> Key {
        let mut data = Vec::new();
        let mut put = |bytes: &[u8]| {
            let room = data.capacity() - data.len();
            // What is longer is the same from there.
            let _ = data.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        };
        let name = match record.srv() {
            Some(srv) => {
                put(record.data().get(..6).unwrap_or_default());
                Some(srv.target)
            }
            None => record.target(),
        };
        match name {
            Some(name) => {
                for label in name.labels() {
                    put(&[label.len() as u8]);
                    put(label);
                }
                put(&[0]);
            }
            None => put(record.data()),
        }
        Key { class: record.class & !CLASS_FLAG, rtype: record.rtype, data }
    }
}

/// Compares what we propose for each of our names with what another host's probe does, as far as it
/// has proposals for them. The greater one gets the name.
pub(super) fn compare(zone: &Zone, probe: &DnsMessage<'_>) -> Ordering {
    for (own_name, records) in zone.unique_names() {
        let Some(name) = zone.name(own_name) else { continue };
        let order = compare_name(zone, &name.name(), records, probe);
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

fn compare_name(
    zone: &Zone,
    name: &Name<'_>,
    ours: [Option<OwnRecord>; 2],
    probe: &DnsMessage<'_>,
) -> Ordering {
    let proposed = || probe.records(Section::Authority).filter(|record| record.name.is_same(name));
    if proposed().next().is_none() {
        return Ordering::Equal;
    }
    let mut ours = ours.into_iter().flatten();
    let mut last: Option<Key> = None;
    loop {
        let later = |key: &Key| last.as_ref().is_none_or(|last| key > last);
        let theirs = proposed().map(|record| Key::of(&record)).filter(later).min();
        let own = ours.next().and_then(|record| own_key(zone, record));
        match (own, theirs) {
            (None, None) => return Ordering::Equal,
            (Some(_), None) => return Ordering::Greater,
            (None, Some(_)) => return Ordering::Less,
            (Some(own), Some(theirs)) if own != theirs => return own.cmp(&theirs),
            (_, theirs) => last = theirs,
        }
    }
}

fn own_key(zone: &Zone, record: OwnRecord) -> Option<Key> {
    let mut buf = [0; 320];
    let mut writer = Writer::new(&mut buf, 0, 0).ok()?;
    zone.write(&mut writer, Section::Authority, record, Lifetime::Probe).ok()?;
    let len = writer.finish();
    let message = DnsMessage::parse(buf.get(..len)?).ok()?;
    message.items().find_map(|item| match item {
        Ok(Item::Record(_, record)) => Some(Key::of(&record)),
        _ => None,
    })
}

const _: () = assert!(rtype::TXT < rtype::SRV, "as the zone has them");
