//! Restarting, why it was (the reset cause), and how often in a row it was a fault: kept in memory
//! that survives a reset but not a power cut.

use core::cell::RefCell;
use core::fmt;

use critical_section::Mutex;
use umqtt_fault_record::{Record, Text, WORDS, Words, cause};

use crate::soc;

unsafe extern "C" {
    static mut _rtc_noinit: u32;
}

static LAST: Mutex<RefCell<Option<Text>>> = Mutex::new(RefCell::new(None));

/// The memory the linker script sets aside. Only whole words can be written there.
struct KeptMemory;

impl Words for KeptMemory {
    fn read(&self, index: usize) -> u32 {
        assert!(index < WORDS);
        // SAFETY: within the 512 bytes that the linker script sets aside.
        unsafe { (&raw const _rtc_noinit).add(index).read_volatile() }
    }

    fn write(&mut self, index: usize, word: u32) {
        assert!(index < WORDS);
        // SAFETY: as above.
        unsafe { (&raw mut _rtc_noinit).add(index).write_volatile(word) }
    }
}

const _: () = assert!(WORDS * 4 <= 512, "the record does not fit the memory set aside");

fn record() -> Record<KeptMemory> {
    Record::new(KeptMemory)
}

/// Takes over what the last run left, so that the next one does not see it again.
pub(crate) fn init() {
    let text = record().take_cause();
    critical_section::with(|section| LAST.borrow(section).replace(text));
}

/// Why the program was restarted; `None` if it was not: the power came on, or somebody pressed the
/// button.
pub fn last_cause() -> Option<Text> {
    critical_section::with(|section| LAST.borrow_ref(section).clone())
}

/// Faults in a row that have restarted the program, without [`clear_faults`] or a restart that was
/// wanted between them.
pub fn fault_count() -> u32 {
    record().faults()
}

/// The program has run well for a while: faults are counted anew.
pub fn clear_faults() {
    record().clear_faults();
}

/// One more fault.
pub(crate) fn count_fault() {
    record().count_fault();
}

/// Restarts the chip because it is wanted; the next run finds `why` in [`last_cause`].
pub fn restart(why: fmt::Arguments<'_>) -> ! {
    record().note_restart(&cause(why));
    soc::restart()
}

pub(crate) fn restart_with_cause(why: fmt::Arguments<'_>) -> ! {
    record().note_cause(&cause(why));
    soc::restart()
}
