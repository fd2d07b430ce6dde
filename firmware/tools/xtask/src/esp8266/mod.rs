//! The ESP8266's core: its programs are built with the compiler's assembly output and GNU's
//! assembler and linker, and run in QEMU.
//!
//! | file | job |
//! |---|---|
//! | `paths` | where things lie |
//! | `toolchain` | the toolchain, or what to install |
//! | `build` | from a crate to an ELF file |
//! | `asm_fixup` | mends the compiler's assembly |
//! | `flash_dependency_check` | holds that what runs while flash cannot be read does not need it |
//! | `size` | what takes how much of it |
//! | `budget` | what the device may take |
//! | `fake_linker` | this program, called by the compiler as its linker |
//! | [`emulator`] | QEMU: its command line, running a program in it |
//! | `run` | the device in the emulator, for people |
//! | `data` | the folder with its flash: one device at a time |
//! | `ports` | its ports on this computer |
//! | `precheck` | whether a script can run on it, before it is started |
//! | `image` | the files for the chip's flash |
//! | [`push`] | gives it a script |
//! | `test` | the tests of the device on the core |
//! | `lint` | lints and documentation of the chips' workspace |
//! | `corpus` | the language's tests, on the core |
//! | `bench` | counts instructions on the core |

mod asm_fixup;
mod bench;
mod budget;
mod build;
mod corpus;
mod data;
pub mod emulator;
mod fake_linker;
mod flash_dependency_check;
mod image;
mod lint;
mod paths;
mod ports;
mod precheck;
pub mod push;
mod run;
mod size;
mod test;
mod toolchain;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Subcommand};

use self::budget::Budgets;
use self::build::Program;
use self::emulator::Emulator;
pub use self::fake_linker::stand_in;
use self::paths::Paths;
use self::size::{Item, Sizes};

/// The program that is built when none is named.
const DEVICE: &str = "device";
/// The device for the chip itself, and what asks for it as a feature of [`DEVICE`].
const CHIP: &str = "esp8266";
const SILICON: &str = "silicon";

/// What to do with the ESP8266.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Build with this toolchain of rustup, which needs the component rust-src (not tried by this
    /// project's tests), in place of Debian's packages
    #[arg(long, global = true, value_name = "NAME", env = "UMQTT_ESP8266_TOOLCHAIN")]
    toolchain: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Builds a program for the core
    Build(Which),
    /// Runs the device in the emulator: serial port here, its ports on this computer; Ctrl-C ends
    /// it
    Run(run::Options),
    /// Tests the device on the core
    Test(test::Options),
    /// Shows what takes how much of a program, by crate
    Size(Size),
    /// Runs the language's test corpus on the core and compares with the desktop
    Corpus,
    /// Counts what scripts, compiling and the broker take on the core
    Bench(bench::Options),
    /// Makes the files for the chip's flash and says how to write them; not run on a chip yet
    Image,
    /// Lints the crates for the core, and their documentation: a warning fails
    Lint,
    /// Builds a program, runs it in the emulator until it ends, and prints what it prints
    Exec(Exec),
}

#[derive(Args)]
struct Which {
    /// The program
    #[arg(long, default_value = DEVICE, value_name = "NAME")]
    bin: String,
    /// Features of its crate
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    features: Vec<String>,
}

#[derive(Args)]
struct Size {
    #[command(flatten)]
    which: Which,
    /// Lists the largest functions and variables as well
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    largest: usize,
}

#[derive(Args)]
struct Exec {
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
    fn program(&self) -> Program {
        // Once one crate was for both machines.
        if self.bin == DEVICE && self.features == [SILICON] {
            return Program::new(CHIP, &[]);
        }
        Program::new(&self.bin, &self.features)
    }
}

/// Does it.
///
/// # Errors
/// What went wrong, for people to read.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let places = Paths::find()?;
    let tools = toolchain::find(arguments.toolchain.as_deref())?;
    match arguments.command {
        Command::Build(which) => {
            let elf = build::build(&places, &tools, &which.program())?;
            println!("{}", elf.display());
            if [DEVICE, CHIP].contains(&&which.bin[..]) {
                Budgets::new(&Sizes::read(&elf)?).check()?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Run(options) => run::run(&places, &tools, &options),
        Command::Test(options) => test::run(&places, &tools, &options),
        Command::Size(size) => {
            let sizes = Sizes::read(&build::build(&places, &tools, &size.which.program())?)?;
            for Item { name, bytes, .. } in sizes.largest(size.largest) {
                println!("{bytes:>8}  {name}");
            }
            print!("{sizes}\n{}", Budgets::new(&sizes));
            Ok(ExitCode::SUCCESS)
        }
        Command::Image => {
            print!("{}", image::make(&places, &tools)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Corpus => {
            print!("{}", corpus::run(&places, &tools)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Lint => {
            lint::run(&places, &tools)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Bench(options) => bench::run(&places, &tools, &options),
        Command::Exec(exec) => {
            let elf = build::build(&places, &tools, &exec.which.program())?;
            let mut emulator = Emulator::new(&elf);
            emulator.append(&exec.words.join(" ")).exact(exec.icount);
            let ended = emulator.run(Duration::from_secs(exec.timeout))?;
            print!("{}", ended.text());
            Ok(ExitCode::from(ended.status))
        }
    }
}
