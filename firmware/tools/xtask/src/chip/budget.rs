//! What the device may take. A build that takes more fails and says of what.

use std::fmt;

use anyhow::{Result, bail};

use super::description::Chip;
use super::size::{Memory, Sizes};

/// One budget and what is taken of it, bytes.
struct Line {
    of: &'static str,
    taken: u64,
    budget: u64,
}

/// All budgets.
pub(crate) struct Budgets([Line; 5]);

impl Budgets {
    /// What this program takes of them.
    pub(crate) fn new(chip: &Chip, sizes: &Sizes) -> Budgets {
        // A program without a network needs nothing for it.
        let network = if sizes.has_network() { 0 } else { chip.plan.network };
        let table = chip.plan.total() - network;
        let line = |of, taken, budget| Line { of, taken, budget };
        Budgets([
            line("image in flash", sizes.image(), chip.limits.image),
            line("static RAM, stack and heap", sizes.ram(), chip.limits.ram),
            line("heap, by the ledger's table", table as u64, sizes.heap()),
            line("code in RAM", sizes.total(Memory::FastCode), chip.limits.fast_code),
            line("code of VM and script engine", sizes.engine(), chip.limits.engine),
        ])
    }

    /// An error that names every one that is passed.
    pub(crate) fn check(&self) -> Result<()> {
        let passed: Vec<String> =
            self.0.iter().filter(|line| line.taken > line.budget).map(Line::passed).collect();
        if passed.is_empty() { Ok(()) } else { bail!("over budget: {}", passed.join("; ")) }
    }
}

impl Line {
    fn passed(&self) -> String {
        format!(
            "{} takes {} bytes, {} more than it may",
            self.of,
            self.taken,
            self.taken - self.budget
        )
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<29} {:>7} of {:>7} bytes", self.of, self.taken, self.budget)
    }
}

impl fmt::Display for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Budgets, Line};

    #[test]
    fn the_one_that_is_passed_is_named() {
        let budgets = |taken| {
            Budgets([
                Line { of: "image", taken: 10, budget: 10 },
                Line { of: "RAM", taken, budget: 100 },
                Line { of: "heap", taken: 1, budget: 1 },
                Line { of: "code in RAM", taken: 0, budget: 1 },
                Line { of: "code", taken: 0, budget: 1 },
            ])
        };
        assert!(budgets(100).check().is_ok());
        let error = budgets(101).check().unwrap_err().to_string();
        insta::assert_snapshot!(error, @"over budget: RAM takes 101 bytes, 1 more than it may");
    }
}
