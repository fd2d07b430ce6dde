//! Who has signed what has come to flash.

use core::fmt;

use embedded_storage::nor_flash::NorFlash;

use crate::signature::{PUBLIC_KEY_LEN, SUFFIX_LEN, Suffix, Verifier, signed_prefix};
use crate::storage::Storage;

/// Bytes read together.
const AT_ONCE: usize = 128;

/// Why a script is not taken from the network, where it has to be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// It has no signature.
    Missing,
    /// The signature is not the key's, or the script is not what was signed.
    Wrong,
    /// It is older than one that was taken.
    Older {
        /// Its counter.
        counter: u64,
        /// The highest of those that were taken.
        least: u64,
    },
    /// The key is none.
    Key,
    /// The settings are damaged: whose signature it has to be is not known.
    KeyDamaged,
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SignatureError::Missing => f.write_str(
                "it is not signed, and script_key is set: umqttc push --sign, or umqttc sign",
            ),
            SignatureError::Wrong => {
                f.write_str("it is not as it was signed, or not signed with the key of script_key")
            }
            SignatureError::Older { counter, least } => write!(
                f,
                "it is older than one that was taken: its counter is {counter}, {least} was taken"
            ),
            SignatureError::Key => f.write_str("script_key is no public key of Ed25519"),
            SignatureError::KeyDamaged => f.write_str(
                "the saved settings are damaged, script_key with them: on the serial line set it and save",
            ),
        }
    }
}

impl core::error::Error for SignatureError {}

/// The signature at the end of what has come.
#[inline(never)]
pub fn incoming_suffix<F: NorFlash>(storage: &mut Storage<F>) -> Option<Suffix> {
    let mut bytes = [0; SUFFIX_LEN];
    let at = storage.incoming_len().checked_sub(SUFFIX_LEN)?;
    if storage.read_incoming(at, &mut bytes) { Suffix::parse(&bytes) } else { None }
}

/// Whether what has come is signed with this key, and no older than what has the counter `least`;
/// its counter. Nothing else is done meanwhile.
///
/// # Errors
/// [`SignatureError`].
// By itself, so that what it needs is on the stack no longer than it runs.
#[inline(never)]
pub fn verify_incoming<F: NorFlash>(
    storage: &mut Storage<F>,
    key: &[u8; PUBLIC_KEY_LEN],
    least: u64,
) -> Result<u64, SignatureError> {
    let Suffix { counter, signature } = incoming_suffix(storage).ok_or(SignatureError::Missing)?;
    if counter < least {
        return Err(SignatureError::Older { counter, least });
    }
    let mut verifier = Verifier::new(key, &signature).map_err(|_| SignatureError::Key)?;
    verifier.update(&signed_prefix(counter));
    let len = storage.incoming_len().saturating_sub(SUFFIX_LEN);
    let mut piece = [0; AT_ONCE];
    for at in (0..len).step_by(AT_ONCE) {
        let piece = &mut piece[..AT_ONCE.min(len - at)];
        if !storage.read_incoming(at, piece) {
            return Err(SignatureError::Wrong);
        }
        verifier.update(piece);
    }
    if verifier.finish() { Ok(counter) } else { Err(SignatureError::Wrong) }
}
