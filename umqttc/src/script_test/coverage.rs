//! Which lines, handlers and branches of a script its tests ran.

use std::collections::BTreeMap;

use umqtt_device::sim::Coverage;
use umqtt_vm::decode::instructions;
use umqtt_vm::image::Record;
use umqtt_vm::isa::{Format, Op};
use umqtt_vm::{Image, Listing};

use super::script::Script;
use super::suite::Suite;

/// What ran of a script, in the terms of its source.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CoveredScript {
    /// As messages name it.
    pub(crate) name: String,
    /// Lines with code, from 1, and how often they ran.
    pub(crate) lines: BTreeMap<u32, u32>,
    /// Handlers and subs, in the order of their code.
    pub(crate) handlers: Vec<CoveredHandler>,
    /// Comparisons and other conditions, in the order of their code.
    pub(crate) branches: Vec<CoveredBranch>,
}

/// A handler, or a sub.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CoveredHandler {
    /// What wakes it, as a script spells it.
    pub(crate) event: String,
    /// Its first line with code.
    pub(crate) line: u32,
    /// How often it ran.
    pub(crate) ran: u32,
}

/// A condition: a comparison, or a value that is true or not. `and` and `or` join several.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CoveredBranch {
    pub(crate) line: u32,
    /// How often each of its ways was taken.
    pub(crate) ways: [u32; 2],
}

impl CoveredScript {
    fn new(script: &Script, coverage: &Coverage) -> Option<CoveredScript> {
        let image = Image::parse(script.image.as_ref()?).ok()?;
        let debug = image.debug();
        let mut covered = CoveredScript {
            name: script.name.clone(),
            lines: BTreeMap::new(),
            handlers: Vec::new(),
            branches: Vec::new(),
        };
        for (at, instruction) in instructions(image.code()) {
            let Ok(at) = u16::try_from(at) else { break };
            let Some(line) = debug.line(at) else { continue };
            // What ends a block belongs to no line of the source.
            if matches!(instruction.op, Op::End | Op::Leave | Op::Loop | Op::Jump) {
                continue;
            }
            let ran = covered.lines.entry(line).or_default();
            *ran = (*ran).max(coverage.instruction(at));
            let jumps = instruction.op.format() == Format::NearJump
                || matches!(instruction.op, Op::JumpFalse | Op::JumpTrue);
            if jumps {
                covered.branches.push(CoveredBranch { line, ways: coverage.branch(at) });
            }
        }
        let mut records: Vec<Record> = image.records().collect();
        records.sort_by_key(|record| record.code);
        let listing = Listing::new(&image);
        covered.handlers = records
            .iter()
            .filter_map(|record| {
                let line = debug.line(record.code)?;
                let event = listing.event(record).to_string();
                Some(CoveredHandler { event, line, ran: coverage.instruction(record.code) })
            })
            .collect();
        Some(covered)
    }

    /// Lines that have code and never ran.
    pub(crate) fn missed_lines(&self) -> impl Iterator<Item = u32> {
        self.lines.iter().filter(|(_, ran)| **ran == 0).map(|(line, _)| *line)
    }

    /// Lines of conditions that only ever went one way.
    pub(crate) fn one_way_lines(&self) -> impl Iterator<Item = u32> {
        let one_way = |branch: &&CoveredBranch| (branch.ways[0] == 0) != (branch.ways[1] == 0);
        self.branches.iter().filter(one_way).map(|branch| branch.line)
    }

    /// Ways of conditions that were taken.
    pub(crate) fn ways_taken(&self) -> usize {
        self.branches.iter().flat_map(|branch| branch.ways).filter(|taken| *taken > 0).count()
    }
}

/// What ran of all scripts of these tests, by their names; a script that several test files use is
/// one.
pub(crate) fn of(suites: &[Suite]) -> Vec<CoveredScript> {
    let mut all: BTreeMap<&str, (&Script, Coverage)> = BTreeMap::new();
    for suite in suites {
        let covered = suite.covered.as_deref().unwrap_or_default();
        for (script, ran) in suite.scripts.iter().zip(covered) {
            all.entry(&script.name).or_insert_with(|| (script, Coverage::default())).1.add(ran);
        }
    }
    all.values().filter_map(|(script, ran)| CoveredScript::new(script, ran)).collect()
}
