//! Bytes on their way between the device and a thread that reads or writes.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use mio::Waker;

/// Bytes typed that wait for the device; the reader pauses when there are more.
pub(crate) const MAX_INPUT: usize = 16 * 1024;
/// Bytes that wait for the terminal; beyond that the oldest are dropped.
const MAX_OUTPUT: usize = 256 * 1024;
/// Bytes on their way between the device and a thread.
#[derive(Default)]
pub(crate) struct ByteQueue {
    state: Mutex<State>,
    pub(crate) changed: Condvar,
}

/// What a [`ByteQueue`] holds.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) bytes: VecDeque<u8>,
    pub(crate) dropped: u64,
    /// The last line of what is written is not at its end, and the lines that wait until it is.
    open: bool,
    aside: Vec<u8>,
    /// The writer is in the middle of a write.
    pub(crate) writing: bool,
    pub(crate) closed: bool,
    /// Why the writer has given up, unless its reader has gone.
    pub(crate) failure: Option<std::io::Error>,
    /// What the device shows when it waits for a line, and whether it does.
    pub(crate) prompt: &'static str,
    pub(crate) waits: bool,
}

impl ByteQueue {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while holding it; if it did, the bytes would still be sound.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn wait<'a>(&self, guard: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(guard).unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn wait_for<'a>(
        &self,
        guard: MutexGuard<'a, State>,
        ms: Duration,
    ) -> MutexGuard<'a, State> {
        let waited = self.changed.wait_timeout(guard, ms);
        waited.unwrap_or_else(|poisoned| poisoned.into_inner()).0
    }

    /// Adds bytes; when nobody takes them, the oldest are dropped and that is said.
    pub(crate) fn push(&self, bytes: &[u8]) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        state.push(bytes);
        state.open = bytes.last().map_or(state.open, |last| *last != b'\n');
        if !state.open {
            state.end_line();
        }
        self.changed.notify_all();
    }

    /// Adds a line that is not to stand in the middle of another, dropped if too many wait for its
    /// end.
    pub(crate) fn push_line(&self, line: &[u8]) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        if !state.open {
            state.push(line);
            self.changed.notify_all();
        } else if state.aside.len() + line.len() <= MAX_OUTPUT {
            state.aside.extend_from_slice(line);
        } else {
            state.dropped += line.len() as u64;
        }
    }

    /// All there is.
    #[cfg(test)]
    pub(crate) fn take(&self) -> Vec<u8> {
        self.lock().bytes.drain(..).collect()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits until the device waits for a line, but not for long; what it shows then.
    pub(crate) fn wait_for_prompt(&self, at_most: Duration) -> &'static str {
        let until = Instant::now() + at_most;
        let mut state = self.lock();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if state.waits || state.closed || left.is_zero() {
                return state.prompt;
            }
            state = self.wait_for(state, left);
        }
    }

    /// Waits until everything is out, at most this long.
    pub(crate) fn flush(&self, at_most: Duration) {
        let until = Instant::now() + at_most;
        let mut state = self.lock();
        while (!state.bytes.is_empty() || state.writing) && !state.closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.wait_for(state, left);
        }
    }

    /// Waits until there are bytes; `None` when there will be none.
    pub(crate) fn wait_for_bytes<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
    ) -> Option<MutexGuard<'a, State>> {
        while state.bytes.is_empty() {
            if state.closed {
                return None;
            }
            state = self.wait(state);
        }
        Some(state)
    }

    /// Writes something while others can add to the queue; whether that was the end of it.
    pub(crate) fn write_unlocked<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        write: impl FnOnce() -> std::io::Result<()>,
    ) -> (MutexGuard<'a, State>, bool) {
        state.writing = true;
        drop(state);
        let result = write();
        let mut state = self.lock();
        state.writing = false;
        // The device goes on.
        if let Err(error) = &result {
            state.closed = true;
            if error.kind() != std::io::ErrorKind::BrokenPipe {
                state.failure = Some(copy_of(error));
            }
        }
        self.changed.notify_all();
        (state, result.is_err())
    }
}

impl State {
    /// The last line is at its end, or counts as if it were: what waited for that follows.
    pub(crate) fn end_line(&mut self) {
        self.open = false;
        let aside = std::mem::take(&mut self.aside);
        self.push(&aside);
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        let over = self.bytes.len().saturating_sub(MAX_OUTPUT);
        self.bytes.drain(..over);
        self.dropped += over as u64;
    }
}

/// The same error once more.
pub(crate) fn copy_of(error: &std::io::Error) -> std::io::Error {
    let code = error.raw_os_error();
    code.map_or_else(|| error.kind().into(), std::io::Error::from_raw_os_error)
}

/// Moves bytes into a queue as it has room for them. An error if nobody takes them any more.
pub(crate) fn read_all(
    mut from: impl Read,
    queue: &ByteQueue,
    waker: &Waker,
) -> Result<(), std::io::Error> {
    let mut buffer = [0; 4096];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => &buffer[..n],
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => return Ok(()),
        };
        let mut state = queue.lock();
        while state.bytes.len() + read.len() > MAX_INPUT && !state.closed {
            state = queue.wait(state);
        }
        if state.closed {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        state.bytes.extend(read);
        state.waits = false;
        drop(state);
        waker.wake()?;
    }
}

/// Writes what comes into a queue, until writing fails or the queue is closed and empty.
pub(crate) fn write_all(mut to: impl Write, queue: &ByteQueue) {
    let mut state = queue.lock();
    loop {
        let Some(filled) = queue.wait_for_bytes(state) else { return };
        state = filled;
        let mut bytes = Vec::new();
        if state.dropped > 0 {
            bytes = format!("\r\n[{} bytes lost]\r\n", state.dropped).into_bytes();
            state.dropped = 0;
        }
        bytes.extend(state.bytes.drain(..));
        let ended;
        (state, ended) =
            queue.write_unlocked(state, || to.write_all(&bytes).and_then(|()| to.flush()));
        if state.closed && (ended || state.bytes.is_empty()) {
            return;
        }
    }
}
