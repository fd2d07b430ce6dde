//! What is refused for want of memory counts in the share it was wanted of, and `show stats` says
//! so.

use umqtt_memory::Share;

use crate::world::{PIECE, World, options};

/// What `show stats` says a share has refused.
fn shown(world: &mut World, share: Share) -> u32 {
    let console = world.console();
    let stats = world.ask(console, "show stats");
    let head = format!("  {:<7} ", share.name());
    let row = stats.lines().find(|line| line.starts_with(&head)).unwrap();
    row.split_whitespace().last().unwrap().parse().unwrap()
}

#[test]
fn a_line_without_memory() {
    let mut world = World::small(options().limits, PIECE);
    let console = world.console();
    let line = format!("publish local t {}", "x".repeat(300));
    assert_eq!(shown(&mut world, Share::Console), 0);
    for refused in 1..3 {
        let answer = world.ask(console, &line);
        assert!(answer.contains("Not enough memory for this line"), "{answer}");
        assert_eq!(shown(&mut world, Share::Console), refused);
    }
}

#[test]
fn a_connection_without_a_place() {
    let mut world = World::new();
    world.net.refused = 3;
    world.advance(1);
    assert_eq!(shown(&mut world, Share::Network), 3);
    world.net.refused = 5;
    world.advance(1);
    assert_eq!(shown(&mut world, Share::Network), 5);
}
