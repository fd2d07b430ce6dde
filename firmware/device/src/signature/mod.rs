//! Signed scripts: what a signature is of, how it stands behind a script, and whether it is right.
//!
//! A signature is a line of a fixed length behind a script's last byte, source and bytecode alike.
//! In source it is a comment, so that a device which asks for no signature takes it as it is. It is
//! Ed25519 (RFC 8032) of [`signed_prefix`] and all bytes before that line.
//!
//! | module | job |
//! |---|---|
//! | [`suffix`] | the line |
//! | [`verify`] | Ed25519, over bytes that come in pieces |
//! | [`hex`] | keys and signatures as text |
//!
//! Whose signature a device asks for is the setting `script_key`; that it does is the device's
//! part.

pub mod hex;
pub mod suffix;
pub mod verify;

pub use suffix::{SUFFIX_LEN, Suffix, split};
pub use verify::{KeyError, Verifier};

/// Bytes of a public key.
pub const PUBLIC_KEY_LEN: usize = 32;
/// Bytes of a signature.
pub const SIGNATURE_LEN: usize = 64;

/// What no other signature of the same key is of.
const DOMAIN: &[u8; 24] = b"umqtt signed script, v1\n";

/// What a signature is of, before the script's own bytes: so a key that signs other things too does
/// not sign scripts by that, and the counter cannot be changed.
pub fn signed_prefix(counter: u64) -> [u8; DOMAIN.len() + 8] {
    let mut prefix = [0; DOMAIN.len() + 8];
    let (domain, number) = prefix.split_at_mut(DOMAIN.len());
    domain.copy_from_slice(DOMAIN);
    number.copy_from_slice(&counter.to_be_bytes());
    prefix
}

/// A public key from the text of the setting `script_key`: 64 hexadecimal digits.
pub fn read_public_key(text: &[u8]) -> Option<[u8; PUBLIC_KEY_LEN]> {
    hex::read(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_begins_with_what_it_is_and_the_counter() {
        assert_eq!(&signed_prefix(0x0102)[..], b"umqtt signed script, v1\n\0\0\0\0\0\0\x01\x02");
    }

    #[test]
    fn a_key_is_64_digits_in_either_case() {
        let key = read_public_key(&[b"aB".repeat(31), b"09".to_vec()].concat()).unwrap();
        assert_eq!((key[0], key[30], key[31]), (0xAB, 0xAB, 9));
        for wrong in [&b"none"[..], &[b'a'; 63], &[b'a'; 65], &[b'g'; 64], b""] {
            assert_eq!(read_public_key(wrong), None);
        }
    }
}
