//! Critical sections: interrupts masked.

use critical_section::RawRestoreState;

use crate::lx;

struct Masked;
critical_section::set_impl!(Masked);

// SAFETY: one core, and no interrupt comes while all are masked.
unsafe impl critical_section::Impl for Masked {
    unsafe fn acquire() -> RawRestoreState {
        lx::lx_mask()
    }

    unsafe fn release(state: RawRestoreState) {
        lx::lx_restore(state);
    }
}
