//! Names and words over the scripts to start from: what is said of one place holds of the others.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use umqtt_lang::roles::{Role, roles};
use umqtt_lang::umqtt_vm::Profile;
use umqtt_lang::{EmitOptions, compile};

use crate::client::{Client, uri};
use crate::samples;
use crate::text::{edited, position};

const PROFILE: Profile = Profile::DESKTOP;

fn image(text: &str) -> Vec<u8> {
    let image: Result<Vec<u8>, _> = compile(text.as_bytes(), &PROFILE, EmitOptions::default());
    image.unwrap_or_else(|errors| panic!("{errors:?}\n{text}"))
}

/// Every place of a name leads to the same places; where a topic is handled, what leads there is.
#[test]
fn definitions_and_references_lead_to_each_other() {
    let all = samples();
    let folder = all[0].0.parent().expect("a folder");
    let mut client = Client::start(Some(folder));
    let mut seen = 0;
    for (path, text) in &all {
        let uri = uri(path);
        client.open(&uri, text);
        let mut found = std::collections::BTreeMap::new();
        for word in roles(text.as_bytes(), &PROFILE) {
            let is_topic = word.role == Role::Topic;
            let is_name = matches!(word.role, Role::Variable(_) | Role::Sub(_) | Role::Flash(_));
            if !is_topic && !is_name {
                continue;
            }
            let place = position(text, word.span.start as usize);
            let mut params = json!({ "textDocument": { "uri": uri }, "position": place });
            let definition = client.request("textDocument/definition", params.clone());
            params["context"] = json!({ "includeDeclaration": true });
            let references = client.request("textDocument/references", params);
            let set = |value: &Value| -> BTreeSet<String> {
                value.as_array().into_iter().flatten().map(Value::to_string).collect()
            };
            let (definition, references) = (set(&definition), set(&references));
            assert!(definition.is_subset(&references), "{uri} {place}");
            let own = references.iter().any(|it| it.contains(&place.to_string()));
            // A topic that is put together of parts is one place.
            assert!(own || is_topic, "{uri} {place}: {references:?}");
            if is_name {
                // What a script only reads may be in the flash.
                let is_flash = matches!(word.role, Role::Flash(_));
                assert!(!definition.is_empty() || is_flash, "{uri} {place}");
                found.insert(place.to_string(), references);
            }
            seen += 1;
        }
        for references in found.values() {
            for other in references {
                let other: Value = serde_json::from_str(other).expect("JSON");
                let start = other["range"]["start"].to_string();
                assert_eq!(found.get(&start), Some(references), "{uri} {start}");
            }
        }
    }
    assert!(seen > 300, "{seen}");
    assert_eq!(client.leave(), 0);
}

/// Another name for a variable, a constant or a sub changes nothing of what the script does.
#[test]
fn a_script_with_other_names_is_the_same_image() {
    let mut client = Client::start(None);
    let mut renamed = 0;
    for (path, text) in samples() {
        let uri = uri(&path);
        client.open(&uri, &text);
        let before = image(&text);
        let mut done = BTreeSet::new();
        for word in roles(text.as_bytes(), &PROFILE) {
            let name = String::from_utf8_lossy(word.span.of(text.as_bytes())).into_owned();
            if !matches!(word.role, Role::Variable(_) | Role::Sub(_)) || !done.insert(name.clone())
            {
                continue;
            }
            let place = position(&text, word.span.start as usize);
            let params = json!({
                "textDocument": { "uri": uri }, "position": place, "newName": "renamed_by_a_test",
            });
            let edit = client.request("textDocument/rename", params);
            let after = edited(&text, &edit["documentChanges"][0]["edits"]);
            assert_ne!(after, text);
            assert_eq!(image(&after), before, "{name} of {}", path.display());
            renamed += 1;
        }
    }
    assert!(renamed > 50, "{renamed}");
    assert_eq!(client.leave(), 0);
}

/// How many words the parser does not take, in a script that may end anywhere.
fn refused(text: &str) -> usize {
    use umqtt_lang::diagnostic::Code;
    let wrong = |code: Code| matches!(code, Code::UnexpectedWord | Code::ReservedWord);
    let errors = umqtt_lang::parse(text.as_bytes(), &PROFILE).errors;
    errors.iter().filter(|error| wrong(error.code)).count()
}

/// Whatever is proposed is taken by the compiler at its place, written behind what is there.
#[test]
fn every_completion_fits() {
    let mut client = Client::start(None);
    let uri = "file:///a.script";
    client.open(uri, "");
    let (mut version, mut tried) = (1, 0);
    for (path, text) in samples() {
        let words = roles(text.as_bytes(), &PROFILE);
        // A part of them, others in each script.
        for word in words.iter().skip(tried % 5).step_by(9) {
            if matches!(word.role, Role::Comment) {
                continue;
            }
            // With its first letter typed, if it is a word that has one.
            let start = word.span.start as usize;
            let is_word = text.as_bytes()[start].is_ascii_alphabetic();
            let before = &text[..start + usize::from(is_word && tried % 2 == 0)];
            version += 1;
            client.change(uri, version, json!([{ "text": before }]));
            let place = position(before, before.len());
            let params = json!({ "textDocument": { "uri": uri }, "position": place });
            let items = client.request("textDocument/completion", params);
            let without = refused(&text[..start]);
            for item in items.as_array().expect("items") {
                let edit = &item["textEdit"];
                let after = edited(before, &json!([edit]));
                assert!(refused(&after) <= without, "{}:{start}: {item}", path.display());
                tried += 1;
            }
        }
    }
    assert!(tried > 3000, "{tried}");
    assert_eq!(client.leave(), 0);
}
