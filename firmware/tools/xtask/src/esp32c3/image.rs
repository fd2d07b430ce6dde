//! The file for the chip's flash: boot loader, table of partitions and program in one, as espflash
//! makes them. What lies behind, the device's own partition, is not in it and stays as it is.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use espflash::flasher::{FlashData, FlashFrequency, FlashMode, FlashSettings, FlashSize};
use espflash::image_format::idf::IdfBootloaderFormat;
use espflash::target::{Chip, XtalFrequency};
use umqtt_device::storage::FlashLayout;

use super::build::Board;
use super::size::Sizes;

/// The table, in the board's folder.
const PARTITIONS: &str = "partitions.csv";
/// The partitions of the program and of what the device keeps.
const PROGRAM: &str = "factory";
const OWN: &str = "umqtt";
/// What flash has where nothing is written.
const ERASED: u8 = 0xff;

/// What was made.
pub(crate) struct Image {
    /// All of it, to be written at 0.
    whole: PathBuf,
    /// The program alone.
    program: PathBuf,
    bytes: usize,
    program_bytes: usize,
    /// The partition of the program.
    room: u32,
    /// What the device keeps: where and how large.
    own: (u32, u32),
}

/// Builds the device and makes its files.
pub(crate) fn make(board: &Board) -> Result<Image> {
    let elf = board.build()?;
    Sizes::read(&elf)?.check()?;
    let elf = fs::read(&elf).context("cannot read the program")?;
    let image = format(&elf, &board.folder.join(PARTITIONS))?;

    let table = image.partition_table();
    let partition = |name: &str| -> Result<(u32, u32)> {
        let found = table.find(name).with_context(|| format!("no partition {name}"))?;
        Ok((found.offset(), found.size()))
    };
    let (program, own) = (partition(PROGRAM)?, partition(OWN)?);
    ensure!(
        FlashLayout::ESP32.bytes() <= own.1,
        "the partition {OWN} has {} bytes, the device needs {}",
        own.1,
        FlashLayout::ESP32.bytes()
    );

    let mut whole = Vec::new();
    let mut program_bytes = 0;
    for segment in image.flash_segments() {
        let at = segment.addr as usize;
        whole.resize(at, ERASED);
        whole.extend_from_slice(segment.data());
        if segment.addr == program.0 {
            program_bytes = segment.data().len();
        }
    }
    ensure!(
        program_bytes > 0 && program_bytes <= program.1 as usize && whole.len() <= own.0 as usize,
        "the program takes {program_bytes} bytes of the {} its partition has",
        program.1
    );
    let files = ["umqtt-esp32c3.bin", "umqtt-esp32c3-app.bin"].map(|name| board.target.join(name));
    let [whole_file, program_file] = files;
    fs::write(&whole_file, &whole)?;
    fs::write(&program_file, &whole[program.0 as usize..])?;
    Ok(Image {
        whole: whole_file,
        program: program_file,
        bytes: whole.len(),
        program_bytes,
        room: program.1,
        own,
    })
}

/// What espflash makes of a program.
fn format<'a>(elf: &'a [u8], partitions: &Path) -> Result<IdfBootloaderFormat<'a>> {
    let settings = FlashSettings::new(
        Some(FlashMode::Dio),
        Some(FlashSize::_4Mb),
        Some(FlashFrequency::_40Mhz),
    );
    let data = FlashData::new(settings, 0, None, Chip::Esp32c3, XtalFrequency::_40Mhz);
    IdfBootloaderFormat::new(elf, &data, Some(partitions), None, None, Some(PROGRAM))
        .context("espflash cannot make an image of the program")
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, size) = self.own;
        writeln!(f, "{:>8} bytes  {}", self.bytes, self.whole.display())?;
        writeln!(
            f,
            "{:>8} bytes  {}, the program alone, of {} it may have",
            self.program_bytes,
            self.program.display(),
            self.room
        )?;
        writeln!(
            f,
            "{size:>8} bytes  from {at:#x} on: settings and scripts, kept by the device; the flash has to have 4 MiB\n"
        )?;
        writeln!(f, "This has not run on a chip yet. To write it to one:\n")?;
        writeln!(
            f,
            "    esptool --chip esp32c3 --port /dev/ttyACM0 write-flash 0x0 {}\n",
            self.whole.display()
        )?;
        writeln!(
            f,
            "The first time with --erase-all behind write-flash: what was in the flash is not the device's."
        )
    }
}
