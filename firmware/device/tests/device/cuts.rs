//! The device is killed, or its power cut, at every single write to its flash while somebody gives
//! it commands: afterwards it is as it was or as it was told to be, and whom it kept out stays out.

use ed25519_dalek::SigningKey;
use umqtt_device::storage::ram::{Cut, RamFlash};

use crate::security::{WELCOME, answer};
use crate::signed::{set_key, signed};
use crate::world::World;

const GUARD: &str =
    "config broker_user me\nconfig broker_password secret\non init do println \"guard\"\n";
const OTHER: &str =
    "config broker_user me\nconfig broker_password other\non init do println \"other\"\n";

/// What a check is told when nothing was cut off: all has to be new then.
const DONE: &str = "all done";

fn type_all(world: &mut World, commands: &[&str]) {
    for command in commands {
        world.type_in(&format!("{command}\r\n"));
    }
}

/// The flash of a device that has been told this.
fn told(script: Option<&str>, commands: &[&str]) -> RamFlash {
    let mut world = script.map_or_else(World::new, World::running);
    type_all(&mut world, commands);
    world.into_flash()
}

/// What the serial console answers.
fn says(world: &mut World, command: &str) -> String {
    world.serial();
    world.type_in(&format!("{command}\r\n"));
    world.serial()
}

/// The passwords with which the broker lets somebody in, and whether it needs one.
fn opens(world: &mut World) -> Vec<Option<&'static str>> {
    let mut tried = vec![None, Some("secret"), Some("other")];
    tried.retain(|password| answer(world, *password) == WELCOME);
    tried
}

/// The way that is as far from this one as can be in [`Cut::ALL`].
fn opposite(how: Cut) -> Cut {
    let at = Cut::ALL.iter().position(|one| *one == how).unwrap_or(0);
    Cut::ALL[(at + Cut::ALL.len() / 2) % Cut::ALL.len()]
}

fn cut_everywhere(start: &RamFlash, act: &dyn Fn(&mut World), check: &dyn Fn(&mut World, &str)) {
    let mut flash = start.clone();
    let meter = flash.meter();
    let mut world = World::on(flash);
    let before = meter.get();
    act(&mut world);
    let writes = meter.get() - before;
    assert!(writes > 0);
    check(&mut world.power_cycle(), DONE);
    // The storage's own tests cut in all ways. Here each write has two of them, in turn: hashing
    // passwords takes long.
    let ways = Cut::ALL.into_iter().cycle();
    for (after, first) in (0..writes).zip(ways) {
        for how in [first, opposite(first)] {
            let mut flash = start.clone();
            flash.cut_power(before + after, how);
            let mut world = World::on(flash);
            act(&mut world);
            let mut flash = world.into_flash();
            assert!(!flash.is_powered(), "the cut at {after} of {writes} was not reached");
            flash.power_on();
            check(&mut World::on(flash), &format!("{how:?} at {after} of {writes}"));
        }
    }
}

/// Whether it is locked, and if so whether one of these opens it.
fn locked_by<'p>(world: &mut World, passwords: &[&'p str], what: &str) -> Option<&'p str> {
    if !says(world, "set mqtt_user x").contains("Config locked") {
        return None;
    }
    for password in passwords {
        world.advance(100_000);
        if says(world, &format!("unlock {password}")).contains("Config unlocked") {
            return Some(password);
        }
    }
    panic!("{what}: nobody can open it");
}

const CREDENTIALS: [&str; 3] = ["set broker_user me", "set broker_password secret", "save"];

#[test]
fn locking_an_open_device() {
    let start = told(None, &CREDENTIALS);
    let act = |world: &mut World| type_all(world, &["lock first"]);
    cut_everywhere(&start, &act, &|world, what| {
        assert_eq!(opens(world), [Some("secret")], "{what}");
        let locked = locked_by(world, &["first"], what);
        assert!(locked.is_some() || what != DONE, "{what}");
    });
}

#[test]
fn another_password_for_the_lock() {
    let start = told(None, &[&CREDENTIALS[..], &["lock first", "unlock first"]].concat());
    let act = |world: &mut World| type_all(world, &["lock second"]);
    cut_everywhere(&start, &act, &|world, what| {
        assert_eq!(opens(world), [Some("secret")], "{what}");
        if locked_by(world, &["second"], what).is_none() {
            assert_ne!(what, DONE);
            assert!(says(world, "lock").contains("Config locked"), "{what}");
            assert_eq!(locked_by(world, &["first"], what), Some("first"), "{what}");
        }
    });
}

#[test]
fn opening_the_lock() {
    let start = told(None, &[&CREDENTIALS[..], &["lock first"]].concat());
    let act = |world: &mut World| type_all(world, &["unlock first"]);
    cut_everywhere(&start, &act, &|world, what| {
        assert_eq!(opens(world), [Some("secret")], "{what}");
        let locked = locked_by(world, &["first"], what);
        assert!(locked.is_none() || what != DONE, "{what}");
    });
}

#[test]
fn saving_another_password_for_the_broker() {
    let start = told(None, &CREDENTIALS);
    let act = |world: &mut World| {
        type_all(world, &["set broker_password other", "set mqtt_user someone", "save"]);
    };
    cut_everywhere(&start, &act, &|world, what| {
        let opens = opens(world);
        let is_old = opens == [Some("secret")] && what != DONE;
        assert!(is_old || opens == [Some("other")], "{what}: {opens:?}");
    });
}

#[test]
fn setting_flash_variables() {
    let start = told(None, &[&CREDENTIALS[..], &["set @1 old"]].concat());
    let act = |world: &mut World| type_all(world, &["set @1 new"]);
    cut_everywhere(&start, &act, &|world, what| {
        assert_eq!(opens(world), [Some("secret")], "{what}");
        let shown = says(world, "show vars");
        let is_old = shown.contains("@1: old\r\n") && what != DONE;
        assert!(is_old || shown.contains("@1: new\r\n"), "{what}: {shown}");
    });
}

#[test]
fn replacing_a_script_that_keeps_strangers_out() {
    let start = told(Some(GUARD), &[]);
    let act = |world: &mut World| {
        world.type_in("script 2000\r\n");
        let sender = world.connect(2000);
        world.send(sender, OTHER);
        world.finish(sender);
    };
    cut_everywhere(&start, &act, &|world, what| {
        let opens = opens(world);
        let is_old = opens == [Some("secret")] && what != DONE;
        assert!(is_old || opens == [Some("other")], "{what}: {opens:?}");
    });
}

#[test]
fn deleting_a_script_that_keeps_strangers_out() {
    let start = told(Some(GUARD), &[]);
    let act = |world: &mut World| type_all(world, &["script delete"]);
    cut_everywhere(&start, &act, &|world, what| {
        let gone = says(world, "show script").contains("No script");
        let opens = opens(world);
        assert!(gone || opens == [Some("secret")] && what != DONE, "{what}: {opens:?}");
        assert!(!gone || opens.contains(&None), "{what}: {opens:?}");
    });
}

/// Between the counter and the script there is a moment: an older one is never taken after a newer
/// one, and the one that was cut off may come again.
#[test]
fn replacing_a_signed_script() {
    let key = set_key(&SigningKey::from_bytes(&[7; 32]));
    let start = told(Some("on init do println \"script 0\"\n"), &[&key, "save"]);
    let script =
        |counter: u64| signed(format!("on init do println \"script {counter}\"\n"), counter);
    let push = |world: &mut World, counter: u64| {
        world.type_in("script 2000\r\n");
        let sender = world.connect(2000);
        world.send(sender, script(counter));
        world.finish(sender);
    };
    let shown = |world: &mut World| {
        let text = says(world, "show script");
        (0..=5).find(|counter| text.contains(&format!("script {counter}\"")))
    };
    cut_everywhere(&start, &|world| push(world, 4), &|world, what| {
        let now = shown(world);
        assert!(now == Some(4) || now == Some(0) && what != DONE, "{what}: {now:?}");
        push(world, 3);
        let older = shown(world);
        assert!(older == now || now == Some(0) && older == Some(3), "{what}: {older:?}");
        push(world, 4);
        assert_eq!(shown(world), Some(4), "{what}");
    });
}
