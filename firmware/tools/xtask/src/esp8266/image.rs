//! The files that esptool writes to a chip's flash. The chip's ROM loads the first into RAM, from
//! the flash's beginning, and goes on there; the second is what the chip shows of its flash from
//! 0x40210000 on. There is no boot loader between.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection};

use super::assembly;
use super::description::CHIP;
use crate::chip::budget::Budgets;
use crate::chip::cargo::Program;
use crate::chip::description::DEVICE;
use crate::chip::paths::Paths;
use crate::chip::size::{KIB, Sizes};
use crate::chip::toolchain::{self, Toolchain};

/// Where flash begins as the chip shows it.
const FLASH: u64 = 0x4020_0000;
/// Where esptool says the two files go.
const START: u64 = 0;
const CODE: u64 = 0x1_0000;
/// The section that takes the device's own part of the flash.
const STORAGE: &str = ".storage";

/// What is to be written, and where.
struct Image {
    /// Address in flash, file, its bytes.
    files: [(u64, PathBuf, u64); 2],
    /// The device's own part of the flash.
    storage: std::ops::Range<u64>,
}

/// Builds the device for the chip and makes its files; returns what to do with them.
pub(crate) fn make(paths: &Paths, toolchain: &Toolchain) -> Result<impl fmt::Display> {
    let esptool = toolchain::esptool()?;
    let elf = assembly::build(paths, toolchain, &Program::new(CHIP, &[]))?;
    Budgets::new(paths.chip, &Sizes::read(&elf)?).check()?;
    let storage = storage(&elf)?;
    let files = [START, CODE].map(|at| paths.target.join(format!("{DEVICE}-{at:#07x}.bin")));
    for file in files.iter().filter(|file| file.exists()) {
        fs::remove_file(file)?;
    }

    // The numbers are part of the names by esptool's doing.
    let names = paths.target.join(format!("{DEVICE}-"));
    let mut command = Command::new(&esptool);
    command.args(["--chip", "esp8266", "elf2image", "--version", "1", "-o"]).arg(names).arg(&elf);
    let output = command.output().with_context(|| format!("cannot start {}", esptool.display()))?;
    let said = [output.stdout, output.stderr].concat();
    ensure!(output.status.success(), "esptool: {}", String::from_utf8_lossy(&said).trim());

    let bytes = |file: &Path| -> Result<u64> {
        let made = fs::metadata(file);
        Ok(made.with_context(|| format!("esptool does not make {}", file.display()))?.len())
    };
    let [start, code] = files;
    let sizes = [bytes(&start)?, bytes(&code)?];
    let image = Image { files: [(START, start, sizes[0]), (CODE, code, sizes[1])], storage };
    image.check()?;
    Ok(image)
}

/// Where in the flash the device keeps what it keeps.
fn storage(elf: &Path) -> Result<std::ops::Range<u64>> {
    let bytes = fs::read(elf)?;
    let file = object::File::parse(&*bytes).context("the linker's output is no ELF file")?;
    let section = file.section_by_name(STORAGE).context("the program has no storage")?;
    let start = section.address().checked_sub(FLASH).context("the storage is not in flash")?;
    Ok(start..start + section.size())
}

impl Image {
    /// An error if one thing reaches into the next.
    fn check(&self) -> Result<()> {
        let [(start, _, loaded), (code, _, shown)] = self.files;
        ensure!(
            start + loaded <= code,
            "what is loaded into RAM takes {loaded} bytes of flash, {} more than it may",
            start + loaded - code
        );
        let end = code + shown;
        ensure!(
            end <= self.storage.start,
            "the program ends at {end:#x} of the flash, behind {:#x}, where the device keeps its own",
            self.storage.start
        );
        Ok(())
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, file, bytes) in &self.files {
            writeln!(f, "{at:#08x}  {bytes:>7} bytes  {}", file.display())?;
        }
        let storage = &self.storage;
        writeln!(
            f,
            "{:#08x}  {:>7} bytes  settings and scripts, kept by the device; the flash has to have {} MiB or more\n",
            storage.start,
            storage.end - storage.start,
            storage.end.next_power_of_two() / KIB / KIB
        )?;
        writeln!(f, "This has not run on a chip yet. To write it to one:\n")?;
        write!(f, "    esptool --chip esp8266 --port /dev/ttyUSB0 write-flash -fm dio -fs detect")?;
        for (at, file, _) in &self.files {
            write!(f, " {at:#07x} {}", file.display())?;
        }
        writeln!(
            f,
            "\n\nThe first time with --erase-all behind write-flash: what was in the flash is not the device's."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{CODE, Image, START};

    fn image(loaded: u64, shown: u64) -> Image {
        Image {
            files: [(START, "a.bin".into(), loaded), (CODE, "b.bin".into(), shown)],
            storage: 0x10_0000..0x12_2000,
        }
    }

    #[test]
    fn what_reaches_into_the_next_is_an_error() {
        assert!(image(0x1_0000, 0xf_0000).check().is_ok());
        let error = |loaded, shown| image(loaded, shown).check().unwrap_err().to_string();
        insta::assert_snapshot!(error(0x1_0010, 0), @"what is loaded into RAM takes 65552 bytes of flash, 16 more than it may");
        insta::assert_snapshot!(error(0, 0xf_0010), @"the program ends at 0x100010 of the flash, behind 0x100000, where the device keeps its own");
    }

    #[test]
    fn it_is_said_how_to_write_it() {
        insta::assert_snapshot!(image(1984, 395_652), @r"
        0x000000     1984 bytes  a.bin
        0x010000   395652 bytes  b.bin
        0x100000   139264 bytes  settings and scripts, kept by the device; the flash has to have 2 MiB or more

        This has not run on a chip yet. To write it to one:

            esptool --chip esp8266 --port /dev/ttyUSB0 write-flash -fm dio -fs detect 0x00000 a.bin 0x10000 b.bin

        The first time with --erase-all behind write-flash: what was in the flash is not the device's.
        ");
    }
}
