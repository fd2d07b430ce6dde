//! `workspace/executeCommand`: tests that are run for a client.
//!
//! They run as they are saved. What fails is told in a message, and as diagnostics of the test
//! file, as long as its text is the one that was run.

use std::path::PathBuf;

use gen_lsp_types::Uri;
use lsp_server::RequestId;
use serde_json::{Value, json};
use umqtt_vm::Profile;

use super::uri;
use crate::script_test::Problem;
use crate::script_test::suite::Suite;

/// The command: the URI of a test file, or of a script with one beside it; perhaps the name of one
/// test.
pub(super) const RUN_TEST: &str = "umqtt.runTest";
/// Most runs that wait.
pub(super) const MAX_JOBS: usize = 8;

/// Tests to be run.
#[derive(Debug)]
pub(super) struct TestJob {
    /// Whom to answer.
    pub(super) id: RequestId,
    /// The test file.
    pub(super) path: PathBuf,
    /// The one test; all without.
    pub(super) name: Option<String>,
    /// The device they are for.
    pub(super) profile: Profile,
}

/// What came of them.
#[derive(Debug)]
pub(super) struct TestResult {
    /// Whom to answer.
    pub(super) id: RequestId,
    /// The test file.
    pub(super) uri: Uri,
    /// Its text, as it was run.
    pub(super) source: Vec<u8>,
    /// What failed.
    pub(super) problems: Vec<Problem>,
    /// In a sentence.
    pub(super) message: String,
    /// Everything passed.
    pub(super) passed: bool,
    /// For programs.
    pub(super) value: Value,
}

/// The test file that a document is, or that stands beside a script.
pub(super) fn test_file_of(document: &Uri) -> Option<PathBuf> {
    let path = uri::path(document)?;
    match uri::ending(document) {
        "test" => Some(path),
        "script" => Some(path.with_extension("test")),
        _ => None,
    }
}

impl TestJob {
    /// Runs them.
    pub(super) fn run(self) -> TestResult {
        let filter = self.name.as_deref().unwrap_or_default();
        let mut suite = Suite::run(&self.path, filter, &self.profile, false);
        if let Some(name) = &self.name {
            // One of several with such a name, once for each value of its `each`.
            let is_it = |found: &str| {
                found == name || found.strip_prefix(name).is_some_and(|rest| rest.starts_with(" ("))
            };
            suite.results.retain(|result| is_it(&result.name));
        }
        let file = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let failed = suite.failed();
        let passed = suite.results.len() - failed;
        let tests = suite.results.iter().map(|result| {
            json!({
                "name": result.name,
                "line": result.line,
                "passed": result.failure.is_none(),
                "message": result.failure.as_ref().map(|problem| &problem.message),
            })
        });
        let tests: Vec<Value> = tests.collect();
        let plural = |count: usize| if count == 1 { "test" } else { "tests" };
        let message = match () {
            () if !suite.problems.is_empty() => {
                let first = suite.problems.first().map(|problem| problem.message.as_str());
                format!("{file} cannot run: {}", first.unwrap_or_default())
            }
            () if suite.results.is_empty() => format!("{file} has no such test"),
            () if failed > 0 => {
                let first = suite.results.iter().find(|result| result.failure.is_some());
                let name = first.map(|result| result.name.as_str()).unwrap_or_default();
                let all = passed + failed;
                format!("{file}: {failed} of {all} {} failed: {name}", plural(all))
            }
            () => format!("{file}: {passed} {} passed", plural(passed)),
        };
        let is_fine = suite.problems.is_empty() && failed == 0 && passed > 0;
        let problems =
            suite.problems.into_iter().chain(suite.results.into_iter().filter_map(|result| {
                let mut problem = result.failure?;
                problem.message = format!("{}: {}", result.name, problem.message);
                Some(problem)
            }));
        TestResult {
            id: self.id,
            uri: uri::uri(&self.path),
            source: suite.source,
            problems: problems.collect(),
            passed: is_fine,
            value: json!({ "passed": passed, "failed": failed, "message": message, "tests": tests }),
            message,
        }
    }
}
