//! `umqttc test`: what scripts must do, tried in virtual time.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use clap::{Args, ValueEnum};

use super::ForDevice;
use crate::Status;
use crate::failure::Failure;
use crate::script_test::discover::discover;
use crate::script_test::report::{human, json, junit, tap};
use crate::script_test::suite::Suite;
use crate::terminal::Terminal;

/// Run the tests of scripts: `.test` files, in virtual time
///
/// Exit codes: 0 all passed; 1 a test failed; 2 a test file is wrong or cannot be read.
#[derive(Args)]
pub(crate) struct Test {
    #[command(flatten)]
    device: ForDevice,
    /// Run only tests whose names contain this
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// How to write what came of them; json is one object a line
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// How many files are tested at once [default: one for each processor]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
    /// Test files, and folders in which all *.test are run
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For programs
    Json,
    /// For build machines: JUnit's XML
    Junit,
    /// Test Anything Protocol
    Tap,
}

impl Test {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        let began = Instant::now();
        let files = discover(&self.paths)?;
        if files.is_empty() {
            return Err(Failure::NoTests(self.paths.clone()));
        }
        let suites = self.run_all(&files);
        self.report(&suites, began.elapsed().as_secs_f64(), terminal)?;
        match () {
            () if suites.iter().any(|suite| !suite.problems.is_empty()) => Err(Failure::Reported),
            () if suites.iter().any(|suite| suite.failed() > 0) => Ok(Status::Findings),
            () if suites.iter().all(|suite| suite.results.is_empty()) => {
                Err(Failure::NoTestOfThatName(self.filter.clone()))
            }
            () => Ok(Status::Success),
        }
    }

    /// Runs the files side by side; the results are in the order of the files.
    fn run_all(&self, files: &[PathBuf]) -> Vec<Suite> {
        let jobs = self.jobs.or(thread::available_parallelism().ok()).map_or(1, NonZero::get);
        let next = AtomicUsize::new(0);
        let (results, done) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..jobs.min(files.len()) {
                let (results, next) = (results.clone(), &next);
                scope.spawn(move || {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(file) = files.get(at) else { break };
                        let suite = Suite::run(file, &self.filter, &self.device.profile);
                        // Who waits for them is there as long as this runs.
                        let _ = results.send((at, suite));
                    }
                });
            }
        });
        drop(results);
        let mut all: Vec<_> = done.into_iter().collect();
        all.sort_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, suite)| suite).collect()
    }

    fn report(
        &self,
        suites: &[Suite],
        seconds: f64,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        let color = terminal.out.color();
        let out = &mut terminal.out;
        match self.format {
            Format::Human => suites
                .iter()
                .try_for_each(|suite| human::suite(out, color, suite))
                .and_then(|()| human::summary(out, suites, seconds)),
            Format::Json => suites.iter().try_for_each(|suite| json::suite(out, suite)),
            Format::Junit => junit::write(out, suites),
            Format::Tap => tap::write(out, suites),
        }
        .map_err(Failure::Output)
    }
}
