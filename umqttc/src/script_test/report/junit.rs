//! JUnit's XML, which build machines read: a suite for every test file.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::plain;
use crate::script_test::problem::Problem;
use crate::script_test::suite::Suite;

/// Writes what came of all files.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write(out: &mut dyn Write, suites: &[Suite]) -> io::Result<()> {
    let mut report = Report::new("umqttc");
    for suite in suites {
        let mut shown = TestSuite::new(suite.name.as_str());
        for problem in &suite.problems {
            let status = status(NonSuccessKind::Error, problem);
            shown.add_test_case(TestCase::new("the file", status));
        }
        for result in &suite.results {
            let status = match &result.failure {
                Some(failure) => status(NonSuccessKind::Failure, failure),
                None => TestCaseStatus::success(),
            };
            let mut case = TestCase::new(result.name.as_str(), status);
            case.set_classname(suite.name.as_str()).set_time(result.took);
            shown.add_test_case(case);
        }
        report.add_test_suite(shown);
    }
    report.serialize(out).map_err(io::Error::other)
}

fn status(kind: NonSuccessKind, problem: &Problem) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(problem.message.as_str()).set_description(plain(problem));
    status
}
