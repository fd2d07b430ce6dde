//! Counting instructions with the core's counter, which the emulator lets tick once in so many.

use core::hint::black_box;

use umqtt_chip_rt::emulator::Emulator;
use umqtt_chip_rt::watchdog;

/// So often is everything done, so that the ticks make whole instructions.
const TIMES: u32 = 100;

/// Marks the last time around, for whoever reads a trace of all instructions.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn bench_mark() {
    black_box(());
}

/// Instructions that `run` takes each time.
pub(crate) fn instructions<E: Emulator, T>(mut run: impl FnMut() -> T) -> u32 {
    let counted = mean::<E, _>(&mut run);
    marked(run);
    counted.saturating_sub(mean::<E, _>(|| ()))
}

/// Does it once, between two marks.
pub(crate) fn marked<T>(run: impl FnOnce() -> T) {
    bench_mark();
    black_box(run());
    bench_mark();
}

/// Instructions that `run` takes each time, and what it takes to do it again and again; unmarked.
pub(crate) fn mean<E: Emulator, T>(mut run: impl FnMut() -> T) -> u32 {
    let ticks = ticks::<E>(TIMES, || _ = black_box(run()));
    (ticks * E::INSTRUCTIONS + TIMES / 2) / TIMES
}

/// Instructions that something takes which is done once; a tick more or less.
pub(crate) fn once<E: Emulator, T>(run: impl FnOnce() -> T) -> (T, u32) {
    watchdog::feed();
    let start = E::counter();
    let made = run();
    let end = E::counter();
    (made, end.wrapping_sub(start) * E::INSTRUCTIONS)
}

#[inline(never)]
fn ticks<E: Emulator>(times: u32, mut run: impl FnMut()) -> u32 {
    watchdog::feed();
    let start = E::counter();
    for _ in 0..times {
        run();
    }
    E::counter().wrapping_sub(start)
}
