//! Panics, faults and the watchdog: each is kept over the reset that follows, named at the next
//! start, and counted, so that a device in a crash loop comes up without its script.

use core::panic::PanicInfo;

use critical_section::CriticalSection;
use esp_hal::peripherals::UART0;
use esp_hal::ram;
use esp_hal::rtc_cntl::SocResetReason;
use esp_hal::system::{reset_reason, software_reset};
use umqtt_fault_record::{Record, Text, WORDS, cause};

/// Memory that a reset of the core leaves alone; a power cut makes it anything.
#[ram(unstable(rtc_fast, persistent))]
static mut WORDS_OVER_RESET: [u32; WORDS] = [0; WORDS];

/// How often the transmitter is asked for room before a byte is given up: a panic must not hang.
const LOOKS: usize = 100_000;
/// Bytes of the transmitter's queue that are used.
const UART_QUEUE: u8 = 100;

/// The record in it.
type ChipRecord<'a> = Record<&'a mut [u32; WORDS]>;

fn with_record<T>(_section: CriticalSection<'_>, run: impl FnOnce(&mut ChipRecord<'_>) -> T) -> T {
    let words = &raw mut WORDS_OVER_RESET;
    // SAFETY: within a critical section of the only core, and `run` does not get here again.
    run(&mut Record::new(unsafe { &mut *words }))
}

/// Runs on the record of faults.
pub(crate) fn record<T>(run: impl FnOnce(&mut ChipRecord<'_>) -> T) -> T {
    critical_section::with(|section| with_record(section, run))
}

/// Adds what no code of ours could note: the watchdog.
pub(crate) fn note_reset_reason() {
    let watchdog = matches!(
        reset_reason(),
        Some(
            SocResetReason::CoreRtcWdt
                | SocResetReason::Cpu0RtcWdt
                | SocResetReason::SysRtcWdt
                | SocResetReason::SysSuperWdt
                | SocResetReason::CoreMwdt0
                | SocResetReason::CoreMwdt1
        )
    );
    if watchdog {
        record(|record| record.note_fault("watchdog: the program was stuck"));
    }
}

/// Why the last run ended, if a fault or a wish ended it.
pub(crate) fn take_cause() -> Option<Text> {
    record(|record| record.take_cause())
}

/// Restarts because it is wanted; `why` is named at the next start.
pub(crate) fn restart(why: &str) -> ! {
    record(|record| record.note_restart(why));
    software_reset()
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    // First of all: making the text may fail too.
    record(|record| record.count_fault());
    let text = match info.location() {
        Some(place) => cause(format_args!("panic at {place}: {}", info.message())),
        None => cause(format_args!("panic: {}", info.message())),
    };
    record(|record| record.note_cause(&text));
    print("\r\n");
    print(&text);
    print("\r\n");
    software_reset()
}

/// Writes to the serial port without anything that may be in use elsewhere.
fn print(text: &str) {
    let uart = UART0::regs();
    for &byte in text.as_bytes() {
        let mut looks = 0;
        while uart.status().read().txfifo_cnt().bits() > UART_QUEUE.into() && looks < LOOKS {
            looks += 1;
        }
        // SAFETY: any byte may be sent.
        uart.fifo().write(|w| unsafe { w.rxfifo_rd_byte().bits(byte) });
    }
}
