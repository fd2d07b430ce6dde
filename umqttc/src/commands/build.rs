//! `umqttc build`: a script to an image.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use umqtt_lang::EmitOptions;

use super::ForDevice;
use crate::failure::Failure;
use crate::frontend;
use crate::input::{Input, is_stdin};
use crate::render::bounds::{self, OnDevice};
use crate::signing::arguments::SignArgs;
use crate::terminal::Terminal;
use crate::write::{is_same_file, write_whole};
use crate::{Status, render};

/// Compile a script to an image that a device runs, and say how large it is and what it needs
#[derive(Args)]
pub(crate) struct Build {
    #[command(flatten)]
    device: ForDevice,
    /// Where to write the image; `-` is standard output [default: FILE with the ending .umq]
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// What each handler takes at most, too: steps, time and flash writes
    #[arg(long)]
    bounds: bool,
    /// Leave out variable names and line numbers
    #[arg(long)]
    strip: bool,
    /// Put the script's text in, so that the device can show it
    #[arg(long)]
    embed_source: bool,
    #[command(flatten)]
    sign: SignArgs,
    /// The script
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Build {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        let output = self.output()?;
        let mut input = Input::script(&self.file)?;
        // The image has its own signature, if any.
        input.bytes.truncate(input.unsigned().len());
        let signer = self.sign.signer()?;
        if is_same_file(&self.file, &output) {
            return Err(Failure::WouldDestroySource(output));
        }
        let options = EmitOptions::new().debug(!self.strip).source(self.embed_source);
        let Some(program) =
            frontend::compile_or_report(&input, &self.device.profile, options, terminal)?
        else {
            return Ok(Status::Findings);
        };
        let name = output.display().to_string();
        let device = OnDevice::new(self.device.profile, program);
        let mut report = report(&name, &input, &device);
        if self.bounds {
            let mut table = Vec::new();
            bounds::write(&mut table, &input.name, std::slice::from_ref(&device))
                .map_err(Failure::Output)?;
            report.push_str(&String::from_utf8_lossy(&table));
        }
        let mut image = device.program.bytes().to_vec();
        if let Some(signer) = signer {
            image = signer.sign(&image);
            // Writing to a string does not fail.
            let _ = writeln!(
                report,
                "signed with counter {}: {} bytes with the signature",
                signer.counter,
                image.len()
            );
        }
        if is_stdin(&output) {
            terminal.out.write_all(&image).map_err(Failure::Output)?;
            // Only said: the image is out whether anybody reads this or not.
            let _ = terminal.err.write_all(report.as_bytes());
        } else {
            write_whole(&output, &image).map_err(|error| Failure::Write(output, error))?;
            terminal.out.write_all(report.as_bytes()).map_err(Failure::Output)?;
        }
        Ok(Status::Success)
    }

    fn output(&self) -> Result<PathBuf, Failure> {
        match &self.output {
            Some(output) => Ok(output.clone()),
            None if is_stdin(&self.file) => Err(Failure::NoOutputName),
            None => Ok(beside(&self.file)),
        }
    }
}

fn beside(file: &Path) -> PathBuf {
    file.with_extension("umq")
}

/// What people want to know of an image: size by section, and what the device must have.
fn report(name: &str, input: &Input, device: &OnDevice) -> String {
    let OnDevice { profile, program, bounds: found } = device;
    let (layout, needs) = (program.image().layout().clone(), program.requirements());
    let (name, source) = (render::printable(name.as_bytes()), input.bytes.len());
    let sections = [
        ("header", layout.constants.start),
        ("constants", layout.constants.len() + layout.strings.len()),
        ("handlers", layout.handlers.len()),
        ("code", layout.code.len()),
        ("debug", layout.debug.len()),
        ("source", layout.source.len()),
    ];
    let mut text = String::new();
    let mut line = |words: std::fmt::Arguments<'_>| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{words}");
    };
    line(format_args!("{name}: {} bytes, from {source} bytes of source", program.bytes().len()));
    for (section, len) in sections {
        line(format_args!("  {section:<16}{len:>6}"));
    }
    line(format_args!("needs, of what {} has:", profile.name));
    line(format_args!(
        "  {:<16}{:>6} of {} bytes, and room for the texts it holds",
        "RAM",
        needs.ram(),
        profile.ram
    ));
    match found.memory {
        memory if memory <= profile.ram => {
            line(format_args!("  {:<16}{memory:>6} with the longest of these", ""));
        }
        _ => line(format_args!("  {:<16}{:>6} for the longest of these", "", "not enough")),
    }
    if let Some(longest) = bounds::longest(device) {
        line(format_args!("  {:<16}  {longest}", "time"));
    }
    let (taken, all) = (layout.header.temporaries, profile.temporaries);
    line(format_args!("  {:<16}{taken:>6} of {all}", "temporaries"));
    let variables = layout.header.variables;
    line(format_args!("  {:<16}{variables:>6} of {}", "variables", profile.variables));
    for (what, bits) in [
        ("timers", needs.timers),
        ("alarms", needs.alarms),
        ("pins", needs.pins),
        ("flash variables", needs.flash_variables),
    ] {
        line(format_args!("  {what:<16}{}", numbers(bits)));
    }
    text
}

/// The numbers of the bits set: `1, 2, 13`.
fn numbers(bits: u64) -> String {
    let set: Vec<String> =
        (0..u64::BITS).filter(|n| bits >> n & 1 == 1).map(|n| n.to_string()).collect();
    if set.is_empty() { "  none".to_owned() } else { format!("  {}", set.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_bits() {
        assert_eq!(numbers(0), "  none");
        assert_eq!(numbers(1 << 63 | 0b101), "  0, 2, 63");
    }

    #[test]
    fn the_image_goes_beside_the_script() {
        assert_eq!(beside(Path::new("a/b.script")), Path::new("a/b.umq"));
        assert_eq!(beside(Path::new("b")), Path::new("b.umq"));
    }
}
