//! The serial port of the desktop board: the terminal the process runs in, or nothing.
//!
//! Reading and writing a terminal can block (nobody types; somebody pressed Ctrl-S), so each has a
//! thread, and between them and the device is a bounded queue. The end of the input ends the
//! reading thread and nothing else.
//!
//! Where both ends are a terminal, lines are edited: see `line_editor`.

use std::io::{IsTerminal, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::Waker;

use crate::byte_queue::{ByteQueue, MAX_INPUT, read_all, write_all};
use crate::editor::give_lines;
use crate::line_editor::{LineEditor, Printer, Screen};

/// How long the rest of a line may take before what there is of it is printed.
const WHOLE_LINE: Duration = Duration::from_millis(100);

/// The serial port.
pub struct Terminal {
    input: Arc<ByteQueue>,
    output: Option<Arc<ByteQueue>>,
    /// Of a terminal whose lines are edited.
    screen: Option<Arc<Screen>>,
}

impl Terminal {
    /// A port that nobody types on and whose output goes nowhere.
    pub fn none() -> Terminal {
        Terminal { input: Arc::default(), output: None, screen: None }
    }

    /// Standard input and output; `waker` is woken when something was typed.
    ///
    /// # Errors
    /// What the operating system reports when it has no thread for us.
    pub fn stdio(waker: Arc<Waker>) -> std::io::Result<Terminal> {
        let Some((editor, printer, screen)) = LineEditor::new(None) else {
            return Terminal::over(std::io::stdin(), StandardOutput::new(), waker);
        };
        let (input, output) = (Arc::<ByteQueue>::default(), Arc::<ByteQueue>::default());
        let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let queues = (input.clone(), output.clone());
        thread("serial in").spawn(move || give_lines(editor, &queues.0, &queues.1, &waker))?;
        let (queue, shown) = (output.clone(), screen.clone());
        thread("serial out").spawn(move || print_lines(printer, &shown, &queue))?;
        restore_on_panic(screen.clone());
        Ok(Terminal { input, output: Some(output), screen: Some(screen) })
    }

    fn over(
        from: impl Read + Send + 'static,
        to: impl Write + Send + 'static,
        waker: Arc<Waker>,
    ) -> std::io::Result<Terminal> {
        let (input, output) = (Arc::<ByteQueue>::default(), Arc::<ByteQueue>::default());
        let queue = input.clone();
        let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
        thread("serial in").spawn(move || {
            // At its end, nothing comes any more; that is all.
            let _ = read_all(from, &queue, &waker);
        })?;
        let queue = output.clone();
        thread("serial out").spawn(move || write_all(to, &queue))?;
        Ok(Terminal { input, output: Some(output), screen: None })
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
        let room = MAX_INPUT.saturating_sub(state.bytes.len());
        state.bytes.extend(bytes.iter().take(room));
    }

    /// Writes; when the terminal does not keep up, the oldest bytes are dropped and that is said.
    pub fn write(&mut self, bytes: &[u8]) {
        if let Some(output) = &self.output {
            output.push(bytes);
        }
    }

    /// Why what is written does not come out any more; `None` if it does, or if its reader has
    /// gone.
    pub fn take_failure(&mut self) -> Option<std::io::Error> {
        self.output.as_ref()?.lock().failure.take()
    }

    /// Waits until everything written is out, at most this long.
    pub fn flush(&mut self, at_most: Duration) {
        if let Some(output) = &self.output {
            output.flush(at_most);
        }
    }

    /// Whether lines are edited before they are read.
    pub fn edits_lines(&self) -> bool {
        self.screen.is_some()
    }

    /// The device waits for a line and shows this before it.
    pub fn prompt(&mut self, prompt: &'static str) {
        let mut state = self.input.lock();
        state.prompt = prompt;
        if state.bytes.is_empty() && !state.waits {
            state.waits = true;
            self.input.changed.notify_all();
        }
    }

    /// Ends the editing of lines: what is written from now on is the last there is.
    /// True if a line was being edited.
    pub fn end_editing(&mut self) -> bool {
        self.input.lock().closed = true;
        self.input.changed.notify_all();
        self.screen.as_ref().is_some_and(|screen| screen.restore())
    }

    /// Where a log on the same terminal goes.
    pub(crate) fn shared_output(&self) -> Option<Arc<ByteQueue>> {
        self.output.clone().filter(|_| self.edits_lines() && std::io::stderr().is_terminal())
    }
}

/// Standard output; that a terminal has gone is no failure of it.
struct StandardOutput {
    is_terminal: bool,
}

impl StandardOutput {
    fn new() -> StandardOutput {
        // Asked while it is there: one that has gone is a terminal no more.
        StandardOutput { is_terminal: std::io::stdout().is_terminal() }
    }

    fn judge<T>(&self, result: std::io::Result<T>) -> std::io::Result<T> {
        match result {
            Err(_) if self.is_terminal => Err(std::io::ErrorKind::BrokenPipe.into()),
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                report_output(&error);
                Err(error)
            }
            result => result,
        }
    }
}

impl Write for StandardOutput {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match std::io::stdout().write(bytes) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Err(error),
            result => self.judge(result),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.judge(std::io::stdout().flush())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.end_editing();
        for queue in [Some(&self.input), self.output.as_ref()].into_iter().flatten() {
            queue.lock().closed = true;
            queue.changed.notify_all();
        }
    }
}

/// Prints lines on a terminal whose lines are edited, whole ones if they become whole soon.
fn print_lines(mut printer: Printer, screen: &Screen, queue: &ByteQueue) {
    let mut state = queue.lock();
    loop {
        let Some(filled) = queue.wait_for_bytes(state) else { return };
        state = filled;
        let until = Instant::now() + WHOLE_LINE;
        while !state.bytes.contains(&b'\n') && !state.closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = queue.wait_for(state, left);
        }
        let whole = state.bytes.iter().rposition(|byte| *byte == b'\n');
        let len = whole.map_or(state.bytes.len(), |end| end + 1);
        let mut bytes: Vec<u8> = state.bytes.drain(..len).filter(|byte| *byte != b'\r').collect();
        if state.dropped > 0 {
            bytes.splice(0..0, format!("[{} bytes lost]\n", state.dropped).into_bytes());
            state.dropped = 0;
        }
        if !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
            state.end_line();
        }
        // Printing fails when the terminal is gone, which is no failure of the output.
        let print = || {
            if !screen.is_edited() {
                let mut out = std::io::stdout();
                let printed = out.write_all(&bytes).and_then(|()| out.flush());
                return printed.map_err(|_| std::io::ErrorKind::BrokenPipe.into());
            }
            let printed = printer.print(String::from_utf8_lossy(&bytes).into_owned());
            printed.map_err(|_| std::io::ErrorKind::BrokenPipe.into())
        };
        let ended;
        (state, ended) = queue.write_unlocked(state, print);
        if ended {
            return;
        }
    }
}

/// A message of a panic is for a terminal as it was, and so is what comes after it.
fn restore_on_panic(screen: Arc<Screen>) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        screen.restore();
        before(panic);
    }));
}

/// Prints on standard error that nothing is printed on standard output any more.
pub(crate) fn report_output(error: &std::io::Error) {
    eprintln!("cannot write to standard output: {error}; the device goes on");
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
