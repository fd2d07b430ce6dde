//! Which functions an event's instructions are in: the emulator writes down every instruction's
//! address, and the program marks where the event begins and ends.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSymbol, SymbolKind};

use super::{TIMEOUT, check, pack, script_task};
use crate::chip::emulator::Emulator;
use crate::chip::paths::Paths;

/// Called before and after the event.
const MARK: &str = "bench_mark";
/// Functions with a smaller share of the instructions are summed up: one in so many.
const SMALLEST: u64 = 200;

/// Lists the functions, most instructions first.
pub(super) fn run(paths: &Paths, elf: &Path, source: &[u8], event: &str) -> Result<String> {
    let tasks = [script_task(source), format!("event {event}").into_bytes()];
    let flash = pack(paths, &tasks)?;
    let trace = paths.target.join("bench.trace");
    let ended =
        Emulator::new(paths.chip, elf).exact(true).trace(&trace).flash(&flash)?.run(TIMEOUT)?;
    check(&ended)?;
    let symbols = Symbols::read(elf)?;
    let counts = count(BufReader::new(File::open(&trace)?), &symbols)?;
    fs::remove_file(&trace)?;
    let all: u64 = counts.values().sum();
    let mut counts: Vec<(&str, u64)> = counts.into_iter().collect();
    counts.sort_unstable_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let mut text = String::new();
    let mut small = 0;
    for (name, count) in counts {
        if count < all / SMALLEST {
            small += count;
        } else {
            writeln!(text, "{count:>9}  {:#}", rustc_demangle::demangle(name))?;
        }
    }
    writeln!(text, "{small:>9}  others")?;
    Ok(text)
}

/// Instructions by function between the last two marks.
fn count(trace: impl BufRead, symbols: &Symbols) -> Result<HashMap<&str, u64>> {
    let (mut counts, mut last) = (HashMap::new(), HashMap::new());
    let mut inside = "";
    for line in trace.split(b'\n') {
        let Some(name) = address(&line?).and_then(|address| symbols.at(address)) else { continue };
        if name == MARK {
            if inside != MARK {
                last = std::mem::take(&mut counts);
            }
        } else {
            *counts.entry(name).or_insert(0) += 1;
        }
        inside = name;
    }
    ensure!(!last.is_empty(), "the program set no marks");
    Ok(last)
}

/// The address in a line of the emulator's: `Trace 0: 0x7f0c4c [00000000/40200000/...`.
fn address(line: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(line).ok()?;
    let (_, rest) = text.split_once('/')?;
    u32::from_str_radix(rest.split_once('/')?.0, 16).ok()
}

/// Functions by address.
struct Symbols(Vec<(u32, String)>);

impl Symbols {
    fn read(elf: &Path) -> Result<Symbols> {
        let bytes = fs::read(elf)?;
        let file = object::File::parse(&*bytes).context("this is no ELF file")?;
        let mut symbols: Vec<(u32, String)> = file
            .symbols()
            .filter(|symbol| symbol.kind() == SymbolKind::Text)
            .filter_map(|symbol| Some((symbol.address() as u32, symbol.name().ok()?.to_owned())))
            .collect();
        symbols.sort_unstable();
        Ok(Symbols(symbols))
    }

    fn at(&self, address: u32) -> Option<&str> {
        let behind = self.0.partition_point(|(start, _)| *start <= address);
        self.0.get(behind.checked_sub(1)?).map(|(_, name)| &name[..])
    }
}

#[cfg(test)]
mod tests {
    use super::{MARK, Symbols, count};

    #[test]
    fn only_what_is_between_the_last_marks_counts() {
        let symbols = Symbols(vec![(0x100, "f".into()), (0x200, MARK.into()), (0x300, "g".into())]);
        let line = |address: u32| format!("Trace 0: 0x7f [00000000/{address:08x}/00/ff] \n");
        let trace: String = [0x100, 0x200, 0x204, 0x300, 0x304, 0x110, 0x200, 0x300]
            .into_iter()
            .map(line)
            .collect();
        let counts = count(trace.as_bytes(), &symbols).unwrap();
        assert_eq!((counts.len(), counts["g"], counts["f"]), (2, 2, 1));
        assert!(count(&b"nothing\n"[..], &symbols).is_err());
    }
}
