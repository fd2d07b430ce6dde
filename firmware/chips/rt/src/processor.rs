//! What differs between cores. The core's crate implements [`Processor`] and names the type with
//! [`processor!`](crate::processor!), once in a program; link-time optimisation makes of it what a
//! direct call would be.

/// A core: its counter, its stack pointer, its interrupts.
pub trait Processor {
    /// Cycles of the clock since the start.
    fn cycles() -> u64;

    /// Masks all interrupts for good.
    fn mask();

    /// The stack pointer.
    fn stack_pointer() -> usize;

    /// See [`interrupt::sleep`](crate::interrupt::sleep()).
    fn sleep(cycle: u64, interrupts: u32, ready: &mut dyn FnMut() -> bool);
}

/// Names the type that implements [`Processor`] for this program.
#[macro_export]
macro_rules! processor {
    ($processor:ty) => {
        const _: () = {
            use $crate::processor::Processor;

            #[unsafe(no_mangle)]
            fn chip_cycles() -> u64 {
                <$processor as Processor>::cycles()
            }
            #[unsafe(no_mangle)]
            fn chip_mask() {
                <$processor as Processor>::mask();
            }
            #[unsafe(no_mangle)]
            fn chip_stack_pointer() -> usize {
                <$processor as Processor>::stack_pointer()
            }
            #[unsafe(no_mangle)]
            fn chip_sleep(cycle: u64, interrupts: u32, ready: &mut dyn FnMut() -> bool) {
                <$processor as Processor>::sleep(cycle, interrupts, ready);
            }
        };
    };
}

unsafe extern "Rust" {
    // What `processor!` makes.
    pub(crate) safe fn chip_cycles() -> u64;
    pub(crate) safe fn chip_mask();
    pub(crate) safe fn chip_stack_pointer() -> usize;
    pub(crate) safe fn chip_sleep(cycle: u64, interrupts: u32, ready: &mut dyn FnMut() -> bool);
}

pub(crate) use {
    chip_cycles as cycles, chip_mask as mask, chip_sleep as sleep,
    chip_stack_pointer as stack_pointer,
};
