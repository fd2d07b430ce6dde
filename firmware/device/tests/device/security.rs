//! Who commands it: strangers, scripts, and whoever finds its flash damaged.

use umqtt_device::storage::FlashLayout;
use umqtt_device::storage::ram::SECTOR;

use crate::world::{End, World, connect_packet};

fn locked(script: &str) -> (World, End) {
    let mut world = World::running(script);
    let console = world.console();
    assert!(world.ask(console, "set broker_user me").starts_with("broker_user set to me\r\n"));
    assert!(world.ask(console, "set broker_password secret").contains("set"));
    (world, console)
}

#[test]
fn to_lock_ends_uploads_that_were_asked_for_before() {
    let (mut world, console) = locked("on init do\n println \"old\"\n");
    world.ask(console, "script 2000");
    assert!(world.listens(2000));
    world.ask(console, "lock pw");
    assert!(!world.listens(2000), "the port that waited");
    world.ask(console, "unlock pw");
    world.ask(console, "script 2000");
    let sender = world.connect(2000);
    world.send(sender, "on init do\n println \"new\"\n");
    world.ask(console, "lock pw");
    assert!(world.is_closed(sender), "the upload under way");
    world.ask(console, "unlock pw");
    world.ask(console, "script http://web/x");
    let (.., web) = world.take_asked();
    world.ask(console, "lock pw");
    assert!(world.is_closed(web), "the download under way");
    world.ask(console, "unlock pw");
    assert!(world.ask(console, "show script").contains("old"));
}

#[test]
fn a_script_does_not_open_or_clear_a_locked_device() {
    let (mut world, console) =
        locked("on init do\n subscribe local go\non topic local go do\n system $this_data\n");
    world.ask(console, "publish local x y");
    world.ask(console, "lock pw");
    let me = world.connect(1883);
    let mut connect = connect_packet("me");
    connect[9] |= 0xC0;
    connect.extend(b"\0\x02me\0\x06secret");
    connect[1] += 12;
    world.send(me, connect);
    assert_eq!(world.received(me), [0x20, 2, 0, 0]);
    for command in [
        "reset factory",
        "set broker_password none",
        "save",
        "script 2000",
        "script delete",
        "set @1 x",
        "delete_retained",
        "unlock guess",
        "lock",
    ] {
        world.send(me, crate::world::publish_packet("go", command));
        world.advance(2000);
        assert!(!world.wires.borrow().restarted, "{command}");
        assert!(!world.listens(2000), "{command}");
    }
    assert!(world.ask(console, "set mqtt_user x").contains("Config locked"));
    let mut world = world.power_cycle();
    let stranger = world.connect(1883);
    world.send(stranger, connect_packet("x"));
    assert_eq!(world.received(stranger), [0x20, 2, 0, 4]);
}

#[test]
fn wrong_passwords_on_the_network_do_not_delay_the_serial_line() {
    let (mut world, console) = locked("on init do\n settimer 1 1000\n");
    world.ask(console, "lock pw");
    for _ in 0..3 {
        world.ask(console, "unlock guess");
        world.advance(5000);
    }
    world.ask(console, "unlock guess");
    assert!(world.ask(console, "unlock pw").contains("After a wrong password: wait "));
    world.serial();
    world.type_in("unlock pw\r\n");
    assert!(world.serial().contains("Config unlocked"));
}

#[test]
fn what_clients_send_is_printed_as_text() {
    let mut world = World::running(
        "on init do\n subscribe local \"#\"\non topic local \"#\" do\n println $this_data\n serial_out $this_data\n",
    );
    let console = world.console();
    let client = world.client("c", "none");
    world.serial();
    let data = b"\x1b[2Ja\x07b\rc\x9bd\x7f \xc3\xbc \xf0\x9f\xa6\x80 \xe2\x80\xae";
    let mut packet = vec![0x30, 3 + data.len() as u8, 0, 1, b't'];
    packet.extend(data);
    world.send(client, packet);
    let shown = "\\x1b[2Ja\\x07b\\x0dc\\x9bd\\x7f \u{fc} \u{1f980} \\xe2\\x80\\xae";
    let text = world.text(console);
    assert!(text.contains(shown), "{text}");
    let wires = world.wires.borrow();
    let serial = String::from_utf8_lossy(&wires.serial);
    assert!(serial.contains(shown), "{serial}");
    assert!(wires.serial.windows(data.len()).any(|part| part == data), "serial_out is raw");
}

/// Whether everybody who has no password is kept out.
fn is_closed(world: &mut World, what: &str) {
    let stranger = world.connect(1883);
    world.send(stranger, connect_packet("x"));
    assert_ne!(world.received(stranger), [0x20, 2, 0, 0], "{what}: a client without a password");
    if world.listens(7777) {
        let console = world.connect(7777);
        world.send(console, "set mqtt_user pwned\r\n");
        let reply = world.text(console);
        assert!(!reply.contains("mqtt_user set"), "{what}: {reply}");
    }
    assert!(!world.listens(2000));
}

#[test]
fn damage_of_settings_and_lock_opens_it_to_nobody() {
    let locked = || {
        let (mut world, console) = locked("on init do\n settimer 1 1000\n");
        world.ask(console, "lock pw");
        world
    };
    let layout = FlashLayout::DESKTOP;
    let map = layout.map_sectors as usize * SECTOR;
    let (mut used, mut guard) = (0, 0);
    let _ = locked().power_cycle_damaged(&mut |bytes| {
        used = bytes[..SECTOR].iter().rposition(|byte| *byte != 0xFF && *byte != 0).unwrap_or(0);
        guard = bytes.len() - 2 * SECTOR;
    });
    for at in (0..used).step_by(3).chain(guard..guard + 200) {
        let mut world = locked().power_cycle_damaged(&mut |bytes| bytes[at] ^= 1 << (at % 8));
        is_closed(&mut world, &format!("a bit of byte {at}"));
    }
    for (kind, byte) in [("zeroed", 0), ("erased", 0xFF), ("noise", 0x5A)] {
        for (region, range) in
            [("map", 0..map), ("first sector", 0..SECTOR), ("guard", guard..guard + 2 * SECTOR)]
        {
            let mut world = locked().power_cycle_damaged(&mut |bytes| {
                bytes[range.clone()].fill(byte);
            });
            is_closed(&mut world, &format!("{region} {kind}"));
        }
    }
}

#[test]
fn a_damaged_device_is_set_anew_from_its_serial_line() {
    let (mut world, console) = locked("on init do\n settimer 1 1000\n");
    world.ask(console, "lock pw");
    let map = FlashLayout::DESKTOP.map_sectors as usize * SECTOR;
    let mut world = world.power_cycle_damaged(&mut |bytes| bytes[..map].fill(0));
    let log = world.serial();
    assert!(log.contains("the saved settings are damaged"), "{log}");
    assert!(log.contains("the lock is damaged"), "{log}");
    is_closed(&mut world, "damaged");
    let console = world.connect(7777);
    assert!(world.text(console).contains("the saved settings are damaged"));
    assert!(world.is_closed(console));
    world.type_in("set mqtt_user x\r\nsave\r\nunlock pw\r\n");
    let replies = world.serial();
    assert!(replies.contains("Config locked"), "{replies}");
    assert!(replies.contains("The lock is damaged"), "{replies}");
    world.type_in("lock mine\r\nunlock mine\r\nset broker_user you\r\nset broker_password p\r\n");
    let replies = world.serial();
    assert!(replies.contains("Config unlocked"), "{replies}");
    let mut world = world.power_cycle();
    is_closed(&mut world, "not saved");
    world.type_in("set broker_user you\r\nset broker_password p\r\nsave\r\n");
    assert!(world.serial().contains("Config saved"));
    let mut world = world.power_cycle();
    assert!(!world.serial().contains("damaged"));
    let console = world.console();
    assert!(world.ask(console, "show").contains("broker_user: you"));
    let stranger = world.connect(1883);
    world.send(stranger, connect_packet("x"));
    assert_eq!(world.received(stranger), [0x20, 2, 0, 4]);
}

/// A script that keeps strangers out of the broker.
const GUARD: &str =
    "config broker_user me\nconfig broker_password secret\non init do\n println \"guard\"\n";
const MISSING: &str = "the script whose config lines keep strangers out does not run";

/// How the broker answers someone, with this password if there is one.
pub(crate) fn answer(world: &mut World, password: Option<&str>) -> Vec<u8> {
    let client = world.connect(1883);
    let mut packet = connect_packet("x");
    if let Some(password) = password {
        packet[9] |= 0xC0;
        packet.extend(b"\0\x02me\0");
        packet.push(password.len() as u8);
        packet.extend(password.as_bytes());
        packet[1] = packet.len() as u8 - 2;
    }
    world.send(client, packet);
    let answer = world.received(client);
    world.reset(client);
    answer
}

pub(crate) const WELCOME: [u8; 4] = [0x20, 2, 0, 0];

/// Whether the script's password, and nothing else, opens it.
fn is_guarded(world: &mut World, what: &str) {
    assert_ne!(answer(world, None), WELCOME, "{what}: without a password");
    assert_ne!(answer(world, Some("guess")), WELCOME, "{what}: with another one");
    assert_eq!(answer(world, Some("secret")), WELCOME, "{what}: with the right one");
}

/// Whether nobody is let in, and that is said.
fn is_shut(world: &mut World, what: &str) {
    let log = world.serial();
    assert!(log.contains(MISSING), "{what}: {log}");
    for password in [None, Some("secret"), Some("guess")] {
        assert_ne!(answer(world, password), WELCOME, "{what}: {password:?}");
    }
}

/// Where the slots are, and how much of the first is used.
fn slots() -> [core::ops::Range<usize>; 2] {
    let layout = FlashLayout::DESKTOP;
    let (start, len) =
        (layout.map_sectors as usize * SECTOR, layout.slot_sectors as usize * SECTOR);
    [start..start + len, start + len..start + 2 * len]
}

#[test]
fn a_damaged_script_that_keeps_strangers_out_opens_to_nobody() {
    let whole = World::running(GUARD).power_cycle();
    let used = whole.power_cycle_damaged(&mut |_| {});
    let (mut bytes, mut len) = (Vec::new(), 0);
    let mut used = used.power_cycle_damaged(&mut |flash| {
        bytes = flash.to_vec();
        len = flash[slots()[0].clone()].iter().rposition(|byte| *byte != 0xFF).unwrap() + 1;
    });
    is_guarded(&mut used, "whole");
    assert!(len > 100, "{len}");
    let damaged = |damage: &mut dyn FnMut(&mut [u8])| {
        World::new().power_cycle_damaged(&mut |flash| {
            flash.copy_from_slice(&bytes);
            damage(flash);
        })
    };
    let [first, second] = slots();
    for at in 0..len {
        let mut world = damaged(&mut |flash| flash[first.start + at] ^= 1 << (at % 8));
        // What fills a word is not part of it.
        if answer(&mut world, Some("secret")) == WELCOME {
            assert_ne!(answer(&mut world, None), WELCOME, "byte {at}");
            continue;
        }
        is_shut(&mut world, &format!("a bit of byte {at}"));
    }
    for (kind, byte) in [("zeroed", 0), ("erased", 0xFF), ("noise", 0x5A)] {
        for (what, range) in [
            ("header", first.start..first.start + 32),
            ("its words", first.start + 32..first.start + len),
            ("a word", first.start + 40..first.start + 44),
            ("slot", first.clone()),
            ("slots", first.start..second.end),
        ] {
            let mut world = damaged(&mut |flash| flash[range.clone()].fill(byte));
            is_shut(&mut world, &format!("{what} {kind}"));
            let mut world = world.power_cycle();
            is_shut(&mut world, &format!("{what} {kind}, a day later"));
        }
    }
    let mut world = damaged(&mut |flash| {
        let (one, other) = flash.split_at_mut(second.start);
        one[first.clone()].swap_with_slice(&mut other[..second.len()]);
    });
    is_guarded(&mut world, "swapped");
}

#[test]
fn the_script_before_it_does_not_open_it() {
    let mut world = World::running("on init do\n println \"old\"\n");
    world.install(GUARD);
    is_guarded(&mut world, "new");
    let [_, second] = slots();
    for at in [0, 20, 60] {
        let mut world = World::running("on init do\n println \"old\"\n");
        world.install(GUARD);
        let mut world = world.power_cycle_damaged(&mut |flash| flash[second.start + at] ^= 4);
        is_shut(&mut world, "damaged");
        let console = world.console();
        assert!(world.ask(console, "show").contains(MISSING));
        assert!(world.ask(console, "show script").contains("old"), "the older one runs");
        let mut world = world.power_cycle();
        is_shut(&mut world, "a day later");
        // Uploaded again it counts, and so does one that lets everybody in.
        world.install("on init do\n print 1\n");
        assert_eq!(answer(&mut world, None), WELCOME);
        world.install(GUARD);
        is_guarded(&mut world, "uploaded again");
        is_guarded(&mut world.power_cycle(), "and later");
    }
}

#[test]
fn one_that_is_left_out_opens_to_nobody() {
    let script = [GUARD, " system \"reset\"\n"].concat();
    let mut world = World::running(&script);
    for _ in 0..3 {
        world.advance(3000);
        world = world.power_cycle();
    }
    world.advance(3000);
    let mut world = world.power_cycle();
    let console = world.console();
    assert!(world.ask(console, "show mqtt").contains("Script disabled"));
    assert_ne!(answer(&mut world, None), WELCOME);
    assert_ne!(answer(&mut world, Some("secret")), WELCOME);
    let mut world = World::running(GUARD).power_cycle_without_script("faults");
    is_shut(&mut world, "left out by the board");
}

#[test]
fn whoever_takes_the_script_away_opens_it() {
    let damaged = || {
        let first = slots()[0].start;
        World::running(GUARD).power_cycle_damaged(&mut |flash| flash[first + 50] ^= 1)
    };
    let mut world = damaged();
    let console = world.console();
    assert_eq!(world.ask(console, "save"), "Config saved\r\n");
    is_shut(&mut world, "saved over the network");
    assert_eq!(world.ask(console, "script delete"), "Script deleted\r\n");
    assert_eq!(answer(&mut world, None), WELCOME);
    assert_eq!(answer(&mut world.power_cycle(), None), WELCOME, "deleted");

    let mut world = damaged();
    world.type_in("set broker_user you\r\nset broker_password p\r\nsave\r\n");
    let mut world = world.power_cycle();
    assert!(!world.serial().contains(MISSING));
    assert_eq!(answer(&mut world, None), [0x20, 2, 0, 4], "it is the owner's password now");
    // The chip's heap has room for one device.
    drop(world);

    let mut world = World::running(GUARD);
    world.type_in("save\r\n");
    let first = slots()[0].start;
    let mut world = world.power_cycle_damaged(&mut |flash| flash[first + 50] ^= 1);
    is_shut(&mut world, "saved while the script ran");
    drop(world);

    let mut world = World::running(GUARD);
    world.install("on init do\n println 1\n");
    assert_eq!(answer(&mut world, None), WELCOME, "replaced");
    assert_eq!(answer(&mut world.power_cycle(), None), WELCOME);
}

#[test]
fn a_script_that_closes_the_console_and_is_damaged_leaves_it_closed() {
    for line in ["config config_access 0", "config config_port 0", "config broker_access 1"] {
        let script = format!("{line}\non init do\n println 1\n");
        let first = slots()[0].start;
        let mut world =
            World::running(&script).power_cycle_damaged(&mut |flash| flash[first + 50] ^= 1);
        assert!(world.serial().contains(MISSING), "{line}");
        if line.contains("broker") {
            assert_ne!(answer(&mut world, None), WELCOME, "{line}");
            continue;
        }
        assert_eq!(answer(&mut world, None), WELCOME, "{line}: the broker is another door");
        let console = world.connect(7777);
        assert!(world.text(console).contains(MISSING), "{line}");
        assert!(world.is_closed(console), "{line}");
    }
}

#[test]
fn a_password_that_cannot_be_had_is_no_open_door() {
    let script = "config broker_password @3\non init do\n println 1\n";
    let mut world = World::running(script);
    assert_ne!(answer(&mut world, None), WELCOME, "@3 is empty");
    let serial = world.serial();
    assert!(serial.contains("config broker_password: no value, so nobody is let in"), "{serial}");
    let console = world.console();
    let shown = world.ask(console, "show");
    assert!(!shown.contains("does not run"), "{shown}");
    assert!(shown.contains("WARNING: a config line of the script has no value"), "{shown}");
    let set = world.ask(console, "set @3 secret");
    assert_eq!(
        set,
        "@3 written to flash\r\nconfig lines of the script read it at its next start: reset\r\n"
    );
    let mut world = world.power_cycle();
    let console = world.console();
    assert!(!world.ask(console, "show").contains("WARNING"));
    assert_eq!(world.ask(console, "set @4 x"), "@4 written to flash\r\n");
    assert_ne!(answer(&mut world, None), WELCOME);
    let map = FlashLayout::DESKTOP.map_sectors as usize * SECTOR;
    let mut world = world.power_cycle_damaged(&mut |flash| flash[..map].fill(0));
    assert_ne!(answer(&mut world, None), WELCOME, "its record is damaged");
    world.install("config broker_password none\non init do\n println 1\n");
    assert_eq!(answer(&mut world, None), WELCOME, "none is said");
}

#[test]
fn the_log_tells_now_and_then_that_passwords_are_wrong() {
    let mut world = World::new();
    world.type_in("set broker_user me\r\nset broker_password secret\r\n");
    world.serial();
    for _ in 0..20 {
        answer(&mut world, Some("guess"));
        world.advance(1000);
    }
    let refused = "client from 192.168.4.2 refused: wrong broker_user or broker_password";
    let serial = world.serial();
    assert_eq!(serial.matches(" refused: ").count(), 1, "{serial}");
    assert!(serial.contains(&format!("{refused}\r\n")), "{serial}");
    world.advance(60_000);
    answer(&mut world, None);
    let serial = world.serial();
    assert!(serial.contains(&format!("{refused}\r\n")), "{serial}");
}

/// Before its `config` lines are done nobody is let in, however early.
#[test]
fn nobody_comes_in_before_the_script_has_said_who_may() {
    let (mut world, client) = World::running(GUARD).power_cycle_met(1883, &connect_packet("x"));
    assert_ne!(world.received(client), WELCOME);
    is_guarded(&mut world, "later");
}
