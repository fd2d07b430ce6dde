//! For programs: an object a line for every test, and for every problem of a test file.

use std::io::{self, Write};

use serde::Serialize;
use umqtt_lang::diagnostic::position;

use super::plain;
use crate::script_test::problem::Problem;
use crate::script_test::suite::Suite;

#[derive(Serialize)]
struct Line<'l> {
    file: &'l str,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<&'l str>,
    line: u32,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    micros: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failed>,
}

#[derive(Serialize)]
struct Failed {
    line: u32,
    column: u32,
    message: String,
}

/// Writes what came of a file.
///
/// # Errors
/// Those of `out`.
pub(crate) fn suite(out: &mut dyn Write, suite: &Suite) -> io::Result<()> {
    let failed = |problem: &Problem| {
        let (line, column) = position(&suite.source, problem.span.start as usize);
        Failed { line, column, message: plain(problem) }
    };
    for problem in &suite.problems {
        let failure = failed(problem);
        let line = Line {
            file: &suite.name,
            test: None,
            line: failure.line,
            status: "broken",
            micros: None,
            failure: Some(failure),
        };
        writeln!(out, "{}", serde_json::to_string(&line)?)?;
    }
    for result in &suite.results {
        let line = Line {
            file: &suite.name,
            test: Some(&result.name),
            line: result.line,
            status: if result.failure.is_some() { "failed" } else { "passed" },
            micros: Some(u64::try_from(result.took.as_micros()).unwrap_or(u64::MAX)),
            failure: result.failure.as_ref().map(failed),
        };
        writeln!(out, "{}", serde_json::to_string(&line)?)?;
    }
    Ok(())
}
