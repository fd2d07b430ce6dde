//! `umqttc dis`: the disassembly of a script or an image.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use umqtt_lang::EmitOptions;
use umqtt_vm::{Image, Listing};

use super::ForDevice;
use crate::failure::Failure;
use crate::frontend;
use crate::input::Input;
use crate::terminal::Terminal;
use crate::{Status, render};

/// Show the instructions of a script or an image, with the source lines beside them where they are
/// known
#[derive(Args)]
pub(crate) struct Dis {
    #[command(flatten)]
    device: ForDevice,
    /// A script or an image
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Dis {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        let input = Input::read(&self.file)?;
        let compiled;
        let (image, source) = if input.is_image() {
            let image = parse(&input.name, input.image())?;
            let source = image.source();
            (image, source)
        } else {
            let options = EmitOptions::new().debug(true);
            match frontend::compile_or_report(&input, &self.device.profile, options, terminal)? {
                Some(program) => compiled = program,
                None => return Ok(Status::Findings),
            }
            (compiled.image(), Some(input.bytes.as_slice()))
        };
        write(&mut terminal.out, &input.name, &image, source).map_err(Failure::Output)?;
        Ok(Status::Success)
    }
}

fn parse<'i>(name: &str, bytes: &'i [u8]) -> Result<Image<'i>, Failure> {
    Image::parse(bytes).map_err(|error| Failure::Image(name.to_owned(), error))
}

fn write(
    out: &mut dyn Write,
    name: &str,
    image: &Image<'_>,
    source: Option<&[u8]>,
) -> io::Result<()> {
    let header = &image.layout().header;
    writeln!(
        out,
        "; {}: handlers {}, variables {}, code {} words\n",
        render::printable(name.as_bytes()),
        header.handlers,
        header.variables,
        header.code
    )?;
    let source = source.map(render::printable).unwrap_or_default();
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let line = |number: u32| lines.get((number as usize).wrapping_sub(1)).copied();
    write!(out, "{}", Listing::new(image).with_source(&line))
}
