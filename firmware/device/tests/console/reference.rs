//! `docs/console.md` is what the console does: its dialogues are played, and it has every command
//! and every text of an answer.

use umqtt_device::console::command::COMMANDS;
use umqtt_device::device::DeviceOptions;

use crate::fake::User;

const PAGE: &str = include_str!("../../docs/console.md");

#[test]
fn its_dialogues_are_what_the_console_says() {
    let mut played = 0;
    for dialogue in PAGE.split("```console\n").skip(1) {
        let (dialogue, _) = dialogue.split_once("```").unwrap();
        let mut user = User::over_tcp();
        user.device.settings.set_capabilities(DeviceOptions::DESKTOP.capabilities);
        for exchange in dialogue.split("CMD>").skip(1) {
            let (line, reply) = exchange.split_once('\n').unwrap();
            let said = user.said(line);
            assert!(
                is_like(&said, reply),
                "{line}\n--- the page\n{reply}\n--- the console\n{said}"
            );
            played += 1;
        }
    }
    assert!(played > 40, "{played}");
}

/// Whether a text is another in which lines `...` stand for any number of lines.
fn is_like(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (&format!("\n{text}"), format!("\n{pattern}"));
    let pieces: Vec<&str> = pattern.split("\n...\n").collect();
    let [first, middle @ .., last] = &pieces[..] else { return *text == pattern };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    for piece in middle {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn it_has_every_command_with_its_usage() {
    let headings: Vec<&str> = PAGE.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let usages = COMMANDS.iter().map(|spec| format!("{} {}", spec.name, spec.arguments));
    let usages: Vec<String> = usages.map(|usage| usage.trim().to_string()).collect();
    for (spec, usage) in COMMANDS.iter().zip(&usages) {
        let heading =
            headings.iter().find(|heading| heading.split(" and ").any(|part| part == usage));
        let heading = heading.unwrap_or_else(|| panic!("{usage} is missing"));
        let (_, section) = PAGE.split_once(&format!("### {heading}\n")).unwrap();
        let section = section.split("\n### ").next().unwrap();
        let says_locked = section.starts_with("\nNot while locked.");
        assert_eq!(!spec.while_locked, says_locked, "{usage}");
    }
    for heading in headings.iter().flat_map(|heading| heading.split(" and ")) {
        assert!(
            heading == "The board's own" || usages.iter().any(|usage| usage == heading),
            "{heading}"
        );
    }
}

#[test]
fn it_has_every_topic_the_device_publishes_itself() {
    let (_, section) = PAGE.split_once("## What the device publishes").unwrap();
    let code = include_str!("../../src/device/sys_topics.rs");
    let names = code.split("publish(core, \"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let missing: Vec<&str> = names.filter(|name| !section.contains(&format!("{name}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// What is printed by the files that answer: each text between the places where something is put in
/// is on the page.
#[test]
fn it_has_every_text_of_an_answer() {
    let page = PAGE.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut texts = 0;
    for source in [
        include_str!("../../src/console/command.rs"),
        include_str!("../../src/console/execute.rs"),
        include_str!("../../src/console/session.rs"),
        include_str!("../../src/device/uploads.rs"),
        include_str!("../../src/settings/capability.rs"),
        include_str!("../../src/settings/error.rs"),
        include_str!("../../src/storage/mod.rs"),
        include_str!("../../src/upload/check.rs"),
        include_str!("../../src/upload/push.rs"),
        include_str!("../../src/upload/signature.rs"),
    ] {
        let code = source.split("#[cfg(test)]").next().unwrap();
        for text in literals(code).iter().filter(|text| is_prose(text)) {
            for part in text.split(['{', '}']).step_by(2) {
                let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(page.contains(&part), "{text:?} is not on the page: {part:?}");
            }
            texts += 1;
        }
    }
    assert!(texts > 70, "{texts}");
}

/// The string literals of a source, comments left out, with a line that goes on joined to the one
/// before.
fn literals(code: &str) -> Vec<String> {
    let code: String = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| line.split(" // ").next().unwrap().to_owned() + "\n")
        .collect();
    let code = code.replace("b'\"'", "").replace("'\"'", "");
    let mut found = Vec::new();
    let mut rest = code.as_str();
    while let Some(start) = rest.find('"') {
        let mut text = String::new();
        let mut chars = rest[start + 1..].char_indices();
        let mut end = rest.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    end = start + at + 2;
                    break;
                }
                '\\' => match chars.next() {
                    Some((_, '\n')) => text.push(' '),
                    Some((_, 'r' | 'n')) => text.push('\n'),
                    Some((_, c)) => text.push(c),
                    None => {}
                },
                c => text.push(c),
            }
        }
        found.push(text);
        rest = &rest[end..];
    }
    found
}

/// More than a word: something that is said.
fn is_prose(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 1);
    words.count() >= 3
}
