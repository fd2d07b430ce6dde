//! What differs between chips that have one core. The chip's crate implements [`Soc`]
//! and names the type with [`soc!`](crate::soc!), once in a program; link-time optimisation
//! makes of it what a direct call would be.

/// A system on a chip around the core: serial port, restart, watchdog.
pub trait Soc {
    /// Cycles of the core's counter per microsecond.
    const CYCLES_PER_MICRO: u32;

    /// Sets up what has to be before anything else. `boot` is what the boot loader left in its
    /// register.
    fn init(boot: *const u32);

    /// Feeds the hardware's watchdog, where there is one.
    fn feed();

    /// Sends a byte on the serial port, when there is room for it.
    fn uart_write(byte: u8);

    /// The next byte that came on the serial port, if one did.
    fn uart_read() -> Option<u8>;

    /// Resets the chip.
    fn restart() -> !;
}

/// Names the type that implements [`Soc`] for this program.
#[macro_export]
macro_rules! soc {
    ($soc:ty) => {
        const _: () = {
            use $crate::soc::Soc;

            #[unsafe(no_mangle)]
            fn chip_cycles_per_micro() -> u32 {
                <$soc as Soc>::CYCLES_PER_MICRO
            }
            #[unsafe(no_mangle)]
            fn chip_init(boot: *const u32) {
                <$soc as Soc>::init(boot);
            }
            #[unsafe(no_mangle)]
            fn chip_feed() {
                <$soc as Soc>::feed();
            }
            #[unsafe(no_mangle)]
            fn chip_uart_write(byte: u8) {
                <$soc as Soc>::uart_write(byte);
            }
            #[unsafe(no_mangle)]
            fn chip_uart_read() -> Option<u8> {
                <$soc as Soc>::uart_read()
            }
            #[unsafe(no_mangle)]
            fn chip_restart() -> ! {
                <$soc as Soc>::restart()
            }
        };
    };
}

unsafe extern "Rust" {
    // What `soc!` makes.
    pub(crate) safe fn chip_cycles_per_micro() -> u32;
    pub(crate) safe fn chip_init(boot: *const u32);
    pub(crate) safe fn chip_feed();
    pub(crate) safe fn chip_uart_write(byte: u8);
    pub(crate) safe fn chip_uart_read() -> Option<u8>;
    pub(crate) safe fn chip_restart() -> !;
}

pub(crate) use {
    chip_cycles_per_micro as cycles_per_micro, chip_feed as feed, chip_init as init,
    chip_restart as restart, chip_uart_read as uart_read, chip_uart_write as uart_write,
};
