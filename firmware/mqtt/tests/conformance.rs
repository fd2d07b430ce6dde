//! `docs/conformance.md` and the tests say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const DOCUMENT: &str = include_str!("../docs/conformance.md");

/// The numbered statements of MQTT 3.1.1, appendix B: of each section, how many.
const STATEMENTS: [(&str, u32); 39] = [
    ("1.5.3", 3),
    ("2.2.2", 2),
    ("2.3.1", 7),
    ("3.1.0", 2),
    ("3.1.2", 24),
    ("3.1.3", 11),
    ("3.1.4", 5),
    ("3.2.0", 1),
    ("3.2.2", 6),
    ("3.3.1", 12),
    ("3.3.2", 3),
    ("3.3.4", 1),
    ("3.3.5", 2),
    ("3.6.1", 1),
    ("3.8.1", 1),
    ("3.8.3", 4),
    ("3.8.4", 6),
    ("3.9.3", 2),
    ("3.10.1", 1),
    ("3.10.3", 2),
    ("3.10.4", 6),
    ("3.12.4", 1),
    ("3.14.1", 1),
    ("3.14.4", 3),
    ("4.1.0", 2),
    ("4.3.1", 1),
    ("4.3.2", 2),
    ("4.3.3", 2),
    ("4.4.0", 1),
    ("4.5.0", 2),
    ("4.6.0", 6),
    ("4.7.1", 3),
    ("4.7.2", 1),
    ("4.7.3", 4),
    ("4.8.0", 2),
    ("6.0.0", 4),
    ("7.0.0", 2),
    ("7.1.1", 1),
    ("7.1.2", 1),
];

/// Tests elsewhere that show statements, named by path and function.
const ELSEWHERE: [&str; 4] = [
    "examples/embed_broker/tests/talk.rs",
    "firmware/boards/host/tests/device.rs",
    "umqttc/tests/real_remote.rs",
    "umqttc/tests/real_tools.rs",
];

/// Files whose tests show the client, not the broker.
const CLIENT: [&str; 2] = ["client::", "client_rules::"];

#[derive(Debug)]
struct Row {
    id: &'static str,
    bound: &'static str,
    tests: Vec<&'static str>,
}

/// What stands in backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn rows() -> Vec<Row> {
    let table = DOCUMENT.split_once("<!-- table -->").expect("a table").1;
    let table = table.split_once("<!-- end of table -->").expect("its end").0;
    let lines = table.lines().filter(|line| line.starts_with('|')).skip(2);
    let row = |line: &'static str| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, summary, bound, shown] = cells[..] else { panic!("not four cells: {line}") };
        assert!(!summary.is_empty() && !shown.is_empty(), "{line}");
        let id =
            id.strip_prefix('[').and_then(|id| id.strip_suffix(']')).expect("an id in brackets");
        Row { id, bound, tests: quoted(shown).collect() }
    };
    lines.map(row).collect()
}

/// The tests of a source, each with the text of its documentation.
fn tests_in(source: &str) -> Vec<(String, String)> {
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    let tests = lines.iter().enumerate().filter(|(_, line)| **line == "#[test]");
    let test = |(at, _): (usize, &&str)| {
        let function =
            lines[at..].iter().find_map(|line| line.strip_prefix("fn ")).expect("a function");
        let name = function.split('(').next().unwrap_or_default().to_owned();
        let above = lines[..at].iter().rev();
        let mut doc: Vec<_> = above.map_while(|line| line.strip_prefix("///")).collect();
        doc.reverse();
        (name, doc.concat())
    };
    tests.map(test).collect()
}

/// All tests by their names in the document, with the statements they say they show.
fn tests() -> BTreeMap<String, BTreeSet<String>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for entry in fs::read_dir(here.join("tests")).expect("the folder of this file") {
        let path = entry.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
            sources.push((stem, path));
        }
    }
    for path in ELSEWHERE {
        sources.push((path.to_owned(), here.join("../..").join(path)));
    }
    let mut tests = BTreeMap::new();
    for (file, path) in sources {
        let source = fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path:?}: {why}"));
        for (name, doc) in tests_in(&source) {
            let ids = doc.split("[MQTT-").skip(1).filter_map(|rest| rest.split(']').next());
            let ids = ids.map(|id| format!("MQTT-{id}")).collect();
            tests.insert(format!("{file}::{name}"), ids);
        }
    }
    assert!(tests.len() > 150, "only {} tests were found", tests.len());
    tests
}

#[test]
fn the_table_lists_every_statement_once_and_in_order() {
    let listed: Vec<_> = rows().iter().map(|row| row.id.to_owned()).collect();
    let of_section = |(section, count): (&str, u32)| {
        (1..=count).map(move |n| format!("MQTT-{section}-{n}")).collect::<Vec<_>>()
    };
    let wanted = STATEMENTS.map(of_section).concat();
    assert_eq!(wanted.len(), 141);
    assert_eq!(listed, wanted);
}

#[test]
fn every_statement_is_shown_by_tests_that_exist() {
    let tests = tests();
    for Row { id, bound, tests: shown } in rows() {
        for test in &shown {
            assert!(tests.contains_key(*test), "{id}: there is no {test}");
        }
        let of_client = |test: &&str| CLIENT.iter().any(|file| test.starts_with(file));
        match bound {
            "server" | "both" => {
                assert!(!shown.iter().all(of_client), "{id}: no test shows it of the broker");
            }
            "client" => assert!(!shown.is_empty(), "{id}: no test"),
            "none" => assert!(shown.is_empty(), "{id}: a test though nobody is bound"),
            _ => panic!("{id}: who is {bound:?}?"),
        }
    }
}

/// Both directions at once: the table names a test exactly where the test names the statement.
#[test]
fn tests_and_table_name_each_other() {
    let pairs = |id: &str, test: &str| format!("{id} by {test}");
    let in_table: BTreeSet<_> = rows()
        .iter()
        .flat_map(|row| row.tests.iter().map(|test| pairs(row.id, test)).collect::<Vec<_>>())
        .collect();
    let in_tests: BTreeSet<_> = tests()
        .iter()
        .flat_map(|(test, ids)| ids.iter().map(|id| pairs(id, test)).collect::<Vec<_>>())
        .collect();
    let only =
        |here: &BTreeSet<String>, there| -> Vec<_> { here.difference(there).cloned().collect() };
    assert_eq!(only(&in_table, &in_tests), [""; 0], "only the table says so");
    assert_eq!(only(&in_tests, &in_table), [""; 0], "only the test says so");
}

#[test]
fn tests_named_in_the_text_exist() {
    let text = DOCUMENT.split_once("<!-- table -->").expect("a table").0;
    let tests = tests();
    let names: Vec<_> = quoted(text)
        .filter(|name| name.contains("::") && name.starts_with(|c: char| c.is_lowercase()))
        .filter(|name| *name != "umqtt_mqtt::client" && *name != "file::name")
        .collect();
    assert!(names.len() > 8);
    for name in names {
        assert!(tests.contains_key(name), "there is no {name}");
    }
}
