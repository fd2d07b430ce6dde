//! Compiles a text and runs what came of it, and writes everything down: errors as users see them,
//! the image's checksum, what the script did when all that can happen to it happened. The same on
//! the desktop and on the core, byte for byte.
//!
//! [`pack`] and [`unpack`] put texts into one file and take them out again.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod packed;
mod play;

use alloc::vec::Vec;
use core::fmt::{self, Write};

use crc::{CRC_32_ISCSI, Crc};
use umqtt_device::sim::Simulator;
use umqtt_lang::diagnostic::Diagnostic;
use umqtt_lang::{EmitOptions, compile};
use umqtt_vm::Profile;

pub use packed::{pack, unpack};

/// The limits the texts are compiled and run with, on the desktop too: the chip's, but it takes
/// endless loops for such sooner.
const PROFILE: Profile = Profile::ESP8266.fuel(50_000);

/// The line that is written of a script that feeds itself. The core has no room for all it does.
pub const FEEDS_ITSELF: &str = "it feeds itself";

/// Whether it is a script without an error.
pub fn compiles(text: &[u8]) -> bool {
    image_of(text).is_ok()
}

fn image_of(text: &[u8]) -> Result<Vec<u8>, Vec<Diagnostic>> {
    compile(text, &PROFILE, EmitOptions::new().debug(true))
}

/// Writes down what comes of a text.
///
/// # Errors
/// Those of `out`.
pub fn exercise(text: &[u8], out: &mut dyn Write) -> fmt::Result {
    let image = match image_of(text) {
        Ok(image) => image,
        Err(diagnostics) => {
            return diagnostics.iter().try_for_each(|found| {
                // Not the help and the other places: a chip, which shows none, has none.
                let span = found.span;
                writeln!(out, "{:?} {}..{} {}", found.code, span.start, span.end, found.message)
            });
        }
    };
    let sum = Crc::<u32>::new(&CRC_32_ISCSI).checksum(&image);
    writeln!(out, "image of {} bytes, {sum:08x}", image.len())?;
    match Simulator::new(image, &PROFILE) {
        Ok(sim) => play::play(sim, out),
        Err(error) => writeln!(out, "does not load: {error}"),
    }
}
