//! Ctrl-C where something has to be put in order before the process ends, such as a device that was
//! unlocked: the first one is noted, a second one ends the process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

static NOTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on Ctrl-C is noted; to ask for it again makes no difference. Where that cannot be had
/// it ends the process as before.
pub(crate) fn note_interrupts() {
    NOTED.get_or_init(|| {
        let noted = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
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
