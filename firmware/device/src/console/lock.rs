//! The lock on the configuration. The password is kept as a salted hash only (PBKDF2); wrong tries
//! make the next one wait, each who tries for himself: strangers on the network do not delay the
//! owner on the serial line.

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
mod tests {
    use alloc::vec::Vec;

    use super::*;

    const NET: Requester = Requester::Network(IpAddr::V4(core::net::Ipv4Addr::new(10, 0, 0, 1)));
    const S: Salt = [1; 16];

    fn locked() -> Lock {
        let mut lock = Lock::default();
        lock.lock(Some(b"sesame"), NET, *b"saltsaltsaltsalt").unwrap();
        lock
    }

    #[test]
    fn opens_with_its_password_only() {
        let mut lock = Lock::default();
        assert_eq!(lock.lock(None, NET, S), Err(LockError::NoPassword));
        assert_eq!(lock.unlock(b"x", NET, Instant::ZERO, S), Err(LockError::NoPassword));
        assert_eq!(lock.lock(Some(b"sesame"), NET, S), Ok(()));
        assert_eq!(lock.lock(Some(b"other"), NET, S), Err(LockError::AlreadyLocked));
        assert_eq!(lock.unlock(b"sesam", NET, Instant::ZERO, S), Err(LockError::WrongPassword));
        assert!(lock.is_locked());
        assert_eq!(lock.unlock(b"sesame", NET, Instant::from_millis(2_000), S), Ok(()));
        assert!(!lock.is_locked());
        assert_eq!(lock.lock(None, NET, S), Ok(()), "the password stays for the next lock");
        assert_eq!(lock.unlock(b"sesame", NET, Instant::from_millis(3_000), S), Ok(()));
    }

    #[test]
    fn wrong_tries_wait_longer_and_longer_even_for_the_right_password() {
        let mut lock = locked();
        let (mut now, mut waits) = (Instant::ZERO, Vec::new());
        for _ in 0..8 {
            assert_eq!(lock.unlock(b"guess", NET, now, S), Err(LockError::WrongPassword));
            let Err(LockError::TooSoon { seconds }) = lock.unlock(b"sesame", NET, now, S) else {
                panic!()
            };
            waits.push(seconds);
            now += Duration::from_secs(seconds.into());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 64]);
        assert_eq!(lock.unlock(b"sesame", NET, now, S), Ok(()));
    }

    #[test]
    fn strangers_do_not_delay_the_owner() {
        let mut lock = locked();
        // As many tries from as many addresses as they like: each gets few, and all together too.
        let mut looked_at = 0;
        for n in 0..60_000u32 {
            let address = IpAddr::V4((0x7F00_0000 + n % 300).into());
            let tried = lock.unlock(
                b"guess",
                Requester::Network(address),
                Instant::from_millis(n.into()),
                S,
            );
            looked_at += u32::from(tried == Err(LockError::WrongPassword));
        }
        assert!((10..130).contains(&looked_at), "{looked_at} guesses in a minute");
        assert_eq!(
            lock.clone().unlock(b"sesame", Requester::Serial, Instant::from_millis(60_000), S),
            Ok(())
        );
        assert_eq!(
            lock.clone().unlock(b"sesame", Requester::Script, Instant::from_millis(60_000), S),
            Ok(())
        );
        // On the network from an address of his own: as soon as another newcomer may try.
        assert_eq!(
            lock.unlock(b"sesame", NET, Instant::from_millis(60_000) + NEWCOMER_WAIT, S),
            Ok(())
        );
        // And the other way round.
        let mut lock = locked();
        for n in 0..9 {
            let _ = lock.unlock(b"guess", Requester::Serial, Instant::from_millis(n * 100_000), S);
        }
        assert_eq!(lock.unlock(b"sesame", NET, Instant::from_millis(800_000), S), Ok(()));
    }

    #[test]
    fn is_kept_without_its_password() {
        assert_eq!(Lock::default().save(), b"");
        let saved = locked().save();
        assert!(!saved.windows(6).any(|part| part == b"sesame"));
        let mut again = Lock::load(&saved);
        assert!(again.is_locked());
        assert_eq!(again.unlock(b"sesame", NET, Instant::ZERO, S), Ok(()));
        assert!(!Lock::load(&again.save()).is_locked());
    }

    #[test]
    fn one_that_is_damaged_opens_to_nobody_until_it_is_set_anew_from_the_serial_line() {
        let saved = locked().save();
        for damaged in [&b"nonsense"[..], &saved[1..], &saved[..saved.len() - 1], &[2; 41]] {
            let mut lock = Lock::load(damaged);
            assert!(lock.is_locked() && lock.is_damaged());
            for requester in [NET, Requester::Script, Requester::Serial] {
                assert_eq!(
                    lock.unlock(b"sesame", requester, Instant::ZERO, S),
                    Err(LockError::Damaged)
                );
                assert_eq!(lock.lock(None, requester, S), Err(LockError::Damaged));
            }
            assert_eq!(lock.lock(Some(b"mine"), NET, S), Err(LockError::Damaged));
            assert_eq!(lock.lock(Some(b"mine"), Requester::Serial, S), Ok(()));
            assert!(lock.is_locked() && !lock.is_damaged());
            assert_eq!(lock.unlock(b"mine", NET, Instant::ZERO, S), Ok(()));
        }
    }

    #[test]
    fn a_hash_of_the_old_form_opens_and_is_replaced() {
        let mut saved = Vec::from([1]);
        saved.extend_from_slice(b"saltsalt");
        saved.extend_from_slice(&old_hash(b"sesame", b"saltsalt"));
        let mut lock = Lock::load(&saved);
        assert_eq!(lock.save(), saved[..]);
        assert_eq!(lock.unlock(b"guess", NET, Instant::ZERO, S), Err(LockError::WrongPassword));
        assert_eq!(lock.unlock(b"sesame", NET, Instant::from_millis(1_000), S), Ok(()));
        assert_eq!(lock.save().len(), SAVED_LEN);
        assert_eq!(Lock::load(&lock.save()).unlock(b"sesame", NET, Instant::ZERO, S), Ok(()));
    }

    #[test]
    fn is_pbkdf2() {
        // RFC 7914, section 11, its first 32 bytes.
        let mut key = [0; 32];
        pbkdf2_hmac::<Sha256>(b"passwd", b"salt", 1, &mut key);
        assert_eq!(key[..8], [0x55, 0xac, 0x04, 0x6e, 0x56, 0xe3, 0x08, 0x9f]);
        assert_ne!(hash(b"sesame", &[1; 16], 2), hash(b"sesame", &[2; 16], 2));
    }
}
