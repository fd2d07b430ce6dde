//! Writes the broker's journal on a thread of its own, so that nobody waits for the disk who need
//! not.
//!
//! One batch is written at a time; what happens meanwhile is the next. So however many clients wait
//! for their acknowledgements, they wait for one commit together.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::Waker;
use umqtt_mqtt::{Batch, Broker};

use crate::journal_store::JournalStore;

/// Time between two tries to write what could not be written.
const RETRY: Duration = Duration::from_secs(1);

/// What the thread has to say.
#[derive(Debug)]
enum Report {
    Committed,
    /// It goes on trying.
    Failed(String),
    /// It works again.
    Recovered,
}

/// The journal's writer.
#[derive(Debug)]
pub struct JournalWriter {
    batches: Option<Sender<Batch>>,
    reports: Receiver<Report>,
    thread: Option<JoinHandle<()>>,
}

impl JournalWriter {
    /// Starts the thread; it wakes `waker` whenever it has done something.
    ///
    /// # Errors
    /// The operating system's.
    pub fn start(store: JournalStore, waker: Arc<Waker>) -> io::Result<JournalWriter> {
        let (batches, next) = channel();
        let (told, reports) = channel();
        let tell = move |report| {
            // Fails only when nobody listens any more.
            let _ = told.send(report);
            let _ = waker.wake();
        };
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || write_all(store, &next, &tell))?;
        Ok(JournalWriter { batches: Some(batches), reports, thread: Some(thread) })
    }

    /// Takes what is to be written and says what was; true if the broker has something to send
    /// because of it.
    pub fn turn(&mut self, broker: &mut Broker, warn: &mut dyn FnMut(String)) -> bool {
        let mut released = false;
        for report in self.reports.try_iter() {
            match report {
                Report::Committed => {
                    broker.journal_committed();
                    released = true;
                }
                Report::Failed(why) => warn(format!(
                    "Sessions and messages cannot be kept: {why}; who waits for an acknowledgement \
                     has to wait"
                )),
                Report::Recovered => warn("Sessions and messages are kept again".into()),
            }
        }
        let waited = !broker.journal_is_idle();
        match (broker.poll_journal(), &self.batches) {
            (Some(batch), Some(batches)) => {
                let _ = batches.send(batch); // the thread lives as long as this
            }
            _ => released |= waited && broker.journal_is_idle(),
        }
        released
    }

    /// Writes what is left, for so long at most; false if that was not long enough.
    pub fn finish(&mut self, broker: &mut Broker, most: Duration) -> bool {
        let end = Instant::now() + most;
        loop {
            self.turn(broker, &mut |_| ());
            let left = end.saturating_duration_since(Instant::now());
            if broker.journal_is_idle() || left.is_zero() {
                return broker.journal_is_idle();
            }
            match self.reports.recv_timeout(left.min(RETRY)) {
                Ok(Report::Committed) => broker.journal_committed(),
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }
}

impl Drop for JournalWriter {
    fn drop(&mut self) {
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // it panics only if the library does, and then there is nothing to do
        }
    }
}

fn write_all(mut store: JournalStore, batches: &Receiver<Batch>, tell: &dyn Fn(Report)) {
    while let Ok(batch) = batches.recv() {
        let mut failure: Option<String> = None;
        while let Err(error) = store.write(&batch) {
            let why = error.to_string();
            if failure.as_ref() != Some(&why) {
                tell(Report::Failed(why.clone()));
                failure = Some(why);
            }
            // Nothing comes while one is written: but for the end.
            if let Err(RecvTimeoutError::Disconnected) = batches.recv_timeout(RETRY) {
                return;
            }
        }
        if failure.is_some() {
            tell(Report::Recovered);
        }
        tell(Report::Committed);
    }
}
