//! Ctrl-C, and the end of a terminal, where something has to be put in order before the process
//! ends, such as a device that was unlocked: the first one is noted, a second one ends the process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

#[cfg(unix)]
const SIGNALS: [i32; 4] = {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    [SIGINT, SIGTERM, SIGHUP, SIGQUIT]
};
#[cfg(not(unix))]
const SIGNALS: [i32; 2] = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM];

static NOTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on Ctrl-C is noted; to ask for it again makes no difference. Where that cannot be had
/// it ends the process as before.
pub(crate) fn note_interrupts() {
    NOTED.get_or_init(|| {
        let noted = Arc::new(AtomicBool::new(false));
        for signal in SIGNALS {
            let second = Arc::clone(&noted);
            let _ = signal_hook::flag::register_conditional_shutdown(signal, 130, second);
            let _ = signal_hook::flag::register(signal, Arc::clone(&noted));
        }
        noted
    });
}

/// Whether it was pressed.
pub(crate) fn is_interrupted() -> bool {
    NOTED.get().is_some_and(|noted| noted.load(Ordering::SeqCst))
}
