//! What a message and a queue entry remember of their records.

use alloc::boxed::Box;
use core::cell::Cell;

/// Where in `numbered` something was put, as long as that batch is not taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct At {
    /// 0: in none that could still be changed.
    pub(super) epoch: u32,
    pub(super) place: u32,
}

/// A message's number in the records, kept with the message. Most have none: it takes no more than
/// a reference to it.
#[derive(Default)]
pub(crate) struct MessageMark(Cell<Option<Box<MessageRecord>>>);

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MessageRecord {
    pub(super) number: u64,
    /// Queue entries that name it; without any there is no record.
    pub(super) entries: u32,
    pub(super) at: At,
}

/// A queued message's place in the records, kept with the queue entry; 0 for none.
#[derive(Debug, Default)]
pub(crate) struct EntryMark(Option<Box<EntryRecord>>);

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EntryRecord {
    pub(super) place: u64,
    pub(super) at: At,
    /// The batch that it was in first.
    pub(super) first_epoch: u32,
}

impl core::fmt::Debug for MessageMark {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.get().fmt(f)
    }
}

impl MessageMark {
    pub(super) fn get(&self) -> MessageRecord {
        let record = self.0.take();
        let copy = record.as_deref().copied().unwrap_or_default();
        self.0.set(record);
        copy
    }

    pub(super) fn set(&self, record: Option<MessageRecord>) {
        let mut place = self.0.take();
        match (&mut place, record) {
            (Some(place), Some(record)) => **place = record,
            _ => place = record.map(Box::new),
        }
        self.0.set(place);
    }

    /// Its number, if it has a record.
    pub(super) fn number(&self) -> u64 {
        self.get().number
    }

    /// The message has a record, and so many queue entries.
    pub(super) fn restore(&self, number: u64, entries: u32) {
        let record = MessageRecord { number, entries, at: At::default() };
        self.set((entries > 0).then_some(record));
    }
}

impl EntryMark {
    /// Its place among the entries of its session.
    pub(super) fn place(&self) -> u64 {
        self.get().place
    }

    pub(super) fn get(&self) -> EntryRecord {
        self.0.as_deref().copied().unwrap_or_default()
    }

    pub(super) fn set(&mut self, record: EntryRecord) {
        **self.0.get_or_insert_default() = record;
    }

    /// The mark of an entry that has a record.
    pub(super) fn restored(place: u64) -> EntryMark {
        EntryMark(Some(Box::new(EntryRecord { place, ..EntryRecord::default() })))
    }
}
