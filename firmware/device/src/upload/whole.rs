//! Source compiled in memory, read once for image, errors and warnings: for boards with room for
//! the linter.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use umqtt_lang::advice::advise;
use umqtt_lang::diagnostic::{Diagnostic, position};
use umqtt_lang::{Analysis, EmitOptions};
use umqtt_vm::Profile;

use crate::settings::Capabilities;
use crate::settings::lint::Parameters;

/// Warnings that are listed.
const MAX_WARNINGS: usize = 10;
/// Bytes of them, about; what an upload is answered has to fit into a report.
const MAX_TEXT: usize = 1400;

/// What compiles a script in memory, for a board with these capabilities.
pub type WholeCompiler = fn(&[u8], &Profile, Capabilities) -> Result<Compiled, Vec<Diagnostic>>;

/// A script that has no errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The image made of it.
    pub image: Vec<u8>,
    /// The warnings: a line each, with line and column, and how many there are. Empty if there are
    /// none.
    pub warnings: String,
}

/// Compiles a script; its errors come with advice.
///
/// # Errors
/// What is wrong, in the order of the source.
pub fn compile_whole(
    source: &[u8],
    profile: &Profile,
    capabilities: Capabilities,
) -> Result<Compiled, Vec<Diagnostic>> {
    let analysis = Analysis::new(source, profile, EmitOptions::new().debug(true));
    match analysis.image() {
        Some(image) => {
            let found = analysis.warnings(&Parameters::new(capabilities));
            Ok(Compiled { image: image.to_vec(), warnings: listed(source, &found) })
        }
        None => {
            let mut errors = analysis.errors().to_vec();
            advise(source, &mut errors);
            Err(errors)
        }
    }
}

/// A line for each warning, the first of them, and how many there are.
fn listed(source: &[u8], found: &[Diagnostic]) -> String {
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

    fn warnings(source: &[u8]) -> String {
        let compiled = compile_whole(source, &Profile::DESKTOP, Capabilities::ALL);
        compiled.expect("a script without errors").warnings
    }

    #[test]
    fn warnings_are_counted_and_bounded() {
        assert_eq!(warnings(b"on init do\n println 1\n"), "");
        let one = warnings(b"on init do\n println $adc * 10 + 5\n");
        assert!(
            one.starts_with("\r\nWarning W0001 in line 2, column 10: operators group"),
            "{one}"
        );
        assert!(one.ends_with("\r\n1 warning"), "{one}");
        let source = ["on init do\n", &" println $adc * 10 + 5\n".repeat(50)].concat();
        let many = warnings(source.as_bytes());
        assert!(many.len() < MAX_TEXT + 100 && many.lines().count() <= MAX_WARNINGS + 2, "{many}");
        let listed = many.matches("Warning W0001").count();
        let end = alloc::format!("50 warnings, of which the last {} are not shown", 50 - listed);
        assert!(many.ends_with(&end), "{many}");
    }

    #[test]
    fn errors_come_with_advice_and_the_image_is_that_of_the_pieces() {
        let wrong = b"on init do\n gpio_out 12, 1\n";
        let errors = compile_whole(wrong, &Profile::DESKTOP, Capabilities::ALL).unwrap_err();
        assert!(errors[0].help.is_some(), "{errors:?}");
        let right = b"on init do\n gpio_out 12 1\n";
        let mut pieces = Vec::new();
        let mut source: &[u8] = right;
        umqtt_lang::compile_pieces(
            &mut source,
            &Profile::DESKTOP,
            true,
            &|_, _| true,
            &mut |bytes| {
                pieces.extend_from_slice(bytes);
                true
            },
        )
        .unwrap();
        let compiled = compile_whole(right, &Profile::DESKTOP, Capabilities::ALL).unwrap();
        assert_eq!(compiled.image, pieces);
    }
}
