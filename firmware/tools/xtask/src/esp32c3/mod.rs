//! The ESP32-C3: its program is built with the crates of the chip's maker, and made into an image
//! for its flash. There is no emulator of this chip.
//!
//! | file | job |
//! |---|---|
//! | `build` | from the board's crate to an ELF file |
//! | `size` | what takes how much of it, and the budgets |
//! | `image` | the file for the chip's flash |

mod build;
mod image;
mod size;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use self::build::Board;
use self::size::Sizes;

/// What to do with the ESP32-C3.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the device
    Build,
    /// Shows what it takes of the chip's memory, and of what it may
    Size,
    /// Makes the file for the chip's flash and says how to write it; not run on a chip yet
    Image,
    /// Lints the board's crate: a warning fails
    Lint,
}

/// Does it.
///
/// # Errors
/// What went wrong, for people to read.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let board = Board::find()?;
    match arguments.command {
        Command::Build => {
            let elf = board.build()?;
            println!("{}", elf.display());
            Sizes::read(&elf)?.check()?;
        }
        Command::Size => print!("{}", Sizes::read(&board.build()?)?),
        Command::Image => print!("{}", image::make(&board)?),
        Command::Lint => board.lint()?,
    }
    Ok(ExitCode::SUCCESS)
}
