//! All tests of a file, and what came of them.

use std::path::Path;
use std::time::{Duration, Instant};

use umqtt_device::sim::Coverage;
use umqtt_lang::ast::Span;
use umqtt_lang::diagnostic::position;
use umqtt_vm::Profile;

use super::file::{Test, TestFile};
use super::parse::parse;
use super::problem::Problem;
use super::run::run;
use super::script::{self, Script, beside};
use super::watch::ReadFile;
use crate::failure::Failure;
use crate::input::Input;

/// Most bytes of a test file.
const MAX_FILE: usize = 256 << 10;

/// What came of a test file.
pub(crate) struct Suite {
    /// As messages name it.
    pub(crate) name: String,
    pub(crate) source: Vec<u8>,
    /// What is wrong with the file: then none of its tests ran.
    pub(crate) problems: Vec<Problem>,
    pub(crate) scripts: Vec<Script>,
    /// What ran of each script, if that was asked for.
    pub(crate) covered: Option<Vec<Coverage>>,
    /// The files it is made of, as they were read.
    pub(crate) files: Vec<ReadFile>,
    /// Each test, once per value of its `each`.
    pub(crate) results: Vec<TestResult>,
}

/// What came of a test.
pub(crate) struct TestResult {
    /// Its name, with the value of its `each`.
    pub(crate) name: String,
    /// Where it begins, from 1.
    pub(crate) line: u32,
    pub(crate) took: Duration,
    pub(crate) failure: Option<Problem>,
}

impl Suite {
    /// Runs the tests of a file whose names contain `filter`. A file that cannot be read, or a
    /// script of it that cannot, is one of its problems.
    pub(crate) fn run(path: &Path, filter: &str, profile: &Profile, is_covered: bool) -> Suite {
        let nothing_read = |failure: &Failure| Suite {
            name: path.display().to_string(),
            source: Vec::new(),
            problems: vec![Problem::new(Span::new(0, 0), failure.to_string())],
            scripts: Vec::new(),
            covered: None,
            files: vec![ReadFile { path: path.to_owned(), digest: None }],
            results: Vec::new(),
        };
        let input = match Input::regular(path) {
            Ok(input) => input,
            Err(failure) => return nothing_read(&failure),
        };
        if input.bytes.len() > MAX_FILE {
            return nothing_read(&Failure::TooLarge(input.name, MAX_FILE));
        }
        let (file, problems) = parse(&input.bytes);
        let read = ReadFile::new(path.to_owned(), Some(&input.bytes));
        let mut suite = Suite {
            name: input.name,
            source: input.bytes,
            problems,
            scripts: Vec::new(),
            covered: None,
            files: vec![read],
            results: Vec::new(),
        };
        if suite.problems.is_empty() {
            for device in &file.devices {
                let loaded = Script::load(path, &device.path, profile);
                let source = loaded.as_ref().ok().map(|script| &*script.source);
                suite.files.push(ReadFile::new(beside(path, &device.path), source));
                match loaded {
                    Ok(script) => suite.scripts.push(script),
                    Err(failure) => {
                        let problem = Problem::new(device.span, failure.to_string());
                        let is_there = !matches!(failure, Failure::Read(..));
                        suite.problems.push(match script::meant(path, &device.path) {
                            _ if is_there => problem,
                            Some(meant) => problem.help(format!("did you mean `use {meant}`?")),
                            None => problem.help("the path is relative to the test file"),
                        });
                    }
                }
            }
        }
        if suite.problems.is_empty() {
            suite.covered =
                is_covered.then(|| suite.scripts.iter().map(|_| Coverage::default()).collect());
            for test in &file.tests {
                suite.test(&file, test, filter, profile);
            }
        }
        suite
    }

    fn test(&mut self, file: &TestFile, test: &Test, filter: &str, profile: &Profile) {
        let none = [Vec::new()];
        let each = test.each.as_ref();
        for value in each.map_or(&none[..], |each| &each.values) {
            let shown = String::from_utf8_lossy(value);
            let name = match each {
                Some(each) => format!("{} ({} = {shown})", test.name, each.variable),
                None => test.name.clone(),
            };
            if !name.contains(filter) {
                continue;
            }
            let began = Instant::now();
            let broken = self.scripts.iter().find(|script| script.has_errors());
            let failure = match broken {
                Some(script) => {
                    Some(Problem::new(test.span, format!("{} has errors", script.name)))
                }
                None => {
                    let covered = self.covered.as_deref_mut();
                    run(file, &self.scripts, test, value, profile, covered).err()
                }
            };
            let (line, _) = position(&self.source, test.span.start as usize);
            self.results.push(TestResult { name, line, took: began.elapsed(), failure });
        }
    }

    /// How many tests failed.
    pub(crate) fn failed(&self) -> usize {
        self.results.iter().filter(|result| result.failure.is_some()).count()
    }
}
