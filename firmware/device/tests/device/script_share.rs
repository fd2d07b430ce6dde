//! A script at the end of its share of the memory: it is refused what its language refuses, and the
//! device goes on.

use umqtt_memory::Share;

use crate::world::{World, publish_packet};

/// 40 variables that hold 40 bytes each, and a handler that joins them, prints and publishes.
fn hoarder() -> String {
    let set = |n| format!(" setvar $v{n} = \"{}\"\n", format!("{n:02}").repeat(20));
    let joined = |n| format!(" | $v{n}");
    let (sets, joins): (String, String) =
        ((0..40).map(set).collect(), (1..8).map(joined).collect());
    format!(
        "on init do\n subscribe local in/#\n{sets}on topic local in/# do\n setvar $v0 = \
         $this_data\n setvar $all = $v0{joins}\n println $all\n publish local out $v0 | $v39 retained\n"
    )
}

/// What comes of it with so many bytes: whether the handler did all it has to do.
fn runs_within(share: usize, script: &str) -> bool {
    let mut world = World::with_script_share(share);
    let installed = world.try_install(script);
    let phone = world.client("phone", "out");
    for n in 0..3 {
        world.send(phone, publish_packet("in/x", &format!("{n}")));
    }
    let messages = world.messages(phone);
    let (account, said) = (world.account(Share::Script), world.serial());
    assert!(account.high_water <= share, "{share}: {account:?}");
    let expected = |n| format!("out: {n}{}", "39".repeat(20));
    if let Err(why) = installed {
        assert!(why.starts_with("not enough memory to run this script"), "{why}");
        assert!(account.refused > 0 && messages.is_empty());
        return false;
    }
    let done = messages == [expected(0), expected(1), expected(2)];
    let stopped = said.contains(": out of memory for values, stopped");
    assert_eq!(account.refused > 0, stopped, "{share}: {said}");
    assert_eq!(done, !stopped, "{share}: {messages:?} {said}");
    // Whatever became of it: everybody else is served.
    world.send(phone, publish_packet("out", "there"));
    assert_eq!(world.messages(phone).last().unwrap(), "out: there");
    done
}

#[test]
fn a_script_that_hoards_ends_at_its_share() {
    let script = hoarder();
    let (mut too_small, mut limit) = (0, 32 * 1024);
    assert!(runs_within(limit, &script) && !runs_within(too_small, &script));
    while limit - too_small > 1 {
        let middle = usize::midpoint(too_small, limit);
        if runs_within(middle, &script) { limit = middle } else { too_small = middle }
    }
    for share in (limit.saturating_sub(600)..limit).step_by(25).chain([limit - 1]) {
        assert!(!runs_within(share, &script), "{share}, and {limit} is the least");
    }
    for share in (limit..limit + 600).step_by(25).chain([limit + 1]) {
        assert!(runs_within(share, &script), "{share}, and {limit} is enough");
    }
}

#[test]
fn commands_end_at_their_part_of_the_share() {
    let commands = " system \"publish local out 1\"\n".repeat(20);
    let script = format!("on init do subscribe local in\non topic local in do\n{commands}");
    let share = 7 * 1024;
    let mut world = World::with_script_share(share);
    world.install(&script);
    let phone = world.client("phone", "out");
    world.send(phone, publish_packet("in", "x"));
    let done = world.messages(phone).len();
    let account = world.account(Share::Script);
    assert!((8..20).contains(&done), "{done} of 20");
    assert_eq!(account.refused as usize, 20 - done);
    assert!(account.high_water <= share, "{account:?}");
    assert!(world.serial().contains("Script warning: too many system commands"));
}

#[test]
fn flash_variables_that_find_no_room_to_wait_are_written_at_once() {
    let sets: String = (1..=16).map(|n| format!(" setvar @{n} = $this_data\n")).collect();
    let script = format!("on init do subscribe local in\non topic local in do\n{sets}");
    let mut world = World::with_script_share(4 * 1024);
    world.install(&script);
    let phone = world.client("phone", "out");
    world.send(phone, publish_packet("in", "kept"));
    let account = world.account(Share::Script);
    assert!(account.high_water <= 4 * 1024 && account.refused == 0, "{account:?}");
    let mut world = world.power_cycle();
    let console = world.console();
    let shown = world.ask(console, "show vars");
    assert_eq!(shown.matches("kept").count(), 16, "{shown}");
}

#[test]
fn a_filter_there_is_no_memory_for_is_counted() {
    let set = |n| format!(" setvar $v{n} = \"{}\"\n", "v".repeat(100));
    let sets: String = (0..8).map(set).collect();
    let joined = (1..8).map(|n| format!(" | $v{n}")).collect::<String>();
    let script = format!(
        "on init do\n subscribe local in\n{sets}on topic local ($v0{joined}) do println 1\n"
    );
    let refused = |share| {
        let mut world = World::with_script_share(share);
        world.try_install(&script).ok()?;
        let before = world.account(Share::Script).refused;
        let phone = world.client("phone", "none");
        for _ in 0..3 {
            world.send(phone, publish_packet("in", "x"));
        }
        (before == 0).then(|| world.account(Share::Script).refused)
    };
    assert_eq!(refused(16 * 1024), Some(0));
    let mut shares = (1024..16 * 1024).step_by(100);
    assert!(shares.any(|share| refused(share) == Some(3)));
}
