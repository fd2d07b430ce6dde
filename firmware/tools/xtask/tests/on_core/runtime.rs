//! The runtime under the device: what it does about faults, with its clock, heap and stack.

use std::time::Duration;

use xtask::esp8266::emulator::Emulator;

use crate::device::program;

/// Does what the self-test program is asked for; its exit status and output.
fn asked(what: &str) -> (u8, String) {
    let mut emulator = Emulator::new(&program("UMQTT_ON_CORE_SELFTEST"));
    let ended = emulator.append(what).exact(true).run(Duration::from_secs(60)).unwrap();
    (ended.status, ended.text())
}

/// A fault is said, and said again after the reset it leads to.
#[track_caller]
fn faults(what: &str, says: &str) {
    let (status, output) = asked(what);
    assert_eq!(status, 3, "{output}");
    let lines: Vec<&str> = output.lines().filter(|line| !line.is_empty()).collect();
    let [said, again] = lines[..] else { panic!("two lines, not {output}") };
    assert!(said.contains(says), "{said}");
    assert_eq!(again, format!("was reset: {said}"));
}

#[test]
fn a_program_starts_prints_and_ends() {
    assert_eq!(asked("hello"), (0, "hello from the core\n".into()));
}

#[test]
fn memory_is_copied_set_and_compared_right() {
    assert_eq!(asked("copies"), (0, "wrong 0\n".into()));
}

#[test]
fn exceptions_are_named_with_place_and_address() {
    faults("load", "exception 15 (load or store to nowhere) at pc 0x402");
    faults("load", "address 0x00000010");
    faults("unaligned", "exception 9 (unaligned load or store) at pc 0x402");
    faults("jump", "exception 14 (instruction fetch from nowhere) at pc 0x00000010");
}

#[test]
fn a_panic_says_where() {
    faults("panic", "lx106-selftest/src/main.rs:");
    faults("memory", "memory allocation of");
}

#[test]
fn a_stack_too_deep_is_named() {
    faults("overflow", "stack overflow: more than 8192 bytes, seen at pc 0x402");
}

#[test]
fn a_stuck_program_is_restarted() {
    faults("stuck", "watchdog: the program is stuck, at pc 0x402");
}

#[test]
fn a_restart_that_was_asked_for_has_its_reason() {
    assert_eq!(asked("reset"), (3, "was reset: as asked\n".into()));
}

#[test]
fn faults_in_a_row_are_counted_until_a_restart_is_wanted() {
    let (status, output) = asked("count");
    let counts: Vec<&str> = output.lines().filter(|line| line.ends_with("faults")).collect();
    assert_eq!(counts, ["0 faults", "1 faults", "2 faults", "3 faults", "0 faults", "0 faults"]);
    assert_eq!(status, 0, "{output}");
}

#[test]
fn sleep_lasts_as_long_as_asked() {
    assert_eq!(asked("sleep").1, "woke at the ticks only true\nnot late true\n");
}

#[test]
fn the_heap_and_the_stack_are_measured() {
    assert_eq!(asked("heap").1, "sound true, leaked 0\npeak is the most in use true\n");
    assert_eq!(asked("stack").1, "a frame of 1024 bytes is seen true\n");
}
