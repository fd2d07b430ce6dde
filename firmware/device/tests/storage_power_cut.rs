//! The power goes at every single write and erase of a save, a flash variable, a script and a
//! deletion, in every way a flash can be left: afterwards the old or the new state is there, whole,
//! and everything else as it was.
#![allow(clippy::unwrap_used)] // in helpers of tests

use std::ops::{Bound, RangeBounds};

use std::sync::OnceLock;

use umqtt_device::storage::ram::{Cut, RamFlash};
use umqtt_device::storage::{
    FlashLayout, ProtectedServices, SavedMessage, SavedMessages, Storage, StorageError,
    StoredScript,
};

/// Small, so that the map runs full and moves its records often.
const LAYOUT: FlashLayout = FlashLayout { start: 0, map_sectors: 3, slot_sectors: 2 };

type Ram = Storage<RamFlash>;

/// All there is in a storage.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    settings: Vec<u8>,
    lock: Vec<u8>,
    variables: Vec<Vec<u8>>,
    script: Option<(Vec<u8>, Vec<u8>)>,
    retained: SavedMessages,
    services: ProtectedServices,
    missing: ProtectedServices,
}

fn state(storage: &mut Ram) -> State {
    State {
        settings: storage.load_settings().unwrap(),
        lock: storage.load_lock().unwrap(),
        variables: (1..=16).map(|n| variable(storage, n)).collect(),
        script: storage.script().unwrap().map(|script| (script.image, script.source)),
        retained: storage.load_retained().unwrap(),
        services: storage.unguarded(false),
        missing: storage.unguarded(true),
    }
}

fn variable(storage: &mut Ram, n: u8) -> Vec<u8> {
    let mut value = [0; 63];
    let len = storage.flash_variable(n, &mut value);
    value[..len.unwrap()].to_vec()
}

fn mount(flash: RamFlash) -> Ram {
    let (storage, report) = Storage::mount(flash, LAYOUT).unwrap();
    assert!(!report.formatted, "the map could not be read");
    assert!(!report.script_damaged, "a damaged script was current");
    storage
}

fn script(seed: u8, len: usize) -> (Vec<u8>, Vec<u8>) {
    let image = (0..len).map(|at| seed.wrapping_mul(31).wrapping_add(at as u8)).collect();
    (image, vec![seed; len / 2 + 1])
}

fn store(storage: &mut Ram, seed: u8, len: usize) {
    let (image, source) = script(seed, len);
    let _ = storage.store_script(&StoredScript { image: &image, source: &source });
}

/// A device that has been in use: `wear` decides how full the current sector of the map is.
fn used(wear: u32) -> RamFlash {
    let mut storage = mount(RamFlash::new(LAYOUT.sectors()));
    storage.save_settings(&[7; 300]).unwrap();
    storage.save_lock(&[9; 41]).unwrap();
    store(&mut storage, 1, 3000);
    for n in 1..=16 {
        storage.set_flash_variable(n, format!("variable {n}").as_bytes()).unwrap();
    }
    for count in 0..wear {
        storage.set_flash_variable(3, &counted(count)).unwrap();
    }
    storage.unmount()
}

/// Does `act` with the power cut in every operation, and looks at what is there after the restart.
fn cut_everywhere<T>(start: &RamFlash, act: impl Fn(&mut Ram) -> T) {
    let mut untouched = mount(start.clone());
    let old = state(&mut untouched);
    let before = untouched.unmount().operations();
    let mut finished = mount(start.clone());
    act(&mut finished);
    let new = state(&mut finished);
    assert_ne!(old, new, "the test must change something");
    let operations = finished.unmount().operations() - before;
    assert!(operations > 0);

    for how in Cut::ALL {
        for after in 0..operations {
            let mut flash = start.clone();
            flash.cut_power(after, how);
            let mut storage = mount(flash);
            act(&mut storage);
            let mut flash = storage.unmount();
            assert!(!flash.is_powered(), "the cut at {after} of {operations} was not reached");
            flash.power_on();

            let mut storage = mount(flash);
            let found = state(&mut storage);
            assert!(
                found == old || found == new,
                "{how:?} at {after} of {operations}: neither old nor new: {found:?}"
            );
            // And it still works: the same thing again succeeds, and stays.
            act(&mut storage);
            let again = state(&mut mount(storage.unmount()));
            assert_eq!(again, new, "{how:?} at {after} of {operations}: not usable");
        }
    }
}

/// A long value, so that sectors fill quickly.
fn counted(count: u32) -> Vec<u8> {
    format!("{count:060}").into_bytes()
}

/// How much use brings the map to the point where the next write moves it to another sector: the
/// first time there is a blank one, later the oldest has to be cleared.
fn wear_levels() -> &'static [u32] {
    static LEVELS: OnceLock<Vec<u32>> = OnceLock::new();
    LEVELS.get_or_init(|| {
        let (mut moves, mut usual) = (Vec::new(), u32::MAX);
        let mut storage = mount(used(0));
        for count in 0..200 {
            let flash = storage.unmount();
            let before = flash.operations();
            storage = mount(flash);
            storage.set_flash_variable(3, &counted(count)).unwrap();
            let flash = storage.unmount();
            let operations = flash.operations() - before;
            if operations > usual {
                moves.push(count);
            }
            usual = usual.min(operations);
            storage = mount(flash);
        }
        assert!(moves.len() >= 3, "the map never moved: {moves:?}");
        moves.truncate(3);
        moves
    })
}

#[test]
fn saving_settings() {
    for wear in [0, 5] {
        cut_everywhere(&used(wear), |storage| storage.save_settings(&[8; 500]));
    }
}

#[test]
fn saving_settings_when_the_map_moves_to_the_next_sector() {
    for wear in &wear_levels()[1..] {
        cut_everywhere(&used(*wear), |storage| storage.save_settings(&[8; 1500]));
    }
}

#[test]
fn writing_a_flash_variable() {
    for wear in [0, wear_levels()[1]] {
        cut_everywhere(&used(wear), |storage| storage.set_flash_variable(5, &[b'x'; 63]));
    }
}

#[test]
fn locking() {
    cut_everywhere(&used(1), |storage| storage.save_lock(&[3; 41]));
}

/// Once more while it is done again: what is cut off twice in a row is no damage.
#[test]
fn locking_cut_off_twice() {
    let start = used(1);
    let operations = {
        let mut storage = mount(start.clone());
        let before = start.operations();
        storage.save_lock(&[3; 41]).unwrap();
        storage.unmount().operations() - before
    };
    for how in Cut::ALL {
        for (first, second) in (0..operations).flat_map(|a| (0..operations).map(move |b| (a, b))) {
            let mut flash = start.clone();
            for after in [first, second] {
                flash.cut_power(after, how);
                let mut storage = mount(flash);
                let _ = storage.save_lock(&[3; 41]);
                flash = storage.unmount();
                flash.power_on();
            }
            let (mut storage, report) = Storage::mount(flash, LAYOUT).unwrap();
            let at = format!("{how:?} at {first}, then at {second} of {operations}");
            assert!(!report.lock_damaged && !report.settings_damaged, "{at}");
            let lock = storage.load_lock().unwrap();
            assert!(lock == [3; 41] || lock == [9; 41], "{at}: {lock:?}");
            storage.save_lock(&[4; 41]).unwrap();
            assert_eq!(mount(storage.unmount()).load_lock().unwrap(), [4; 41], "{at}");
        }
    }
}

/// Saves messages at QoS 0.
fn save(storage: &mut Storage<RamFlash>, messages: &[(&str, &[u8])]) -> Result<(), StorageError> {
    let each = |from: Bound<&[u8]>| {
        let from = (from.map(<[u8]>::to_vec), Bound::Unbounded);
        let each = messages.iter().filter(move |m| from.contains(&m.0.as_bytes().to_vec()));
        each.map(|(topic, payload)| SavedMessage { topic: topic.as_bytes(), payload, qos: 0 })
    };
    storage.save_retained(&each, &mut |topic| panic!("no room for {topic:?}"))
}

#[test]
fn saving_a_retained_message() {
    let long: &[u8] = &[b'x'; 1100];
    cut_everywhere(&used(0), |storage| save(storage, &[("stat/relay", long)]));
    let mut storage = mount(used(1));
    save(&mut storage, &[("stat/relay", long)]).unwrap();
    cut_everywhere(&storage.unmount(), |storage| save(storage, &[("stat/relay", b"on")]));
    let mut storage = mount(used(1));
    save(&mut storage, &[("stat/relay", long)]).unwrap();
    cut_everywhere(&storage.unmount(), |storage| save(storage, &[]));
}

/// Of many each is the old or the new one after a cut, and nobody else's.
#[test]
fn saving_many_retained_messages() {
    let old: &[(&str, &[u8])] =
        &[("a", b"1"), ("b", &[b'x'; 700]), ("c", b"3"), ("d", &[b'y'; 900]), ("e", b"5")];
    let new: &[(&str, &[u8])] =
        &[("a", b"1"), ("b", &[b'z'; 900]), ("d", b"4"), ("e", b"6"), ("f", &[b'v'; 500])];
    let mut storage = mount(used(1));
    save(&mut storage, old).unwrap();
    let start = storage.unmount();
    let value = |messages: &[(&str, &[u8])], topic: &str| {
        messages.iter().find(|(other, _)| *other == topic).map(|(_, payload)| payload.to_vec())
    };
    let mut finished = mount(start.clone());
    save(&mut finished, new).unwrap();
    let operations = finished.unmount().operations() - start.operations();
    assert!(operations > 10, "{operations}");
    for (how, after) in Cut::ALL.into_iter().flat_map(|how| (0..operations).map(move |n| (how, n)))
    {
        let mut flash = start.clone();
        flash.cut_power(after, how);
        let mut storage = mount(flash);
        let _ = save(&mut storage, new);
        let mut flash = storage.unmount();
        flash.power_on();
        let mut storage = mount(flash);
        let found = storage.load_retained().unwrap();
        for topic in ["a", "b", "c", "d", "e", "f"] {
            let is = found.iter().find(|m| m.topic == topic.as_bytes()).map(|m| m.payload.to_vec());
            let fits = is == value(new, topic) || is == value(old, topic);
            assert!(fits, "{how:?} at {after} of {operations}: {topic} is {is:?}");
        }
        save(&mut storage, new).unwrap();
        let found = mount(storage.unmount()).load_retained().unwrap();
        assert_eq!(found.iter().count(), new.len(), "{how:?} at {after}");
        for message in found.iter() {
            let topic = std::str::from_utf8(message.topic).unwrap();
            assert_eq!(Some(message.payload.to_vec()), value(new, topic));
        }
    }
}

#[test]
fn storing_the_first_script() {
    let flash = mount(RamFlash::new(LAYOUT.sectors())).unmount();
    cut_everywhere(&flash, |storage| store(storage, 2, 1000));
}

#[test]
fn replacing_a_script() {
    cut_everywhere(&used(0), |storage| store(storage, 2, 4500));
    // The other slot, and one that holds an older script.
    let mut storage = mount(used(0));
    store(&mut storage, 3, 700);
    store(&mut storage, 4, 5000);
    cut_everywhere(&storage.unmount(), |storage| store(storage, 5, 10));
}

/// A script that comes in pieces of so many bytes: source, and the image that is compiled from it,
/// or bytecode with its source.
fn receive(
    storage: &mut Ram,
    source: usize,
    image: usize,
    piece: usize,
) -> Result<(), StorageError> {
    storage.drop_incoming();
    let bytes = |len: usize, seed: u8| -> Vec<u8> {
        (0..len).map(|at| (at as u8).wrapping_mul(seed) ^ (at >> 8) as u8).collect()
    };
    let came = bytes(if source > 0 { source } else { image }, 7);
    came.chunks(piece).try_for_each(|piece| storage.append_incoming(piece))?;
    let mut read = vec![0; came.len()];
    if !storage.read_incoming(0, &mut read) {
        return Err(StorageError::Broken);
    }
    assert_eq!(read, came, "what came can be read back before it counts");
    if source == 0 {
        return storage.commit_incoming(image / 3);
    }
    let compiled = bytes(image, 11);
    compiled.chunks(piece).try_for_each(|piece| storage.append_incoming_image(piece))?;
    assert_eq!(storage.incoming_image(&|_| None, &|_| true)?.as_ref(), compiled);
    storage.commit_incoming(0)
}

#[test]
fn a_script_that_comes_in_pieces() {
    let blank = mount(RamFlash::new(LAYOUT.sectors())).unmount();
    let mut older = mount(used(0));
    store(&mut older, 3, 700);
    let older = older.unmount();
    for (source, image, piece) in [
        (4000, 2500, 333),
        (10, 20, 7),
        (256, 256, 256),
        (5000, 1, 5000),
        (0, 4097, 600),
        (0, 30, 1),
    ] {
        for start in [&blank, &used(0), &older] {
            cut_everywhere(start, |storage| receive(storage, source, image, piece));
        }
        let mut storage = mount(older.clone());
        receive(&mut storage, source, image, piece).unwrap();
        let script = storage.script().unwrap().unwrap();
        assert_eq!(script.image.len(), image);
        assert_eq!(script.source.len(), if source > 0 { source } else { image / 3 });
        assert_eq!(storage.script_image(&|_| None).unwrap().unwrap().as_ref(), script.image);
    }
}

/// An upload that the power ended leaves its slot in any state; the next one is another.
#[test]
fn another_script_after_one_that_was_cut_off() {
    let start = used(2);
    for how in Cut::ALL {
        for after in 0..24 {
            let mut flash = start.clone();
            flash.cut_power(after, how);
            let mut storage = mount(flash);
            let cut = receive(&mut storage, 3000, 2000, 500);
            let mut flash = storage.unmount();
            assert_eq!(cut.is_err(), !flash.is_powered(), "{how:?} at {after}");
            flash.power_on();
            let mut storage = mount(flash);
            assert_eq!((storage.incoming_len(), storage.incoming_memory()), (0, 0));
            receive(&mut storage, 0, 5000, 4000).unwrap();
            assert_eq!(mount(storage.unmount()).script().unwrap().unwrap().image.len(), 5000);
        }
    }
}

#[test]
fn which_script_keeps_others_out() {
    cut_everywhere(&used(0), |storage| storage.set_guarding(ProtectedServices::BROKER));
    let mut storage = mount(used(0));
    storage.set_guarding(ProtectedServices::ALL).unwrap();
    assert!(storage.unguarded(true).is_empty());
    assert_eq!(storage.unguarded(false), ProtectedServices::ALL);
    let start = storage.unmount();
    cut_everywhere(&start, |storage| store(storage, 2, 4500));
    cut_everywhere(&start, |storage| receive(storage, 3000, 2000, 500));
    cut_everywhere(&start, |storage| storage.set_guarding(ProtectedServices::default()));
    cut_everywhere(&start, |storage| storage.delete_script());
    cut_everywhere(&start, |storage| storage.factory_reset());
    let mut storage = mount(start);
    storage.delete_script().unwrap();
    assert!(storage.unguarded(false).is_empty());
}

#[test]
fn deleting_the_script_takes_the_flash_variables_along() {
    cut_everywhere(&used(0), |storage| storage.delete_script());
    let mut storage = mount(used(0));
    storage.delete_script().unwrap();
    let state = state(&mut storage);
    assert_eq!(state.script, None);
    assert!(state.variables.iter().all(Vec::is_empty));
    assert_eq!(state.settings, [7; 300]);
}

#[test]
fn a_reset_to_factory_state_clears_all() {
    cut_everywhere(&used(0), |storage| storage.factory_reset());
    cut_everywhere(&used(wear_levels()[1]), |storage| storage.factory_reset());
    let mut storage = mount(used(3));
    storage.factory_reset().unwrap();
    let blank = state(&mut mount(RamFlash::new(LAYOUT.sectors())));
    assert_eq!(state(&mut storage), blank);
}

#[test]
fn a_restart_that_is_cut_off_too_finishes_the_deletion_at_last() {
    let start = used(0);
    for first in 0..12 {
        for second in 0..12 {
            let mut flash = start.clone();
            flash.cut_power(first, Cut::SomeBits);
            let mut storage = mount(flash);
            let _ = storage.factory_reset();
            let mut flash = storage.unmount();
            flash.power_on();
            flash.cut_power(second, Cut::SecondHalf);
            // Mounting takes the flash: what a cut in it leaves is seen through a copy that meets
            // the same fate.
            let mut copy = flash.clone();
            match Storage::mount(flash, LAYOUT) {
                Ok((storage, _)) => copy = storage.unmount(),
                Err(_) => copy = replay_mount(copy),
            }
            copy.power_on();
            let mut storage = mount(copy);
            let found = state(&mut storage);
            assert!(found.script.is_none() == found.settings.is_empty(), "{first}, {second}");
        }
    }
}

/// Mounts on loan, so that the flash is there again after a failure.
fn replay_mount(mut flash: RamFlash) -> RamFlash {
    assert!(Storage::mount(&mut flash, LAYOUT).is_err());
    flash
}

#[test]
fn counting_starts_survives_cuts() {
    for how in Cut::ALL {
        for after in 0..3 {
            let mut storage = mount(used(0));
            assert_eq!(storage.script_start_begins(), Ok(1));
            let mut flash = storage.unmount();
            flash.cut_power(after, how);
            let mut storage = mount(flash);
            let _ = storage.script_start_begins();
            let mut flash = storage.unmount();
            flash.power_on();
            let count = mount(flash).script_start_begins().unwrap();
            assert!(count == 2 || count == 3, "{how:?} at {after}: {count}");
        }
    }
}
