//! What the compiler warns of in a script that was taken, for boards with room for the linter.

use alloc::string::String;
use core::fmt::Write;

use umqtt_lang::diagnostic::position;
use umqtt_lang::{lint, parse};
use umqtt_vm::Profile;

use crate::settings::lint::Parameters;

/// Warnings that are listed.
const MAX_WARNINGS: usize = 10;
/// Bytes of them, about; what an upload is answered has to fit into a report.
const MAX_TEXT: usize = 1400;

/// The warnings about a script that compiles: a line each, with line and column, and how many there
/// are. Empty if there are none.
pub fn warnings(source: &[u8], profile: &Profile) -> String {
    let found = match parse(source, profile) {
        (script, errors) if errors.is_empty() => lint::lint(source, &script, profile, &Parameters),
        _ => return String::new(),
    };
    let mut text = String::new();
    let mut listed = 0;
    for warning in found.iter().take(MAX_WARNINGS) {
        let (line, column) = position(source, warning.span.start as usize);
        let (code, message) = (warning.code, &warning.message);
        let before = text.len();
        // Writing to a string cannot fail.
        let _ = write!(text, "\r\nWarning {code} in line {line}, column {column}: {message}");
        if text.len() > MAX_TEXT {
            text.truncate(before);
            break;
        }
        listed += 1;
    }
    let (count, more) = (found.len(), found.len() - listed);
    let _ = match (count, more) {
        (0, _) => Ok(()),
        (1, 0) => write!(text, "\r\n1 warning"),
        (_, 0) => write!(text, "\r\n{count} warnings"),
        _ => write!(text, "\r\n{count} warnings, of which the last {more} are not shown"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_counted_and_bounded() {
        let profile = Profile::DESKTOP;
        assert_eq!(warnings(b"on init do\n println 1\n", &profile), "");
        assert_eq!(
            warnings(b"on init do\n println (\n", &profile),
            "",
            "errors are told otherwise"
        );
        let one = warnings(b"on init do\n println $adc * 10 + 5\n", &profile);
        assert!(
            one.starts_with("\r\nWarning W0001 in line 2, column 10: operators group"),
            "{one}"
        );
        assert!(one.ends_with("\r\n1 warning"), "{one}");
        let source = ["on init do\n", &" println $adc * 10 + 5\n".repeat(50)].concat();
        let many = warnings(source.as_bytes(), &profile);
        assert!(many.len() < MAX_TEXT + 100 && many.lines().count() <= MAX_WARNINGS + 2, "{many}");
        let listed = many.matches("Warning W0001").count();
        let end = alloc::format!("50 warnings, of which the last {} are not shown", 50 - listed);
        assert!(many.ends_with(&end), "{many}");
    }
}
