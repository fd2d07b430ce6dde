//! The pages of the diagnostics: each has a wrong example that gives just its code, and right ones
//! that give none.

use super::common::SerialTable;
use umqtt_lang::diagnostic::{Code, explain};
use umqtt_lang::{EmitOptions, compile, lint::lint, lint::pedantic, parse};
use umqtt_vm::Profile;

/// An example and the words behind its fence.
struct Example<'p> {
    is_wrong: bool,
    profile: Profile,
    script: &'p str,
    page: &'p str,
}

fn examples(page: &'static str) -> Vec<Example<'static>> {
    let mut found = Vec::new();
    // Text and fenced blocks alternate.
    for block in page.split("```").skip(1).step_by(2) {
        let (words, script) = block.split_once('\n').expect("a fence ends its line");
        let mut words = words.split(' ');
        assert_eq!(words.next(), Some("script"), "{page}");
        let is_wrong = match words.next() {
            Some("wrong") => true,
            Some("right") => false,
            other => panic!("{other:?} in {page}"),
        };
        let mut profile = Profile::ESP8266;
        for limit in words {
            let (name, value) = limit.split_once('=').expect("name=value");
            let value: usize = value.parse().expect("a number");
            match name {
                "nesting" => profile.nesting = value,
                "temporaries" => profile.temporaries = value,
                "source" => profile.source = value,
                "variables" => profile.variables = value,
                "value" => profile.value = value,
                "image" => profile.image = value,
                "pwm_channels" => profile.pwm_channels = value as u8,
                _ => panic!("no limit {name}"),
            }
        }
        found.push(Example { is_wrong, profile, script, page });
    }
    found
}

/// What is told about a script: its errors, or its warnings if it compiles.
fn told(example: &Example<'_>) -> Vec<Code> {
    let source = example.script.as_bytes();
    let options = EmitOptions::new();
    let found = match compile(source, &example.profile, options) {
        Err(errors) => errors,
        Ok(_) => {
            let script = parse(source, &example.profile).statements;
            let mut found = lint(source, &script, &example.profile, &SerialTable);
            // Hints are for who asks for them: examples of others may have one.
            if found.is_empty()
                && ["## W0042", "## W0043", "## W0044"]
                    .iter()
                    .any(|page| example.page.starts_with(page))
            {
                found = pedantic(source, &script);
            }
            found
        }
    };
    found.iter().map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn every_code_has_a_page_whose_examples_hold() {
    for &code in Code::ALL {
        let page = explain(code);
        let heading = format!("## {code}: {}\n", code.title());
        assert!(page.starts_with(&heading), "{code}: {page}");
        assert_eq!(page.matches("\n## ").count(), 0, "{code}");
        let examples = examples(page);
        assert!(examples.iter().any(|example| example.is_wrong), "{code}");
        assert!(examples.iter().any(|example| !example.is_wrong), "{code}");
        for example in &examples {
            let expected = if example.is_wrong { vec![code] } else { vec![] };
            assert_eq!(told(example), expected, "{code}\n{}", example.script);
        }
    }
}
