//! The Test Anything Protocol, version 14: <https://testanything.org>

use std::io::{self, Write};

use super::plain;
use crate::script_test::suite::Suite;

/// Writes what came of all files.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write(out: &mut dyn Write, suites: &[Suite]) -> io::Result<()> {
    let broken = suites.iter().map(|suite| suite.problems.len()).sum::<usize>();
    let tests = suites.iter().map(|suite| suite.results.len()).sum::<usize>();
    writeln!(out, "TAP version 14\n1..{}", broken + tests)?;
    let mut number = 0;
    let mut line = |out: &mut dyn Write, ok: bool, words: &str| {
        number += 1;
        let not = if ok { "" } else { "not " };
        // A `#` would begin a directive.
        let words = words.replace('\\', "\\\\").replace('#', "\\#").replace(['\n', '\r'], " ");
        writeln!(out, "{not}ok {number} - {words}")
    };
    for suite in suites {
        for problem in &suite.problems {
            line(out, false, &format!("{}: {}", suite.name, problem.message))?;
        }
        for result in &suite.results {
            let words = format!("{}: {}", suite.name, result.name);
            line(out, result.failure.is_none(), &words)?;
            if let Some(failure) = &result.failure {
                let text = plain(failure);
                writeln!(out, "  ---\n  message: |")?;
                for part in text.lines() {
                    writeln!(out, "    {part}")?;
                }
                writeln!(out, "  ...")?;
            }
        }
    }
    Ok(())
}
