//! For people: a line for each file, failures with their place, and how many there were.

use std::io::{self, Write};

use crate::render;
use crate::script_test::suite::Suite;

/// Writes what came of a file.
///
/// # Errors
/// Those of `out`.
pub(crate) fn suite(out: &mut dyn Write, color: bool, suite: &Suite) -> io::Result<()> {
    let name = render::printable(suite.name.as_bytes());
    for problem in &suite.problems {
        render::problem::write(out, color, &suite.name, &suite.source, problem, None)?;
    }
    for script in suite.scripts.iter().filter(|script| script.has_errors()) {
        render::human::write(out, color, &script.name, &script.source, &script.diagnostics)?;
    }
    for result in &suite.results {
        if let Some(failure) = &result.failure {
            let title = format!("{}: {}", result.name, failure.message);
            let source = &suite.source;
            render::problem::write(out, color, &suite.name, source, failure, Some(&title))?;
        }
    }
    let (tests, failed) = (suite.results.len(), suite.failed());
    match (suite.problems.len(), failed) {
        (0, 0) => writeln!(out, "ok      {name}: {}", count(tests, "test")),
        (0, failed) => writeln!(out, "FAILED  {name}: {failed} of {}", count(tests, "test")),
        (problems, _) => writeln!(out, "BROKEN  {name}: {}", count(problems, "error")),
    }
}

/// Writes how many there were.
///
/// # Errors
/// Those of `out`.
pub(crate) fn summary(out: &mut dyn Write, suites: &[Suite], seconds: f64) -> io::Result<()> {
    let tests: usize = suites.iter().map(|suite| suite.results.len()).sum();
    let failed: usize = suites.iter().map(Suite::failed).sum();
    let broken = suites.iter().filter(|suite| !suite.problems.is_empty()).count();
    let mut line = format!("{}: {} passed", count(tests, "test"), tests - failed);
    if failed > 0 {
        line.push_str(&format!(", {failed} failed"));
    }
    if broken > 0 {
        line.push_str(&format!("; {} could not run", count(broken, "file")));
    }
    writeln!(out, "{line} ({seconds:.2} s)")
}

fn count(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
