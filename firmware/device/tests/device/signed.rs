//! Scripts that have to be signed: who may bring one, and what becomes of those of others.

use ed25519_dalek::{Signer as _, SigningKey};
use umqtt_device::signature::{SUFFIX_LEN, Suffix, hex, signed_prefix};
use umqtt_device::storage::FlashLayout;
use umqtt_device::storage::ram::SECTOR;

use crate::world::{End, World};

const OLD: &str = "on init do\n println \"old\"\n";
const NEW: &str = "on init do\n println \"new\"\n";
const OTHER: &str = "on init do\n println \"other\"\n";

const NOT_SIGNED: &str = "it is not signed, and script_key is set";
const NOT_HIS: &str = "it is not as it was signed, or not signed with the key of script_key";
const NOT_HERE: &str = "Not done: with a script_key that is for the serial line alone\r\n";

/// The owner's key.
fn owner() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// `set script_key` with a key.
pub(crate) fn set_key(key: &SigningKey) -> String {
    let mut digits = [0; 64];
    hex::write(key.verifying_key().as_bytes(), &mut digits);
    format!("set script_key {}", String::from_utf8_lossy(&digits))
}

/// A script with its signature.
fn signed_by(key: &SigningKey, script: impl AsRef<[u8]>, counter: u64) -> Vec<u8> {
    let message = [&signed_prefix(counter), script.as_ref()].concat();
    let suffix = Suffix { counter, signature: key.sign(&message).to_bytes() };
    [script.as_ref(), &suffix.bytes()].concat()
}

pub(crate) fn signed(script: impl AsRef<[u8]>, counter: u64) -> Vec<u8> {
    signed_by(&owner(), script, counter)
}

fn image(script: &str, embed: bool) -> Vec<u8> {
    let options = umqtt_lang::EmitOptions::new().debug(embed).source(embed);
    umqtt_lang::compile(script.as_bytes(), &crate::world::options().profile, options).unwrap()
}

/// A device that runs the old script and takes none but those of its owner.
fn keyed() -> (World, End) {
    let mut world = World::running(OLD);
    world.type_in(&format!("{}\r\nsave\r\n", set_key(&owner())));
    assert!(world.serial().contains("Config saved"));
    let console = world.console();
    (world, console)
}

/// Uploads it: what the console is told, and the sender.
fn push(world: &mut World, console: End, script: impl AsRef<[u8]>) -> (String, String) {
    world.ask(console, "script 2000");
    let sender = world.connect(2000);
    world.send(sender, script);
    world.finish(sender);
    assert!(world.is_closed(sender));
    (world.text(console), world.text(sender))
}

fn takes(world: &mut World, console: End, script: impl AsRef<[u8]>) {
    let (report, told) = push(world, console, script);
    assert!(report.contains("Syntax okay") && told.contains("Syntax okay"), "{report}\n{told}");
}

fn refuses(world: &mut World, console: End, script: impl AsRef<[u8]>, why: &str) {
    let (report, told) = push(world, console, script);
    for text in [report, told] {
        assert!(text.contains("Script not taken (") && text.contains(why), "{why}: {text}");
        assert!(text.contains("the one that was there goes on"), "{text}");
    }
}

/// What the stored script prints.
fn stored(world: &mut World, console: End) -> &'static str {
    let shown = world.ask(console, "show script");
    ["old", "new", "other"].into_iter().find(|what| shown.contains(what)).unwrap_or("nothing")
}

#[test]
fn only_what_the_owner_has_signed_is_taken() {
    let (mut world, console) = keyed();
    refuses(&mut world, console, NEW, NOT_SIGNED);
    let stranger = SigningKey::from_bytes(&[8; 32]);
    refuses(&mut world, console, signed_by(&stranger, NEW, 9), NOT_HIS);
    let right = signed(NEW, 9);
    for cut in [1, 2, SUFFIX_LEN - 1] {
        refuses(&mut world, console, &right[..right.len() - cut], NOT_SIGNED);
    }
    refuses(&mut world, console, [&right[..], b"\n"].concat(), NOT_SIGNED);
    // The signature of another script.
    let moved = [OTHER.as_bytes(), &right[NEW.len()..]].concat();
    refuses(&mut world, console, moved, NOT_HIS);
    assert_eq!(stored(&mut world, console), "old");
    takes(&mut world, console, &right);
    assert_eq!(stored(&mut world, console), "new");
    // What is stored runs on, signed or not, and with another key.
    let mut world = world.power_cycle();
    world.type_in(&format!("{}\r\nsave\r\n", set_key(&stranger)));
    let mut world = world.power_cycle();
    assert!(world.serial().contains("new"));
}

#[test]
fn a_wrong_bit_anywhere_is_found() {
    let (mut world, console) = keyed();
    let right = signed(NEW, 0x0123_4567_89ab_cdef);
    for at in 0..right.len() {
        let mut wrong = right.clone();
        wrong[at] ^= 1 << (at % 7);
        let (report, _) = push(&mut world, console, &wrong);
        let whose = report.contains(NOT_SIGNED) || report.contains(NOT_HIS);
        assert!(whose, "byte {at}: {report}");
    }
    assert_eq!(stored(&mut world, console), "old");
    takes(&mut world, console, &right);
}

#[test]
fn bytecode_is_taken_without_its_signature_and_survives_the_power() {
    for embed in [true, false] {
        let (mut world, console) = keyed();
        let image = image(NEW, embed);
        refuses(&mut world, console, &image, NOT_SIGNED);
        let mut wrong = signed(&image, 3);
        wrong[image.len() / 2] ^= 1;
        refuses(&mut world, console, &wrong, NOT_HIS);
        takes(&mut world, console, signed(&image, 3));
        let shown = world.ask(console, "show script");
        assert_eq!(!shown.contains("Bytecode without source"), embed, "{shown}");
        assert!(!shown.contains("umqtt-signature"), "{shown}");
        world.serial();
        let mut world = world.power_cycle();
        let log = world.serial();
        assert!(log.contains("new") && !log.contains("damaged"), "{log}");
    }
}

/// The text of a signed script is at the end of the image that was made of it: that signature is
/// none of the image.
#[test]
fn bytecode_with_signed_source_in_it_is_not_cut() {
    let image = image(&String::from_utf8(signed(NEW, 3)).unwrap(), true);
    assert!(image.ends_with(&signed(NEW, 3)));
    let mut world = World::running(OLD);
    let console = world.console();
    takes(&mut world, console, &image);
    assert!(world.ask(console, "show script").contains("umqtt-signature"));
    let (mut world, console) = keyed();
    refuses(&mut world, console, &image, NOT_HIS);
    takes(&mut world, console, signed(&image, 4));
}

#[test]
fn a_device_without_a_key_takes_signed_scripts_as_they_are() {
    let mut world = World::running(OLD);
    let console = world.console();
    takes(&mut world, console, signed(NEW, 5));
    let shown = world.ask(console, "show script");
    assert!(
        shown.contains("new") && shown.contains("%umqtt-signature 0000000000000005"),
        "{shown}"
    );
    takes(&mut world, console, signed(image(OTHER, true), 4));
    assert_eq!(stored(&mut world, console), "other");
    takes(&mut world, console, OLD);
}

/// The longest bytecode there may be has room for its signature.
#[test]
fn a_signature_is_not_counted_as_bytecode() {
    let mut world = World::running(OLD);
    let console = world.console();
    let most = crate::world::options().profile.image;
    let mut large = b"uMQ!".to_vec();
    large.resize(most, 0);
    let (report, _) = push(&mut world, console, signed(&large, 1));
    assert!(report.contains("the bytecode cannot run here"), "{report}");
    large.resize(most + SUFFIX_LEN + 1, 0);
    let (report, _) = push(&mut world, console, &large);
    assert!(report.contains("the script is too long"), "{report}");
}

#[test]
fn an_older_one_is_refused_and_the_same_one_is_not() {
    let (mut world, console) = keyed();
    takes(&mut world, console, signed(NEW, 20));
    takes(&mut world, console, signed(NEW, 20));
    let why = "it is older than one that was taken: its counter is 19, 20 was taken";
    refuses(&mut world, console, signed(OTHER, 19), why);
    // What is wrong counts for nothing, however new it says it is.
    let stranger = SigningKey::from_bytes(&[8; 32]);
    refuses(&mut world, console, signed_by(&stranger, OTHER, 99), NOT_HIS);
    refuses(&mut world, console, signed("on init do\n printt 1\n", 99), "Error in line 2");
    let mut world = world.power_cycle();
    let console = world.console();
    refuses(&mut world, console, signed(OTHER, 19), why);
    assert!(world.ask(console, "save").contains("Config saved"));
    let mut world = world.power_cycle();
    let console = world.console();
    refuses(&mut world, console, signed(OTHER, 19), why);
    takes(&mut world, console, signed(OTHER, 21));
    // Not even for another key that comes and goes; a reset forgets it.
    let other = SigningKey::from_bytes(&[8; 32]);
    for key in [&other, &owner()] {
        world.type_in(&format!("{}\r\nsave\r\n", set_key(key)));
    }
    refuses(&mut world, console, signed(NEW, 20), "21 was taken");
    world.type_in("reset factory\r\n");
    let mut world = world.power_cycle();
    world.type_in(&format!("{}\r\n", set_key(&owner())));
    let console = world.console();
    let (report, _) = push(&mut world, console, signed(NEW, 20));
    assert!(report.contains("Syntax okay"), "{report}");
}

/// What was set and is not saved is not saved by an upload.
#[test]
fn the_counter_is_kept_beside_what_was_saved() {
    let (mut world, console) = keyed();
    world.ask(console, "set mqtt_user someone");
    takes(&mut world, console, signed(NEW, 20));
    let mut world = world.power_cycle();
    let console = world.console();
    let shown = world.ask(console, "show");
    assert!(shown.contains("mqtt_user: none") && shown.contains("script_key: ea4a6c63"), "{shown}");
    refuses(&mut world, console, signed(OTHER, 19), "20 was taken");
}

#[test]
fn downloads_have_to_be_signed_as_well() {
    let (mut world, console) = keyed();
    let pull = |world: &mut World, script: &[u8]| {
        world.ask(console, "script http://server/x");
        let (.., end) = world.take_asked();
        world.send(end, "HTTP/1.0 200 OK\r\n\r\n");
        world.send(end, script);
        world.finish(end);
        world.text(console)
    };
    let report = pull(&mut world, NEW.as_bytes());
    assert!(report.contains(NOT_SIGNED), "{report}");
    let report = pull(&mut world, &signed(NEW, 20));
    assert!(report.contains("HTTP script download completed"), "{report}");
    let report = pull(&mut world, &signed(image(OTHER, false), 19));
    assert!(report.contains("20 was taken"), "{report}");
    let report = pull(&mut world, &signed(image(OTHER, false), 21));
    assert!(report.contains("HTTP script download completed"), "{report}");
}

/// `nc` that does not tell its end.
#[test]
fn a_quiet_sender_is_told_why_at_last() {
    let (mut world, console) = keyed();
    world.ask(console, "script 2000");
    let sender = world.connect(2000);
    world.send(sender, NEW);
    world.advance(5_000);
    // The rest may still come.
    assert!(!world.is_closed(sender));
    world.send(sender, &signed(NEW, 1)[NEW.len()..]);
    world.advance(2_500);
    assert!(world.text(sender).contains("Syntax okay"));
    world.text(console);

    world.ask(console, "script 2000");
    let sender = world.connect(2000);
    world.send(sender, OTHER);
    world.advance(11_000);
    let told = world.text(sender);
    assert!(told.contains("Script upload failed: ") && told.contains(NOT_SIGNED), "{told}");
    assert_eq!(stored(&mut world, console), "new");
}

#[test]
fn the_key_is_changed_on_the_serial_line_alone() {
    let relay = "on init do\n subscribe local go\non topic local go do\n system $this_data\n";
    let (mut world, console) = keyed();
    takes(&mut world, console, signed(relay, 1));
    let stranger = set_key(&SigningKey::from_bytes(&[8; 32]));
    for command in ["set script_key none", &stranger, "reset factory", "script delete"] {
        assert_eq!(world.ask(console, command), NOT_HERE, "{command}");
        world.serial();
        world.ask(console, &format!("publish local go \"{command}\""));
        let log = world.serial();
        assert!(log.contains(NOT_HERE.trim_end()), "{command}: {log}");
    }
    assert!(!world.wires.borrow().restarted);
    // As it is, as after `umqttc restore`.
    let same = world.ask(console, &set_key(&owner()));
    assert!(same.starts_with("script_key set to ea4a6c63"), "{same}");
    refuses(&mut world, console, NEW, NOT_SIGNED);
    world.type_in("set script_key none\r\nsave\r\n");
    takes(&mut world, console, NEW);
    assert!(world.ask(console, "script delete").contains("Script deleted"));
    // Who finds none may set one, over the network too, and not take it back.
    assert!(world.ask(console, &stranger).contains("script_key set to "));
    assert_eq!(world.ask(console, "set script_key none"), NOT_HERE);
    world.type_in("script delete\r\nset script_key none\r\n");
    let log = world.serial();
    assert!(log.contains("Script deleted") && log.contains("script_key set to none"), "{log}");
}

#[test]
fn no_script_sets_the_key() {
    let (mut world, console) = keyed();
    let script = "config script_key none\non init do\n println \"new\"\n";
    takes(&mut world, console, signed(script, 1));
    let log = world.serial();
    assert!(log.contains("config script_key: script_key is set on the console"), "{log}");
    refuses(&mut world, console, NEW, NOT_SIGNED);
}

#[test]
fn a_locked_device_asks_for_both() {
    let (mut world, console) = keyed();
    world.ask(console, "lock pw");
    for command in ["script 2000", "set script_key none", "script delete", "reset factory"] {
        assert!(world.ask(console, command).contains("Config locked"), "{command}");
    }
    world.type_in("set script_key none\r\n");
    assert!(world.serial().contains("Config locked"));
    world.ask(console, "unlock pw");
    refuses(&mut world, console, NEW, NOT_SIGNED);
    assert_eq!(world.ask(console, "set script_key none"), NOT_HERE);
    takes(&mut world, console, signed(NEW, 1));
}

#[test]
fn a_key_that_is_none_takes_nothing() {
    let mut world = World::running(OLD);
    // The neutral element, with which a signature would fit anything.
    world.type_in(&format!("set script_key 01{}\r\n", "00".repeat(31)));
    let console = world.console();
    refuses(&mut world, console, signed(NEW, 1), "script_key is no public key of Ed25519");
    refuses(&mut world, console, NEW, NOT_SIGNED);
    let text = "Invalid argument: script_key must be a public key, 64 hexadecimal digits";
    world.serial();
    for wrong in ["x", &"g".repeat(64), &"a".repeat(63)] {
        world.type_in(&format!("set script_key {wrong}\r\n"));
        let log = world.serial();
        assert!(log.contains(text), "{log}");
    }
}

/// Wherever the flash is damaged, nothing that is not signed is taken from the network: not even
/// what the script that still runs asks for.
#[test]
fn a_damaged_key_takes_nothing() {
    let fetch = "on init do\n settimer 1 1000\non timer 1 do\n system \"script http://web/x\"\n";
    let device = || {
        let mut world = World::running(fetch);
        world.type_in(&format!("{}\r\nsave\r\n", set_key(&owner())));
        world
    };
    let map = FlashLayout::DESKTOP.map_sectors as usize * SECTOR;
    let (mut used, mut guard) = (0, 0);
    let _ = device().power_cycle_damaged(&mut |bytes| {
        used = bytes[..SECTOR].iter().rposition(|byte| *byte != 0xFF && *byte != 0).unwrap_or(0);
        guard = bytes.len() - 2 * SECTOR;
    });
    let check = |damage: &mut dyn FnMut(&mut [u8]), what: &str| {
        let mut world = device().power_cycle_damaged(damage);
        world.advance(1_500);
        if world.net.asked.is_empty() {
            // The script is damaged, too.
            return false;
        }
        let (.., end) = world.take_asked();
        world.serial();
        world.send(end, format!("HTTP/1.0 200 OK\r\n\r\n{NEW}"));
        world.finish(end);
        let log = world.serial();
        let damaged = log.contains("the saved settings are damaged, script_key with them");
        assert!(damaged || log.contains(NOT_SIGNED), "{what}: {log}");
        damaged
    };
    let mut found = 0;
    for at in (0..used).step_by(3).chain(guard..guard + 200) {
        let mut damage = |bytes: &mut [u8]| bytes[at] ^= 1 << (at % 8);
        found += usize::from(check(&mut damage, &format!("a bit of byte {at}")));
    }
    assert!(found > 10, "{found}");
    for (kind, byte) in [("zeroed", 0), ("erased", 0xFF), ("noise", 0x5A)] {
        let mut damage = |bytes: &mut [u8]| bytes[..map].fill(byte);
        assert!(check(&mut damage, kind), "{kind}");
    }
}

#[test]
fn a_damaged_key_is_set_anew_on_the_serial_line() {
    let (world, _) = keyed();
    let map = FlashLayout::DESKTOP.map_sectors as usize * SECTOR;
    let mut world = world.power_cycle_damaged(&mut |bytes| bytes[..map].fill(0));
    world.type_in("script 2000\r\n");
    let sender = world.connect(2000);
    world.send(sender, signed(NEW, 1));
    world.finish(sender);
    let log = world.serial();
    assert!(log.contains("the saved settings are damaged, script_key with them"), "{log}");
    world.type_in(&format!("{}\r\nsave\r\n", set_key(&owner())));
    let console = world.console();
    refuses(&mut world, console, NEW, NOT_SIGNED);
    takes(&mut world, console, signed(NEW, 1));
}
