//! Interrupts: the tick, which also keeps the clock, and sleeping until something happens. Every
//! other interrupt only wakes: its handler disables it, and the program looks at the device.

use core::sync::atomic::{AtomicPtr, Ordering};

use umqtt_chip_rt::clock::{TICK_MILLIS, cycles_per_micro};

use crate::{clock, lx};

/// The interrupts of CCOMPARE0 and of the hardware timer FRC1.
const TIMER: u32 = 1 << 6;
const FRC1: u32 = 1 << 9;
/// The least to set the timer ahead, cycles: it must not be passed when it is set.
const MIN_TIMER_CYCLES: u32 = 400;

/// What runs when the hardware timer's interrupt comes; null for nothing.
static ON_FRC1: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// Cycles between two ticks.
fn tick_cycles() -> u32 {
    TICK_MILLIS * 1000 * cycles_per_micro()
}

pub(crate) fn init() {
    set_timer(tick_cycles());
    lx::lx_set_enabled(enabled_interrupts());
}

/// Runs `handler` from now on when the interrupt of the chip's hardware timer FRC1 comes. It runs
/// without interrupts, on a small stack.
pub fn on_frc1(handler: fn()) {
    ON_FRC1.store(handler as *mut (), Ordering::Relaxed);
    lx::lx_set_enabled(enabled_interrupts());
}

/// The interrupts that are enabled whatever the program does.
fn enabled_interrupts() -> u32 {
    let frc1 = if ON_FRC1.load(Ordering::Relaxed).is_null() { 0 } else { FRC1 };
    TIMER | frc1
}

fn run_frc1() {
    lx::lx_clear(FRC1);
    let handler = ON_FRC1.load(Ordering::Relaxed);
    if !handler.is_null() {
        // SAFETY: only `on_frc1` stores one, and it is a `fn()`.
        let handler: fn() = unsafe { core::mem::transmute(handler) };
        handler();
    }
}

fn set_timer(ahead: u32) {
    lx::lx_set_ccompare(clock::counter().wrapping_add(ahead));
}

/// See [`umqtt_chip_rt::interrupt::sleep`].
pub(crate) fn sleep(cycle: u64, interrupts: u32, ready: &mut dyn FnMut() -> bool) {
    let state = lx::lx_mask();
    let ahead = cycle.saturating_sub(clock::cycles());
    if ahead == 0 || ready() {
        lx::lx_restore(state);
        return;
    }
    set_timer(u32::try_from(ahead).unwrap_or(u32::MAX).clamp(MIN_TIMER_CYCLES, tick_cycles()));
    lx::lx_wait(interrupts | enabled_interrupts());
    lx::lx_set_enabled(enabled_interrupts());
}

/// An interrupt came, at this place with this stack.
pub(crate) fn handle(pc: u32, stack_pointer: u32) {
    let pending = lx::lx_interrupts();
    // Whoever sleeps is woken by having been interrupted; nobody else wants these.
    lx::lx_set_enabled(enabled_interrupts());
    if pending & FRC1 != 0 {
        run_frc1();
    }
    if pending & TIMER == 0 {
        return;
    }
    set_timer(tick_cycles());
    clock::cycles();
    umqtt_chip_rt::interrupt::tick(pc, stack_pointer);
}
