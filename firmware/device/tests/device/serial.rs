//! The serial line and the consoles over TCP: what the log says meanwhile stands between the lines
//! that a command shows.

use crate::world::{World, publish_packet};

/// Lines of it are longer than what a console holds, and so shown in pieces.
fn script() -> String {
    let mut text = String::from(
        "on init do subscribe local \"#\"\non topic local line do println $this_data\n",
    );
    for n in 0..2 {
        let long = "x".repeat(450);
        text.push_str(&format!("% {n} {long} {n}\n"));
    }
    text
}

/// The lines as they are read: what was overwritten is not there, nor is the prompt.
fn lines(shown: &str) -> Vec<&str> {
    let whole = shown.split("\r\n").map(|line| line.rsplit('\r').next().unwrap_or(line));
    whole.map(|line| line.trim_start_matches("CMD>")).filter(|line| !line.is_empty()).collect()
}

/// Shows the script, at one turn after the other a line of the log: where the two meet differs.
fn shown_with_log(on_serial: bool, turns_between: Option<usize>) -> (String, usize) {
    let mut world = World::with_small_consoles();
    world.install(&script());
    let client = world.client("c", "none");
    let console = world.console();
    world.serial();
    if on_serial {
        world.wires.borrow_mut().typed.extend(b"show script\r\n");
    } else {
        world.send_quietly(console, "show script\r\n");
    }
    let (mut all, mut said, mut turn) = (String::new(), 0, 0);
    let mut look = |world: &mut World| match on_serial {
        true => all.push_str(&world.serial()),
        false => all.push_str(&String::from_utf8(world.there(console)).expect("text")),
    };
    loop {
        if turns_between.is_some_and(|turns| turn % turns == 0) {
            world.send_quietly(client, publish_packet("line", &format!("log {said}")));
            said += 1;
        }
        turn += 1;
        let more = world.poll_once();
        look(&mut world);
        if !more && turn > 40 {
            break;
        }
    }
    // What was typed is there again behind what took its place.
    match on_serial {
        true => world.type_in("ti"),
        false => world.send(console, "ti"),
    }
    world.send(client, publish_packet("line", &format!("log {said}")));
    look(&mut world);
    (all, said + 1)
}

#[test]
fn the_log_stands_between_the_lines_of_a_reply() {
    for on_serial in [true, false] {
        let is_log = |line: &&str| line.starts_with("log ");
        let (shown, _) = shown_with_log(on_serial, None);
        let alone: Vec<_> = lines(&shown).into_iter().filter(|line| !is_log(line)).collect();
        assert!(alone.iter().filter(|line| line.len() > 450).count() == 2, "{alone:?}");
        for turns_between in 1..6 {
            let (shown, said) = shown_with_log(on_serial, Some(turns_between));
            let (log, reply): (Vec<_>, Vec<_>) = lines(&shown).into_iter().partition(is_log);
            let what = format!("serial {on_serial}, every {turns_between} turns: {shown:?}");
            assert!(reply == alone, "{what}");
            let wanted: Vec<_> = (0..said).map(|n| format!("log {n}")).collect();
            assert!(log == wanted, "{what}");
            assert!(shown.ends_with("\r\nCMD>ti"), "{what}");
        }
    }
}

#[test]
fn the_board_hears_of_a_new_speed_in_the_turn_that_answers() {
    let mut world = World::with_speeds(None);
    let told = |world: &World| world.wires.borrow().bitrates.clone();
    assert_eq!(told(&world), [(0, 115_200)], "at the start");
    world.serial();
    world.wires.borrow_mut().bitrates.clear();
    world.wires.borrow_mut().typed.extend(b"set bitrate 9600\r\n");
    while told(&world).is_empty() {
        world.poll_once();
    }
    // All that the board has until the turn is over goes out at the old speed.
    assert!(world.serial().contains("bitrate set to 9600\r\n"));
    let [(_, bits)] = told(&world)[..] else { panic!("once: {:?}", told(&world)) };
    assert_eq!(bits, 9600);

    world.type_in("save\r\n");
    let world = World::with_speeds(Some(world.into_flash()));
    assert_eq!(told(&world), [(0, 9600)], "from the saved settings");
}

#[test]
fn a_script_sets_the_speed_while_it_is_loaded() {
    let mut world = World::with_speeds(None);
    world.wires.borrow_mut().bitrates.clear();
    world.install("config bitrate 300\non init do setvar $a = 1\n");
    world.install("on init do setvar $a = 1\n");
    let told: Vec<u32> = world.wires.borrow().bitrates.iter().map(|(_, bits)| *bits).collect();
    assert_eq!(told, [300, 115_200]);
}

#[test]
fn a_board_whose_speeds_cannot_be_chosen_says_so() {
    let mut world = World::new();
    world.wires.borrow_mut().bitrates.clear();
    world.type_in("set bitrate 9600\r\nset speed 160\r\n");
    let shown = world.serial();
    assert!(shown.contains("bitrate is not on this board, which has no serial speed to choose"));
    assert!(shown.contains("speed is not on this board, which has no processor clock to choose"));
    assert_eq!(world.wires.borrow().bitrates, []);
}
