//! What is known of a test file: its tests and the scripts they are about.

use umqtt_lang::ast::Span;

use crate::script_test::{Problem, read};

/// A test file as an outline.
#[derive(Debug)]
pub(super) struct TestOutline {
    /// What is wrong with it.
    pub(super) problems: Vec<Problem>,
    /// The scripts, relative to it, and where they are named.
    pub(super) scripts: Vec<(String, Span)>,
    /// The tests.
    pub(super) tests: Vec<TestEntry>,
}

/// A test.
#[derive(Debug)]
pub(super) struct TestEntry {
    /// Its name.
    pub(super) name: String,
    /// Where it begins: its `test`.
    pub(super) start: Span,
    /// All of it, up to its last step.
    pub(super) span: Span,
}

impl TestOutline {
    /// Reads a test file.
    pub(super) fn new(source: &[u8]) -> TestOutline {
        let (file, problems) = read(source);
        let scripts = file.devices.iter().map(|device| (device.path.clone(), device.span));
        let tests = file.tests.iter().map(|test| {
            let end = test.steps.last().map_or(test.span.end, |step| step.span.end);
            TestEntry {
                name: test.name.clone(),
                start: test.span,
                span: Span { start: test.span.start, end: end.max(test.span.end) },
            }
        });
        TestOutline { scripts: scripts.collect(), tests: tests.collect(), problems }
    }
}
