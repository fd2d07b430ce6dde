//! Keys that sign scripts, and scripts that are signed.
//!
//! | module | job |
//! |---|---|
//! | [`key_file`] | the secret key in its file |
//! | [`arguments`] | `--sign KEY` and `--counter N` |
//!
//! What a signature is and how it is verified is the device's: `umqtt_device::signature`.

pub(crate) mod arguments;
pub(crate) mod key_file;

use std::time::{SystemTime, UNIX_EPOCH};

use ed25519_dalek::{Signer as _, SigningKey};
use umqtt_device::signature::{self, Suffix, hex, signed_prefix};

/// A script with its signature behind it; one that it had is taken off.
pub(crate) fn sign(key: &SigningKey, script: &[u8], counter: u64) -> Vec<u8> {
    let (script, _) = signature::split(script);
    let message = [&signed_prefix(counter), script].concat();
    let suffix = Suffix { counter, signature: key.sign(&message).to_bytes() };
    [script, &suffix.bytes()].concat()
}

/// The public key, as `script_key` takes it.
pub(crate) fn public_key(key: &SigningKey) -> String {
    let bytes = key.verifying_key().to_bytes();
    let mut digits = vec![0; 2 * bytes.len()];
    hex::write(&bytes, &mut digits);
    String::from_utf8_lossy(&digits).into_owned()
}

/// The counter of what is signed now: seconds since 1970.
pub(crate) fn counter_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use umqtt_device::signature::{SUFFIX_LEN, Verifier, split};

    use super::*;

    #[test]
    fn what_is_signed_again_has_one_signature_and_it_verifies() {
        let key = SigningKey::from_bytes(&[3; 32]);
        for script in [&b"on init do println 1\n"[..], b"", b"uMQ!\0\xff"] {
            let signed = sign(&key, &sign(&key, script, 1), 2);
            assert_eq!(signed.len(), script.len() + SUFFIX_LEN);
            let (content, suffix) = split(&signed);
            let suffix = suffix.unwrap();
            assert_eq!((content, suffix.counter), (script, 2));
            let public = key.verifying_key().to_bytes();
            let mut verifier = Verifier::new(&public, &suffix.signature).unwrap();
            verifier.update(&signed_prefix(2));
            verifier.update(script);
            assert!(verifier.finish());
        }
    }
}
