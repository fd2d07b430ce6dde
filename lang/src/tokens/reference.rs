//! The language's reference, `docs/language.md`, held against the tables of words. Its examples are
//! run by the device's tests.

use alloc::collections::BTreeSet;
use alloc::string::String;

use super::{Token, functions, keywords};

/// The language's reference names every word, and none that there is not.
#[test]
fn the_reference_has_every_word() {
    let page = include_str!("../../docs/language.md");
    let section = |from: &str, to: &str| {
        let (_, rest) = page.split_once(from).expect("the section is there");
        rest.split_once(to).expect("it ends").0
    };
    let words = |text: &'static str, mark: char| -> BTreeSet<&str> {
        text.split(mark).skip(1).step_by(2).collect()
    };
    let names = |text: &'static str, end: char| -> BTreeSet<&str> {
        let rows = text.lines().filter_map(|row| row.strip_prefix("| `"));
        rows.filter_map(|row| row.split(end).next()).collect()
    };
    fn table(table: impl Iterator<Item = (&'static str, Token)>) -> BTreeSet<&'static str> {
        table.map(|(word, _)| word).collect()
    }

    let grammar = words(section("```grammar\n", "```"), '"');
    let placeholders = ["#", "(", ")", "$name", ",", "=", "@N"];
    // A keyword by what follows it.
    let by_place = ["const", "sub"];
    let operators = names(section("### Operators", "| expression"), '`');
    let signs = ["+", "-", "*", "=", ">", "\\|"];
    let written: BTreeSet<&str> =
        grammar.union(&operators).copied().filter(|word| !placeholders.contains(word)).collect();
    let written: BTreeSet<&str> =
        written.into_iter().filter(|word| !signs.contains(word)).collect();
    let keywords_written = table(keywords()).into_iter().chain(by_place).collect();
    assert_eq!(written, keywords_written);
    assert!(signs.iter().all(|sign| operators.contains(sign)));

    let reserved: BTreeSet<&str> = words(section("These words are reserved:", "Where a"), '`');
    let known = keywords().filter(|(_, token)| token.is_reserved());
    assert_eq!(reserved, table(known));

    let events = section("### Events", "FILTER may be");
    let actions = section("### Actions", "```script");
    for row in events.lines().chain(actions.lines()).filter_map(|row| row.strip_prefix("| `")) {
        let word = row.split([' ', '`']).next();
        assert!(keywords().any(|(keyword, _)| Some(keyword) == word), "{row}");
    }
    for (word, token) in keywords() {
        let row = |text: &str| text.contains(&[&String::from("| `"), word].concat());
        assert!(!token.starts_event() || row(events), "{word}");
        assert!(!token.starts_action() || row(actions) || word == "unsubscribe", "{word}");
    }

    assert_eq!(table(functions()), names(section("### Functions", "START, LEN and"), '('));
    let specials = words(section("### Special", "Outside its"), '`');
    let specials = specials.into_iter().filter(|word| word.starts_with('$')).collect();
    assert_eq!(BTreeSet::from_iter(super::specials()), specials);
}
