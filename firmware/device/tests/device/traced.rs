//! `trace`: who sees it, how much, and how it ends.

use crate::world::{CHIP_HEAP, World, publish_packet};

const LAMP: &str = "on init do subscribe local \"lamp/+\"
on topic local lamp/set do
    if $this_data = \"on\" then
        gpio_out 12 1
        publish remote lamp/state 1
    endif
on gpio_interrupt 4 pullup do println $this_gpio
";

/// The chips have no trace, nor the memory for it.
fn is_chip() -> bool {
    std::env::var_os(CHIP_HEAP).is_some()
}

#[test]
fn who_asks_sees_what_the_script_does_and_nobody_else() {
    if is_chip() {
        return;
    }
    let mut world = World::running(LAMP);
    let (console, other, phone) = (world.console(), world.console(), world.client("p", "none"));
    assert_eq!(world.ask(console, "trace on"), "Trace on\r\n");
    world.send(phone, publish_packet("lamp/set", "off"));
    let shown = "trace +0.000 topic local lamp/set \"off\"\r\n\
        trace line 3: the handler begins\r\n\
        trace line 3: \"off\" = \"on\" is false, goes on at the end\r\n";
    assert_eq!(world.text(console), shown);
    assert_eq!(world.text(other), "");

    world.send(phone, publish_packet("lamp/set", "on"));
    let shown = world.text(console);
    let warning = "trace line 5: publish remote lamp/state: ";
    assert!(shown.contains("trace line 4: gpio_out 12 1\r\n"), "{shown}");
    assert!(shown.contains(warning), "what became of it: {shown}");

    // Another takes it over; it has seen the log alone.
    assert!(!world.text(other).contains("trace"));
    assert_eq!(world.ask(other, "trace on 3"), "Trace on\r\n");
    world.send(phone, publish_packet("lamp/other", "on\r\n\x1b"));
    assert_eq!(world.text(console), "");
    let shown = "trace +0.000 topic local lamp/other \"on\\x0d\\x0a\\x1b\"\r\n\
        trace not for the handler of line 3\r\n";
    assert_eq!(world.text(other), shown);
    // `trace off` of one who has none ends none.
    assert_eq!(world.ask(console, "trace off"), "Trace off\r\n");
    world.send(phone, publish_packet("lamp/other", "x"));
    assert!(world.text(other).contains("not for the handler of line 3"));
    assert_eq!(world.ask(other, "trace off"), "Trace off\r\n");
    world.send(phone, publish_packet("lamp/other", "x"));
    assert_eq!(world.text(other), "");
    let refused = "Trace refused: line 99 belongs to no handler\r\n";
    assert_eq!(world.ask(other, "trace on 99"), refused);
}

#[test]
fn it_ends_with_the_session_and_with_the_lock() {
    if is_chip() {
        return;
    }
    let mut world = World::running(LAMP);
    let phone = world.client("p", "none");
    let console = world.console();
    world.ask(console, "trace on");
    world.reset(console);
    // One that comes to its place sees nothing.
    let next = world.console();
    world.send(phone, publish_packet("lamp/set", "on"));
    assert!(!world.text(next).contains("trace"));

    world.ask(next, "trace on");
    let other = world.console();
    assert!(world.ask(other, "lock secret").starts_with("Config locked"));
    assert!(world.text(next).contains("trace off: Config locked\r\n"));
    world.send(phone, publish_packet("lamp/set", "on"));
    assert!(!world.text(next).contains("trace"));
    assert!(world.ask(next, "trace on").starts_with("Invalid command. Config locked\r\n"));
}

#[test]
fn one_who_does_not_read_misses_lines_and_holds_up_nobody() {
    if is_chip() {
        return;
    }
    let mut world = World::running(LAMP);
    let (console, phone) = (world.console(), world.client("p", "lamp/other"));
    world.ask(console, "trace on");
    for round in 0..600 {
        world.send(phone, publish_packet("lamp/other", &"x".repeat(60)));
        assert_eq!(world.messages(phone).len(), 1, "{round}");
        world.advance(10);
    }
    let shown = world.text(console);
    assert!(shown.contains(" lines left out\r\n"), "{shown}");
    assert!(shown.len() < 200_000, "{}", shown.len());
    // It goes on.
    world.send(phone, publish_packet("lamp/other", "last"));
    assert!(world.text(console).ends_with("\"last\"\r\ntrace no handler\r\n"));
}

#[test]
fn scripts_have_none() {
    let mut world = World::running("on timer 1 do system \"trace on\" on init do settimer 1 10\n");
    world.advance(20);
    let serial = world.serial();
    assert!(serial.contains("Trace refused: it is for a console"), "{serial}");
}
