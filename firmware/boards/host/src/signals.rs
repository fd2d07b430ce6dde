//! What signals do to the process.
//!
//! | signal | effect |
//! |---|---|
//! | INT, TERM | ends the device in good order |
//! | HUP | nothing: the terminal was closed, the device serves on |
//! | TTIN, TTOU | nothing: in the background, the terminal is not touched |
//! | XFSZ | nothing: writing to a file that may not grow fails with the system's words |
//! | TSTP, CONT | as always: Ctrl-Z stops the process, `bg` and `fg` let it go on |

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nix::sys::signal::{SigSet, Signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

use crate::stop::StopHandle;

/// Keeps a process that was put into the background from being stopped when it is about to read
/// from the terminal: reading fails then. Threads started later inherit that, so this comes first.
pub(crate) fn survive_background() -> io::Result<()> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGTTIN);
    signals.add(Signal::SIGTTOU);
    signals.thread_block().map_err(io::Error::from)
}

/// Has INT and TERM stop the device, once per process.
pub(crate) fn handle(handle: StopHandle) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let watch = move || {
        for signal in signals.forever() {
            if signal != SIGHUP {
                handle.stop();
            }
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(watch)?;
    Ok(())
}

/// Has writing to a file that may not grow fail with the system's own words, instead of ending the
/// process.
pub fn report_full_files() {
    let seen = Arc::new(AtomicBool::new(false));
    // Fails only for signals that cannot be caught.
    let _ = signal_hook::flag::register(SIGXFSZ, seen);
}
