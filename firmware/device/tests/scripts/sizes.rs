//! How small scripts become.

use umqtt_lang::EmitOptions;
use umqtt_vm::Profile;

use crate::{names, source};

/// What is sent over the air and held in flash, stripped, should be at most this part of the
/// source.
const AIM_PERCENT: usize = 34;
/// Much of these is names and values of JSON and a URL, which stand in the image as they are.
const TEXTS: [(&str, usize); 2] = [("homeassistant", 46), ("irrigation", 38)];

/// Prints a table (`cargo test --test scripts sizes -- --nocapture`) and holds the aim. As the
/// samples have many comments, the part of what is left without them and without indentation is
/// printed too.
#[test]
fn images_are_small() {
    println!(
        "{:>12} {:>7} {:>7} {:>9} {:>6} {:>18}",
        "script", "source", "image", "stripped", "part", "without comments"
    );
    for name in names() {
        let source = source(&name);
        let size = |options| {
            umqtt_lang::compile(source.as_bytes(), &Profile::ESP8266, options).unwrap().len()
        };
        let with_lines = size(EmitOptions::new().debug(true));
        let stripped = size(EmitOptions::new());
        let statements = source.lines().map(str::trim_start).filter(|line| !line.starts_with('%'));
        let bare: usize = statements.map(|line| line.len() + 1).sum();
        let (part, of_bare) = (stripped * 100 / source.len(), stripped * 100 / bare);
        println!(
            "{name:>12} {:>7} {with_lines:>7} {stripped:>9} {part:>5}% {of_bare:>17}%",
            source.len()
        );
        assert!(stripped <= with_lines);
        let own = TEXTS.iter().find(|(other, _)| *other == name);
        let aim = own.map_or(AIM_PERCENT, |(_, aim)| *aim);
        assert!(part <= aim, "{name}: {stripped} of {} bytes", source.len());
    }
}
