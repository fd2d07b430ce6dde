//! The core's special registers and instructions, of `asm/registers.s`.

unsafe extern "C" {
    /// The cycle counter.
    pub safe fn lx_ccount() -> u32;
    /// Sets the cycle at which the timer's interrupt comes, and takes back one that has come.
    pub safe fn lx_set_ccompare(cycle: u32);
    /// The interrupts that are pending, a bit each.
    pub safe fn lx_interrupts() -> u32;
    /// Takes back edge-triggered interrupts that have come.
    pub safe fn lx_clear(interrupts: u32);
    /// Enables these interrupts and no others.
    pub safe fn lx_set_enabled(interrupts: u32);
    /// Masks all interrupts; returns the state for [`lx_restore`].
    pub safe fn lx_mask() -> u32;
    /// Takes the state of [`lx_mask`] back.
    pub safe fn lx_restore(state: u32);
    /// Enables these interrupts, sleeps until one came and has been handled. To be called masked;
    /// it unmasks.
    pub safe fn lx_wait(interrupts: u32);
    /// The stack pointer.
    pub safe fn lx_stack_pointer() -> u32;
    /// A semihosting call. Under the emulator with semihosting only: elsewhere it is an illegal
    /// instruction.
    pub safe fn lx_call_emulator(call: u32, a: u32, b: u32, c: u32) -> u32;
}
