//! Many texts in one file: each with its length in front, little-endian, 32 bits. After the last
//! stands what erased flash holds.

use alloc::vec::Vec;

const LENGTH: usize = size_of::<u32>();
const END: [u8; LENGTH] = [0xff; LENGTH];

/// The file of these texts.
pub fn pack<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut file = Vec::new();
    for text in texts {
        // A text of 4 GiB fits no flash.
        file.extend((text.len() as u32).to_le_bytes());
        file.extend(text);
    }
    file.extend(END);
    file
}

/// The texts of a file; ends early if it is broken off.
pub fn unpack(mut file: &[u8]) -> impl Iterator<Item = &[u8]> {
    core::iter::from_fn(move || {
        let (length, rest) =
            file.split_first_chunk::<LENGTH>().filter(|(length, _)| **length != END)?;
        let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        file = rest;
        Some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::{pack, unpack};

    #[test]
    fn what_was_packed_comes_out_again() {
        let texts: [&[u8]; 4] = [b"one", b"", b"\xff\xff\xff\xff", b"three"];
        let mut file = pack(texts);
        file.extend([0xff; 100]);
        assert!(unpack(&file).eq(texts));
        assert_eq!(unpack(&file[..5]).count(), 0);
        assert_eq!(unpack(&[]).count(), 0);
    }
}
