//! What differs between machines that have this core. The machine's crate implements [`Machine`]
//! and names the type with [`machine!`](crate::machine!), once in a program; link-time optimisation
//! makes of it what a direct call would be.

/// A machine around the core: serial port, restart, watchdog.
pub trait Machine {
    /// CPU cycles per microsecond.
    const CYCLES_PER_MICRO: u32;

    /// Sets up what has to be before anything else. `boot` is what the boot loader left in its
    /// register.
    fn init(boot: *const u32);

    /// Feeds the hardware's watchdog, where there is one.
    fn feed();

    /// Does the load of a byte or half word from flash that the hardware could not do; false if it
    /// was none.
    fn load_from_flash(pc: &mut u32, registers: &mut [u32; 16]) -> bool;

    /// Sends a byte on the serial port, when there is room for it.
    fn uart_write(byte: u8);

    /// The next byte that came on the serial port, if one did.
    fn uart_read() -> Option<u8>;

    /// Resets the machine.
    fn restart() -> !;
}

/// Names the type that implements [`Machine`] for this program.
#[macro_export]
macro_rules! machine {
    ($machine:ty) => {
        const _: () = {
            use $crate::machine::Machine;

            #[unsafe(no_mangle)]
            fn lx106_cycles_per_micro() -> u32 {
                <$machine as Machine>::CYCLES_PER_MICRO
            }
            #[unsafe(no_mangle)]
            fn lx106_init(boot: *const u32) {
                <$machine as Machine>::init(boot);
            }
            #[unsafe(no_mangle)]
            fn lx106_feed() {
                <$machine as Machine>::feed();
            }
            #[unsafe(no_mangle)]
            fn lx106_load_from_flash(pc: &mut u32, registers: &mut [u32; 16]) -> bool {
                <$machine as Machine>::load_from_flash(pc, registers)
            }
            #[unsafe(no_mangle)]
            fn lx106_uart_write(byte: u8) {
                <$machine as Machine>::uart_write(byte);
            }
            #[unsafe(no_mangle)]
            fn lx106_uart_read() -> Option<u8> {
                <$machine as Machine>::uart_read()
            }
            #[unsafe(no_mangle)]
            fn lx106_restart() -> ! {
                <$machine as Machine>::restart()
            }
        };
    };
}

unsafe extern "Rust" {
    // What `machine!` makes.
    pub(crate) safe fn lx106_cycles_per_micro() -> u32;
    pub(crate) safe fn lx106_init(boot: *const u32);
    pub(crate) safe fn lx106_feed();
    pub(crate) safe fn lx106_load_from_flash(pc: &mut u32, registers: &mut [u32; 16]) -> bool;
    pub(crate) safe fn lx106_uart_write(byte: u8);
    pub(crate) safe fn lx106_uart_read() -> Option<u8>;
    pub(crate) safe fn lx106_restart() -> !;
}

pub(crate) use {
    lx106_cycles_per_micro as cycles_per_micro, lx106_feed as feed, lx106_init as init,
    lx106_load_from_flash as load_from_flash, lx106_restart as restart,
    lx106_uart_read as uart_read, lx106_uart_write as uart_write,
};
