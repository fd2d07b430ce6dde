//! Holds that what runs while flash cannot be read uses nothing that lies there. On the chip that
//! would be a crash: at the start, or when something is first written; and the emulator would not
//! notice.
//!
//! Functions in the section `.rwtext` are such. Whatever they use they call, jump to, or load the
//! address of, so their instructions are looked through (Xtensa instruction set reference, chapter
//! 6: L32R, CALL0, J). A constant of flash that one gets as an argument is not seen.

use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};
use object::{File, Object, ObjectSection, ObjectSymbol, SymbolKind};

/// The section.
const SECTION: &str = ".rwtext";
/// Flash, as the chip shows it.
const FLASH: Range<u32> = 0x4020_0000..0x4030_0000;
/// Where the chip's ROM goes on, and the last part of a function's name with which flash can be
/// read.
const START: &str = "ESP8266Reset";
const READABLE: &str = "cache_enable";

/// An error that names a function that needs flash and must not.
pub(crate) fn check(file: &File<'_>) -> Result<()> {
    let Some(section) = file.section_by_name(SECTION) else { return Ok(()) };
    let memory =
        Memory { start: u32::try_from(section.address())?, bytes: section.uncompressed_data()? };
    let mut symbols = Vec::new();
    for symbol in file.symbols() {
        let (start, end) = (symbol.address(), symbol.address() + symbol.size());
        if symbol.kind() == SymbolKind::Text && end > start {
            symbols.push((u32::try_from(start)?..u32::try_from(end)?, symbol.name()?));
        }
    }
    let name = |address| {
        let found = symbols.iter().find(|(range, _)| range.contains(&address));
        found.map_or("a constant", |(_, name)| name)
    };
    for (range, function) in symbols.iter().filter(|(range, _)| memory.holds(range)) {
        let used = memory.used_by(range.clone());
        let used = used.with_context(|| format!("{function} reaches outside {SECTION}"))?;
        // The start turns the cache on, and then may use it.
        let readable = used.iter().position(|&address| name(address).ends_with(READABLE));
        let until = if *function == START { readable.unwrap_or(used.len()) } else { used.len() };
        if let Some(&address) = used[..until].iter().find(|&address| FLASH.contains(address)) {
            bail!(
                "{} runs while flash cannot be read and uses {}, which lies there at {address:#010x}",
                plain(function),
                plain(name(address))
            );
        }
    }
    if let Some(start) = file.symbol_by_name(START) {
        ensure!(file.entry() == start.address(), "the program does not begin at {START}");
        ensure!(!FLASH.contains(&u32::try_from(start.address())?), "{START} is in flash");
    }
    Ok(())
}

fn plain(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

/// A section's content.
struct Memory<'a> {
    start: u32,
    bytes: std::borrow::Cow<'a, [u8]>,
}

impl Memory<'_> {
    fn holds(&self, range: &Range<u32>) -> bool {
        self.at(range.start).is_some() && self.at(range.end - 1).is_some()
    }

    /// What is there and behind it.
    fn at(&self, address: u32) -> Option<&[u8]> {
        let rest = self.bytes.get(address.checked_sub(self.start)? as usize..)?;
        (!rest.is_empty()).then_some(rest)
    }

    fn word(&self, address: u32) -> Option<u32> {
        Some(u32::from_le_bytes(*self.at(address)?.first_chunk()?))
    }

    /// Where the code in this range calls or jumps to, and the words it loads; `None` if it is not
    /// all in this memory.
    fn used_by(&self, code: Range<u32>) -> Option<Vec<u32>> {
        let mut used = Vec::new();
        let mut pc = code.start;
        while pc < code.end {
            let bytes = self.at(pc)?;
            // Instructions with this bit are of the short kind, which neither call nor load
            // constants.
            if bytes[0] & 8 != 0 {
                pc += 2;
                continue;
            }
            let &[a, b, c] = bytes.first_chunk()?;
            let instruction = u32::from_le_bytes([a, b, c, 0]);
            // Bits 6 to 23, with their sign.
            let offset = ((instruction << 8) as i32 >> 14) as u32;
            match instruction & 0x3f {
                _ if instruction & 0xf == 1 => {
                    let back = 0xfffc_0000 | instruction >> 8 << 2;
                    used.push(self.word((pc.wrapping_add(3) & !3).wrapping_add(back))?);
                }
                5 => used.push((pc & !3).wrapping_add(offset << 2).wrapping_add(4)),
                6 => used.push(pc.wrapping_add(offset).wrapping_add(4)),
                _ => {}
            }
            pc += 3;
        }
        Some(used)
    }
}

#[cfg(test)]
mod tests {
    use super::Memory;

    #[test]
    fn calls_jumps_and_literals_are_seen() {
        // As GNU's disassembler shows it:
        //   40100000:  .word 0x40210018
        //   40100004:  addi  a1, a1, -16
        //   40100007:  l32r  a8, 40100000
        //   4010000a:  mov.n a2, a3
        //   4010000c:  callx0 a8
        //   4010000f:  call0 40100020
        //   40100012:  j     40100004
        let bytes = [
            0x18, 0x00, 0x21, 0x40, 0x12, 0xc1, 0xf0, 0x81, 0xfe, 0xff, 0x2d, 0x03, 0xc0, 0x08,
            0x00, 0x05, 0x01, 0x00, 0x86, 0xfb, 0xff,
        ];
        let memory = Memory { start: 0x4010_0000, bytes: (&bytes[..]).into() };
        assert_eq!(
            memory.used_by(0x4010_0004..0x4010_0015),
            Some(vec![0x4021_0018, 0x4010_0020, 0x4010_0004])
        );
        assert_eq!(memory.used_by(0x4010_0004..0x4010_0018), None, "behind the end");
        assert!(!memory.holds(&(0x4000_0000..0x4010_0010)));
    }
}
