//! What the broker gives to be kept, and a broker made anew from it: the same must come out.

use std::collections::BTreeMap;

use umqtt_mqtt::{Batch, Broker, Change, Instant, Limits, Restore};

use super::World;
use crate::{Broken, broken};

/// Records, as a store has them.
type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// The store.
#[derive(Debug, Default)]
pub(super) struct Kept {
    committed: Records,
    /// Being written.
    batch: Option<Batch>,
    looks: u32,
    commits: u64,
    /// A batch takes so many looks until it is committed.
    delay: u32,
}

impl World {
    /// A world whose broker keeps a journal, each batch of which takes some time to be committed.
    pub fn with_journal(limits: Limits, delay: u32) -> World {
        let mut world = World::new(limits);
        world.broker.start_journal();
        world.kept = Some(Kept { delay, ..Kept::default() });
        world
    }

    /// Takes what is to be written, and commits it when its time has come.
    pub(super) fn keep(&mut self) -> Result<(), Broken> {
        let Some(kept) = &mut self.kept else { return Ok(()) };
        if kept.batch.is_none() {
            kept.batch = self.broker.poll_journal();
            kept.looks = 0;
        }
        kept.looks += 1;
        if kept.looks > kept.delay {
            self.commit()?;
        }
        Ok(())
    }

    /// Batches committed.
    pub(super) fn commits(&self) -> u64 {
        self.kept.as_ref().map_or(0, |kept| kept.commits)
    }

    /// Commits what is being written; false if nothing was.
    pub(super) fn commit(&mut self) -> Result<bool, Broken> {
        let Some(kept) = &mut self.kept else { return Ok(false) };
        let Some(batch) = kept.batch.take() else { return Ok(false) };
        kept.commits += 1;
        apply(&mut kept.committed, &batch);
        check(&kept.committed, self.broker.limits())?;
        self.broker.journal_committed();
        kept.batch = self.broker.poll_journal();
        while let Some(id) = self.broker.poll_writable() {
            self.announced.insert(id);
        }
        if self.broker.journal_is_idle() {
            let is = self.broker.journal_records();
            if ranked(&is) != ranked(&kept.committed) {
                return broken!("kept is {:?}, not {is:?}", kept.committed);
            }
        }
        Ok(true)
    }
}

/// Does what a batch says.
fn apply(records: &mut Records, batch: &Batch) {
    for change in batch.iter() {
        match change {
            Change::Put { key, value } => drop(records.insert(key.to_vec(), value.to_vec())),
            Change::Delete { key } => drop(records.remove(key)),
            Change::DeletePrefix { prefix } => records.retain(|key, _| !key.starts_with(prefix)),
        }
    }
}

/// Whether a broker made of the records has them all, and no others.
fn check(records: &Records, limits: &Limits) -> Result<(), Broken> {
    let mut restore = Restore::new();
    for (key, value) in records {
        if let Err(why) = restore.record(key, value) {
            return broken!("a record cannot be read: {why}: {key:?} {value:?}");
        }
    }
    let mut broker = Broker::new(*limits);
    broker.start_journal();
    if let Err(why) = broker.restore(restore, Instant::ZERO) {
        return broken!("not restored: {why}: {records:?}");
    }
    // That clients are away which were connected is new.
    let is_away = |key: &[u8]| key.first() == Some(&b'A');
    let batch = broker.poll_journal().unwrap_or_default();
    if !batch.iter().all(|change| matches!(change, Change::Put { key, .. } if is_away(key))) {
        return broken!("there are records of messages nobody is to get: {records:?}");
    }
    let lasting = |records: &Records| {
        let mut records = ranked(records);
        records.retain(|key, _| !is_away(key));
        records
    };
    let is = broker.journal_records();
    if lasting(&is) != lasting(records) {
        return broken!("restored is {is:?}, not {records:?}");
    }
    Ok(())
}

/// The records with ranks in place of the order of released messages, which is only for comparing.
fn ranked(records: &Records) -> Records {
    let released = |key: &[u8], value: &[u8]| key[0] == b'Q' && value[0] >> 3 == 2;
    let of_all = records.iter().filter(|(key, value)| released(key, value));
    let mut orders: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> =
        of_all.map(|(key, value)| (key[..9].to_vec(), value[11..].to_vec(), key.clone())).collect();
    orders.sort();
    let mut ranked = records.clone();
    for (rank, (_, _, key)) in orders.into_iter().enumerate() {
        if let Some(value) = ranked.get_mut(&key) {
            value[11..].copy_from_slice(&(rank as u64).to_be_bytes());
        }
    }
    ranked
}
