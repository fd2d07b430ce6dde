//! `docs/abuse.md` says what is so.

use std::collections::BTreeSet;

use umqtt_mqtt::{Limits, Stats};

const TABLE: &str = include_str!("../docs/abuse.md");
/// The test files whose tests the table lists.
const TESTS: [(&str, &str); 4] = [
    ("abuse_connections", include_str!("abuse_connections.rs")),
    ("abuse_memory", include_str!("abuse_memory.rs")),
    ("abuse_packets", include_str!("abuse_packets.rs")),
    ("abuse_subscriptions", include_str!("abuse_subscriptions.rs")),
];

/// The cells of the tables below a heading, without their heads.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = TABLE.split_once(&format!("\n## {heading}\n")).expect(heading);
    let section = section.split("\n## ").next().unwrap_or_default();
    let lines = section.lines().filter(|line| line.starts_with('|')).skip(2);
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// The words in backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Name and value of each field.
fn fields(debug: &str) -> Vec<(String, String)> {
    let inside = debug.split_once('{').expect("a struct").1.trim_end_matches(['}', ' ']);
    let pairs = inside.split(',').filter_map(|field| field.split_once(':'));
    pairs.map(|(name, value)| (name.trim().into(), value.trim().into())).collect()
}

fn abuses() -> Vec<Vec<&'static str>> {
    ["Connections", "Packets", "Subscriptions and retained messages", "Memory"].map(rows).concat()
}

#[test]
fn the_tests_it_names_are_those_there_are() {
    let named: BTreeSet<_> =
        abuses().iter().flat_map(|row| quoted(row[3])).map(String::from).collect();
    let mut found = BTreeSet::new();
    for (file, source) in TESTS {
        for after in source.split("#[test]\nfn ").skip(1) {
            found.insert(format!("{file}::{}", after.split('(').next().unwrap_or_default()));
        }
    }
    assert!(found.len() > 30);
    let differ: Vec<_> = named.symmetric_difference(&found).collect();
    assert_eq!(differ, Vec::<&String>::new(), "not both here and there");
    assert!(abuses().iter().all(|row| row.len() == 4 && quoted(row[3]).count() > 0));
}

#[test]
fn the_limits_it_names_have_the_values_it_says() {
    let [small, desktop] =
        [Limits::SMALL, Limits::DESKTOP].map(|limits| fields(&format!("{limits:?}")));
    let values = rows("Values");
    let mut listed = BTreeSet::new();
    for row in &values {
        let name = quoted(row[0]).next().expect("a name");
        let value = |of: &[(String, String)]| {
            of.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone())
        };
        assert_eq!(Some(row[1].to_string()), value(&small), "{name}");
        assert_eq!(Some(row[2].to_string()), value(&desktop), "{name}");
        listed.insert(name);
    }
    let is_field = |word: &&str| small.iter().any(|(field, _)| field == word);
    let named: BTreeSet<_> =
        abuses().iter().flat_map(|row| quoted(row[1])).filter(is_field).collect();
    assert_eq!(named, listed, "the limits named in the tables are those whose values are listed");
    for unknown in abuses().iter().flat_map(|row| quoted(row[1])).filter(|word| !is_field(word)) {
        assert!(
            ["ENDS_AT_ONCE", "SCANS_PER_MILLI", "Hooks::on_auth"].contains(&unknown),
            "{unknown}"
        );
    }
}

#[test]
fn the_constants_it_names_have_the_values_it_says() {
    let source = include_str!("../src/broker/timers.rs");
    for constant in ["const ENDS_AT_ONCE: usize = 32;", "const SCANS_PER_MILLI: usize = 4096;"] {
        assert!(source.contains(constant), "{constant}");
    }
    assert!(TABLE.contains("`ENDS_AT_ONCE` is 32, `SCANS_PER_MILLI` 4096."));
}

#[test]
fn the_counters_it_names_exist() {
    let counters = fields(&format!("{:?}", Stats::default()));
    assert!(abuses().iter().all(|row| quoted(row[2]).count() > 0), "each has one");
    let lines = rows("What `show mqtt` says");
    assert_eq!(lines.len(), 4);
    let named = abuses().into_iter().map(|row| row[2]).chain(lines.iter().map(|row| row[1]));
    for name in named.flat_map(quoted) {
        assert!(counters.iter().any(|(counter, _)| counter == name), "{name}");
    }
}
