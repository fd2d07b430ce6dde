//! What a machine computes in, as it is given.

use core::ops::DerefMut;

/// What holds a value: a number, or where a string is.
pub type Slot = [u32; 2];

/// Most bytes of memory for strings: their places are 16 bits wide.
pub const MAX_STRING_BYTES: usize = 65_535;

/// The memory of a machine: slots for values and bytes for strings. Anything that is slices of
/// them, or something that gets larger when it is needed.
pub trait Memory {
    /// The slots and the bytes there are. Between two calls they keep what they hold, though they
    /// may move.
    fn parts(&mut self) -> (&mut [Slot], &mut [u8]);

    /// Makes room for at least so many bytes more, behind the others; false if that cannot be.
    fn grow(&mut self, bytes: usize) -> bool {
        let _ = bytes;
        false
    }
}

impl<S: DerefMut<Target = [Slot]>, T: DerefMut<Target = [u8]>> Memory for (S, T) {
    #[inline]
    fn parts(&mut self) -> (&mut [Slot], &mut [u8]) {
        (&mut self.0, &mut self.1)
    }
}

/// The memory cannot hold the program's variables and temporaries.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFewSlots {
    /// Slots it takes at least.
    pub needed: usize,
}

impl core::fmt::Display for TooFewSlots {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "the script needs {} bytes of memory", self.needed * size_of::<Slot>())
    }
}

impl core::error::Error for TooFewSlots {}
