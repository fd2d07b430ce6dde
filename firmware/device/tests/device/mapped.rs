//! On a chip the script that runs is read from the flash where it lies. Whatever the device is told
//! to do meanwhile, nothing of it is erased or written until nobody reads it any more.

use std::cell::RefCell;
use std::ops::Range;

use proptest::prelude::*;
use umqtt_device::device::DeviceOptions;
use umqtt_device::storage::MappedFlash;
use umqtt_device::storage::ram::{RamFlash, SECTOR};
use umqtt_testkit::memory::on_test_heap;

use crate::world::{World, publish_packet};

const OLD: &str = "on init do\n subscribe local \"#\"\n\
    on topic local count do\n setvar @1 = $this_data\n println \"counts\"\n";

/// What is mapped, what the flash holds, and what was done that must not be.
#[derive(Default)]
struct Watched {
    mapped: Vec<(usize, Range<u32>)>,
    content: Vec<u8>,
    maps: usize,
    erased: usize,
    faults: Vec<String>,
}

thread_local! {
    static WATCHED: RefCell<Watched> = RefCell::default();
}

fn watched<T>(look: impl FnOnce(&mut Watched) -> T) -> T {
    on_test_heap(|| WATCHED.with_borrow_mut(look))
}

fn watch(content: &[u8], place: Range<u32>) {
    watched(|watched| {
        for (_, mapped) in &watched.mapped {
            if mapped.start < place.end && place.start < mapped.end {
                watched.faults.push(format!("{place:?} is changed while {mapped:?} is read"));
            }
        }
        watched.erased += usize::from(place.len() == SECTOR);
        let place = place.start as usize..place.end as usize;
        watched.content[place.clone()].copy_from_slice(&content[place]);
    });
}

/// A copy, as memory that changes cannot be lent for ever.
fn map(range: Range<u32>) -> Option<MappedFlash> {
    watched(|watched| {
        let bytes = &watched.content[range.start as usize..range.end as usize];
        let bytes: &'static [u8] = bytes.to_vec().leak();
        watched.mapped.push((bytes.as_ptr().addr(), range));
        watched.maps += 1;
        Some(MappedFlash::new(bytes, unmap))
    })
}

fn unmap(bytes: &[u8]) {
    let at = bytes.as_ptr().addr();
    watched(|watched| watched.mapped.retain(|(mapped, _)| *mapped != at));
}

/// What a user, a network or a power cut does to the device.
#[derive(Clone, Debug)]
enum Act {
    Ask(&'static str),
    /// So many bytes of a script of about this many lines, and whether they are all.
    Push {
        lines: usize,
        cut: usize,
        ends: bool,
    },
    /// The same, as bytecode that is damaged at its end or not.
    PushImage {
        lines: usize,
        damaged: bool,
    },
    /// A flash variable, so many times.
    Count(usize),
    Retain(usize),
    Wait(u64),
    PowerCycle,
}

const COMMANDS: [&str; 11] = [
    "set mqtt_user somebody",
    "save",
    "lock secret",
    "unlock secret",
    "save_retained",
    "delete_retained",
    "script delete",
    "script disable",
    "script enable",
    "script 2000",
    "reset factory",
];

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => proptest::sample::select(&COMMANDS[..]).prop_map(Act::Ask),
        6 => (1..60usize, 0..3000usize, any::<bool>())
            .prop_map(|(lines, cut, ends)| Act::Push { lines, cut, ends }),
        3 => (1..60usize, any::<bool>())
            .prop_map(|(lines, damaged)| Act::PushImage { lines, damaged }),
        3 => (1..120usize).prop_map(Act::Count),
        2 => (1..10usize).prop_map(Act::Retain),
        1 => (1..70_000u64).prop_map(Act::Wait),
        1 => Just(Act::PowerCycle),
    ]
}

fn script(lines: usize) -> String {
    let more = (0..lines).map(|n| format!("on topic local t/{n} do println \"{n}\"\n"));
    std::iter::once(OLD.to_owned()).chain(more).collect()
}

fn push(world: &mut World, bytes: &[u8], ends: bool) {
    world.type_in("script 2000\r\n");
    if !world.listens(2000) {
        return; // it is locked, or one is being uploaded
    }
    let sender = world.connect(2000);
    world.send(sender, bytes);
    if ends {
        world.finish(sender);
    } else {
        world.reset(sender);
    }
}

fn carry_out(act: &Act, mut world: World) -> World {
    match act {
        Act::Ask(command) => {
            world.type_in(&format!("{command}\r\n"));
        }
        Act::Push { lines, cut, ends } => {
            let text = script(*lines);
            push(&mut world, &text.as_bytes()[..text.len() - cut.min(&text.len())], *ends);
        }
        Act::PushImage { lines, damaged } => {
            let profile = DeviceOptions::ESP8266.profile;
            let options = umqtt_lang::EmitOptions::new();
            let source = script((*lines).min(20));
            let mut image = umqtt_lang::compile(source.as_bytes(), &profile, options).unwrap();
            if *damaged && let Some(last) = image.last_mut() {
                *last ^= 1;
            }
            push(&mut world, &image, true);
        }
        Act::Count(times) => {
            let client = world.client("c", "none");
            for n in 0..*times {
                world.send(client, publish_packet("count", &n.to_string()));
            }
            world.reset(client);
        }
        Act::Retain(topics) => {
            for n in 0..*topics {
                world.type_in(&format!("publish local r/{n} {topics} retained\r\n"));
            }
        }
        Act::Wait(ms) => world.advance(*ms),
        Act::PowerCycle => return World::mapping(world.into_flash(), map),
    }
    if world.wires.borrow().restarted {
        world = World::mapping(world.into_flash(), map);
    }
    world
}

fn new_world() -> World {
    let sectors = DeviceOptions::ESP8266.layout.sectors();
    let mut flash = RamFlash::new(sectors);
    flash.watch(watch);
    let content = vec![0xff; sectors as usize * SECTOR];
    watched(|watched| *watched = Watched { content, ..Watched::default() });
    let mut world = World::mapping(flash, map);
    world.install(OLD);
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_of_a_script_that_runs_is_erased_or_written(
        acts in proptest::collection::vec(act(), 1..24)
    ) {
        let mut world = new_world();
        for act in &acts {
            world = carry_out(act, world);
            let faults = watched(|watched| std::mem::take(&mut watched.faults));
            prop_assert!(faults.is_empty(), "{:?}: {:?}", act, faults);
        }
        drop(world);
        prop_assert_eq!(watched(|watched| watched.mapped.len()), 0);
    }
}

/// The property above is not about nothing.
#[test]
fn a_script_is_mapped_while_others_come_and_records_move_on() {
    let mut world = new_world();
    for n in 0..6 {
        world = carry_out(&Act::Count(500), world);
        world = carry_out(&Act::Push { lines: 10 + n, cut: 0, ends: true }, world);
        assert_eq!(watched(|watched| watched.mapped.len()), 1, "round {n}");
    }
    world.serial();
    world = carry_out(&Act::Count(1), world);
    assert!(world.serial().contains("counts"));
    let (maps, erased) = watched(|watched| (watched.maps, watched.erased));
    assert!(maps >= 6 && erased > 6, "{maps} {erased}");
    // The map's sectors have been used all over.
    assert!(watched(|watched| watched.faults.is_empty()));
}
