//! The lock on the configuration. The password is kept as a salted hash only; wrong tries make the next one wait.

use alloc::vec::Vec;

use crate::engine::Millis;
use sha2::{Digest, Sha256};

/// How often the hash is taken of itself: a try costs the ESP8266 some 50 ms.
const ROUNDS: u32 = 500;
/// Wait after the first wrong try, milliseconds; it doubles with each further one.
const FIRST_WAIT_MS: Millis = 1_000;
/// Longest wait, milliseconds.
const LONGEST_WAIT_MS: Millis = 64_000;
/// The saved form: a byte for open or locked, the salt, the hash.
const SAVED_LEN: usize = 1 + 8 + 32;

/// The lock.
#[derive(Clone, Debug, Default)]
pub struct Lock {
    locked: bool,
    password: Option<Hashed>,
    wrong_tries: u32,
    next_try_at: Millis,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Hashed {
    salt: [u8; 8],
    hash: [u8; 32],
}

/// Why the lock did not turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockError {
    /// No password was ever given.
    NoPassword,
    /// It is locked already.
    AlreadyLocked,
    /// The password is another.
    WrongPassword,
    /// After wrong tries: not looked at before so many seconds have passed.
    TooSoon {
        /// At least 1.
        seconds: u32,
    },
}

impl Lock {
    /// What [`Lock::save`] gave; anything else is an open lock without a password.
    pub fn load(saved: &[u8]) -> Lock {
        let mut lock = Lock::default();
        if let Ok(bytes) = <&[u8; SAVED_LEN]>::try_from(saved) {
            let mut hashed = Hashed { salt: [0; 8], hash: [0; 32] };
            hashed.salt.copy_from_slice(&bytes[1..9]);
            hashed.hash.copy_from_slice(&bytes[9..]);
            lock.locked = bytes[0] != 0;
            lock.password = Some(hashed);
        }
        lock
    }

    /// The bytes to keep: nothing without a password.
    pub fn save(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(hashed) = &self.password {
            bytes.push(u8::from(self.locked));
            bytes.extend_from_slice(&hashed.salt);
            bytes.extend_from_slice(&hashed.hash);
        }
        bytes
    }

    /// Whether it is locked.
    pub fn is_locked(&self) -> bool {
        self.locked
    }

    /// Locks, with a new password or the one there is.
    ///
    /// # Errors
    /// [`LockError::NoPassword`], [`LockError::AlreadyLocked`].
    pub fn lock(&mut self, password: Option<&[u8]>, salt: [u8; 8]) -> Result<(), LockError> {
        if self.locked {
            return Err(LockError::AlreadyLocked);
        }
        match password {
            Some(password) => self.password = Some(Hashed { salt, hash: hash(password, &salt) }),
            None if self.password.is_none() => return Err(LockError::NoPassword),
            None => {}
        }
        self.locked = true;
        Ok(())
    }

    /// Opens the lock; with it open, nothing happens.
    ///
    /// # Errors
    /// [`LockError::NoPassword`], [`LockError::WrongPassword`], [`LockError::TooSoon`].
    pub fn unlock(&mut self, password: &[u8], now: Millis) -> Result<(), LockError> {
        let Some(hashed) = &self.password else { return Err(LockError::NoPassword) };
        if now < self.next_try_at {
            let seconds = (self.next_try_at - now).div_ceil(1000);
            return Err(LockError::TooSoon { seconds: u32::try_from(seconds).unwrap_or(u32::MAX) });
        }
        let tried = hash(password, &hashed.salt);
        // All bytes are compared, so that the time tells nothing.
        let differs = tried.iter().zip(&hashed.hash).fold(0, |all, (a, b)| all | (a ^ b));
        if differs != 0 {
            let wait = FIRST_WAIT_MS << self.wrong_tries.min(16);
            self.wrong_tries = self.wrong_tries.saturating_add(1);
            self.next_try_at = now.saturating_add(wait.min(LONGEST_WAIT_MS));
            return Err(LockError::WrongPassword);
        }
        (self.wrong_tries, self.locked) = (0, false);
        Ok(())
    }
}

fn hash(password: &[u8], salt: &[u8; 8]) -> [u8; 32] {
    let mut hash: [u8; 32] =
        Sha256::new().chain_update(salt).chain_update(password).finalize().into();
    for _ in 0..ROUNDS {
        hash = Sha256::new().chain_update(hash).chain_update(salt).finalize().into();
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_with_its_password_only() {
        let mut lock = Lock::default();
        assert_eq!(lock.lock(None, [1; 8]), Err(LockError::NoPassword));
        assert_eq!(lock.unlock(b"x", 0), Err(LockError::NoPassword));
        assert_eq!(lock.lock(Some(b"sesame"), [1; 8]), Ok(()));
        assert_eq!(lock.lock(Some(b"other"), [1; 8]), Err(LockError::AlreadyLocked));
        assert_eq!(lock.unlock(b"sesam", 0), Err(LockError::WrongPassword));
        assert!(lock.is_locked());
        assert_eq!(lock.unlock(b"sesame", 2_000), Ok(()));
        assert!(!lock.is_locked());
        assert_eq!(lock.lock(None, [2; 8]), Ok(()), "the password stays for the next lock");
        assert_eq!(lock.unlock(b"sesame", 3_000), Ok(()));
    }

    #[test]
    fn wrong_tries_wait_longer_and_longer_even_for_the_right_password() {
        let mut lock = Lock::default();
        lock.lock(Some(b"sesame"), [1; 8]).unwrap();
        let (mut now, mut waits) = (0, Vec::new());
        for _ in 0..8 {
            assert_eq!(lock.unlock(b"guess", now), Err(LockError::WrongPassword));
            let Err(LockError::TooSoon { seconds }) = lock.unlock(b"sesame", now) else { panic!() };
            waits.push(seconds);
            now += u64::from(seconds) * 1000;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 64]);
        assert_eq!(lock.unlock(b"sesame", now), Ok(()));
    }

    #[test]
    fn is_kept_without_its_password() {
        let mut lock = Lock::default();
        assert_eq!(lock.save(), b"");
        lock.lock(Some(b"sesame"), *b"saltsalt").unwrap();
        let saved = lock.save();
        assert!(!saved.windows(6).any(|part| part == b"sesame"));
        let mut again = Lock::load(&saved);
        assert!(again.is_locked());
        assert_eq!(again.unlock(b"sesame", 0), Ok(()));
        assert!(!Lock::load(&again.save()).is_locked());
        assert!(!Lock::load(b"nonsense").is_locked());
    }

    #[test]
    fn the_same_password_looks_different_on_two_devices() {
        assert_ne!(hash(b"sesame", &[1; 8]), hash(b"sesame", &[2; 8]));
    }
}
