//! The records of a host and its services.

use core::net::Ipv4Addr;

use heapless::Vec;

use super::record_set::{MAX_SERVICES, OwnRecord, RecordSet};
use crate::name::{Name, NameBuf};
use crate::wire::{CLASS_ANY, CLASS_FLAG, CLASS_IN, Question, Record, Section, rtype};
use crate::writer::{Data, Full, Writer};

/// Bytes of what is said of a service.
pub const MAX_TXT: usize = 96;
/// Bytes of the host's label, with the number it gets if the name is taken.
pub const MAX_HOST_LABEL: usize = 32;
/// Seconds that others may remember records with the host's name in them, RFC 6762 section 10.
pub const HOST_TTL: u32 = 120;
/// Seconds that others may remember all other records.
pub const OTHER_TTL: u32 = 4500;
/// Seconds for those that know nothing of multicast DNS, RFC 6762 section 6.7.
const LEGACY_TTL: u32 = 10;

const LOCAL: &str = "local";
const ENUMERATION: &str = "_services._dns-sd._udp.local";

/// A service of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    kind: &'static str,
    port: u16,
    txt: Vec<u8, MAX_TXT, u8>,
}

impl Service {
    /// A service of a kind, such as `_mqtt._tcp`, at a port.
    pub const fn new(kind: &'static str, port: u16) -> Service {
        Service { kind, port, txt: Vec::new() }
    }

    /// Adds something that is said of it, such as `version=1.2`. What passes [`MAX_TXT`] bytes in
    /// all is left out.
    #[must_use]
    pub fn txt(mut self, entry: &str) -> Service {
        if let Ok(len) = u8::try_from(entry.len())
            && len > 0
            && self.txt.capacity() - self.txt.len() > entry.len()
        {
            // There is room.
            let _ = self.txt.push(len);
            let _ = self.txt.extend_from_slice(entry.as_bytes());
        }
        self
    }
}

/// Names of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnName {
    Host,
    Instance(u8),
    Kind(u8),
    Enumeration,
}

/// The records of a host and its services. The services have the host's label as their names.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    label: Vec<u8, MAX_HOST_LABEL, u8>,
    /// The number behind the label if the name itself is taken.
    number: u16,
    pub(super) address: Ipv4Addr,
    services: Vec<Service, MAX_SERVICES>,
}

impl Zone {
    /// A host; `None` if its label is none.
    pub(super) fn new(label: &str) -> Option<Zone> {
        let label = Vec::from_slice(label.as_bytes()).ok().filter(|label| !label.is_empty())?;
        let address = Ipv4Addr::UNSPECIFIED;
        Some(Zone { label, number: 0, address, services: Vec::new() })
    }

    /// Whether they are others than before.
    pub(super) fn set_services(&mut self, services: &[Service]) -> bool {
        let named = services.iter().filter(|service| kind_name(service.kind).is_some());
        let named = named.take(MAX_SERVICES);
        if named.clone().eq(&self.services) {
            return false;
        }
        self.services = named.cloned().collect();
        true
    }

    /// Takes the next name: `mqtt`, `mqtt-2`, `mqtt-3`, ...
    pub(super) fn rename(&mut self) {
        self.number = self.number.saturating_add(1).max(2);
    }

    /// Takes the name it would like to have.
    pub(super) fn reset_name(&mut self) {
        self.number = 0;
    }

    fn label(&self) -> Vec<u8, MAX_HOST_LABEL, u8> {
        if self.number == 0 {
            return self.label.clone();
        }
        let (mut digits, mut rest) = (Vec::<u8, 5>::new(), self.number);
        while rest > 0 {
            let _ = digits.push(b'0' + (rest % 10) as u8);
            rest /= 10;
        }
        let room = MAX_HOST_LABEL - 1 - digits.len();
        let mut label = self.label.clone();
        label.truncate(room);
        let _ = label.push(b'-');
        label.extend(digits.iter().rev().copied());
        label
    }

    fn service(&self, number: u8) -> Option<&Service> {
        self.services.get(usize::from(number))
    }

    fn numbers(&self) -> impl Iterator<Item = u8> + use<> {
        0..self.services.len() as u8
    }

    /// All records but the negative one.
    pub(super) fn all(&self) -> RecordSet {
        let mut all = RecordSet::of(OwnRecord::Address);
        for n in self.numbers() {
            for record in
                [OwnRecord::Srv(n), OwnRecord::Txt(n), OwnRecord::Ptr(n), OwnRecord::Enumeration(n)]
            {
                all.add(RecordSet::of(record));
            }
        }
        all
    }

    pub(super) fn name(&self, name: OwnName) -> Option<NameBuf> {
        match name {
            OwnName::Host => NameBuf::from_labels([&self.label()[..], LOCAL.as_bytes()]),
            OwnName::Instance(n) => {
                let kind = kind_name(self.service(n)?.kind)?;
                let label = self.label();
                NameBuf::from_labels([&label[..]].into_iter().chain(kind.name().labels()))
            }
            OwnName::Kind(n) => kind_name(self.service(n)?.kind),
            OwnName::Enumeration => NameBuf::from_text(ENUMERATION),
        }
    }

    /// The names that nobody else may have, with the records of each in the order of their types.
    pub(super) fn unique_names(&self) -> impl Iterator<Item = (OwnName, [Option<OwnRecord>; 2])> {
        let host = (OwnName::Host, [Some(OwnRecord::Address), None]);
        let instance =
            |n| (OwnName::Instance(n), [Some(OwnRecord::Txt(n)), Some(OwnRecord::Srv(n))]);
        [host].into_iter().chain(self.numbers().map(instance))
    }

    const fn owner(record: OwnRecord) -> OwnName {
        match record {
            OwnRecord::Address | OwnRecord::Negative => OwnName::Host,
            OwnRecord::Srv(n) | OwnRecord::Txt(n) => OwnName::Instance(n),
            OwnRecord::Ptr(n) => OwnName::Kind(n),
            OwnRecord::Enumeration(_) => OwnName::Enumeration,
        }
    }

    const fn rtype(record: OwnRecord) -> u16 {
        match record {
            OwnRecord::Address => rtype::A,
            OwnRecord::Negative => rtype::NSEC,
            OwnRecord::Srv(_) => rtype::SRV,
            OwnRecord::Txt(_) => rtype::TXT,
            OwnRecord::Ptr(_) | OwnRecord::Enumeration(_) => rtype::PTR,
        }
    }

    pub(super) const fn ttl(record: OwnRecord) -> u32 {
        match record {
            OwnRecord::Address | OwnRecord::Negative | OwnRecord::Srv(_) => HOST_TTL,
            _ => OTHER_TTL,
        }
    }

    /// The records that answer a question.
    pub(super) fn answers(&self, question: &Question<'_>) -> RecordSet {
        let mut set = RecordSet::EMPTY;
        let class = question.qclass & !CLASS_FLAG;
        if class != CLASS_IN && class != CLASS_ANY {
            return set;
        }
        let asks = |name| self.name(name).is_some_and(|own| own.name().is_same(&question.name));
        let wants = |record| matches!(question.qtype, qtype if qtype == rtype::ANY || qtype == Zone::rtype(record));
        let mut add = |record| {
            if wants(record) {
                set.add(RecordSet::of(record));
            }
        };
        if asks(OwnName::Enumeration) {
            self.numbers().for_each(|n| add(OwnRecord::Enumeration(n)));
        }
        for n in self.numbers() {
            if asks(OwnName::Kind(n)) {
                add(OwnRecord::Ptr(n));
            }
            if asks(OwnName::Instance(n)) {
                add(OwnRecord::Srv(n));
                add(OwnRecord::Txt(n));
            }
        }
        if asks(OwnName::Host) {
            let address = matches!(question.qtype, rtype::A | rtype::ANY);
            set.add(RecordSet::of(if address { OwnRecord::Address } else { OwnRecord::Negative }));
        }
        set
    }

    /// What those who asked for these records ask for next, RFC 6763 section 12.
    pub(super) fn additional(&self, answers: RecordSet) -> RecordSet {
        let mut set = RecordSet::EMPTY;
        for record in answers.iter() {
            if let OwnRecord::Ptr(n) = record {
                set.add(RecordSet::of(OwnRecord::Srv(n)));
                set.add(RecordSet::of(OwnRecord::Txt(n)));
            }
            if let OwnRecord::Ptr(_) | OwnRecord::Srv(_) = record {
                set.add(RecordSet::of(OwnRecord::Address));
            }
            if record == OwnRecord::Address {
                set.add(RecordSet::of(OwnRecord::Negative));
            }
        }
        set.without(answers)
    }

    /// The own record that is this one, whatever its time to live.
    pub(super) fn find(&self, record: &Record<'_>) -> Option<OwnRecord> {
        self.all().iter().find(|own| {
            Zone::rtype(*own) == record.rtype
                && record.class & !CLASS_FLAG == CLASS_IN
                && self
                    .name(Zone::owner(*own))
                    .is_some_and(|name| name.name().is_same(&record.name))
                && self.is_same_data(*own, record)
        })
    }

    fn is_same_data(&self, own: OwnRecord, record: &Record<'_>) -> bool {
        let is = |name: OwnName, other: Name<'_>| {
            self.name(name).is_some_and(|own| own.name().is_same(&other))
        };
        match own {
            OwnRecord::Address => record.address() == Some(self.address),
            OwnRecord::Negative => false,
            OwnRecord::Srv(n) => record.srv().is_some_and(|srv| {
                (srv.priority, srv.weight) == (0, 0)
                    && self.service(n).is_some_and(|service| service.port == srv.port)
                    && is(OwnName::Host, srv.target)
            }),
            OwnRecord::Txt(n) => record.data() == self.txt(n),
            OwnRecord::Ptr(n) => record.target().is_some_and(|name| is(OwnName::Instance(n), name)),
            OwnRecord::Enumeration(n) => {
                record.target().is_some_and(|name| is(OwnName::Kind(n), name))
            }
        }
    }

    /// RFC 6763 section 6.1: one empty string stands for nothing.
    fn txt(&self, n: u8) -> &[u8] {
        self.service(n)
            .map(|service| &service.txt[..])
            .filter(|txt| !txt.is_empty())
            .unwrap_or(&[0])
    }

    /// Writes a record. `legacy` is for those that know nothing of multicast DNS, and `goodbye` for
    /// records that end.
    pub(super) fn write(
        &self,
        writer: &mut Writer<'_>,
        section: Section,
        record: OwnRecord,
        lifetime: Lifetime,
    ) -> Result<(), Full> {
        let name = |name| self.name(name).ok_or(Full);
        let ttl = match lifetime {
            Lifetime::Full | Lifetime::Probe => Zone::ttl(record),
            Lifetime::Legacy => LEGACY_TTL,
            Lifetime::Goodbye => 0,
        };
        let flush = record.is_unique() && matches!(lifetime, Lifetime::Full | Lifetime::Goodbye);
        let class = if flush { CLASS_IN | CLASS_FLAG } else { CLASS_IN };
        let other = match record {
            OwnRecord::Ptr(n) => Some(name(OwnName::Instance(n))?),
            OwnRecord::Enumeration(n) => Some(name(OwnName::Kind(n))?),
            OwnRecord::Srv(_) | OwnRecord::Negative => Some(name(OwnName::Host)?),
            OwnRecord::Address | OwnRecord::Txt(_) => None,
        };
        let data = match (record, &other) {
            (OwnRecord::Srv(n), Some(target)) => {
                Data::Srv { port: self.service(n).ok_or(Full)?.port, target: target.name() }
            }
            (OwnRecord::Negative, Some(host)) => {
                Data::Only { name: host.name(), rtype: rtype::A as u8 }
            }
            (OwnRecord::Txt(n), _) => Data::Bytes(self.txt(n)),
            (_, Some(target)) => Data::Name(target.name()),
            (_, None) => Data::A(self.address),
        };
        let owner = name(Zone::owner(record))?;
        writer.record(section, &owner.name(), (Zone::rtype(record), class), ttl, data)
    }
}

/// How long a record that is written holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lifetime {
    Full,
    /// It is proposed, and is not certain yet.
    Probe,
    /// For those that know nothing of multicast DNS.
    Legacy,
    /// It ends.
    Goodbye,
}

fn kind_name(kind: &str) -> Option<NameBuf> {
    let labels = kind.split('.').chain([LOCAL]);
    NameBuf::from_labels(labels.map(str::as_bytes))
}
