//! Any bytes as an upload to a device that asks for signatures.

use umqtt_device::settings::Capabilities;
use umqtt_device::signature::split;
use umqtt_device::storage::ram::RamFlash;
use umqtt_device::storage::{FlashLayout, Storage};
use umqtt_device::upload::{CheckError, check, incoming_suffix, verify_incoming};
use umqtt_vm::Profile;

/// The key of test 2 of RFC 8032, whose secret has signed no script.
const KEY: [u8; 32] = [
    0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a, 0xa7, 0x4d, 0x1b, 0x7e, 0xbc,
    0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4, 0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c,
];

/// Runs the target: the first byte says in which pieces the rest comes.
pub fn run(input: &[u8]) {
    let Some((piece, upload)) = input.split_first() else { return };
    let layout = FlashLayout::ESP8266;
    let flash = RamFlash::new(layout.sectors());
    let (mut storage, _) = Storage::mount(flash, layout).expect("the flash is new");
    for piece in upload.chunks(usize::from(*piece).max(1)) {
        if storage.append_incoming(piece).is_err() {
            return;
        }
    }
    let (script, suffix) = split(upload);
    assert_eq!(incoming_suffix(&mut storage), suffix);
    let line = suffix.map_or(Vec::new(), |suffix| suffix.bytes().to_vec());
    assert_eq!([script, &line].concat(), upload);
    assert!(verify_incoming(&mut storage, &KEY, 0).is_err(), "nobody has signed that");

    let profile = Profile::ESP8266;
    let whole = Some(umqtt_device::upload::compile_whole as _);
    let checked = check(&mut storage, &profile, &|_, _| true, whole, Capabilities::ALL, &|_| None);
    match checked {
        // What is stored is found whole again.
        Ok(checked) => {
            storage.commit_incoming(checked.source).expect("it is stored");
            let stored = storage.script().expect("it is whole").expect("it is there");
            assert_eq!(stored.image, checked.program.bytes().as_ref());
        }
        Err(CheckError::Storage(error)) => panic!("the flash is sound: {error}"),
        Err(_) => {}
    }
}
