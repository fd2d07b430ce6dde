//! What a unit of fuel buys on the core: every operation of scripts with every kind of value.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use umqtt_lang::umqtt_vm::fuel::{EVENT_TANKS, INSTRUCTIONS_PER_FUEL};
use umqtt_testkit::fuel_cases::fuel_cases;

use super::perform;
use crate::chip::paths::Paths;

/// So many cases find room in the flash.
const AT_ONCE: usize = 400;
/// So many of the worst are shown.
const SHOWN: usize = 10;

/// A case that was counted.
struct Counted {
    name: String,
    instructions: u64,
    fuel: u64,
}

impl Counted {
    /// Instructions for a unit of fuel.
    fn per_fuel(&self) -> f64 {
        self.instructions as f64 / self.fuel as f64
    }
}

/// Counts the cases whose name has a word, and shows the worst, or all that have it.
pub(super) fn run(paths: &Paths, elf: &Path, word: Option<&str>) -> Result<ExitCode> {
    let wanted = |name: &str| word.is_none_or(|word| name.contains(word));
    let mut counted = count(paths, elf, wanted)?;
    ensure!(!counted.is_empty(), "there is no such case");
    counted.sort_by(|a, b| b.per_fuel().total_cmp(&a.per_fuel()));
    let profile = &paths.chip.profile;
    let milliseconds = |per_fuel: f64| {
        let tanks = f64::from(EVENT_TANKS * profile.fuel);
        per_fuel * tanks / f64::from(profile.instructions_per_micro) / 1000.0
    };
    println!("\nworst fuel, of {} cases: instructions per unit, ms per event", counted.len());
    let shown = if word.is_some() { counted.len() } else { SHOWN };
    for case in counted.iter().take(shown) {
        println!("{:>8.1} {:>8.1}   {}", case.per_fuel(), milliseconds(case.per_fuel()), case.name);
    }
    let bound = f64::from(INSTRUCTIONS_PER_FUEL);
    let above = counted.iter().take_while(|case| case.per_fuel() > bound).count();
    if above > 0 {
        bail!("a unit of fuel buys more than {bound} instructions in {above} cases");
    }
    Ok(ExitCode::SUCCESS)
}

fn count(paths: &Paths, elf: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<Counted>> {
    let cases: Vec<_> = fuel_cases().into_iter().filter(|case| wanted(&case.name)).collect();
    let mut counted = Vec::new();
    for cases in cases.chunks(AT_ONCE) {
        let tasks: Vec<_> = cases.iter().map(|case| format!("fuel\n{}", case.script)).collect();
        let tasks: Vec<_> = tasks.into_iter().map(String::into_bytes).collect();
        let report = perform(paths, elf, &tasks)?;
        let all = |name| report.all("fuel", name);
        let figures = all("instructions").zip(all("used")).zip(all("tank"));
        for (case, ((instructions, fuel), tank)) in cases.iter().zip(figures) {
            ensure!(fuel >= tank, "{}: it ends before its fuel does", case.name);
            counted.push(Counted { name: case.name.clone(), instructions, fuel });
        }
    }
    ensure!(counted.len() == cases.len(), "a case was not counted");
    Ok(counted)
}
