//! What takes how much of a program: by crate and kind of memory, from the ELF file's symbols.
//!
//! Literals and padding in front of a function count as the function's. The compiler keeps no names
//! of most constants: they are shown together.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use object::{Object, ObjectSection, ObjectSymbol, SectionKind, SymbolKind};

/// Bytes in one KiB.
pub(crate) const KIB: u64 = 1024;
/// Modules that have a line of their own.
const ENGINE: &str = "umqtt_device::engine";
/// What has no name.
const UNNAMED: &str = "(unnamed constants)";
const ASSEMBLY: &str = "(assembly, literals)";

/// Kinds of memory, in the order they are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Memory {
    /// Code in flash.
    Code,
    /// Code in instruction RAM.
    FastCode,
    /// Constants in flash.
    Constants,
    /// Variables with a value at the start: in RAM, and in flash as well.
    Data,
    /// Variables that start as 0.
    Zeroed,
    /// The stack.
    Stack,
}

impl Memory {
    const ALL: [(Memory, &str); 6] = [
        (Memory::Code, "code"),
        (Memory::FastCode, "in IRAM"),
        (Memory::Constants, "constants"),
        (Memory::Data, "data"),
        (Memory::Zeroed, "zeroed"),
        (Memory::Stack, "stack"),
    ];

    fn of(section: &str) -> Option<Memory> {
        Some(match section {
            ".text" => Memory::Code,
            ".vectors" | ".iram" | ".rwtext" => Memory::FastCode,
            ".rodata" => Memory::Constants,
            ".data" => Memory::Data,
            ".bss" => Memory::Zeroed,
            ".stack" => Memory::Stack,
            _ => return None,
        })
    }
}

/// A function or variable.
#[derive(Debug)]
pub(crate) struct Item {
    /// Its name, demangled.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) memory: Memory,
    /// What it takes.
    pub(crate) bytes: u64,
}

/// What is in a program.
pub(crate) struct Sizes {
    items: Vec<Item>,
    /// RAM left to the heap, bytes.
    heap: u64,
}

impl Sizes {
    /// Of this ELF file.
    pub(crate) fn read(elf: &Path) -> Result<Sizes> {
        let bytes = fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
        let file = object::File::parse(&*bytes).context("this is no ELF file")?;
        let address = |name| file.symbol_by_name(name).map(|symbol| symbol.address());
        let heap =
            address("_heap_end").zip(address("_heap_start")).map_or(0, |(end, start)| end - start);
        let mut items = Vec::new();
        for section in file.sections() {
            let Some(memory) = section.name().ok().and_then(Memory::of) else { continue };
            let end = section.address() + section.size();
            let mut symbols: Vec<(u64, u64, &str)> = file
                .symbols()
                .filter(|symbol| {
                    symbol.section_index() == Some(section.index()) && is_item(symbol.kind())
                })
                .filter_map(|symbol| Some((symbol.address(), symbol.size(), symbol.name().ok()?)))
                .collect();
            symbols.sort_unstable();
            items.extend(
                cover(section.address()..end, &symbols, section.kind() == SectionKind::Text).map(
                    |(name, bytes)| Item {
                        name: format!("{:#}", rustc_demangle::demangle(name)),
                        memory,
                        bytes,
                    },
                ),
            );
        }
        Ok(Sizes { items, heap })
    }

    /// Bytes of one kind of memory.
    pub(crate) fn total(&self, memory: Memory) -> u64 {
        self.items.iter().filter(|item| item.memory == memory).map(|item| item.bytes).sum()
    }

    /// What goes into the flash.
    pub(crate) fn image(&self) -> u64 {
        [Memory::Code, Memory::FastCode, Memory::Constants, Memory::Data]
            .into_iter()
            .map(|memory| self.total(memory))
            .sum()
    }

    /// All RAM: static, stack and heap.
    pub(crate) fn ram(&self) -> u64 {
        [Memory::Data, Memory::Zeroed, Memory::Stack]
            .into_iter()
            .map(|memory| self.total(memory))
            .sum::<u64>()
            + self.heap
    }

    /// What is left of the RAM for the heap.
    pub(crate) fn heap(&self) -> u64 {
        self.heap
    }

    /// Whether it has the network's stack.
    pub(crate) fn has_network(&self) -> bool {
        self.items.iter().any(|item| part_of(&item.name) == "smoltcp")
    }

    /// Code of the machine and the script engine.
    pub(crate) fn engine(&self) -> u64 {
        let items =
            self.items.iter().filter(|item| matches!(item.memory, Memory::Code | Memory::FastCode));
        items
            .filter(|item| matches!(part_of(&item.name), "umqtt_vm" | ENGINE))
            .map(|item| item.bytes)
            .sum()
    }

    /// The largest, largest first.
    pub(crate) fn largest(&self, count: usize) -> Vec<&Item> {
        let mut items: Vec<&Item> = self.items.iter().collect();
        items.sort_by_key(|item| std::cmp::Reverse(item.bytes));
        items.truncate(count);
        items
    }
}

fn is_item(kind: SymbolKind) -> bool {
    matches!(kind, SymbolKind::Text | SymbolKind::Data)
}

/// Shares out a section: each symbol with what is in front of it (in code: literals), and what is
/// left at the end. In data, what is in front of a symbol has lost its name.
fn cover<'a>(
    section: std::ops::Range<u64>,
    symbols: &[(u64, u64, &'a str)],
    code: bool,
) -> impl Iterator<Item = (&'a str, u64)> {
    let mut parts = Vec::new();
    let mut at = section.start;
    for &(address, size, name) in symbols {
        let end = (address + size).min(section.end);
        if end <= at {
            continue; // another name of the same
        }
        let start = if code { at } else { address.max(at) };
        if start > at {
            parts.push((UNNAMED, start - at));
        }
        parts.push((name, end - start));
        at = end;
    }
    if at < section.end {
        parts.push((if code { ASSEMBLY } else { UNNAMED }, section.end - at));
    }
    parts.into_iter()
}

/// The crate a name belongs to, or the module where that has its own line.
fn part_of(name: &str) -> &str {
    if name == UNNAMED || name == ASSEMBLY {
        return name;
    }
    // `<umqtt_vm::Machine as core::fmt::Debug>::fmt` is of what stands first.
    let path = name.trim_start_matches(|c: char| !c.is_ascii_alphabetic() && c != '_');
    if path.starts_with(ENGINE) {
        return ENGINE;
    }
    match path.split_once("::") {
        Some((part, _)) if part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => part,
        _ => ASSEMBLY,
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: BTreeMap<&str, BTreeMap<Memory, u64>> = BTreeMap::new();
        for item in &self.items {
            *parts.entry(part_of(&item.name)).or_default().entry(item.memory).or_default() +=
                item.bytes;
        }
        let mut parts: Vec<_> = parts.into_iter().collect();
        parts.sort_by_key(|(_, sizes)| std::cmp::Reverse(sizes.values().sum::<u64>()));

        write!(f, "{:<24}", "bytes")?;
        for (_, name) in Memory::ALL {
            write!(f, "{name:>11}")?;
        }
        writeln!(f)?;
        for (part, sizes) in parts {
            row(f, part, |memory| sizes.get(&memory).copied().unwrap_or(0))?;
        }
        row(f, "all", |memory| self.total(memory))
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, bytes: impl Fn(Memory) -> u64) -> fmt::Result {
    write!(f, "{name:<24}")?;
    for (memory, _) in Memory::ALL {
        match bytes(memory) {
            0 => write!(f, "{:>11}", "-")?,
            bytes => write!(f, "{bytes:>11}")?,
        }
    }
    writeln!(f)
}

#[cfg(test)]
mod tests {
    use super::{ASSEMBLY, ENGINE, Item, Memory, Sizes, UNNAMED, cover, part_of};

    fn shared(symbols: &[(u64, u64, &'static str)], code: bool) -> Vec<(&'static str, u64)> {
        cover(0..100, symbols, code).collect()
    }

    #[test]
    fn literals_count_as_the_function_s_behind_them() {
        assert_eq!(
            shared(&[(10, 20, "f"), (40, 20, "g")], true),
            [("f", 30), ("g", 30), (ASSEMBLY, 40)]
        );
    }

    #[test]
    fn constants_that_lost_their_name_are_shown_as_such() {
        assert_eq!(
            shared(&[(10, 20, "A"), (30, 70, "B")], false),
            [(UNNAMED, 10), ("A", 20), ("B", 70)]
        );
    }

    #[test]
    fn two_names_of_one_thing_count_once() {
        assert_eq!(shared(&[(0, 100, "f"), (0, 100, "also_f")], true), [("f", 100)]);
        assert_eq!(shared(&[(0, 60, "f"), (50, 50, "inside")], true), [("f", 60), ("inside", 40)]);
    }

    #[test]
    fn a_name_belongs_to_the_crate_that_stands_first() {
        for (name, part) in [
            ("core::fmt::write", "core"),
            ("<umqtt_vm::Value as core::fmt::Debug>::fmt", "umqtt_vm"),
            ("<&umqtt_vm::Value as core::fmt::Debug>::fmt", "umqtt_vm"),
            ("<umqtt_device::engine::Engine<alloc::vec::Vec<u8>>>::handle", ENGINE),
            ("umqtt_device::console::run", "umqtt_device"),
            ("memcpy", ASSEMBLY),
            ("", ASSEMBLY),
        ] {
            assert_eq!(part_of(name), part, "{name}");
        }
    }

    #[test]
    fn the_table_has_a_line_per_crate_and_one_for_all() {
        let item = |name: &str, memory, bytes| Item { name: name.into(), memory, bytes };
        let sizes = Sizes {
            items: vec![
                item("core::fmt::write", Memory::Code, 700),
                item("umqtt_vm::run", Memory::Code, 3000),
                item("<umqtt_device::engine::Engine>::poll", Memory::Code, 500),
                item("umqtt_vm::TABLE", Memory::Constants, 64),
                item(UNNAMED, Memory::Constants, 900),
                item("main::HEAP", Memory::Zeroed, 32),
            ],
            heap: 1000,
        };
        assert_eq!((sizes.image(), sizes.ram(), sizes.engine()), (5164, 1032, 3500));
        insta::assert_snapshot!(sizes, @r"
        bytes                          code    in IRAM  constants       data     zeroed      stack
        umqtt_vm                       3000          -         64          -          -          -
        (unnamed constants)               -          -        900          -          -          -
        core                            700          -          -          -          -          -
        umqtt_device::engine            500          -          -          -          -          -
        main                              -          -          -          -         32          -
        all                            4200          -        964          -         32          -
        ");
    }
}
