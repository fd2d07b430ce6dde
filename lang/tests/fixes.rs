//! Fixes, each on its own: where one has written there is no error that was not there before. Of
//! the mistakes in `mistakes/*.txt`, and of the scripts that beginners write.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use umqtt_lang::advice::advise;
use umqtt_lang::diagnostic::{Diagnostic, Fix, Severity};
use umqtt_lang::lint::NoConfig;
use umqtt_lang::{Analysis, EmitOptions};
use umqtt_vm::Profile;

/// Errors with their advice, and warnings, as `umqttc check` has them.
fn check(source: &[u8]) -> Vec<Diagnostic> {
    let analysis = Analysis::new(source, &Profile::ESP8266, EmitOptions::new());
    let mut found = analysis.errors().to_vec();
    advise(source, &mut found);
    found.extend(analysis.warnings(&NoConfig));
    found
}

fn errors(found: &[Diagnostic]) -> impl Iterator<Item = &Diagnostic> {
    found.iter().filter(|told| told.severity() == Severity::Error)
}

/// The text with a fix applied, and what it wrote: from where to where.
fn applied(source: &[u8], fix: &Fix) -> (Vec<u8>, Vec<(u32, u32)>) {
    let mut text = source.to_vec();
    for edit in fix.edits.iter().rev() {
        text.splice(edit.span.start as usize..edit.span.end as usize, edit.text.iter().copied());
    }
    let mut moved = 0i64;
    let mut places = Vec::new();
    for edit in &fix.edits {
        let start = i64::from(edit.span.start) + moved;
        let end = start + edit.text.len() as i64;
        moved += edit.text.len() as i64 - edit.span.len() as i64;
        places.push((start as u32, end as u32));
    }
    (text, places)
}

/// What is wrong with a fix of this script, and all that follow from it.
fn wrong_fixes(name: &str, source: &[u8], wrong: &mut Vec<String>, count: &mut usize) {
    let found = check(source);
    for told in &found {
        let Some(fix) = &told.fix else { continue };
        *count += 1;
        let (text, places) = applied(source, fix);
        let after = check(&text);
        // What was told of before, or hidden by an error further up, is not of the fix's making.
        let told_before = |error: &Diagnostic| {
            errors(&found).any(|told| (told.code, &told.message) == (error.code, &error.message))
        };
        let at_place = errors(&after).find(|error| {
            let touches =
                |&(start, end): &(u32, u32)| error.span.start <= end && error.span.end >= start;
            places.iter().any(touches) && !told_before(error)
        });
        if let Some(error) = at_place {
            let line = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
            wrong.push(format!(
                "{name}: {} {}\n{}: now {} {} in\n{}",
                told.code,
                told.message,
                fix.title,
                error.code,
                error.message,
                line(&text)
            ));
        }
    }
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("it").path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|it| it == extension)).collect();
    files.sort();
    files
}

#[test]
fn no_fix_brings_an_error() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for path in files("tests/mistakes", "txt") {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let lines = fs::read_to_string(&path).expect("the mistakes");
        for line in lines.lines().filter(|line| !line.is_empty()) {
            wrong_fixes(&name, common::mistake(line).as_bytes(), &mut wrong, &mut count);
        }
    }
    for path in files("../umqttc/tests/beginners", "script") {
        let source = fs::read(&path).expect("the script");
        wrong_fixes(&path.display().to_string(), &source, &mut wrong, &mut count);
    }
    assert!(count > 200, "only {count} fixes");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n----\n"));
}

/// Advice looks at words before and behind an error: there may be none, wherever a script ends.
#[test]
fn what_ends_anywhere_is_told_of() {
    for path in files("tests/mistakes", "txt") {
        let lines = fs::read_to_string(&path).expect("the mistakes");
        for line in lines.lines().filter(|line| !line.is_empty()) {
            let script = common::mistake(line);
            for end in 0..=script.len() {
                let text = &script.as_bytes()[..end];
                for fix in check(text).iter().filter_map(|told| told.fix.as_ref()) {
                    applied(text, fix);
                }
            }
        }
    }
}
