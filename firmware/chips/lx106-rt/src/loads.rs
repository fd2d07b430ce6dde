//! What differs between chips that have this core, besides what differs between all chips
//! ([`Soc`](umqtt_chip_rt::soc::Soc)). The chip's crate implements [`Loads`] and
//! names the type with [`loads!`](crate::loads!), once in a program.

/// Loads the memory cannot do.
pub trait Loads {
    /// Does the load of a byte or half word from flash that the hardware could not do; false if it
    /// was none.
    fn load_from_flash(pc: &mut u32, registers: &mut [u32; 16]) -> bool;
}

/// Names the type that implements [`Loads`] for this program.
#[macro_export]
macro_rules! loads {
    ($soc:ty) => {
        const _: () = {
            #[unsafe(no_mangle)]
            fn lx106_load_from_flash(pc: &mut u32, registers: &mut [u32; 16]) -> bool {
                <$soc as $crate::loads::Loads>::load_from_flash(pc, registers)
            }
        };
    };
}

unsafe extern "Rust" {
    // What `loads!` makes.
    pub(crate) safe fn lx106_load_from_flash(pc: &mut u32, registers: &mut [u32; 16]) -> bool;
}

pub(crate) use lx106_load_from_flash as load_from_flash;
