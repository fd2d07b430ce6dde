//! The terminal as people use it: lines are edited, with a history, and what the device prints
//! meanwhile takes the line's place and puts it back.
//!
//! rustyline does both: what is printed while a line is edited goes through its `ExternalPrinter`.
//! Here is when it may touch the terminal, which belongs to somebody else while the process is in
//! the background, and what Ctrl-C, Ctrl-D and Ctrl-Z do.

use std::io::Write;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mio::Waker;
use nix::sys::signal::{Signal, kill, raise};
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::{Pid, getpgrp, tcgetpgrp};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{
    Cmd, ConditionalEventHandler, Config, Editor, Event, EventContext, EventHandler,
    ExternalPrinter, KeyCode, KeyEvent, Modifiers, Movement, RepeatCount,
};

use crate::byte_queue::{ByteQueue, read_all};

/// How often a process in the background looks whether the terminal is its own again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How long the reply to a line may take before the next one can be typed.
const REPLY: Duration = Duration::from_millis(500);
/// Lines of the history.
const HISTORY: usize = 200;
/// Takes the line that is being edited away.
const CLEAR_LINE: &[u8] = b"\r\x1b[J";

const END_OF_INPUT: &[u8] =
    b"end of input: no more commands from this terminal; the device runs on, Ctrl-C stops it\n";

type Lines = Editor<(), MemHistory>;
/// Prints while a line is edited.
pub(crate) type Printer = Box<dyn ExternalPrinter + Send>;

/// Ctrl-Z: ends the editing, so that the terminal is as it was while the process is stopped.
struct Suspend(Arc<AtomicBool>);

impl ConditionalEventHandler for Suspend {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext) -> Option<Cmd> {
        self.0.store(true, Ordering::SeqCst);
        Some(Cmd::AcceptLine)
    }
}

/// Ctrl-C: drops what has been typed; where nothing has, it ends the device.
struct DropLine;

impl ConditionalEventHandler for DropLine {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        (!context.line().is_empty()).then_some(Cmd::Kill(Movement::WholeBuffer))
    }
}

/// A line editor on standard input and output, which are a terminal.
pub(crate) struct LineEditor {
    lines: Lines,
    suspended: Arc<AtomicBool>,
    screen: Arc<Screen>,
}

/// The terminal's state: how it was, and whether a line is edited on it.
pub(crate) struct Screen {
    before: Mutex<Termios>,
    editing: AtomicBool,
}

impl Screen {
    /// Whether what is printed has to go through the editor: not while the terminal is somebody
    /// else's, whose line that is.
    pub(crate) fn is_edited(&self) -> bool {
        self.editing.load(Ordering::SeqCst) && is_foreground() == Some(true)
    }

    /// Makes the terminal what it was, if a line is edited and the terminal is ours; all that is
    /// printed later is printed as it is. True if there was something to do.
    pub(crate) fn restore(&self) -> bool {
        let edited = self.is_edited();
        self.editing.store(false, Ordering::SeqCst);
        if edited {
            let mut out = std::io::stdout();
            let _ = out.write_all(CLEAR_LINE).and_then(|()| out.flush());
            if let Ok(before) = self.before.lock() {
                let _ = tcsetattr(std::io::stdin().as_fd(), SetArg::TCSANOW, &before);
            }
        }
        edited
    }
}

/// Whether the terminal is ours now; `None` if there is none any more.
fn is_foreground() -> Option<bool> {
    tcgetpgrp(std::io::stdin().as_fd()).ok().map(|group| group == getpgrp())
}

impl LineEditor {
    /// An editor, if there is a terminal that can do that; and its printer.
    pub(crate) fn new() -> Option<(LineEditor, Printer, Arc<Screen>)> {
        let before = tcgetattr(std::io::stdin().as_fd()).ok()?;
        // What is pasted is as if it were typed: each line of it runs. rustyline keeps what it has
        // read behind a line for the next one only with its feature `buffer-redux`.
        let config = Config::builder().max_history_size(HISTORY).ok()?.bracketed_paste(false);
        let config = config.build();
        let history = MemHistory::with_config(&config);
        let mut lines = Lines::with_history(config, history).ok()?;
        let printer = lines.create_external_printer().ok()?;
        let suspended = Arc::<AtomicBool>::default();
        let on_suspend = EventHandler::Conditional(Box::new(Suspend(suspended.clone())));
        lines.bind_sequence(KeyEvent::ctrl('z'), on_suspend);
        lines.bind_sequence(KeyEvent::ctrl('c'), EventHandler::Conditional(Box::new(DropLine)));
        // There is nothing to complete; a tab in a pasted line parts words.
        lines
            .bind_sequence(KeyEvent(KeyCode::Tab, Modifiers::NONE), Cmd::Insert(1, " ".to_owned()));
        let screen =
            Arc::new(Screen { before: Mutex::new(before), editing: AtomicBool::new(false) });
        let editor = LineEditor { lines, suspended, screen: screen.clone() };
        Some((editor, Box::new(printer), screen))
    }

    /// Gives lines to the device until the end of input, or of the device.
    pub(crate) fn run(mut self, input: &ByteQueue, output: &ByteQueue, waker: &Waker) {
        let mut typed = String::new();
        loop {
            let prompt = input.wait_for_prompt(REPLY);
            // The editor prints only while no key waits: typed ahead, the lines would get ahead of
            // the replies.
            output.flush(REPLY);
            if input.is_closed() {
                return;
            }
            match is_foreground() {
                Some(true) => {}
                Some(false) => {
                    std::thread::sleep(LOOK_AGAIN);
                    continue;
                }
                None => return,
            }
            self.screen.editing.store(true, Ordering::SeqCst);
            let line = self.lines.readline_with_initial(prompt, (&typed, ""));
            self.screen.editing.store(false, Ordering::SeqCst);
            typed.clear();
            match line {
                Ok(line) if self.suspended.swap(false, Ordering::SeqCst) => {
                    typed = line;
                    // As the terminal does it: all that was started together. It goes on here once
                    // it is continued.
                    let _ = kill(Pid::from_raw(0), Signal::SIGTSTP);
                    // Another thread may be the one that takes the signal, a moment later.
                    std::thread::sleep(LOOK_AGAIN);
                }
                Ok(line) => {
                    if !line.trim().is_empty() && !line.lines().any(is_secret) {
                        let _ = self.lines.add_history_entry(&line);
                    }
                    let bytes = [line.as_bytes(), b"\n"].concat();
                    if read_all(&bytes[..], input, waker).is_err() {
                        return;
                    }
                }
                Err(ReadlineError::Interrupted) => {
                    let _ = raise_stop();
                    return;
                }
                Err(ReadlineError::Eof) => {
                    output.push(END_OF_INPUT);
                    return;
                }
                // Gone to the background while it was read from, or the terminal is gone.
                Err(_) => std::thread::sleep(LOOK_AGAIN),
            }
        }
    }
}

/// Ctrl-C, which the terminal does not make a signal of while a line is edited.
fn raise_stop() -> nix::Result<()> {
    raise(Signal::SIGINT)
}

/// Whether a line holds a password, which is not for those who look at the screen later.
fn is_secret(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    matches!(first, "lock" | "unlock") || line.contains("password")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_kept() {
        for line in ["lock sesame", " unlock x", "set broker_password y"] {
            assert!(is_secret(line), "{line}");
        }
        assert!(!is_secret("show stats") && !is_secret("publish local lock 1"));
    }
}
