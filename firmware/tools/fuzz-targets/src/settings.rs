//! Any bytes as what was saved of settings and lock.

use umqtt_device::console::Lock;
use umqtt_device::settings::{Settings, TABLE};

/// Runs the target.
pub fn run(input: &[u8]) {
    let mac = [2, 0, 0, 0, 0, 1];
    let settings = Settings::load(mac, input);
    for spec in TABLE {
        assert!(spec.kind.check(settings.get(spec.param)) || !spec.saved, "{}", spec.name);
    }
    let saved = settings.save().expect("there is memory");
    let again = Settings::load(mac, &saved);
    assert!(!again.is_damaged(), "what is saved is sound");
    for spec in TABLE.iter().filter(|spec| spec.saved) {
        assert_eq!(again.get(spec.param), settings.get(spec.param), "{}", spec.name);
    }
    assert_eq!(again.script_counter(), settings.script_counter());
    let lock = Lock::load(input);
    // One that is damaged is locked, and never saved.
    if lock.is_damaged() {
        assert!(lock.is_locked());
    } else {
        assert_eq!(Lock::load(&lock.save()).is_locked(), lock.is_locked());
    }
}
