//! The lock on the configuration. The password is kept as a salted hash only (PBKDF2).
//! Against brute force wrong tries make the next one wait, each who tries for himself: strangers on
//! the network do not delay the owner on the serial line.

use core::net::IpAddr;

use pbkdf2::pbkdf2_hmac;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use umqtt_net::{Duration, Instant};

/// Rounds of PBKDF2 for a new password. Nothing else is done meanwhile, so a try takes 100 ms at
/// most: `cargo xtask esp8266 bench` counts 15,055 instructions a round on the ESP8266's core.
const ROUNDS: u32 = if cfg!(test) {
    10
} else if cfg!(target_pointer_width = "64") {
    10_000
} else {
    500
};
/// Most rounds a saved lock may ask for.
const MAX_ROUNDS: u32 = 1_000_000;
/// Rounds of what was used before PBKDF2.
const OLD_ROUNDS: u32 = 500;
/// Wait after the first wrong try; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(1_000);
/// Longest wait.
const LONGEST_WAIT: Duration = Duration::from_millis(64_000);
/// Addresses whose tries are remembered.
const ADDRESSES: usize = 8;
/// When so many are remembered, one more is let try after this time.
const NEWCOMER_WAIT: Duration = Duration::from_millis(2_000);

/// The saved form: a byte for open or locked, [`FORMAT`], rounds, salt, hash.
const SAVED_LEN: usize = 2 + 4 + 16 + 32;
/// The saved form before: a byte for open or locked, a salt of 8 bytes, the hash.
const OLD_SAVED_LEN: usize = 1 + 8 + 32;
const FORMAT: u8 = 2;

/// What makes the same password's hash another on each device.
pub type Salt = [u8; 16];

/// The lock.
#[derive(Clone, Debug, Default)]
pub struct Lock {
    locked: bool,
    /// The stored record is damaged: no password opens the lock.
    damaged: bool,
    password: Option<PasswordHash>,
    tries: FailedAttempts,
}

/// Who tries a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requester {
    /// The serial line.
    Serial,
    /// The script.
    Script,
    /// A peer on the network.
    Network(IpAddr),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PasswordHash {
    Pbkdf2 {
        rounds: u32,
        salt: Salt,
        hash: [u8; 32],
    },
    /// Replaced when the password is next given.
    Old {
        salt: [u8; 8],
        hash: [u8; 32],
    },
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
    /// What was kept of it is damaged: only the serial line can set a new password.
    Damaged,
    /// After wrong tries: not looked at before so many seconds have passed.
    TooSoon {
        /// At least 1.
        seconds: u32,
    },
}

impl Lock {
    /// What [`Lock::save`] gave; with nothing, an open lock without a password. Anything else is a
    /// damaged lock.
    pub fn load(saved: &[u8]) -> Lock {
        if saved.is_empty() {
            return Lock::default();
        }
        match PasswordHash::load(saved) {
            Some(password) => {
                Lock { locked: saved[0] != 0, password: Some(password), ..Lock::default() }
            }
            None => Lock::damaged(),
        }
    }

    /// A lock of which it is known that it was there, and nothing more: it is locked, and no
    /// password opens it.
    pub fn damaged() -> Lock {
        Lock { locked: true, damaged: true, ..Lock::default() }
    }

    /// The bytes to keep: nothing without a password.
    pub fn save(&self) -> heapless::Vec<u8, SAVED_LEN> {
        let mut bytes = heapless::Vec::new();
        // All of it fits.
        let mut put = |part: &[u8]| _ = bytes.extend_from_slice(part);
        match &self.password {
            Some(PasswordHash::Pbkdf2 { rounds, salt, hash }) => {
                put(&[u8::from(self.locked), FORMAT]);
                put(&rounds.to_le_bytes());
                put(salt);
                put(hash);
            }
            Some(PasswordHash::Old { salt, hash }) => {
                put(&[u8::from(self.locked)]);
                put(salt);
                put(hash);
            }
            None => {}
        }
        bytes
    }

    /// Whether it is locked.
    pub fn is_locked(&self) -> bool {
        self.locked
    }

    /// Whether what was kept of it is damaged.
    pub fn is_damaged(&self) -> bool {
        self.damaged
    }

    /// Locks, with a new password or the one there is. A damaged lock takes a new password from the
    /// serial line.
    ///
    /// # Errors
    /// [`LockError::NoPassword`], [`LockError::AlreadyLocked`], [`LockError::Damaged`].
    pub fn lock(
        &mut self,
        password: Option<&[u8]>,
        requester: Requester,
        salt: Salt,
    ) -> Result<(), LockError> {
        if self.damaged && (requester != Requester::Serial || password.is_none()) {
            return Err(LockError::Damaged);
        }
        if self.locked && !self.damaged {
            return Err(LockError::AlreadyLocked);
        }
        match password {
            Some(password) => self.password = Some(PasswordHash::new(password, salt)),
            None if self.password.is_none() => return Err(LockError::NoPassword),
            None => {}
        }
        (self.locked, self.damaged) = (true, false);
        Ok(())
    }

    /// Opens the lock; with it open, nothing happens. The salt is for a password whose hash is of
    /// the old form.
    ///
    /// # Errors
    /// [`LockError::NoPassword`], [`LockError::WrongPassword`], [`LockError::TooSoon`],
    /// [`LockError::Damaged`].
    pub fn unlock(
        &mut self,
        password: &[u8],
        requester: Requester,
        now: Instant,
        salt: Salt,
    ) -> Result<(), LockError> {
        if self.damaged {
            return Err(LockError::Damaged);
        }
        let Some(hashed) = &self.password else { return Err(LockError::NoPassword) };
        self.tries.may(requester, now)?;
        if !hashed.is_of(password) {
            self.tries.failed(requester, now);
            return Err(LockError::WrongPassword);
        }
        if matches!(hashed, PasswordHash::Old { .. }) {
            self.password = Some(PasswordHash::new(password, salt));
        }
        self.tries.succeeded(requester);
        self.locked = false;
        Ok(())
    }
}

impl PasswordHash {
    fn new(password: &[u8], salt: Salt) -> PasswordHash {
        PasswordHash::Pbkdf2 { rounds: ROUNDS, salt, hash: hash(password, &salt, ROUNDS) }
    }

    fn load(saved: &[u8]) -> Option<PasswordHash> {
        if *saved.first()? > 1 {
            return None;
        }
        if let Ok(bytes) = <&[u8; OLD_SAVED_LEN]>::try_from(saved) {
            let (salt, hash) = bytes[1..].split_first_chunk()?;
            return Some(PasswordHash::Old { salt: *salt, hash: hash.try_into().ok()? });
        }
        let [_, FORMAT, rest @ ..] = <&[u8; SAVED_LEN]>::try_from(saved).ok()? else { return None };
        let (rounds, rest) = rest.split_first_chunk()?;
        let (salt, hash) = rest.split_first_chunk()?;
        let rounds = u32::from_le_bytes(*rounds);
        let sound = (1..=MAX_ROUNDS).contains(&rounds);
        let hash = hash.try_into().ok()?;
        sound.then_some(PasswordHash::Pbkdf2 { rounds, salt: *salt, hash })
    }

    fn is_of(&self, password: &[u8]) -> bool {
        let (tried, hash) = match self {
            PasswordHash::Pbkdf2 { rounds, salt, hash: kept } => {
                (hash(password, salt, *rounds), kept)
            }
            PasswordHash::Old { salt, hash } => (old_hash(password, salt), hash),
        };
        tried.ct_eq(hash).into()
    }
}

/// Wrong passwords in a row, and when the next one is looked at (backoff).
#[derive(Clone, Copy, Debug, Default)]
struct Attempts {
    wrong: u32,
    next_at: Instant,
}

/// Wrong tries, of each who made some. An address is known by its last 8 or so; when many more
/// come, they take turns: nobody can keep others from trying, and nobody can try more often by
/// changing his address.
#[derive(Clone, Debug, Default)]
struct FailedAttempts {
    serial: Attempts,
    script: Attempts,
    network: heapless::Vec<(IpAddr, Attempts), ADDRESSES>,
    /// When the next address may take the place of one that waits.
    newcomer_at: Instant,
}

impl FailedAttempts {
    fn of(&mut self, requester: Requester) -> Option<&mut Attempts> {
        match requester {
            Requester::Serial => Some(&mut self.serial),
            Requester::Script => Some(&mut self.script),
            Requester::Network(address) => {
                self.network.iter_mut().find(|(known, _)| *known == address).map(|(_, waits)| waits)
            }
        }
    }

    fn may(&mut self, requester: Requester, now: Instant) -> Result<(), LockError> {
        let full = self.network.is_full();
        let newcomer_at = self.newcomer_at;
        let at = match self.of(requester) {
            Some(waits) => waits.next_at,
            None if full => newcomer_at,
            None => Instant::ZERO,
        };
        if now < at {
            let seconds = u32::try_from((at - now).as_secs_ceil()).unwrap_or(u32::MAX);
            return Err(LockError::TooSoon { seconds });
        }
        Ok(())
    }

    fn failed(&mut self, requester: Requester, now: Instant) {
        if let (None, Requester::Network(address)) = (self.of(requester), requester) {
            if self.network.is_full() {
                // The one whose wait is over first, or was.
                let first = (0..ADDRESSES).min_by_key(|at| self.network[*at].1.next_at);
                self.network.swap_remove(first.unwrap_or(0));
                self.newcomer_at = now.saturating_add(NEWCOMER_WAIT);
            }
            // There is room now.
            let _ = self.network.push((address, Attempts::default()));
        }
        if let Some(waits) = self.of(requester) {
            let wait = FIRST_WAIT * (1 << waits.wrong.min(16));
            waits.wrong = waits.wrong.saturating_add(1);
            waits.next_at = now.saturating_add(wait.min(LONGEST_WAIT));
        }
    }

    fn succeeded(&mut self, requester: Requester) {
        if let Some(waits) = self.of(requester) {
            *waits = Attempts::default();
        }
    }
}

#[inline(never)]
fn hash(password: &[u8], salt: &Salt, rounds: u32) -> [u8; 32] {
    let mut hash = [0; 32];
    pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut hash);
    hash
}

#[inline(never)]
fn old_hash(password: &[u8], salt: &[u8; 8]) -> [u8; 32] {
    // One place hashes: the code is not there twice.
    let (mut hash, mut first, mut second) = ([0; 32], &salt[..], password);
    for _ in 0..=OLD_ROUNDS {
        hash = Sha256::new().chain_update(first).chain_update(second).finalize().into();
        (first, second) = (&hash, salt);
    }
    hash
}

#[cfg(test)]
mod tests;
