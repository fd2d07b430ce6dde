//! Every command, with a word as long as a line may be at each of its places: the memory for it is
//! asked for, or the line is refused. On the chip's heap (see [`super::chip_heap`]) an allocation
//! larger than what was asked for ends the program.

use umqtt_device::console::MAX_LINE;
use umqtt_device::console::command::{COMMANDS, CommandSpec};
use umqtt_device::settings::TABLE;

use crate::world::World;

/// One command with each number of words it takes, and one more; one of them fills the line.
fn lines(spec: &CommandSpec) -> Vec<String> {
    let mut lines = Vec::new();
    for words in spec.least..=spec.most.min(5) + 1 {
        for long in 0..words {
            let words: Vec<&str> =
                (0..words).map(|at| if at == long { "?" } else { "a" }).collect();
            lines.push(format!("{} {}", spec.name, words.join(" ")));
        }
    }
    lines
}

/// What takes a text of any length behind words of its own.
const WITH_TEXT: [&str; 12] = [
    "? a",
    "publish local ? b",
    "publish local a ?",
    "publish local a ? retained",
    "publish remote a ?",
    "publish local \"?\" \"a\"",
    "show script ?",
    "set @1 ?",
    "set @1 \"?\"",
    "show \"?\"",
    "subscribe \"? ?\"",
    "on topic local ? do",
];

/// The line filled up to so many bytes: with letters, in hex, escaped, with words.
fn filled(line: &str, len: usize) -> Vec<String> {
    let places = line.matches('?').count();
    let room = (len - (line.len() - places)) / places.max(1);
    [("x", 1), ("%41", 3), ("\\x", 2), ("x y", 3), ("/", 1), ("\u{e9}", 2)]
        .map(|(piece, len)| line.replace('?', &piece.repeat(room / len)))
        .to_vec()
}

fn all(len: usize) -> Vec<String> {
    let commands = COMMANDS.iter().filter(|spec| !["quit", "reset"].contains(&spec.name));
    let settings = TABLE.iter().map(|spec| format!("set {} ?", spec.name));
    let all = commands.flat_map(lines).chain(settings).chain(WITH_TEXT.map(String::from));
    let mut all: Vec<String> = all.flat_map(|line| filled(&line, len)).collect();
    // What locks the configuration comes last.
    all.sort_by_key(|line| line.starts_with("lock"));
    all
}

#[test]
fn a_word_as_long_as_a_line_is_taken_or_refused_wherever_it_stands() {
    let lines = all(MAX_LINE);
    assert!(lines.len() > 500, "{}", lines.len());
    for lock in [None, Some("lock secret")] {
        let mut world = World::running("on init do setvar $x = 1");
        let mut console = world.console();
        if let Some(lock) = lock {
            world.ask(console, lock);
        }
        for line in &lines {
            assert!(line.len() <= MAX_LINE, "{line}");
            let answer = world.ask(console, line);
            assert!(answer.ends_with("\r\n") || answer.is_empty(), "{line}: {answer}");
            if world.is_closed(console) {
                console = world.console();
            }
            // What follows a line of a script is taken for more of it.
            world.advance(1_100);
        }
        let stats = world.ask(console, "show stats");
        assert!(stats.contains("Script events: "), "{lock:?}: {stats}");
    }
}

#[test]
fn what_a_script_has_the_console_do_may_be_as_long_as_a_line() {
    let mut world = World::running(
        "on init do\n subscribe local line\non topic local line do\n system $this_data\n",
    );
    let client = world.client("c", "none");
    let mut said = String::new();
    // Who may use the broker is not to change.
    let lines = all(MAX_LINE).into_iter();
    for line in lines.filter(|line| !line.starts_with("set broker_")) {
        let len = 2 + "line".len() + line.len();
        world.send(client, [0x30, len as u8 | 0x80, (len >> 7) as u8, 0, 4]);
        world.send(client, format!("line{line}"));
        world.advance(10);
        said += &world.serial();
        assert!(!world.is_closed(client), "{line}");
    }
    for answer in ["no such command", "Published topic", "must be"] {
        assert!(said.contains(answer), "{answer} in\n{said}");
    }
}
