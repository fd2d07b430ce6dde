//! The ESP8266's core: its programs are built with the compiler's assembly output and GNU's
//! assembler and linker. What is the same for every core is in [`crate::chip`].
//!
//! | file | job |
//! |---|---|
//! | `description` | the core |
//! | `assembly` | from a crate to an ELF file |
//! | `asm_fixup` | mends the compiler's assembly |
//! | `flash_dependency_check` | holds that what runs while flash cannot be read does not need it |
//! | `fake_linker` | this program, called by the compiler as its linker |
//! | `image` | the files for the chip's flash |

mod asm_fixup;
pub(crate) mod assembly;
mod description;
mod fake_linker;
mod flash_dependency_check;
mod image;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

pub use self::description::ESP8266;
pub use self::fake_linker::stand_in;
use crate::chip::commands::{self, ChipCommand};
use crate::chip::paths::Paths;
use crate::chip::toolchain;

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
    #[command(flatten)]
    Core(ChipCommand),
    /// Makes the files for the chip's flash and says how to write them; not run on a chip yet
    Image,
}

/// Does it.
///
/// # Errors
/// What went wrong, for people to read.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let paths = Paths::find(&ESP8266)?;
    let toolchain = toolchain::find(&ESP8266, arguments.toolchain.as_deref())?;
    match arguments.command {
        Command::Core(command) => commands::run(&paths, &toolchain, command),
        Command::Image => {
            print!("{}", image::make(&paths, &toolchain)?);
            Ok(ExitCode::SUCCESS)
        }
    }
}
