//! Lines typed in a terminal: edited, with a history, while what is printed meanwhile takes the
//! line's place and puts it back.
//!
//! rustyline does both: what is printed while a line is edited goes through its `ExternalPrinter`.
//! Here is when it may touch the terminal, which belongs to somebody else while the process is in
//! the background, and what Ctrl-C and Ctrl-Z do.

use std::io::Write;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::{Pid, getpgrp, tcgetpgrp};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{
    Cmd, CompletionType, ConditionalEventHandler, Config, Editor, Event, EventContext,
    EventHandler, ExternalPrinter, Helper, KeyCode, KeyEvent, Modifiers, Movement, RepeatCount,
};

/// How often a process in the background looks whether the terminal is its own again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// Lines of the history.
const HISTORY: usize = 200;
/// Takes the line that is being edited away.
const CLEAR_LINE: &[u8] = b"\r\x1b[J";

/// Prints while a line is edited.
pub type Printer = Box<dyn ExternalPrinter + Send>;

/// Ctrl-Z: ends the editing, so that the terminal is as it was while the process is stopped.
struct Suspend(Arc<AtomicBool>);

impl ConditionalEventHandler for Suspend {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext) -> Option<Cmd> {
        self.0.store(true, Ordering::SeqCst);
        Some(Cmd::AcceptLine)
    }
}

/// Ctrl-C: drops what has been typed; where nothing has, it is an interrupt.
struct DropLine;

impl ConditionalEventHandler for DropLine {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        (!context.line().is_empty()).then_some(Cmd::Kill(Movement::WholeBuffer))
    }
}

/// A line editor on standard input and output, which are a terminal. `H` completes what is typed.
pub struct LineEditor<H: Helper = ()> {
    lines: Editor<H, MemHistory>,
    /// What had been typed when the process was stopped.
    typed: String,
    suspended: Arc<AtomicBool>,
    screen: Arc<Screen>,
}

/// What came of waiting for a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// A line, without its end.
    Line(String),
    /// Nothing yet: the process was in the background, or stopped. Ask again.
    Nothing,
    /// Ctrl-C on an empty line.
    Interrupted,
    /// Ctrl-D on an empty line: the end of the input.
    End,
    /// The terminal is gone.
    Gone,
}

/// The terminal's state: how it was, and whether a line is edited on it.
pub struct Screen {
    before: Mutex<Termios>,
    editing: AtomicBool,
}

impl Screen {
    /// Whether what is printed has to go through the editor: not while the terminal is somebody
    /// else's, whose line that is.
    pub fn is_edited(&self) -> bool {
        self.editing.load(Ordering::SeqCst) && is_foreground() == Some(true)
    }

    /// Makes the terminal what it was, if a line is edited and the terminal is ours; all that is
    /// printed later is printed as it is. True if there was something to do.
    pub fn restore(&self) -> bool {
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

impl<H: Helper> LineEditor<H> {
    /// An editor, if there is a terminal that can do that; and its printer.
    pub fn new(helper: Option<H>) -> Option<(LineEditor<H>, Printer, Arc<Screen>)> {
        let before = tcgetattr(std::io::stdin().as_fd()).ok()?;
        // What is pasted is as if it were typed: each line of it runs. rustyline keeps what it has
        // read behind a line for the next one only with its feature `buffer-redux`.
        let config = Config::builder().max_history_size(HISTORY).ok()?.bracketed_paste(false);
        let config = config.completion_type(CompletionType::List).build();
        let history = MemHistory::with_config(&config);
        let mut lines = Editor::<H, MemHistory>::with_history(config, history).ok()?;
        let printer = lines.create_external_printer().ok()?;
        let suspended = Arc::<AtomicBool>::default();
        let on_suspend = EventHandler::Conditional(Box::new(Suspend(suspended.clone())));
        lines.bind_sequence(KeyEvent::ctrl('z'), on_suspend);
        lines.bind_sequence(KeyEvent::ctrl('c'), EventHandler::Conditional(Box::new(DropLine)));
        if helper.is_none() {
            // There is nothing to complete; a tab in a pasted line parts words.
            let tab = KeyEvent(KeyCode::Tab, Modifiers::NONE);
            lines.bind_sequence(tab, Cmd::Insert(1, " ".to_owned()));
        }
        lines.set_helper(helper);
        let screen =
            Arc::new(Screen { before: Mutex::new(before), editing: AtomicBool::new(false) });
        let typed = String::new();
        let editor = LineEditor { lines, typed, suspended, screen: screen.clone() };
        Some((editor, Box::new(printer), screen))
    }

    /// Waits for a line.
    pub fn read(&mut self, prompt: &str) -> Typed {
        match is_foreground() {
            Some(true) => {}
            Some(false) => {
                std::thread::sleep(LOOK_AGAIN);
                return Typed::Nothing;
            }
            None => return Typed::Gone,
        }
        let typed = std::mem::take(&mut self.typed);
        self.screen.editing.store(true, Ordering::SeqCst);
        let line = self.lines.readline_with_initial(prompt, (&typed, ""));
        self.screen.editing.store(false, Ordering::SeqCst);
        match line {
            Ok(line) if self.suspended.swap(false, Ordering::SeqCst) => {
                self.typed = line;
                // As the terminal does it: all that was started together. It goes on here once
                // it is continued.
                let _ = kill(Pid::from_raw(0), Signal::SIGTSTP);
                // Another thread may be the one that takes the signal, a moment later.
                std::thread::sleep(LOOK_AGAIN);
                Typed::Nothing
            }
            Ok(line) => {
                if !line.trim().is_empty() && !line.lines().any(is_secret) {
                    let _ = self.lines.add_history_entry(&line);
                }
                Typed::Line(line)
            }
            Err(ReadlineError::Interrupted) => Typed::Interrupted,
            Err(ReadlineError::Eof) => Typed::End,
            // Gone to the background while it was read from, or the terminal is gone.
            Err(_) => {
                std::thread::sleep(LOOK_AGAIN);
                Typed::Nothing
            }
        }
    }
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
