//! Stands in for the crate of this name, whose inline assembly only Espressif's fork of the
//! compiler knows. Here is what `esp8266` (the register crate) and `esp8266-hal` use of it, with
//! the same interface.
#![no_std]

pub mod interrupt {
    //! Interrupts.

    pub use bare_metal::CriticalSection;

    /// The number of an interrupt.
    ///
    /// # Safety
    /// Every value has a number of its own, and it never changes.
    pub unsafe trait InterruptNumber: Copy {
        /// Its number.
        fn number(self) -> u16;
    }

    /// Runs something without interrupts.
    pub fn free<F, R>(run: F) -> R
    where
        F: FnOnce(&CriticalSection<'_>) -> R,
    {
        critical_section::with(|_| {
            // SAFETY: interrupts are masked, and there is only one core.
            let section = unsafe { CriticalSection::new() };
            run(&section)
        })
    }
}
