//! What can be asked for with every core.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::budget::Budgets;
use super::cargo::Program;
use super::description::{Chip, DEVICE};
use super::emulator::Emulator;
use super::paths::Paths;
use super::size::{Item, Sizes};
use super::toolchain::Toolchain;
use super::{bench, build, corpus, lint, run as device, test};

/// What to do with a core.
#[derive(Subcommand)]
pub(crate) enum ChipCommand {
    /// Builds a program for the core
    Build(Which),
    /// Runs the device in the emulator: serial port here, its ports on this computer; Ctrl-C ends
    /// it
    Run(device::RunOptions),
    /// Tests the device on the core
    Test(test::TestOptions),
    /// Shows what takes how much of a program, by crate
    Size(Size),
    /// Runs the language's test corpus on the core and compares with the desktop
    Corpus,
    /// Counts what scripts, compiling and the broker take on the core
    Bench(bench::BenchOptions),
    /// Lints the crates for the core, and their documentation: a warning fails
    Lint,
    /// Builds a program, runs it in the emulator until it ends, and prints what it prints
    Exec(Exec),
}

#[derive(Args)]
pub(crate) struct Which {
    /// The program
    #[arg(long, default_value = DEVICE, value_name = "NAME")]
    bin: String,
    /// Features of its crate
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    features: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Size {
    #[command(flatten)]
    which: Which,
    /// Lists the largest functions and variables as well
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    largest: usize,
}

#[derive(Args)]
pub(crate) struct Exec {
    #[command(flatten)]
    which: Which,
    /// Exact time: every run takes the same number of instructions
    #[arg(long)]
    icount: bool,
    /// Seconds it may take
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    timeout: u64,
    /// The program's command line
    #[arg(last = true)]
    words: Vec<String>,
}

impl Which {
    fn program(&self, chip: &Chip) -> Program {
        let asked = |(feature, _): &&(&str, &str)| self.features == [*feature];
        match chip.variants.iter().find(asked) {
            Some((_, program)) if self.bin == DEVICE => Program::new(program, &[]),
            _ => Program::new(&self.bin, &self.features),
        }
    }

    /// Whether it is the device, which keeps to the budgets.
    fn is_device(&self, chip: &Chip) -> bool {
        self.bin == DEVICE || chip.variants.iter().any(|(_, program)| self.bin == *program)
    }
}

/// Does it.
pub(crate) fn run(paths: &Paths, toolchain: &Toolchain, command: ChipCommand) -> Result<ExitCode> {
    let chip = paths.chip;
    match command {
        ChipCommand::Build(which) => {
            let elf = build::build(paths, toolchain, &which.program(chip))?;
            println!("{}", elf.display());
            if which.is_device(chip) {
                Budgets::new(chip, &Sizes::read(&elf)?).check()?;
            }
            Ok(ExitCode::SUCCESS)
        }
        ChipCommand::Run(options) => device::run(paths, toolchain, &options),
        ChipCommand::Test(options) => test::run(paths, toolchain, &options),
        ChipCommand::Size(size) => {
            let program = size.which.program(chip);
            let sizes = Sizes::read(&build::build(paths, toolchain, &program)?)?;
            for Item { name, bytes, .. } in sizes.largest(size.largest) {
                println!("{bytes:>8}  {name}");
            }
            print!("{sizes}\n{}", Budgets::new(chip, &sizes));
            Ok(ExitCode::SUCCESS)
        }
        ChipCommand::Corpus => {
            print!("{}", corpus::run(paths, toolchain)?);
            Ok(ExitCode::SUCCESS)
        }
        ChipCommand::Lint => {
            lint::run(paths, toolchain)?;
            Ok(ExitCode::SUCCESS)
        }
        ChipCommand::Bench(options) => bench::run(paths, toolchain, &options),
        ChipCommand::Exec(exec) => {
            let elf = build::build(paths, toolchain, &exec.which.program(chip))?;
            let mut emulator = Emulator::new(chip, &elf);
            emulator.append(&exec.words.join(" ")).exact(exec.icount);
            let ended = emulator.run(Duration::from_secs(exec.timeout))?;
            print!("{}", ended.text());
            Ok(ExitCode::from(ended.status))
        }
    }
}
