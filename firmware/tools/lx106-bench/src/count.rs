//! Counting instructions with the cycle counter, which the emulator lets tick once in so many.

use core::hint::black_box;

use umqtt_lx106_rt::{clock, watchdog};

/// Instructions in a tick of the counter, when the emulator's time is exact.
const TICK: u32 = 25;
/// So often is everything done, so that the ticks make whole instructions.
const TIMES: u32 = 100;

/// Marks the last time around, for whoever reads a trace of all instructions.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn bench_mark() {
    black_box(());
}

/// Instructions that `run` takes each time.
pub(crate) fn instructions<T>(mut run: impl FnMut() -> T) -> u32 {
    let counted = mean(&mut run);
    marked(run);
    counted.saturating_sub(mean(|| ()))
}

/// Does it once, between two marks.
pub(crate) fn marked<T>(run: impl FnOnce() -> T) {
    bench_mark();
    black_box(run());
    bench_mark();
}

/// Instructions that `run` takes each time, and what it takes to do it again and again; unmarked.
pub(crate) fn mean<T>(mut run: impl FnMut() -> T) -> u32 {
    let ticks = ticks(TIMES, || _ = black_box(run()));
    (ticks * TICK + TIMES / 2) / TIMES
}

/// Instructions that something takes which is done once; a tick more or less.
pub(crate) fn once<T>(run: impl FnOnce() -> T) -> (T, u32) {
    watchdog::feed();
    let start = clock::counter();
    let made = run();
    let end = clock::counter();
    (made, end.wrapping_sub(start) * TICK)
}

#[inline(never)]
fn ticks(times: u32, mut run: impl FnMut()) -> u32 {
    watchdog::feed();
    let start = clock::counter();
    for _ in 0..times {
        run();
    }
    clock::counter().wrapping_sub(start)
}
