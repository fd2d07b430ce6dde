//! What several test files share.
#![allow(dead_code, unused_macros)]

pub(crate) mod scripts;

use umqtt_lang::diagnostic::{Diagnostic, Severity, position};

/// One test for each script, named after what is wrong with it: a snapshot of what `told` says.
macro_rules! snapshots {
    ($($name:ident: $source:expr;)*) => {
        $(#[test]
        fn $name() {
            insta::assert_snapshot!(told($source));
        })*
    };
}

/// The script that a line of `mistakes/*.txt` is: ` // ` ends its lines, and what is no statement
/// stands in a handler.
pub(crate) fn mistake(line: &str) -> String {
    let body = line.replace(" // ", "\n");
    match ["on ", "config ", "const ", "sub "].iter().any(|word| body.starts_with(word)) {
        true => body,
        false => format!("on init do\n{body}"),
    }
}

/// A script with the fixes that `check` finds for it applied one after the other, `rounds` of them
/// at most.
pub(crate) fn fixed(
    source: &str,
    rounds: usize,
    check: impl Fn(&str) -> Vec<Diagnostic>,
) -> String {
    let mut source = source.to_string();
    for _ in 0..rounds {
        let found = check(&source);
        let Some(fix) = found.iter().find_map(|told| told.fix.as_ref()) else { break };
        for edit in fix.edits.iter().rev() {
            let text = std::str::from_utf8(&edit.text).expect("text");
            source.replace_range(edit.span.start as usize..edit.span.end as usize, text);
        }
    }
    source
}

/// A source and what is told about it, as a user sees it.
pub(crate) fn render(source: &str, diagnostics: &[Diagnostic]) -> String {
    let mut text = String::from(source.trim_end());
    text.push('\n');
    for told in diagnostics {
        text.push('\n');
        let severity = match told.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        text.push_str(&format!("{severity}[{}]: {}\n", told.code, told.message));
        text.push_str(&pointer(source, told.span.start, told.span.end, '^', ""));
        for (span, words) in &told.related {
            text.push_str(&pointer(source, span.start, span.end, '-', words));
        }
        if let Some(help) = &told.help {
            text.push_str(&format!("help: {help}\n"));
        }
        if let Some(fix) = &told.fix {
            text.push_str(&format!("fix: {}\n", fix.title));
            for edit in &fix.edits {
                let old = String::from_utf8_lossy(edit.span.of(source.as_bytes()));
                let new = String::from_utf8_lossy(&edit.text);
                text.push_str(&format!("  `{old}` -> `{new}`\n"));
            }
        }
    }
    text
}

/// The line of a span, and marks below the part of the span that is on it.
fn pointer(source: &str, start: u32, end: u32, mark: char, words: &str) -> String {
    let (line, column) = position(source.as_bytes(), start as usize);
    let text = source.lines().nth(line as usize - 1).unwrap_or_default();
    let visible = (text.chars().count() + 1).saturating_sub(column as usize);
    let covered = String::from_utf8_lossy(&source.as_bytes()[start as usize..end as usize]);
    let width = covered.chars().count().min(visible).max(1);
    let marks = mark.to_string().repeat(width);
    let blanks: String = text
        .chars()
        .take(column as usize - 1)
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    let tail = if words.is_empty() { String::new() } else { format!(" {words}") };
    format!("{line:4} | {text}\n     | {blanks}{marks}{tail}\n")
}
