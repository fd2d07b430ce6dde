//! As many clients as there may be come in, whatever the script subscribes to.

use crate::world::{World, connect_packet};

/// The chip's; elsewhere it is no limit.
const CLIENTS: usize = 16;

/// A script with so many filters of so many levels, none of which begins like another.
fn subscribes(filters: usize, levels: usize) -> String {
    let level = |n: usize, level: usize| format!("/l{n:02}{level}");
    let filter = |n| format!("f{n:02}{}", (1..levels).map(|l| level(n, l)).collect::<String>());
    let lines: String = (0..filters).map(|n| format!(" subscribe local {}\n", filter(n))).collect();
    format!("on init do\n{lines}on topic local f00/# do println $this_data\n")
}

/// Clients come in, each with a subscription to what the script has too; how many are let in.
fn newcomers(world: &mut World) -> usize {
    let mut let_in = 0;
    for n in 0..CLIENTS {
        let end = world.connect(1883);
        world.send(end, connect_packet(&format!("client number {n:02}")));
        let_in += usize::from(world.received(end) == [0x20, 2, 0, 0]);
        world.send(end, [0x82, 8, 0, 1, 0, 3, b'f', b'0', b'0', 0]);
        world.received(end);
    }
    let_in
}

#[test]
fn all_clients_come_in_beside_any_script() {
    for (filters, levels) in [(1, 1), (16, 1), (16, 3), (16, 7), (16, 16), (2, 16)] {
        let mut world = World::running(&subscribes(filters, levels));
        let said = world.serial();
        let refused = said.matches(": it would leave no memory for clients").count();
        let there = world.broker().subscriptions_len();
        assert_eq!(there + refused, filters, "{said}");
        assert!(there > 0 && (filters * levels > 50 || refused == 0), "{filters} {levels} {said}");
        assert_eq!(newcomers(&mut world), CLIENTS, "{filters} filters of {levels} levels");
        assert!(world.broker().subscriptions_len() >= there + CLIENTS / 2);
    }
}

/// What begins alike counts once, and what was unsubscribed no more.
#[test]
fn filters_that_begin_alike_fit() {
    let lines: String =
        (0..16).map(|n| format!(" subscribe local a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/{n}\n")).collect();
    let mut world = World::running(&format!("on init do\n{lines}"));
    assert_eq!(world.broker().subscriptions_len(), 16, "{}", world.serial());
    let long = |n| format!("n{n:02}/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o");
    let lines: String = (0..16)
        .map(|n| format!(" subscribe local {0}\n unsubscribe local {0}\n", long(n)))
        .collect();
    let mut world = World::running(&format!("on init do\n{lines} subscribe local {}\n", long(99)));
    assert_eq!(world.broker().subscriptions_len(), 1, "{}", world.serial());
}
