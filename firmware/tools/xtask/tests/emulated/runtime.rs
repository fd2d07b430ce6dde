//! The runtime under the device: what it does about faults, with its clock, heap and stack.

use std::time::Duration;

use xtask::chip::emulator::Emulator;

use crate::device::{chip, program};

/// Does what the self-test program is asked for; its exit status and output.
fn asked(what: &str) -> (u8, String) {
    // The seconds a watchdog takes are many instructions.
    let exact = what != "stuck";
    let mut emulator = Emulator::new(chip(), &program("UMQTT_ON_CORE_SELFTEST"));
    let ended = emulator.append(what).exact(exact).run(Duration::from_secs(60)).unwrap();
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

/// What the core says of a program that loads from nowhere, and jumps there; and how the addresses
/// of the program begin.
fn exceptions() -> (&'static str, &'static str, &'static str) {
    match chip().name {
        "esp8266" => (
            "exception 15 (load or store to nowhere)",
            "exception 14 (instruction fetch from nowhere)",
            "0x402",
        ),
        _ => (
            "exception 5 (load from nowhere)",
            "exception 1 (instruction fetch from nowhere)",
            "0x800",
        ),
    }
}

#[test]
fn exceptions_are_named_with_place_and_address() {
    let (load, jump, program) = exceptions();
    faults("load", &format!("{load} at pc {program}"));
    faults("load", "address 0x00000010");
    faults("jump", &format!("{jump} at pc 0x00000010"));
    // Elsewhere the emulator loads what is not aligned.
    if chip().name == "esp8266" {
        faults("unaligned", "exception 9 (unaligned load or store) at pc 0x402");
    }
}

#[test]
fn the_program_cannot_be_written_to() {
    // Of the ESP8266's flash the emulated machine makes memory, and has no protection for it.
    if chip().name != "esp8266" {
        faults("store", "exception 7 (store to nowhere) at pc 0x800");
    }
}

#[test]
fn a_panic_says_where() {
    faults("panic", "core-selftest/src/lib.rs:");
    faults("memory", "memory allocation of");
}

#[test]
fn a_stack_too_deep_is_named() {
    let (size, (.., program)) = (chip().machine.stack, exceptions());
    faults("overflow", &format!("stack overflow: more than {size} bytes, seen at pc {program}"));
}

#[test]
fn a_stuck_program_is_restarted() {
    let (.., program) = exceptions();
    faults("stuck", &format!("watchdog: the program is stuck, at pc {program}"));
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
