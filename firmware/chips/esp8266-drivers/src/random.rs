//! The generator of random numbers: a register that the hardware stirs with noise.
//!
//! The vendor's documents promise true randomness while the radio is on. With it off, as in this
//! firmware, only the drift between two clocks stirs it: each word is made of many reads, some time
//! apart.

use crate::mmio::Mmio;

/// WDEV's random number register.
const RANDOM: u32 = 0x3FF2_0E44;
/// Reads for each word.
const READS: u32 = 32;

/// Fills a buffer.
pub fn fill(mmio: &mut impl Mmio, into: &mut [u8]) {
    for piece in into.chunks_mut(4) {
        let mut word = 0u32;
        for _ in 0..READS {
            word = word.rotate_left(1) ^ mmio.read(RANDOM);
            mmio.delay_micros(1);
        }
        piece.copy_from_slice(&word.to_le_bytes()[..piece.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mmio::recording::{Access, Recording};

    #[test]
    fn every_byte_comes_from_the_register() {
        let mut mmio = Recording::default();
        let answers: [u32; 64] = core::array::from_fn(|n| (n as u32).wrapping_mul(0x9E37_79B9));
        mmio.answer(RANDOM, &answers);
        let mut bytes = [0; 6];
        fill(&mut mmio, &mut bytes);
        let expected = answers[..32].iter().fold(0u32, |word, read| word.rotate_left(1) ^ read);
        assert_eq!(bytes[..4], expected.to_le_bytes());
        assert_ne!(bytes[4..], bytes[..2]);
        assert_eq!(mmio.take(), [Access::Delay(1); 64], "nothing is written");
    }
}
