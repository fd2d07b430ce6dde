//! Restarting, why it was (the reset cause), and how often in a row it was a fault: kept in memory
//! that survives a reset but not a power cut.

use core::cell::RefCell;
use core::fmt::{self, Write};

use critical_section::Mutex;
use heapless::String;

use crate::machine;

/// Bytes of the text that are kept.
pub const MAX_TEXT: usize = 256;
/// "This holds something": random memory after power-on hardly does.
const MAGIC: u32 = 0x6d71_7474;
/// Where the words are: the magic, the text's length, its sum, the text. Only whole words can be
/// written there.
const LENGTH: usize = 1;
const SUM: usize = 2;
const TEXT: usize = 3;
/// The count of faults, behind the text, and what its word has besides the lowest byte.
const FAULTS: usize = TEXT + MAX_TEXT / 4;
const COUNT_MASK: u32 = 0xff;
const COUNT_MAGIC: u32 = MAGIC << 8;

unsafe extern "C" {
    static mut _rtc_noinit: u32;
}

/// A line of text about what happened.
pub type Text = String<MAX_TEXT>;

static LAST: Mutex<RefCell<Option<Text>>> = Mutex::new(RefCell::new(None));

fn read(index: usize) -> u32 {
    // SAFETY: within the memory the linker script sets aside: at most FAULTS + 1 words.
    unsafe { (&raw const _rtc_noinit).add(index).read_volatile() }
}

fn write(index: usize, word: u32) {
    // SAFETY: as above.
    unsafe { (&raw mut _rtc_noinit).add(index).write_volatile(word) }
}

fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(MAGIC, |sum, &byte| sum.rotate_left(5) ^ u32::from(byte))
}

/// Takes over what the last run left, so that the next one does not see it again.
pub(crate) fn init() {
    let text = (read(0) == MAGIC).then(taken).flatten();
    write(0, 0);
    critical_section::with(|section| LAST.borrow(section).replace(text));
}

fn taken() -> Option<Text> {
    let length = read(LENGTH) as usize;
    let mut bytes = [0; MAX_TEXT];
    for (index, chunk) in bytes.chunks_mut(4).enumerate() {
        chunk.copy_from_slice(&read(TEXT + index).to_le_bytes());
    }
    let bytes = bytes.get(..length).filter(|bytes| sum(bytes) == read(SUM))?;
    Text::try_from(core::str::from_utf8(bytes).ok()?).ok()
}

/// Why the program was restarted; `None` if it was not: the power came on, or somebody pressed the
/// button.
pub fn last_cause() -> Option<Text> {
    critical_section::with(|section| LAST.borrow_ref(section).clone())
}

/// Faults in a row that have restarted the program, without [`clear_faults`] or a restart that was
/// wanted between them.
pub fn fault_count() -> u32 {
    let word = read(FAULTS);
    if word & !COUNT_MASK == COUNT_MAGIC { word & COUNT_MASK } else { 0 }
}

/// The program has run well for a while: faults are counted anew.
pub fn clear_faults() {
    write(FAULTS, 0);
}

/// One more fault.
pub(crate) fn count_fault() {
    write(FAULTS, COUNT_MAGIC | (fault_count() + 1).min(COUNT_MASK));
}

/// Restarts the machine because it is wanted; the next run finds `why` in [`last_cause`].
pub fn restart(why: fmt::Arguments<'_>) -> ! {
    clear_faults();
    restart_with_cause(why)
}

pub(crate) fn restart_with_cause(why: fmt::Arguments<'_>) -> ! {
    let mut text = Cut(Text::new());
    let _ = text.write_fmt(why);
    let bytes = text.0.as_bytes();
    for (index, chunk) in bytes.chunks(4).enumerate() {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        write(TEXT + index, u32::from_le_bytes(word));
    }
    write(LENGTH, bytes.len() as u32);
    write(SUM, sum(bytes));
    write(0, MAGIC);
    machine::restart()
}

/// Text that is cut where it no longer fits.
struct Cut(Text);

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.0.capacity() - self.0.len();
        let end = text.floor_char_boundary(room);
        self.0.push_str(&text[..end]).map_err(|_| fmt::Error)
    }
}
