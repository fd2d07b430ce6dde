//! The tests of the device on the core: builds what they need, then runs them as any other tests.
//! They are in `tests/emulated`.

use std::env;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use clap::Args;

use super::build;
use super::cargo::Program;
use super::description::DEVICE;
use super::paths::Paths;
use super::toolchain::Toolchain;

/// Programs the tests start, and the variables they find them by.
const PROGRAMS: [(&str, &str); 2] =
    [(DEVICE, "UMQTT_ON_CORE_DEVICE"), ("selftest", "UMQTT_ON_CORE_SELFTEST")];

/// The variable by which they find which core it is.
const CHIP: &str = "UMQTT_ON_CORE";

/// The compiler on this computer, which the tests compare with, and its variable.
const COMPILER: (&str, &str) = ("umqttc", "UMQTT_ON_CORE_UMQTTC");

#[derive(Args)]
pub(crate) struct TestOptions {
    /// Only those with this in their name
    filter: Option<String>,
    /// For the test program: `--nocapture`, `--test-threads N`
    #[arg(last = true)]
    words: Vec<String>,
}

/// Runs the tests.
pub(crate) fn run(paths: &Paths, toolchain: &Toolchain, options: &TestOptions) -> Result<ExitCode> {
    let cargo = || {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&paths.root);
        command
    };
    let built = cargo().args(["build", "--quiet", "-p", COMPILER.0]).status();
    ensure!(built.context("cannot start cargo")?.success(), "{} does not build", COMPILER.0);
    let mut command = cargo();
    command.env(COMPILER.1, paths.target.with_file_name("debug").join(COMPILER.0));
    command.env(CHIP, paths.chip.name);
    for (name, variable) in PROGRAMS {
        command.env(variable, build::build(paths, toolchain, &Program::new(name, &[]))?);
    }
    command.args(["test", "-p", "xtask", "--features", "emulated", "--test", "emulated", "--"]);
    command.args(options.filter.iter().chain(&options.words));
    let status = command.status().context("cannot start cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
