//! Which code of a script ran, and which way its conditions went.

use alloc::collections::BTreeMap;

use umqtt_vm::Step;

/// How often the instructions of a script were carried out, by their offsets in its code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    instructions: BTreeMap<u16, u32>,
    branches: BTreeMap<u16, [u32; 2]>,
}

impl Coverage {
    /// Counts a step of the instruction at `offset`.
    pub(super) fn count(&mut self, step: &Step<'_>, offset: Option<u16>) {
        let one_more = |count: &mut u32| *count = count.saturating_add(1);
        match (step, offset) {
            (Step::Instruction { at, .. }, _) => {
                one_more(self.instructions.entry(*at).or_default())
            }
            (Step::Branch { jumps, .. }, Some(at)) => {
                one_more(&mut self.branches.entry(at).or_default()[usize::from(*jumps)]);
            }
            _ => {}
        }
    }

    /// Adds what another run of the same script counted.
    pub fn add(&mut self, other: &Coverage) {
        for (at, count) in &other.instructions {
            let sum = self.instructions.entry(*at).or_default();
            *sum = sum.saturating_add(*count);
        }
        for (at, counts) in &other.branches {
            let into = self.branches.entry(*at).or_default();
            into.iter_mut().zip(counts).for_each(|(sum, count)| *sum = sum.saturating_add(*count));
        }
    }

    /// How often the instruction at an offset was carried out. The first one of a handler or a sub
    /// is as often as that ran.
    pub fn instruction(&self, offset: u16) -> u32 {
        self.instructions.get(&offset).copied().unwrap_or(0)
    }

    /// How often the conditional jump at an offset ran on, and how often it jumped.
    pub fn branch(&self, offset: u16) -> [u32; 2] {
        self.branches.get(&offset).copied().unwrap_or_default()
    }
}
