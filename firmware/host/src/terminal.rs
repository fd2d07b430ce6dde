//! The serial port of the desktop board: the terminal the process runs in, or nothing.
//!
//! Reading and writing a terminal can block (nobody types; somebody pressed Ctrl-S), so each has a thread, and
//! between them and the device is a bounded queue. The end of the input ends the reading thread and nothing else.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use mio::Waker;

/// Bytes typed that wait for the device; the reader pauses when there are more.
const INPUT: usize = 16 * 1024;
/// Bytes that wait for the terminal; beyond that the oldest are dropped.
const OUTPUT: usize = 256 * 1024;

/// The serial port.
pub struct Terminal {
    input: Arc<Queue>,
    output: Option<Arc<Queue>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    bytes: VecDeque<u8>,
    dropped: u64,
    /// The writer is in the middle of a write.
    writing: bool,
    closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while holding it; if it did, the bytes would still be sound.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn wait<'a>(&self, guard: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(guard).unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Terminal {
    /// A port that nobody types on and whose output goes nowhere.
    pub fn none() -> Terminal {
        Terminal { input: Arc::default(), output: None }
    }

    /// Standard input and output; `waker` is woken when something was typed.
    ///
    /// # Errors
    /// What the operating system reports when it has no thread for us.
    pub fn stdio(waker: Arc<Waker>) -> std::io::Result<Terminal> {
        Terminal::over(std::io::stdin(), std::io::stdout(), waker)
    }

    fn over(
        from: impl Read + Send + 'static,
        to: impl Write + Send + 'static,
        waker: Arc<Waker>,
    ) -> std::io::Result<Terminal> {
        let (input, output) = (Arc::<Queue>::default(), Arc::<Queue>::default());
        let queue = input.clone();
        let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
        thread("serial in").spawn(move || read_all(from, &queue, &waker))?;
        let queue = output.clone();
        thread("serial out").spawn(move || write_all(to, &queue))?;
        Ok(Terminal { input, output: Some(output) })
    }

    /// Takes bytes that were typed.
    pub fn read(&mut self, into: &mut [u8]) -> usize {
        let mut state = self.input.lock();
        let n = into.len().min(state.bytes.len());
        for (to, from) in into.iter_mut().zip(state.bytes.drain(..n)) {
            *to = from;
        }
        if n > 0 {
            self.input.changed.notify_all();
        }
        n
    }

    /// As if it had been typed; what does not fit is dropped.
    pub fn type_in(&mut self, bytes: &[u8]) {
        let mut state = self.input.lock();
        let room = INPUT.saturating_sub(state.bytes.len());
        state.bytes.extend(bytes.iter().take(room));
    }

    /// Writes; when the terminal does not keep up, the oldest bytes are dropped and that is said.
    pub fn write(&mut self, bytes: &[u8]) {
        let Some(output) = &self.output else { return };
        let mut state = output.lock();
        if state.closed {
            return;
        }
        state.bytes.extend(bytes);
        let over = state.bytes.len().saturating_sub(OUTPUT);
        state.bytes.drain(..over);
        state.dropped += over as u64;
        output.changed.notify_all();
    }

    /// Waits until everything written is out, at most this long.
    pub fn flush(&mut self, at_most: Duration) {
        let Some(output) = &self.output else { return };
        let until = Instant::now() + at_most;
        let mut state = output.lock();
        while (!state.bytes.is_empty() || state.writing) && !state.closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = output.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(|poisoned| poisoned.into_inner()).0;
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        for queue in [Some(&self.input), self.output.as_ref()].into_iter().flatten() {
            queue.lock().closed = true;
            queue.changed.notify_all();
        }
    }
}

fn read_all(mut from: impl Read, queue: &Queue, waker: &Waker) {
    let mut buffer = [0; 4096];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(n) => &buffer[..n],
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        let mut state = queue.lock();
        while state.bytes.len() + read.len() > INPUT && !state.closed {
            state = queue.wait(state);
        }
        if state.closed {
            return;
        }
        state.bytes.extend(read);
        drop(state);
        if waker.wake().is_err() {
            return;
        }
    }
}

fn write_all(mut to: impl Write, queue: &Queue) {
    let mut state = queue.lock();
    loop {
        while state.bytes.is_empty() {
            if state.closed {
                return;
            }
            state = queue.wait(state);
        }
        let mut bytes = Vec::new();
        if state.dropped > 0 {
            bytes = format!("\r\n[{} bytes lost]\r\n", state.dropped).into_bytes();
            state.dropped = 0;
        }
        bytes.extend(state.bytes.drain(..));
        state.writing = true;
        drop(state);
        let result = to.write_all(&bytes).and_then(|()| to.flush());
        state = queue.lock();
        state.writing = false;
        // A closed pipe: nobody looks any more, the device goes on.
        if result.is_err() {
            state.closed = true;
        }
        queue.changed.notify_all();
        if state.closed && (result.is_err() || state.bytes.is_empty()) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    struct Typed(Receiver<Vec<u8>>);
    impl Read for Typed {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let Ok(bytes) = self.0.recv() else { return Ok(0) };
            into[..bytes.len()].copy_from_slice(&bytes);
            Ok(bytes.len())
        }
    }

    struct Screen(Sender<Vec<u8>>);
    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let gone = |_| std::io::Error::from(std::io::ErrorKind::BrokenPipe);
            self.0.send(bytes.to_vec()).map(|()| bytes.len()).map_err(gone)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn typing_wakes_and_the_end_of_input_ends_nothing_else() {
        let mut poll = mio::Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), mio::Token(0)).unwrap());
        let (keys, typed) = channel();
        let (screen, shown) = channel();
        let mut terminal = Terminal::over(Typed(typed), Screen(screen), waker).unwrap();
        keys.send(b"help\n".to_vec()).unwrap();
        poll.poll(&mut mio::Events::with_capacity(1), Some(Duration::from_secs(10))).unwrap();
        let mut buffer = [0; 3];
        assert_eq!((terminal.read(&mut buffer), &buffer), (3, b"hel"));
        assert_eq!((terminal.read(&mut buffer), &buffer[..2]), (2, &b"p\n"[..]));
        drop(keys);
        terminal.write(b"out");
        terminal.flush(Duration::from_secs(10));
        assert_eq!(shown.recv().unwrap(), b"out");
        // Nobody looks any more.
        drop(shown);
        terminal.write(b"more");
        terminal.flush(Duration::from_secs(10));
        terminal.write(b"and more");
        assert_eq!(terminal.read(&mut buffer), 0);
    }
}
