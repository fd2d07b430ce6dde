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
        let tried =
            lock.unlock(b"guess", Requester::Network(address), Instant::from_millis(n.into()), S);
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
