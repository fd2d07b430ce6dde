//! The console for people: lines are edited in this thread, the device is listened to in another,
//! which prints what comes between the lines.

use std::io::Write as _;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use umqtt_host::line_editor::{LineEditor, Printer, Screen, Typed};

use super::completer::WordCompleter;
use super::vocabulary::Vocabulary;
use crate::Status;
use crate::failure::Failure;
use crate::remote::client::ends_session;
use crate::remote::reply::shown;
use crate::remote::session::Unasked;
use crate::remote::unlocked::lock_again;
use crate::remote::{ConsoleClient, RemoteError, Timeouts};
use crate::terminal::Terminal;

/// What stands before a line.
const PROMPT: &str = "CMD>";

/// How long the device is listened to before the next look for a line to give it.
const LISTEN: Duration = Duration::from_millis(20);

/// What follows a line.
enum Next {
    /// Another line may be given.
    Line,
    /// The session is over.
    End,
}

/// Talks until the user, or the device, ends it. With `lock`, a device that ends it while a line is
/// typed is locked again, within these time limits.
pub(super) fn run(
    console: &mut ConsoleClient,
    lock: Option<Timeouts>,
    terminal: &mut Terminal,
) -> Result<Status, Failure> {
    let words = Arc::new(Mutex::new(Vocabulary::ask(console)?));
    let helper = WordCompleter { words: words.clone() };
    let Some((mut editor, printer, screen)) = LineEditor::new(Some(helper)) else {
        let note = "this terminal cannot edit lines: give commands by -c or standard input";
        writeln!(terminal.err, "umqttc: {note}").map_err(Failure::Output)?;
        return Err(Failure::Reported);
    };
    let (lines, given) = channel();
    let (done, next) = channel();
    let mut device = Device { console, printer, screen: screen.clone(), words, lock };
    thread::scope(|scope| {
        let listener = scope.spawn(move || device.serve(&given, &done));
        edit(&mut editor, lines, &next);
        screen.restore();
        match listener.join() {
            Ok(result) => result.map(|()| Status::Success).map_err(Failure::Remote),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Gives the lines that are typed, until there are no more.
fn edit(editor: &mut LineEditor<WordCompleter>, lines: Sender<String>, next: &Receiver<Next>) {
    loop {
        match editor.read(PROMPT) {
            Typed::Line(line) => {
                if lines.send(line).is_err() {
                    return;
                }
                match next.recv() {
                    Ok(Next::Line) => {}
                    Ok(Next::End) | Err(_) => return,
                }
            }
            Typed::Nothing => {}
            Typed::Interrupted | Typed::End | Typed::Gone => return,
        }
    }
}

/// The device, seen from its own thread.
struct Device<'c> {
    console: &'c mut ConsoleClient,
    printer: Printer,
    screen: Arc<Screen>,
    words: Arc<Mutex<Vocabulary>>,
    lock: Option<Timeouts>,
}

impl Device<'_> {
    /// Gives lines to the device and prints what it says, until there are no more lines, or it
    /// ends the session. While a line is typed when the device is gone, the process ends here: the
    /// other thread waits for keys.
    fn serve(&mut self, lines: &Receiver<String>, done: &Sender<Next>) -> Result<(), RemoteError> {
        loop {
            match lines.try_recv() {
                Ok(line) => {
                    let ends = self.give(&line)?;
                    // The one who waits for it may be gone.
                    let _ = done.send(if ends { Next::End } else { Next::Line });
                    if ends {
                        return Ok(());
                    }
                }
                Err(TryRecvError::Disconnected) => return Ok(()),
                Err(TryRecvError::Empty) => {
                    if let Err(error) = self.listen() {
                        self.end(&error);
                    }
                }
            }
        }
    }

    /// Gives a line; true if it was the last.
    fn give(&mut self, line: &str) -> Result<bool, RemoteError> {
        let reply = match self.console.command(line) {
            Err(error @ RemoteError::Command) => {
                self.print(&error.to_string());
                return Ok(false);
            }
            reply => reply?,
        };
        self.print_unasked();
        if reply.lines().next().is_some() {
            self.print(&reply.to_string());
        }
        if ends_session(line.as_bytes()) && !reply.is_refusal() {
            return Ok(true);
        }
        let first = line.split_whitespace().next().unwrap_or_default();
        if matches!(first, "unlock" | "publish" | "script") {
            let words = Vocabulary::ask(self.console)?;
            *self.words.lock().unwrap_or_else(PoisonError::into_inner) = words;
        }
        Ok(false)
    }

    /// Prints what comes, for a moment.
    fn listen(&mut self) -> Result<(), RemoteError> {
        let until = Instant::now() + LISTEN;
        if let Some(Unasked::Line(line)) = self.console.next_unasked(until)? {
            self.print(&shown(&line));
            self.print_unasked();
        }
        Ok(())
    }

    fn print_unasked(&mut self) {
        let dropped = self.console.take_dropped();
        if dropped > 0 {
            self.print(&format!("... {dropped} lines lost"));
        }
        while let Some(unasked) = self.console.take_unasked() {
            if let Unasked::Line(line) = unasked {
                self.print(&shown(&line));
            }
        }
    }

    /// Prints lines above the one that is being typed.
    fn print(&mut self, text: &str) {
        // A terminal that is gone shows nothing.
        if self.screen.is_edited() {
            let _ = self.printer.print(format!("{text}\n"));
        } else {
            let mut out = std::io::stdout();
            let _ = writeln!(out, "{text}").and_then(|()| out.flush());
        }
    }

    /// The device is gone while a line is typed.
    fn end(&mut self, error: &RemoteError) -> ! {
        for line in self.console.rest() {
            self.print(&shown(&line));
        }
        self.screen.restore();
        eprintln!("umqttc: {error}");
        if let Some(timeouts) = self.lock
            && let Err(error) = lock_again(self.console, timeouts)
        {
            eprintln!("umqttc: {error}");
        }
        std::process::exit(1);
    }
}
