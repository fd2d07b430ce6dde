//! Why bytes are no image.

use super::VERSION;

/// Why bytes are not an image.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageError {
    /// Does not start with [`MAGIC`](super::MAGIC): perhaps a script's source.
    NotAnImage,
    /// Made by another version of the compiler; the format found.
    Version(u8),
    /// Shorter or longer than its header states.
    Length,
    /// The checksum does not fit: broken on the way.
    Checksum,
    /// The header cannot be read.
    Header,
    /// It does not start at a multiple of 4 in memory.
    Alignment,
}

impl core::fmt::Display for ImageError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            ImageError::NotAnImage => f.write_str("not a bytecode image"),
            ImageError::Version(found) => {
                write!(
                    f,
                    "image format {found}, this device runs format {VERSION}: compile it again"
                )
            }
            ImageError::Length => f.write_str("the image is cut off or has bytes too many"),
            ImageError::Checksum => f.write_str("the image is damaged (checksum)"),
            ImageError::Header => f.write_str("the image is damaged (header)"),
            ImageError::Alignment => {
                f.write_str("the image must start at a multiple of 4 bytes in memory")
            }
        }
    }
}

impl core::error::Error for ImageError {}
