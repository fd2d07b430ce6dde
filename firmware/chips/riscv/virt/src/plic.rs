//! Interrupts of devices (RISC-V Platform-Level Interrupt Controller 1.0.0), of which a program
//! here wants one: it wakes, and then the device is looked at.

use core::sync::atomic::{AtomicU32, Ordering};

const PRIORITIES: *mut u32 = 0x0c00_0000 as *mut u32;
/// For the core's machine mode: bits of the interrupts that are enabled, and the register by which
/// one is claimed and given back.
const ENABLED: *mut u32 = 0x0c00_2000 as *mut u32;
const THRESHOLD: *mut u32 = 0x0c20_0000 as *mut u32;
const CLAIM: *mut u32 = 0x0c20_0004 as *mut u32;

/// For [`sleep`](umqtt_chip_rt::interrupt::sleep): the devices' interrupts wake.
pub const DEVICES: u32 = 1;

static INTERRUPT: AtomicU32 = AtomicU32::new(0);

pub(crate) fn init() {
    // SAFETY: registers of this machine; an access has no effect on memory.
    unsafe {
        ENABLED.write_volatile(0);
        THRESHOLD.write_volatile(0);
    }
}

/// Has this interrupt wake, one of 1 to 31, in place of another one.
pub fn wake_with(interrupt: u32) {
    INTERRUPT.store(interrupt, Ordering::Relaxed);
    // SAFETY: as above.
    unsafe {
        PRIORITIES.add(interrupt as usize).write_volatile(1);
        ENABLED.write_volatile(1 << interrupt);
    }
}

/// Takes the interrupt back, as `acknowledge` does at the device: what comes afterwards is told
/// again.
pub fn acknowledge<T>(acknowledge: impl FnOnce() -> T) -> T {
    // SAFETY: as above.
    let claimed = unsafe { CLAIM.read_volatile() };
    let acknowledged = acknowledge();
    if claimed != 0 {
        // SAFETY: as above.
        unsafe { CLAIM.write_volatile(claimed) };
    }
    acknowledged
}
