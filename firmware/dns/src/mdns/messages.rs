//! What a host sends, apart from its multicast answers.

use core::net::SocketAddrV4;

use super::record_set::RecordSet;
use super::zone::{Lifetime, Zone};
use crate::name::NameBuf;
use crate::wire::{CLASS_FLAG, CLASS_IN, Section, flags, rtype};
use crate::writer::Writer;

/// An answer to one.
#[derive(Clone, Debug)]
pub(super) struct Unicast {
    pub(super) to: SocketAddrV4,
    pub(super) records: RecordSet,
    /// For those that know nothing of multicast DNS: number and question.
    pub(super) legacy: Option<Legacy>,
}

#[derive(Clone, Debug)]
pub(super) struct Legacy {
    pub(super) id: u16,
    pub(super) name: NameBuf,
    pub(super) qtype: u16,
    pub(super) qclass: u16,
}

/// Whether anybody has our names from that one on, and what we would like to say of them. As many
/// as fit; returns the length and the next name.
pub(super) fn probe(zone: &Zone, next: usize, buf: &mut [u8]) -> Option<(usize, usize)> {
    let all = zone.unique_names().count();
    let mut counts = (1..=all.checked_sub(next)?).rev();
    counts.find_map(|count| Some((probe_of(zone, next, count, buf)?, next + count)))
}

fn probe_of(zone: &Zone, next: usize, count: usize, buf: &mut [u8]) -> Option<usize> {
    let names = || zone.unique_names().skip(next).take(count);
    let mut writer = Writer::new(buf, 0, 0).ok()?;
    for (name, _) in names() {
        let name = zone.name(name)?;
        writer.question(&name.name(), rtype::ANY, CLASS_IN | CLASS_FLAG).ok()?;
    }
    for (_, records) in names() {
        for record in records.into_iter().flatten() {
            zone.write(&mut writer, Section::Authority, record, Lifetime::Probe).ok()?;
        }
    }
    Some(writer.finish())
}

/// That others shall forget what they know.
pub(super) fn goodbye(zone: &Zone, buf: &mut [u8]) -> Option<usize> {
    let mut writer = response(buf, 0)?;
    for record in zone.all().iter() {
        // What does not fit is forgotten in its time.
        let _ = zone.write(&mut writer, Section::Answer, record, Lifetime::Goodbye);
    }
    Some(writer.finish())
}

pub(super) fn unicast(zone: &Zone, unicast: &Unicast, buf: &mut [u8]) -> Option<usize> {
    let lifetime = if unicast.legacy.is_some() { Lifetime::Legacy } else { Lifetime::Full };
    let mut writer = response(buf, unicast.legacy.as_ref().map_or(0, |legacy| legacy.id))?;
    if let Some(Legacy { name, qtype, qclass, .. }) = &unicast.legacy {
        writer.question(&name.name(), *qtype, *qclass).ok()?;
    }
    for record in unicast.records.iter() {
        // What does not fit is asked for again.
        let _ = zone.write(&mut writer, Section::Answer, record, lifetime);
    }
    for record in zone.additional(unicast.records).iter() {
        let _ = zone.write(&mut writer, Section::Additional, record, lifetime);
    }
    Some(writer.finish())
}

/// A response without anything in it yet.
pub(super) fn response(buf: &mut [u8], id: u16) -> Option<Writer<'_>> {
    Writer::new(buf, id, flags::RESPONSE | flags::AUTHORITATIVE).ok()
}

/// FNV-1a.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, &byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
