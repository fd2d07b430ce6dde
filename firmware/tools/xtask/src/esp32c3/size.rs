//! What the program takes of the chip's memory, and of what it may: a build that takes more fails
//! and says of what. That the ledger fits the heap beside the radio is asserted by the board itself
//! (`options.rs`).

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, elf};

/// Flash for the program: its partition has 0x170000 bytes, and the rest of them is for what comes.
const FLASH: u64 = 0x14_0000;
/// The least that is left to the stack. The deepest path, measured on the ESP8266's core, takes
/// 5.7 KiB; here a frame of the radio (1.5 KiB) comes on top.
const STACK: u64 = 16 * 1024;
/// Data RAM as the program sees it (table 3-2 of the manual), and instruction RAM.
const DATA_RAM: std::ops::Range<u64> = 0x3fc8_0000..0x3fce_0000;
const CODE_RAM: std::ops::Range<u64> = 0x4037_c000..0x403e_0000;
/// The ends of the stack.
const STACK_TOP: &str = "_stack_start_cpu0";
const STACK_BOTTOM: &str = "_stack_end_cpu0";

/// Bytes of each kind of memory.
#[derive(Debug, Default)]
pub(crate) struct Sizes {
    flash: u64,
    code_in_ram: u64,
    data_in_ram: u64,
    stack: u64,
}

impl Sizes {
    /// Of this ELF file.
    pub(crate) fn read(elf: &Path) -> Result<Sizes> {
        let bytes = fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
        let file = object::File::parse(&*bytes).context("this is no ELF file")?;
        let mut sizes = Sizes::default();
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags, .. } = section.flags() else { continue };
            if !sh_flags.contains(elf::SHF_ALLOC) || section.name().is_ok_and(is_placeholder) {
                continue;
            }
            // What has a value at the start is in flash, wherever it is when the program runs.
            if section.file_range().is_some() {
                sizes.flash += section.size();
            }
            match section.address() {
                at if DATA_RAM.contains(&at) => sizes.data_in_ram += section.size(),
                at if CODE_RAM.contains(&at) => sizes.code_in_ram += section.size(),
                _ => {}
            }
        }
        let symbol = |name: &str| {
            let found = file.symbol_by_name(name).map(|symbol| symbol.address());
            found.with_context(|| format!("the program has no {name}"))
        };
        sizes.stack = symbol(STACK_TOP)?.saturating_sub(symbol(STACK_BOTTOM)?);
        Ok(sizes)
    }

    /// An error that names every budget that is passed.
    pub(crate) fn check(&self) -> Result<()> {
        let mut passed = Vec::new();
        if self.flash > FLASH {
            let more = self.flash - FLASH;
            passed.push(format!("the program takes {more} bytes of flash more than it may"));
        }
        if self.stack < STACK {
            passed.push(format!("{} bytes are left to the stack, not {STACK}", self.stack));
        }
        if passed.is_empty() { Ok(()) } else { bail!("over budget: {}", passed.join("; ")) }
    }
}

/// Whether a section only keeps a place: the stack's, or that of code in the same RAM as data.
fn is_placeholder(section: &str) -> bool {
    section == ".stack" || section.ends_with("_dummy")
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "program in flash            {:>8} of {FLASH} bytes", self.flash)?;
        writeln!(f, "code in RAM                 {:>8} bytes", self.code_in_ram)?;
        writeln!(f, "static data, heap included  {:>8} bytes", self.data_in_ram)?;
        writeln!(f, "left to the stack           {:>8} bytes, {STACK} at least", self.stack)
    }
}

#[cfg(test)]
mod tests {
    use super::{FLASH, STACK, Sizes};

    #[test]
    fn every_budget_that_is_passed_is_named() {
        let sizes = |flash, stack| Sizes { flash, stack, ..Sizes::default() };
        assert!(sizes(FLASH, STACK).check().is_ok());
        let error = sizes(FLASH + 7, STACK - 1).check().unwrap_err().to_string();
        insta::assert_snapshot!(error, @"over budget: the program takes 7 bytes of flash more than it may; 16383 bytes are left to the stack, not 16384");
    }
}
