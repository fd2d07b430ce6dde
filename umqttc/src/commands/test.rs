//! `umqttc test`: what scripts must do, tried in virtual time.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use clap::{Args, ValueEnum};

use super::ForDevice;
use crate::Status;
use crate::failure::Failure;
use crate::render;
use crate::script_test::coverage;
use crate::script_test::discover::discover;
use crate::script_test::report::{self, human, json, junit, tap};
use crate::script_test::suite::Suite;
use crate::script_test::watch::{ReadFile, WatchedFiles};
use crate::terminal::Terminal;
use crate::write::{is_same_file, write_whole};

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
    /// Tell what of the scripts ran; with lcov:FILE write it there too, for genhtml and others
    #[arg(
        long,
        value_name = "lcov:FILE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        value_parser = parse_coverage
    )]
    coverage: Option<CoverageFile>,
    /// Run again whenever a test or a script of it changes, until Ctrl-C
    #[arg(long)]
    watch: bool,
    /// How many files are tested at once [default: one for each processor]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
    /// Test files, and folders in which all *.test are run
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
}

/// Where what ran is written, beside the report.
#[derive(Clone, Debug)]
struct CoverageFile(Option<PathBuf>);

fn parse_coverage(text: &str) -> Result<CoverageFile, &'static str> {
    match text.strip_prefix("lcov:") {
        Some("") => Err("lcov: wants the name of a file behind it"),
        Some(file) => Ok(CoverageFile(Some(file.into()))),
        None if text.is_empty() => Ok(CoverageFile(None)),
        None => Err("expected lcov:FILE"),
    }
}

/// An lcov file is replaced, and one that is empty; a script is not, nor anything else.
fn refuse_other(file: &Path) -> Result<(), Failure> {
    let is_other = match fs::metadata(file) {
        Ok(found) if found.is_file() => match begin(file) {
            Ok(begin) => !begin.is_empty() && begin != b"TN:" && begin != b"SF:",
            Err(_) => true,
        },
        _ => false,
    };
    if is_other { Err(Failure::WouldDestroy(file.to_owned())) } else { Ok(()) }
}

fn begin(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(file)?.take(3).read_to_end(&mut bytes)?;
    Ok(bytes)
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
        if let Some(CoverageFile(Some(file))) = &self.coverage {
            refuse_other(file)?;
        }
        if self.watch { self.run_again_and_again(terminal) } else { self.run_once(terminal).1 }
    }

    /// Runs the tests; the files they are made of, and what came of them.
    fn run_once(&self, terminal: &mut Terminal) -> (Vec<ReadFile>, Result<Status, Failure>) {
        let began = Instant::now();
        let files = match discover(&self.paths) {
            Ok(files) => files,
            Err(failure) => return (Vec::new(), Err(failure)),
        };
        if files.is_empty() {
            return (Vec::new(), Err(Failure::NoTests(self.paths.clone())));
        }
        let suites = self.run_all(&files);
        let reported = self.report(&suites, began.elapsed().as_secs_f64(), terminal);
        let result = reported.and_then(|()| match () {
            () if suites.iter().any(|suite| !suite.problems.is_empty()) => Err(Failure::Reported),
            () if suites.iter().any(|suite| suite.failed() > 0) => Ok(Status::Findings),
            () if suites.iter().all(|suite| suite.results.is_empty()) => {
                Err(Failure::NoTestOfThatName(self.filter.clone()))
            }
            () => Ok(Status::Success),
        });
        (suites.into_iter().flat_map(|suite| suite.files).collect(), result)
    }

    /// Runs the tests whenever one of their files changes, until Ctrl-C.
    fn run_again_and_again(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        let mut watched = WatchedFiles::new(&self.paths)?;
        loop {
            let (files, result) = self.run_once(terminal);
            match result {
                Ok(_) | Err(Failure::Reported) => {}
                Err(output @ Failure::Output(_)) => return Err(output),
                Err(failure) => terminal.report_error(&failure),
            }
            let number = watched.set(files)?;
            let written = writeln!(terminal.out, "watching {number} files; Ctrl-C ends")
                .and_then(|()| terminal.out.flush());
            written.map_err(Failure::Output)?;
            let changed = watched.wait(|| discover(&self.paths).unwrap_or_default())?;
            let names: Vec<_> = changed.iter().map(|path| path.display().to_string()).collect();
            let names = render::printable(names.join(", ").as_bytes()).to_string();
            writeln!(terminal.out, "\nchanged: {names}").map_err(Failure::Output)?;
        }
    }

    /// Runs the files side by side; the results are in the order of the files.
    fn run_all(&self, files: &[PathBuf]) -> Vec<Suite> {
        let jobs = self.jobs.or(thread::available_parallelism().ok()).map_or(1, NonZero::get);
        let is_covered = self.coverage.is_some();
        let next = AtomicUsize::new(0);
        let (results, done) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..jobs.min(files.len()) {
                let (results, next) = (results.clone(), &next);
                scope.spawn(move || {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(file) = files.get(at) else { break };
                        let suite =
                            Suite::run(file, &self.filter, &self.device.profile, is_covered);
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
        .map_err(Failure::Output)?;
        match &self.coverage {
            Some(CoverageFile(file)) => self.report_coverage(suites, file.as_deref(), terminal),
            None => Ok(()),
        }
    }

    fn report_coverage(
        &self,
        suites: &[Suite],
        file: Option<&Path>,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        let scripts = coverage::of(suites);
        let out = &mut terminal.out;
        match self.format {
            Format::Human => report::coverage::human(out, "", &scripts),
            Format::Tap => report::coverage::human(out, "# ", &scripts),
            Format::Json => report::coverage::json(out, &scripts),
            // It has no place for it.
            Format::Junit => Ok(()),
        }
        .map_err(Failure::Output)?;
        let Some(file) = file else { return Ok(()) };
        refuse_other(file)?;
        // Whatever their first words are.
        if suites.iter().flat_map(|suite| &suite.files).any(|read| is_same_file(&read.path, file)) {
            return Err(Failure::WouldDestroy(file.to_owned()));
        }
        let mut trace = Vec::new();
        report::coverage::lcov(&mut trace, &scripts).map_err(Failure::Output)?;
        write_whole(file, &trace).map_err(|error| Failure::Write(file.to_owned(), error))
    }
}
