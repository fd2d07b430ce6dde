//! Damage of every kind, everywhere in the flash: what keeps strangers out is what was stored last,
//! or known to be damaged.
#![allow(clippy::unwrap_used)] // in helpers of tests

use proptest::prelude::*;
use umqtt_device::storage::ram::{RamFlash, SECTOR};
use umqtt_device::storage::{FlashLayout, Storage, StorageError, StoredScript};

const LAYOUT: FlashLayout = FlashLayout { start: 0, map_sectors: 3, slot_sectors: 1 };
const OPEN: &[u8] = b"settings that let everybody in";
const CLOSED: &[u8] = b"settings with a password";
const UNLOCKED: &[u8] = b"an open lock";
const LOCKED: &[u8] = b"a closed lock";

fn mount(bytes: Vec<u8>) -> Storage<RamFlash> {
    Storage::mount(RamFlash::with(bytes), LAYOUT).unwrap().0
}

/// A flash in which what lets everybody in was stored first, and after `more` other writes what
/// does not.
fn closed(more: u8) -> Vec<u8> {
    let mut storage = mount(vec![0xFF; LAYOUT.sectors() as usize * SECTOR]);
    storage.save_settings(OPEN).unwrap();
    storage.save_lock(UNLOCKED).unwrap();
    storage.store_script(&StoredScript { image: b"image", source: b"source" }).unwrap();
    for n in 0..more {
        storage.set_flash_variable(n % 16 + 1, &[n; 63]).unwrap();
    }
    storage.save_lock(LOCKED).unwrap();
    storage.save_settings(CLOSED).unwrap();
    storage.unmount().bytes_mut().to_vec()
}

/// Whether it is closed, whatever has happened to it, and can be used again.
fn stays_closed(bytes: Vec<u8>, what: &str) {
    let (mut storage, report) = Storage::mount(RamFlash::with(bytes), LAYOUT).unwrap();
    let settings = storage.load_settings();
    assert!(report.settings_damaged || settings.as_deref() == Ok(CLOSED), "{what}: {settings:?}");
    let lock = storage.load_lock();
    assert!(report.lock_damaged || lock.as_deref() == Ok(LOCKED), "{what}: {lock:?}");
    // It is so until both are set anew, each by itself.
    let (mut storage, again) = Storage::mount(storage.unmount(), LAYOUT).unwrap();
    assert_eq!(again.settings_damaged, report.settings_damaged, "{what}");
    assert_eq!(again.lock_damaged, report.lock_damaged, "{what}");
    if report.settings_damaged {
        storage.save_settings(CLOSED).unwrap();
        let (mut after, fresh) = Storage::mount(storage.unmount(), LAYOUT).unwrap();
        assert!(!fresh.settings_damaged, "{what}");
        // The lock may have been found again behind what was damaged.
        let lock = after.load_lock();
        assert!(fresh.lock_damaged || lock.as_deref() == Ok(LOCKED), "{what}: {lock:?}");
        storage = after;
    }
    if report.lock_damaged {
        storage.save_lock(LOCKED).unwrap();
        let (_, fresh) = Storage::mount(storage.unmount(), LAYOUT).unwrap();
        assert!(!fresh.settings_damaged && !fresh.lock_damaged, "{what}");
    }
}

#[test]
fn a_flipped_bit_anywhere() {
    let whole = closed(3);
    stays_closed(whole.clone(), "nothing");
    for at in 0..whole.len() {
        // All that is written, and some of what is not.
        if whole[at] == 0xFF && at % 61 != 0 {
            continue;
        }
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        stays_closed(bytes, &format!("bit {} of byte {at}", at % 8));
    }
}

/// A flip in what says how the records have to be, and one in a record.
#[test]
fn two_flipped_bits() {
    let whole = closed(3);
    let guard = whole.len() - 2 * SECTOR;
    let written = |from: usize, to: usize| (from..to).filter(|at| whole[*at] != 0xFF);
    // One bit of each entry, which its checksum covers whole.
    let entries: Vec<usize> = written(guard, whole.len()).filter(|at| at % 32 == 0).collect();
    assert!(entries.len() >= 6, "{entries:?}");
    for entry in entries {
        for at in written(0, 3 * SECTOR) {
            let mut bytes = whole.clone();
            bytes[entry + at % 28] ^= 1 << (at % 7);
            bytes[at] ^= 1 << (at % 8);
            stays_closed(bytes, &format!("entry at {entry}, bit {} of byte {at}", at % 8));
        }
    }
}

/// Flips in any of the entries that were written last, and one in a record.
#[test]
fn flipped_bits_in_the_last_entries_and_in_a_record() {
    // The second is at the border between the two sectors.
    for saved in [0, 18] {
        let mut storage = Storage::mount(RamFlash::with(closed(3)), LAYOUT).unwrap().0;
        for _ in 0..saved {
            storage.save_lock(UNLOCKED).unwrap();
            storage.save_lock(LOCKED).unwrap();
        }
        storage.save_settings(OPEN).unwrap();
        storage.save_lock(UNLOCKED).unwrap();
        storage.save_lock(LOCKED).unwrap();
        storage.save_settings(CLOSED).unwrap();
        let whole = storage.unmount().bytes_mut().to_vec();
        let entries = newest_entries(&whole);
        for damaged in 0..1usize << 7 {
            let mut bytes = whole.clone();
            for (n, entry) in entries[..7].iter().enumerate() {
                if damaged >> n & 1 == 1 {
                    bytes[entry + (damaged + n) % 32] ^= 1 << (n % 8);
                }
            }
            stays_closed(bytes.clone(), &format!("entries {damaged:b}"));
            let records = 0..3 * SECTOR;
            for at in records.filter(|at| whole[*at] != 0xFF).skip(damaged % 41).step_by(41) {
                let bit = 1 << ((at + damaged) % 8);
                bytes[at] ^= bit;
                stays_closed(bytes.clone(), &format!("entries {damaged:b}, byte {at}, {saved}"));
                bytes[at] ^= bit;
            }
        }
    }
}

/// Where the entries of the guard are, the newest first.
fn newest_entries(flash: &[u8]) -> Vec<usize> {
    let number = |at: usize| u32::from_le_bytes(flash[at + 4..at + 8].try_into().unwrap());
    let guard = flash.len() - 2 * SECTOR;
    let mut entries: Vec<usize> =
        (guard..flash.len()).step_by(32).filter(|at| number(*at) != u32::MAX).collect();
    entries.sort_by_key(|at| std::cmp::Reverse(number(*at)));
    entries
}

fn noise(state: &mut u64) -> u8 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state as u8
}

#[test]
fn a_region_that_is_zeroed_erased_or_noise() {
    for more in [3, 60, 200] {
        let whole = closed(more);
        for len in [4, 32, 256, SECTOR, 2 * SECTOR] {
            for at in (0..whole.len() - len + 1).step_by(len.max(64)) {
                let mut state = at as u64 | 1;
                for kind in 0..3 {
                    let mut bytes = whole.clone();
                    for byte in &mut bytes[at..at + len] {
                        *byte = [0, 0xFF, noise(&mut state)][kind];
                    }
                    // Two sectors: a copy of all there is may be gone, with what says that it was
                    // there.
                    stays_closed(bytes, &format!("{len} bytes at {at}, kind {kind}, {more} more"));
                }
            }
        }
    }
}

#[test]
fn all_of_it() {
    let len = closed(0).len();
    let mut state = 99;
    stays_closed(vec![0; len], "zeros");
    stays_closed((0..len).map(|_| noise(&mut state)).collect(), "noise");
    let short = RamFlash::with(closed(3)[..len - SECTOR].to_vec());
    assert!(matches!(Storage::mount(short, LAYOUT), Err(StorageError::TooLarge { .. })));
}

#[test]
fn sectors_that_are_swapped_or_copied() {
    for more in [3, 60, 200] {
        let whole = closed(more);
        let sectors = whole.len() / SECTOR;
        for one in 0..sectors {
            for other in (0..sectors).filter(|other| *other != one) {
                let mut bytes = whole.clone();
                bytes.copy_within(other * SECTOR..(other + 1) * SECTOR, one * SECTOR);
                stays_closed(bytes.clone(), &format!("{other} copied over {one}, {more} more"));
                bytes[other * SECTOR..(other + 1) * SECTOR]
                    .copy_from_slice(&whole[one * SECTOR..(one + 1) * SECTOR]);
                stays_closed(bytes, &format!("{one} and {other} swapped, {more} more"));
            }
        }
    }
}

#[test]
fn the_map_of_an_earlier_day() {
    let (before, now) = (closed(3), closed(3));
    let mut storage = mount(before);
    storage.save_settings(OPEN).unwrap();
    storage.save_lock(UNLOCKED).unwrap();
    let mut bytes = storage.unmount().bytes_mut().to_vec();
    // What the guard says is of the day on which it was closed.
    let guard = bytes.len() - 2 * SECTOR;
    bytes[guard..].copy_from_slice(&now[guard..]);
    let (_, report) = Storage::mount(RamFlash::with(bytes), LAYOUT).unwrap();
    assert!(report.settings_damaged && report.lock_damaged);
}

#[test]
fn a_flash_from_before_there_was_a_guard() {
    let mut bytes = closed(3);
    let guard = bytes.len() - 2 * SECTOR;
    bytes[guard..].fill(0xFF);
    let (mut storage, report) = Storage::mount(RamFlash::with(bytes), LAYOUT).unwrap();
    assert!(!report.settings_damaged && !report.lock_damaged);
    assert_eq!(storage.load_settings().as_deref(), Ok(CLOSED));
    storage.save_settings(CLOSED).unwrap();
    stays_closed(storage.unmount().bytes_mut().to_vec(), "guarded now");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn damage_of_any_kind(
        more in 0..250u8,
        at in 0..7 * SECTOR,
        damage in prop_oneof![
            proptest::collection::vec(any::<u8>(), 1..600),
            (any::<u8>(), 1..5000usize).prop_map(|(byte, len)| vec![byte; len]),
        ],
    ) {
        let mut bytes = closed(more);
        for (place, byte) in bytes[at..].iter_mut().zip(damage) {
            *place = byte;
        }
        stays_closed(bytes, "any");
    }

    /// Flips among what is written.
    #[test]
    fn flipped_bits(
        more in 0..50u8,
        flips in proptest::collection::vec((any::<prop::sample::Index>(), 0..8u8), 1..60),
        in_guard in proptest::collection::vec((any::<prop::sample::Index>(), 0..8u8), 0..20),
    ) {
        let mut bytes = closed(more);
        let guard = bytes.len() - 2 * SECTOR;
        let written: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0xFF).collect();
        for (index, bit) in flips {
            bytes[*index.get(&written)] ^= 1 << bit;
        }
        let written: Vec<usize> = written.into_iter().filter(|at| *at >= guard).collect();
        for (index, bit) in in_guard {
            bytes[*index.get(&written)] ^= 1 << bit;
        }
        stays_closed(bytes, "any");
    }
}
