//! The records of a host by number.

/// Services of a host.
pub const MAX_SERVICES: usize = 4;

/// One of the records of a host; those of a service have its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnRecord {
    /// The address.
    Address,
    /// There is nothing else of the host's name.
    Negative,
    /// Host and port of a service.
    Srv(u8),
    /// What is said of a service.
    Txt(u8),
    /// A service of this kind.
    Ptr(u8),
    /// There is this kind of service.
    Enumeration(u8),
}

/// How many records there are.
pub(super) const RECORDS: usize = 2 + 4 * MAX_SERVICES;

impl OwnRecord {
    pub(super) const fn index(self) -> usize {
        match self {
            OwnRecord::Address => 0,
            OwnRecord::Negative => 1,
            OwnRecord::Srv(n) => 2 + 4 * n as usize,
            OwnRecord::Txt(n) => 3 + 4 * n as usize,
            OwnRecord::Ptr(n) => 4 + 4 * n as usize,
            OwnRecord::Enumeration(n) => 5 + 4 * n as usize,
        }
    }

    const fn at(index: usize) -> OwnRecord {
        let service = (index.saturating_sub(2) / 4) as u8;
        match (index, index.saturating_sub(2) % 4) {
            (0, _) => OwnRecord::Address,
            (1, _) => OwnRecord::Negative,
            (_, 0) => OwnRecord::Srv(service),
            (_, 1) => OwnRecord::Txt(service),
            (_, 2) => OwnRecord::Ptr(service),
            _ => OwnRecord::Enumeration(service),
        }
    }

    /// Whether nobody else may have records of its name and type.
    pub(super) const fn is_unique(self) -> bool {
        !matches!(self, OwnRecord::Ptr(_) | OwnRecord::Enumeration(_))
    }
}

/// A set of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RecordSet(u32);

const _: () = assert!(RECORDS <= 32);

impl RecordSet {
    pub(super) const EMPTY: RecordSet = RecordSet(0);

    pub(super) const fn of(record: OwnRecord) -> RecordSet {
        RecordSet(1 << record.index())
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn contains(self, record: OwnRecord) -> bool {
        self.0 & RecordSet::of(record).0 != 0
    }

    pub(super) fn add(&mut self, other: RecordSet) {
        self.0 |= other.0;
    }

    pub(super) fn remove(&mut self, other: RecordSet) {
        self.0 &= !other.0;
    }

    pub(super) const fn without(self, other: RecordSet) -> RecordSet {
        RecordSet(self.0 & !other.0)
    }

    pub(super) fn iter(self) -> impl Iterator<Item = OwnRecord> {
        (0..RECORDS).filter(move |index| self.0 & 1 << index != 0).map(OwnRecord::at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_records() {
        for index in 0..RECORDS {
            assert_eq!(OwnRecord::at(index).index(), index);
        }
    }
}
