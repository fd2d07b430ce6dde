//! The files for editors in `editors/`, held against the tables of words: a new word of the
//! language cannot be forgotten there.

use std::collections::BTreeSet;

use serde_json::Value;
use umqtt_lang::roles::{Role, vocabulary};
use umqtt_vm::Profile;

use crate::script_test::step_words;

const GRAMMAR: &str = include_str!("../editors/vscode/syntaxes/umqtt.tmLanguage.json");
const TEST_GRAMMAR: &str = include_str!("../editors/vscode/syntaxes/umqtt-test.tmLanguage.json");
const SNIPPETS: &str = include_str!("../editors/vscode/snippets/umqtt.json");
const TEST_SNIPPETS: &str = include_str!("../editors/vscode/snippets/umqtt-test.json");
const PACKAGE: &str = include_str!("../editors/vscode/package.json");

/// The words of every list `(a|b|c)` in the patterns below a part of a grammar.
fn lists(part: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    match part {
        Value::Object(map) => map.values().for_each(|value| found.extend(lists(value))),
        Value::Array(all) => all.iter().for_each(|value| found.extend(lists(value))),
        Value::String(pattern) => {
            for group in pattern.split('(').skip(1) {
                let list = group.split(')').next().unwrap_or_default();
                let words: Vec<&str> = list.split('|').collect();
                let is_word = |word: &&str| {
                    word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
                };
                if words.iter().all(is_word) {
                    found.extend(words.iter().map(|word| (*word).to_owned()));
                }
            }
        }
        _ => {}
    }
    found.remove("");
    found
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Every word of the compiler's tables is in the grammar, where it belongs, and no other.
#[test]
fn the_grammar_has_every_word() {
    let grammar = json(GRAMMAR);
    let rules = &grammar["repository"];
    let of = |wanted: fn(&Role) -> bool| -> BTreeSet<String> {
        let words = vocabulary().filter(|(_, role)| wanted(role));
        words.map(|(word, _)| word.trim_start_matches('$').to_owned()).collect()
    };
    let keywords: BTreeSet<String> = ["statements", "control", "modifiers"]
        .iter()
        .flat_map(|rule| lists(&rules[*rule]))
        .collect();
    let events = of(|role| matches!(role, Role::Event));
    let mut wanted = of(|role| matches!(role, Role::Keyword));
    wanted.extend(events);
    assert_eq!(keywords, wanted);
    assert_eq!(lists(&rules["actions"]), of(|role| matches!(role, Role::Action(_))));
    assert_eq!(lists(&rules["functions"]), of(|role| matches!(role, Role::Function(_))));
    assert_eq!(lists(&rules["variables"]), of(|role| matches!(role, Role::Special(_))));
    let operators = of(|role| matches!(role, Role::Operator));
    assert_eq!(lists(&rules["operators"]), operators);
}

/// Every word that begins a line of a test is in its grammar, and no other.
#[test]
fn the_grammar_of_tests_has_every_word() {
    let grammar = json(TEST_GRAMMAR);
    let patterns = grammar["patterns"].as_array().expect("patterns");
    let begin: BTreeSet<String> = patterns
        .iter()
        .filter(|it| it["match"].as_str().is_some_and(|pattern| pattern.starts_with('^')))
        .flat_map(lists)
        .collect();
    assert_eq!(begin, step_words().map(str::to_owned).collect());
}

/// A snippet as it stands in the text at first: each place with what is proposed for it.
fn filled_in(body: &str) -> String {
    let mut out = String::new();
    let mut rest = body;
    while let Some(at) = rest.find(['$', '\\', '}']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let len = if let Some(escaped) = rest.strip_prefix('\\') {
            out.extend(escaped.chars().next());
            2
        } else if rest.starts_with("${") {
            match rest.find([':', '|', '}']) {
                // The first of those to choose from.
                Some(bar) if rest.as_bytes()[bar] == b'|' => {
                    let choices = &rest[bar + 1..];
                    out.push_str(choices.split([',', '|']).next().unwrap_or_default());
                    bar + 1 + choices.find("|}").map_or(choices.len(), |end| end + 2)
                }
                // What is proposed may have places itself.
                Some(colon) => colon + 1,
                None => rest.len(),
            }
        } else if rest.starts_with('}') {
            1
        } else {
            2
        };
        rest = rest.get(len..).unwrap_or_default();
    }
    out + rest
}

fn snippets(text: &str) -> Vec<(String, String)> {
    let snippets = json(text);
    let all = snippets.as_object().expect("snippets").iter().map(|(name, snippet)| {
        let lines = snippet["body"].as_array().expect("lines").iter();
        let lines: Vec<&str> = lines.map(|line| line.as_str().expect("a line")).collect();
        (name.clone(), filled_in(&lines.join("\n")))
    });
    all.collect()
}

#[test]
fn what_snippets_write_is_right() {
    for (name, text) in snippets(SNIPPETS) {
        let is_statement =
            ["on ", "sub ", "const ", "config "].iter().any(|it| text.starts_with(it));
        let text = if is_statement { text } else { format!("on init do\n{text}\n") };
        let errors = umqtt_lang::parse(text.as_bytes(), &Profile::DESKTOP).errors;
        assert!(errors.is_empty(), "{name}: {errors:?}\n{text}");
        assert!(!text.contains(['{', '}']), "{name}: {text}");
    }
    let test = "use relay.script\ntest \"a\"\n    start\n";
    for (name, text) in snippets(TEST_SNIPPETS) {
        let is_whole = text.starts_with("use") || text.starts_with("test");
        let text = match is_whole {
            true if text.starts_with("test") => format!("use relay.script\n{text}\n"),
            // A name that the editor puts in.
            true => text.replace("TM_FILENAME_BASE:", "") + "\ntest \"a\"\n    start\n",
            false => format!("{test}{text}\n"),
        };
        let (_, problems) = crate::script_test::read(text.as_bytes());
        assert!(problems.is_empty(), "{name}: {problems:?}\n{text}");
    }
}

#[test]
fn the_extension_offers_every_profile() {
    let package = json(PACKAGE);
    let profiles = &package["contributes"]["configuration"]["properties"]["umqttc.profile"]["enum"];
    let offered: BTreeSet<&str> =
        profiles.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert_eq!(offered, Profile::ALL.iter().map(|profile| profile.name).collect());
    assert_eq!(package["version"], env!("CARGO_PKG_VERSION"));
}
