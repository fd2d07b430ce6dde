//! The storage on a flash that behaves, and on one that holds nonsense.
#![allow(clippy::unwrap_used)] // in helpers of tests

use std::ops::{Bound, RangeBounds};

use proptest::prelude::*;
use umqtt_device::settings::{Param, Settings, Source, codec};
use umqtt_device::storage::ram::{RamFlash, SECTOR};
use umqtt_device::storage::{
    FLASH_VARIABLES, FlashLayout, MAX_RECORD, MountReport, SavedMessage, Storage, StorageError,
    StoredScript, retained,
};
use umqtt_vm::Profile;

const LAYOUT: FlashLayout = FlashLayout { start: 0, map_sectors: 3, slot_sectors: 2 };

fn mount(flash: RamFlash) -> Storage<RamFlash> {
    let (storage, report) = Storage::mount(flash, LAYOUT).unwrap();
    assert_eq!(report, MountReport::default());
    storage
}

fn blank() -> Storage<RamFlash> {
    mount(RamFlash::new(LAYOUT.sectors()))
}

#[test]
fn a_blank_flash_is_an_empty_storage() {
    let mut storage = blank();
    assert_eq!(storage.load_settings(), Ok(vec![]));
    assert_eq!(storage.load_lock(), Ok(vec![]));
    assert_eq!(storage.script(), Ok(None));
    assert_eq!(storage.source_len(), 0);
    assert_eq!(storage.flash_variable(1, &mut [0; 63]), Ok(0));
    assert_eq!(storage.unmount().operations(), 0, "looking wears nothing");
}

#[test]
fn what_was_stored_is_there_after_a_restart() {
    let mut storage = blank();
    let mut settings = Settings::new([0; 6]);
    settings.set(Param::BrokerPort, b"1884", Source::Persistent).unwrap();
    storage.save_settings(&settings.save().unwrap()).unwrap();
    storage.set_flash_variable(16, b"last\0").unwrap();
    storage.store_script(&StoredScript { image: b"image", source: b"on init do" }).unwrap();

    let mut storage = mount(storage.unmount());
    let settings = Settings::load([0; 6], &storage.load_settings().unwrap());
    assert_eq!(settings.port(Param::BrokerPort), 1884);
    let mut value = [0; 63];
    assert_eq!(storage.flash_variable(16, &mut value), Ok(5));
    assert_eq!(&value[..5], b"last\0");
    let script = storage.script().unwrap().unwrap();
    assert_eq!((&script.image[..], &script.source[..]), (&b"image"[..], &b"on init do"[..]));
    assert_eq!(storage.script_place(), Some((12_320..12_325, 12_325..12_335)));
}

#[test]
fn a_script_of_64_kib_is_stored_in_few_writes_on_the_desktop() {
    let flash = RamFlash::new(FlashLayout::DESKTOP.sectors());
    let (mut storage, _) = Storage::mount(flash, FlashLayout::DESKTOP).unwrap();
    let (image, source) = (vec![1; 30_000], vec![2; 65_536]);
    for piece in source.chunks(1000) {
        storage.append_incoming(piece).unwrap();
    }
    storage.append_incoming_image(&image).unwrap();
    assert_eq!(storage.incoming_image(&|_| None, &|_| true).unwrap().as_ref(), image);
    storage.commit_incoming(0).unwrap();
    assert_eq!(storage.script_image(&|_| None).unwrap().unwrap().as_ref(), image);
    assert_eq!(storage.source_len(), source.len());
    // Of 24 sectors each is erased and written; each time the desktop waits for its disk.
    let operations = storage.unmount().operations();
    assert!(operations <= 60, "{operations}");
}

#[test]
fn source_is_read_in_pieces() {
    let mut storage = blank();
    let source: Vec<u8> = (0..1000u32).map(|n| n as u8).collect();
    storage.store_script(&StoredScript { image: b"odd", source: &source }).unwrap();
    assert_eq!(storage.source_len(), 1000);
    let (mut read, mut piece) = (Vec::new(), [0; 77]);
    loop {
        let len = storage.read_source(read.len(), &mut piece);
        if len == 0 {
            break;
        }
        read.extend_from_slice(&piece[..len]);
    }
    assert_eq!(read, source);
    assert_eq!(storage.read_source(usize::MAX, &mut piece), 0);
}

#[test]
fn what_is_too_large_is_refused_and_changes_nothing() {
    let mut storage = blank();
    storage.set_flash_variable(1, b"old").unwrap();
    let too_long = storage.set_flash_variable(1, &[b'x'; 64]);
    assert_eq!(too_long, Err(StorageError::TooLarge { limit: 63 }));
    assert!(storage.set_flash_variable(0, b"").is_err());
    assert!(storage.set_flash_variable(FLASH_VARIABLES + 1, b"").is_err());
    assert_eq!(storage.flash_variable(1, &mut [0; 63]), Ok(3));

    storage.save_settings(b"old").unwrap();
    let limit = StorageError::TooLarge { limit: MAX_RECORD };
    assert_eq!(storage.save_settings(&[0; MAX_RECORD + 1]), Err(limit));
    assert_eq!(storage.load_settings(), Ok(b"old".to_vec()));

    storage.store_script(&StoredScript { image: b"old", source: b"" }).unwrap();
    let large = vec![0; 2 * SECTOR - 31];
    let refused = storage.store_script(&StoredScript { image: &large, source: b"" });
    assert_eq!(refused, Err(StorageError::TooLarge { limit: 2 * SECTOR - 32 }));
    storage.store_script(&StoredScript { image: &large[1..], source: b"" }).unwrap();
    assert_eq!(storage.script().unwrap().unwrap().image, large[1..]);
}

#[test]
fn the_same_value_again_wears_nothing() {
    let mut storage = blank();
    storage.set_flash_variable(1, b"on").unwrap();
    let flash = storage.unmount();
    let before = flash.operations();
    let mut storage = mount(flash);
    for _ in 0..100 {
        storage.set_flash_variable(1, b"on").unwrap();
    }
    assert_eq!(storage.unmount().operations(), before);
}

#[test]
fn a_great_many_writes_never_fill_it() {
    let mut storage = blank();
    storage.save_settings(&[1; codec::MAX_LEN]).unwrap();
    for round in 0..2000u32 {
        let n = (round % 16) as u8 + 1;
        let mut value = [b'.'; 63];
        value[..4].copy_from_slice(&round.to_le_bytes());
        storage.set_flash_variable(n, &value).unwrap();
    }
    assert_eq!(storage.load_settings(), Ok(vec![1; codec::MAX_LEN]));
}

type Topics = Vec<(String, Vec<u8>)>;

fn messages(count: usize, payload: &[u8]) -> Topics {
    (0..count).map(|n| (format!("stat/room/{n:03}"), payload.to_vec())).collect()
}

/// Saves messages; the topics there was no room for.
fn save(storage: &mut Storage<RamFlash>, messages: &Topics) -> Vec<String> {
    let mut refused = Vec::new();
    let each = |from: Bound<&[u8]>| {
        let from = (from.map(<[u8]>::to_vec), Bound::Unbounded);
        let each = messages.iter().filter(move |m| from.contains(&m.0.as_bytes().to_vec()));
        each.map(|(topic, payload)| SavedMessage { topic: topic.as_bytes(), payload, qos: 1 })
    };
    let mut refuse = |topic: &[u8]| refused.push(String::from_utf8_lossy(topic).into_owned());
    storage.save_retained(&each, &mut refuse).unwrap();
    refused
}

fn loaded(storage: &mut Storage<RamFlash>) -> Topics {
    let loaded = storage.load_retained().unwrap();
    let text = |topic| String::from_utf8_lossy(topic).into_owned();
    let mut loaded: Topics =
        loaded.iter().map(|message| (text(message.topic), message.payload.to_vec())).collect();
    loaded.sort();
    loaded
}

#[test]
fn retained_messages_are_kept() {
    let mut storage = blank();
    assert_eq!(loaded(&mut storage), []);
    let saved = messages(30, b"on");
    assert_eq!(save(&mut storage, &saved), [""; 0]);
    let mut storage = mount(storage.unmount());
    assert_eq!(loaded(&mut storage), saved);
    assert_eq!(storage.load_retained().unwrap().iter().map(|m| m.qos).max(), Some(1));
    assert_eq!(save(&mut storage, &Vec::new()), [""; 0]);
    assert_eq!(loaded(&mut storage), []);
}

#[test]
fn only_what_has_changed_is_written() {
    let mut storage = blank();
    let mut saved = messages(40, b"on");
    save(&mut storage, &saved);
    let mut flash = storage.unmount();
    let before = flash.bytes_mut().to_vec();
    let mut storage = mount(flash);
    save(&mut storage, &saved);
    let mut flash = storage.unmount();
    assert_eq!(flash.bytes_mut().to_vec(), before, "nothing has");
    let mut storage = mount(flash);
    saved[7].1 = b"off".to_vec();
    save(&mut storage, &saved);
    assert_eq!(loaded(&mut storage), saved);
    let changed =
        before.iter().zip(storage.unmount().bytes_mut().iter()).filter(|(a, b)| a != b).count();
    assert!((1..80).contains(&changed), "{changed} bytes for one message");
}

#[test]
fn what_does_not_fit_is_named_and_costs_the_others_nothing() {
    let layout = FlashLayout::ESP8266;
    let (mut storage, _) = Storage::mount(RamFlash::new(layout.sectors()), layout).unwrap();
    let mut saved = messages(20, &[b'x'; 300]);
    assert_eq!(save(&mut storage, &saved), [""; 0]);
    let all = saved.clone();
    saved.push(("a/long".into(), vec![b'y'; 3000]));
    saved.extend((0..10).map(|n| (format!("b/{n}"), vec![b'z'; 300])));
    saved.sort();
    let refused = save(&mut storage, &saved);
    assert_eq!(refused, ["a/long", "b/5", "b/6", "b/7", "b/8", "b/9"]);
    let kept = loaded(&mut storage);
    assert!(all.iter().all(|message| kept.contains(message)), "those that were there stay");
    assert_eq!(kept.len(), saved.len() - refused.len());
    // One that grows beyond all room is taken away rather than left as it was.
    let at = saved.iter().position(|(topic, _)| topic == "b/0").unwrap();
    saved[at].1 = vec![b'z'; 4000];
    assert!(save(&mut storage, &saved).contains(&"b/0".to_string()));
    assert!(loaded(&mut storage).iter().all(|(topic, _)| topic != "b/0"));
    // More than there are places.
    assert_eq!(save(&mut storage, &messages(130, b"x")).len(), 130 - usize::from(retained::SLOTS));
}

#[test]
fn as_many_retained_messages_as_allowed_are_saved_again_and_again() {
    let layout = FlashLayout::ESP8266;
    let (mut storage, _) = Storage::mount(RamFlash::new(layout.sectors()), layout).unwrap();
    storage.save_settings(&[1; codec::MAX_LEN]).unwrap();
    for n in 1..=FLASH_VARIABLES {
        storage.set_flash_variable(n, &[n; 63]).unwrap();
    }
    for round in 0..12u8 {
        let full = messages(retained::MAX_RETAINED / 316, &[round; 300]);
        assert_eq!(save(&mut storage, &full), [""; 0]);
        assert_eq!(loaded(&mut storage), full);
    }
    assert_eq!(storage.load_settings(), Ok(vec![1; codec::MAX_LEN]));
}

#[test]
fn three_starts_in_a_row_are_counted() {
    let mut storage = blank();
    for count in 1..=4 {
        assert_eq!(storage.script_start_begins(), Ok(count));
        storage = mount(storage.unmount());
    }
    storage.script_start_done().unwrap();
    assert_eq!(storage.script_start_begins(), Ok(1));
    assert_eq!(storage.script_start_begins(), Ok(2));
    storage.store_script(&StoredScript { image: b"new", source: b"" }).unwrap();
    assert_eq!(storage.script_start_begins(), Ok(1), "a new script has all its tries");
}

#[test]
fn damage_to_the_script_is_noticed() {
    let mut storage = blank();
    storage.store_script(&StoredScript { image: b"first", source: b"" }).unwrap();
    storage.store_script(&StoredScript { image: b"second", source: b"" }).unwrap();
    let (image, _) = storage.script_place().unwrap();
    let mut flash = storage.unmount();
    flash.bytes_mut()[image.start as usize] ^= 1;
    let (mut storage, report) = Storage::mount(flash, LAYOUT).unwrap();
    assert!(report.script_damaged);
    assert_eq!(storage.script().unwrap().unwrap().image, b"first");
}

#[test]
fn a_flash_that_is_too_small_is_refused() {
    let small = RamFlash::new(LAYOUT.sectors() - 1);
    assert!(matches!(Storage::mount(small, LAYOUT), Err(StorageError::TooLarge { .. })));
}

#[test]
fn every_profile_has_room_for_its_largest_script() {
    for (layout, profile) in [
        (FlashLayout::ESP8266, Profile::ESP8266),
        (FlashLayout::ESP32, Profile::ESP32),
        (FlashLayout::DESKTOP, Profile::DESKTOP),
    ] {
        let (mut storage, _) = Storage::mount(RamFlash::new(layout.sectors()), layout).unwrap();
        let (image, source) = (vec![1; profile.image], vec![2; profile.source]);
        storage.store_script(&StoredScript { image: &image, source: &source }).unwrap();
        let script = storage.script().unwrap().unwrap();
        assert!(script.image == image && script.source == source, "{}", profile.name);
    }
}

fn works(mut storage: Storage<RamFlash>) {
    storage.save_settings(b"settings").unwrap();
    storage.save_lock(b"lock").unwrap();
    storage.set_flash_variable(7, b"seven").unwrap();
    storage.store_script(&StoredScript { image: b"image", source: b"source" }).unwrap();
    let mut storage = mount(storage.unmount());
    assert_eq!(storage.load_settings(), Ok(b"settings".to_vec()));
    assert_eq!(storage.flash_variable(7, &mut [0; 63]), Ok(5));
    assert_eq!(storage.script().unwrap().unwrap().source, b"source");
}

#[test]
fn a_flash_of_zeros_is_taken_into_use() {
    let flash = RamFlash::with(vec![0; LAYOUT.sectors() as usize * SECTOR]);
    works(Storage::mount(flash, LAYOUT).unwrap().0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_nonsense_is_taken_into_use(seed: [u8; 32], fill in 0..4u8) {
        // Sectors of noise, zeros, and almost blank ones.
        let mut state = u64::from_le_bytes(seed[..8].try_into().unwrap()) | 1;
        let mut noise = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut bytes = Vec::new();
        for _ in 0..LAYOUT.sectors() {
            let kind = noise() % 4;
            bytes.extend((0..SECTOR).map(|at| match (kind + u64::from(fill)) % 4 {
                0 => noise() as u8,
                1 => 0,
                2 if at % 97 == 0 => noise() as u8,
                _ => 0xFF,
            }));
        }
        works(Storage::mount(RamFlash::with(bytes), LAYOUT).unwrap().0);
    }

    #[test]
    fn flipped_bits_never_stop_it(flips in proptest::collection::vec((0..9 * SECTOR, 0..8u8), 1..40)) {
        let mut storage = blank();
        storage.save_settings(&[5; 700]).unwrap();
        storage.store_script(&StoredScript { image: &[6; 900], source: b"text" }).unwrap();
        for n in 1..=16 {
            storage.set_flash_variable(n, &[n; 63]).unwrap();
        }
        let mut flash = storage.unmount();
        for (at, bit) in flips {
            flash.bytes_mut()[at] ^= 1 << bit;
        }
        works(Storage::mount(flash, LAYOUT).unwrap().0);
    }
}
