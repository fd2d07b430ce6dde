//! The machine's timer: a clock of 10 MHz and one alarm (RISC-V Advanced Core Local Interruptor,
//! chapter 2, at the addresses of SiFive's CLINT).

use core::sync::atomic::{AtomicU32, Ordering};

use umqtt_chip_rt::clock::TICK_MILLIS;

const MTIMECMP: *mut u32 = 0x0200_4000 as *mut u32;
const MTIME: *mut u32 = 0x0200_bff8 as *mut u32;

/// Cycles of the clock per microsecond.
pub(crate) const CYCLES_PER_MICRO: u32 = 10;
/// Cycles between two ticks.
const TICK: u64 = TICK_MILLIS as u64 * 1000 * CYCLES_PER_MICRO as u64;

/// What the clock was at the start, both halves: a reset does not stop it.
static START: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];

/// Starts to count, and sets the first tick.
pub(crate) fn init() {
    let now = time();
    START[0].store(now as u32, Ordering::Relaxed);
    START[1].store((now >> 32) as u32, Ordering::Relaxed);
    set_tick();
}

/// Cycles since the start.
pub(crate) fn cycles() -> u64 {
    time() - start()
}

fn start() -> u64 {
    u64::from(START[1].load(Ordering::Relaxed)) << 32 | u64::from(START[0].load(Ordering::Relaxed))
}

/// The clock, of which one half can be read at a time.
fn time() -> u64 {
    // SAFETY: registers of this machine; reading has no effect.
    let half = |index| unsafe { MTIME.add(index).read_volatile() };
    loop {
        let high = half(1);
        let low = half(0);
        if high == half(1) {
            return u64::from(high) << 32 | u64::from(low);
        }
    }
}

/// Sets the alarm to the next tick, and takes back one that has come.
pub(crate) fn set_tick() {
    set_alarm(time() + TICK);
}

/// Sets the alarm to so many cycles from now, at most to the next tick.
pub(crate) fn set_ahead(cycles: u64) {
    set_alarm(time() + cycles.min(TICK));
}

fn set_alarm(at: u64) {
    // SAFETY: registers of this machine; nobody else has them. Between the writes the alarm is
    // later than it was or is to be.
    unsafe {
        MTIMECMP.add(1).write_volatile(u32::MAX);
        MTIMECMP.write_volatile(at as u32);
        MTIMECMP.add(1).write_volatile((at >> 32) as u32);
    }
}
