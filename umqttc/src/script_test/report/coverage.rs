//! What ran of the scripts: for people, for programs, and as lcov's tracefile, which `genhtml` and
//! build machines read.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde::Serialize;

use crate::render;
use crate::script_test::coverage::CoveredScript;

/// Most lines that are listed of each kind.
const LISTED: usize = 40;

/// Writes what ran, each line behind `lead`.
///
/// # Errors
/// Those of `out`.
pub(crate) fn human(out: &mut dyn Write, lead: &str, scripts: &[CoveredScript]) -> io::Result<()> {
    for script in scripts {
        let (lines, missed) = (script.lines.len(), script.missed_lines().count());
        let ran = script.handlers.iter().filter(|handler| handler.ran > 0).count();
        writeln!(
            out,
            "{lead}coverage  {}: {} of {lines} lines, {ran} of {} handlers, {} of {} branches",
            render::printable(script.name.as_bytes()),
            lines - missed,
            script.handlers.len(),
            script.ways_taken(),
            2 * script.branches.len(),
        )?;
        for handler in script.handlers.iter().filter(|handler| handler.ran == 0).take(LISTED) {
            let event = render::printable(handler.event.as_bytes());
            writeln!(out, "{lead}  never ran: {event} (line {})", handler.line)?;
        }
        if missed > 0 {
            writeln!(
                out,
                "{lead}  never ran: {}",
                ranges(script, script.missed_lines().collect())
            )?;
        }
        let one_way = ranges(script, script.one_way_lines().collect());
        if !one_way.is_empty() {
            writeln!(out, "{lead}  conditions that always went the same way: {one_way}")?;
        }
    }
    Ok(())
}

/// `line 3`, `lines 3, 7-9`: lines between which there is none with code are one range.
fn ranges(script: &CoveredScript, lines: BTreeSet<u32>) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for line in lines {
        let gap = |last: u32| script.lines.range(last + 1..line).next().is_some();
        match ranges.last_mut() {
            Some((_, last)) if !gap(*last) => *last = line,
            _ => ranges.push((line, line)),
        }
    }
    let shown: Vec<String> = ranges
        .iter()
        .take(LISTED)
        .map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        })
        .collect();
    let more = if ranges.len() > LISTED { ", ..." } else { "" };
    match ranges[..] {
        [] => String::new(),
        [(first, last)] if first == last => format!("line {first}"),
        _ => format!("lines {}{more}", shown.join(", ")),
    }
}

#[derive(Serialize)]
struct Covered<'l> {
    script: &'l str,
    lines: Counted,
    handlers: Counted,
    branches: Counted,
    missed_lines: Vec<u32>,
}

#[derive(Serialize)]
struct Counted {
    found: usize,
    ran: usize,
}

/// An object a line for every script.
///
/// # Errors
/// Those of `out`.
pub(crate) fn json(out: &mut dyn Write, scripts: &[CoveredScript]) -> io::Result<()> {
    for script in scripts {
        let missed_lines: Vec<u32> = script.missed_lines().collect();
        let ran = script.handlers.iter().filter(|handler| handler.ran > 0).count();
        let found = script.lines.len();
        let covered = Covered {
            script: &script.name,
            lines: Counted { found, ran: found - missed_lines.len() },
            handlers: Counted { found: script.handlers.len(), ran },
            branches: Counted { found: 2 * script.branches.len(), ran: script.ways_taken() },
            missed_lines,
        };
        writeln!(out, "{}", serde_json::to_string(&covered)?)?;
    }
    Ok(())
}

/// A tracefile as `lcov` writes it: its manual page, geninfo(1), says what the records mean.
///
/// # Errors
/// Those of `out`.
pub(crate) fn lcov(out: &mut dyn Write, scripts: &[CoveredScript]) -> io::Result<()> {
    for script in scripts {
        writeln!(out, "TN:\nSF:{}", script.name)?;
        let mut ran = 0;
        for (number, handler) in script.handlers.iter().enumerate() {
            let name = function_name(&handler.event, number);
            writeln!(out, "FN:{},{name}\nFNDA:{},{name}", handler.line, handler.ran)?;
            ran += usize::from(handler.ran > 0);
        }
        writeln!(out, "FNF:{}\nFNH:{ran}", script.handlers.len())?;
        for (block, branch) in script.branches.iter().enumerate() {
            for (way, taken) in branch.ways.iter().enumerate() {
                // A condition that was never asked has `-`.
                let taken = match branch.ways {
                    [0, 0] => "-".to_owned(),
                    _ => taken.to_string(),
                };
                writeln!(out, "BRDA:{},{block},{way},{taken}", branch.line)?;
            }
        }
        writeln!(out, "BRF:{}\nBRH:{}", 2 * script.branches.len(), script.ways_taken())?;
        for (line, ran) in &script.lines {
            writeln!(out, "DA:{line},{ran}")?;
        }
        let found = script.lines.len();
        let missed = script.missed_lines().count();
        writeln!(out, "LF:{found}\nLH:{}\nend_of_record", found - missed)?;
    }
    Ok(())
}

/// The name of a handler, the only one of its script: commas part the fields.
fn function_name(event: &str, number: usize) -> String {
    let event: String =
        event.chars().map(|c| if c == ',' || c.is_control() { ' ' } else { c }).collect();
    format!("{event} #{}", number + 1)
}
