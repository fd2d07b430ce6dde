//! Ed25519 (RFC 8032) over bytes that come in pieces.

use core::fmt;

use ed25519_dalek::{Signature, StreamVerifier, VerifyingKey};

use super::{PUBLIC_KEY_LEN, SIGNATURE_LEN};

/// A key with which nothing can be verified: it is no point of the curve, or one of so small an
/// order that a signature would fit any bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyError;

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is no public key of Ed25519")
    }
}

impl core::error::Error for KeyError {}

/// A signature that is being verified.
pub struct Verifier(Option<StreamVerifier>);

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

impl Verifier {
    /// Begins: of what comes now this is to be the key's signature.
    ///
    /// # Errors
    /// [`KeyError`].
    #[inline(never)]
    pub fn new(
        key: &[u8; PUBLIC_KEY_LEN],
        signature: &[u8; SIGNATURE_LEN],
    ) -> Result<Verifier, KeyError> {
        let key = VerifyingKey::from_bytes(key).map_err(|_| KeyError)?;
        if key.is_weak() {
            return Err(KeyError);
        }
        // One that cannot be right is found wrong at the end.
        Ok(Verifier(key.verify_stream(&Signature::from_bytes(signature)).ok()))
    }

    /// More of the bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        if let Some(stream) = &mut self.0 {
            stream.update(bytes);
        }
    }

    /// Whether it is the key's signature of all that came.
    #[inline(never)]
    pub fn finish(self) -> bool {
        self.0.is_some_and(|stream| stream.finalize_and_verify().is_ok())
    }
}

#[cfg(test)]
mod tests;
