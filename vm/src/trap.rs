//! Why a handler was stopped, and what it did that deserves a warning.

/// Why a handler was stopped before its end.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
pub enum TrapCode {
    /// It used up its fuel: a loop that does not end.
    OutOfFuel = 1,
    /// Its values and temporaries do not fit the machine's memory.
    OutOfMemory = 2,
    /// The code broke a rule the verifier guarantees. Not reachable from a verified program;
    /// reported instead of a panic.
    Corrupt = 3,
}

impl core::fmt::Display for TrapCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            TrapCode::OutOfFuel => "runs too long",
            TrapCode::OutOfMemory => "out of memory for values",
            TrapCode::Corrupt => "corrupt code",
        })
    }
}

impl core::error::Error for TrapCode {}

/// Why a handler was stopped, and where.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trap {
    /// Why.
    pub code: TrapCode,
    /// Offset into the code section; [`crate::Program::line`] makes a source line of it.
    pub at: u16,
}

impl core::fmt::Display for Trap {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} at code offset {}", self.code, self.at)
    }
}

impl core::error::Error for Trap {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.code)
    }
}

/// What a machine counted since it was made, without stopping a handler for it.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Warnings {
    /// `div` or `mod` by zero, taken as 0.
    pub divisions_by_zero: u32,
    /// Decimals that were too large, taken as the greatest or least number.
    pub decimals_too_large: u32,
    /// Values cut at the profile's limit.
    pub values_cut: u32,
    /// Filters for which there was no memory: their handlers were not run.
    pub filters_without_memory: u32,
    /// Code offset of the newest one.
    pub last_at: u16,
}
