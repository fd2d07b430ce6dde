//! The line behind a signed script: `%umqtt-signature`, the counter, the signature, in lower case
//! hexadecimal digits, with a line end before it and behind it.

use super::{SIGNATURE_LEN, hex};

/// How the line begins, the end of the line before it included.
const HEAD: &[u8; 18] = b"\n%umqtt-signature ";
const COUNTER_DIGITS: usize = 16;
const SIGNATURE_DIGITS: usize = 2 * SIGNATURE_LEN;

/// Bytes of it all, the line end before it included.
pub const SUFFIX_LEN: usize = HEAD.len() + COUNTER_DIGITS + 1 + SIGNATURE_DIGITS + 1;

/// A signature and its counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suffix {
    /// A script with a lower one is older.
    pub counter: u64,
    /// Of [`signed_prefix`](super::signed_prefix) and the script.
    pub signature: [u8; SIGNATURE_LEN],
}

impl Suffix {
    /// Reads the line. There is one way to write it: anything else is none.
    pub fn parse(bytes: &[u8; SUFFIX_LEN]) -> Option<Suffix> {
        let rest = bytes.strip_prefix(HEAD)?;
        let (counter, rest) = rest.split_first_chunk::<COUNTER_DIGITS>()?;
        let (signature, rest) = rest.strip_prefix(b" ")?.split_first_chunk::<SIGNATURE_DIGITS>()?;
        let lower = |text: &[u8]| !text.iter().any(u8::is_ascii_uppercase);
        if rest != b"\n" || !lower(counter) || !lower(signature) {
            return None;
        }
        Some(Suffix {
            counter: u64::from_be_bytes(hex::read(counter)?),
            signature: hex::read(signature)?,
        })
    }

    /// Writes the line.
    pub fn bytes(&self) -> [u8; SUFFIX_LEN] {
        let mut bytes = [b'\n'; SUFFIX_LEN];
        let (head, rest) = bytes.split_at_mut(HEAD.len());
        let (counter, rest) = rest.split_at_mut(COUNTER_DIGITS);
        let (blank, signature) = rest.split_at_mut(1);
        head.copy_from_slice(HEAD);
        hex::write(&self.counter.to_be_bytes(), counter);
        blank.copy_from_slice(b" ");
        hex::write(&self.signature, signature);
        bytes
    }
}

/// A script, and the signature at its end if it has one.
pub fn split(bytes: &[u8]) -> (&[u8], Option<Suffix>) {
    match bytes.split_last_chunk() {
        Some((script, last)) => match Suffix::parse(last) {
            Some(suffix) => (script, Some(suffix)),
            None => (bytes, None),
        },
        None => (bytes, None),
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn suffix() -> Suffix {
        Suffix { counter: 0x1234_5678_9abc_def0, signature: [0xA5; SIGNATURE_LEN] }
    }

    #[test]
    fn it_is_a_comment_of_a_line_by_itself() {
        let bytes = suffix().bytes();
        let text = core::str::from_utf8(&bytes).unwrap();
        assert!(text.starts_with("\n%umqtt-signature 123456789abcdef0 a5a5"), "{text}");
        assert!(text.ends_with("a5a5\n") && text.trim().lines().count() == 1, "{text}");
        assert_eq!(SUFFIX_LEN, 164);
    }

    #[test]
    fn what_is_written_otherwise_is_none() {
        let right = suffix().bytes();
        assert_eq!(Suffix::parse(&right), Some(suffix()));
        for at in 0..SUFFIX_LEN {
            for other in 0..=255 {
                let mut bytes = right;
                bytes[at] = other;
                // Another digit is another counter or signature; nothing reads as the same.
                if let Some(read) = Suffix::parse(&bytes) {
                    assert_eq!(read.bytes(), bytes);
                    assert_eq!(read == suffix(), bytes == right);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_and_what_is_read_is_written_the_same(
            script in prop::collection::vec(any::<u8>(), 0..400),
            counter: u64,
            signature in prop::array::uniform32(any::<u8>()),
            cut in 0usize..200,
        ) {
            let suffix = Suffix { counter, signature: [signature; 2].concat().try_into().unwrap() };
            let (content, found) = split(&script);
            let line = found.map_or(Vec::new(), |suffix| suffix.bytes().to_vec());
            prop_assert_eq!([content, &line].concat(), script.clone());
            let signed: Vec<u8> = [&script[..], &suffix.bytes()].concat();
            prop_assert_eq!(split(&signed), (&script[..], Some(suffix)));
            // Cut short, there is none.
            if (1..SUFFIX_LEN).contains(&cut) {
                prop_assert_eq!(split(&signed[..signed.len() - cut]).1, None);
            }
        }
    }
}
