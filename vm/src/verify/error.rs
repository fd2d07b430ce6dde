//! Why an image is no program.

use crate::ImageError;

/// Why an image may not run.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not a whole image at all.
    Image(ImageError),
    /// More of something than the profile allows.
    Limit {
        /// Of what.
        what: &'static str,
        /// How many the image has.
        found: usize,
        /// How many may be.
        allowed: usize,
    },
    /// A number this kind of device does not have: made for a larger one.
    Number {
        /// Of what.
        what: &'static str,
        /// The number.
        found: u8,
        /// What there is.
        allowed: (u8, u8),
        /// The profile that the compiler has to be told.
        profile: &'static str,
    },
    /// A constant lies outside the strings; its place in the table.
    Constant(u16),
    /// A handler record makes no sense; its place in the table.
    Handler(u16),
    /// The code is wrong.
    Code {
        /// Offset into the code section, in words.
        at: u16,
        /// What is wrong there.
        why: CodeError,
    },
}

/// What is wrong with code.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeError {
    /// Not an instruction, or cut off.
    Undecodable,
    /// An operand out of range.
    Operand,
    /// A jump into the middle of an instruction, out of the segment, or one too many.
    Jump,
    /// A `loop` that does not match its `head`.
    Loop,
    /// Code used by more than one handler.
    Overlap,
    /// An instruction that may not stand in this kind of segment.
    Misplaced,
    /// A call of a sub that there is not, that goes as deep as its caller or deeper, as one that
    /// calls itself would, or that looks at data the event does not have.
    Call,
}

impl core::fmt::Display for VerifyError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            VerifyError::Image(error) => error.fmt(f),
            VerifyError::Limit { what, found, allowed } => {
                write!(f, "the image has {found} {what}, this device allows {allowed}")
            }
            VerifyError::Number { what, found, allowed: (first, last), profile } => write!(
                f,
                "{what} {found} is not on this device ({first} to {last}): \
                 build it with --profile {profile}"
            ),
            VerifyError::Constant(index) => write!(f, "the image is invalid (constant {index})"),
            VerifyError::Handler(index) => write!(f, "the image is invalid (handler {index})"),
            VerifyError::Code { at, why } => write!(f, "the image is invalid ({why:?} at {at})"),
        }
    }
}

impl core::error::Error for VerifyError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            VerifyError::Image(why) => Some(why),
            _ => None,
        }
    }
}
