//! Loops that count: how often they come round at most.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use umqtt_vm::Image;
use umqtt_vm::decode::{Instruction, instructions};
use umqtt_vm::image::Constant;
use umqtt_vm::isa::{Op, Operand};

/// What is looked at: the code, and what the operands of its instructions mean.
#[derive(Clone, Copy)]
pub(super) struct Code<'c> {
    pub(super) image: &'c Image<'c>,
    pub(super) words: &'c [u32],
    pub(super) temporaries: u8,
}

/// Where loops start, behind their `head`, and the `loop` that leads back there.
pub(super) fn loops(words: &[u32]) -> BTreeMap<usize, usize> {
    instructions(words)
        .filter(|(_, instruction)| instruction.op == Op::Loop)
        .filter_map(|(at, instruction)| Some((instruction.target()?, at)))
        .collect()
}

impl<'c> Code<'c> {
    /// The instructions from a word up to another, with their places.
    pub(super) fn between(
        self,
        from: usize,
        to: usize,
    ) -> impl Iterator<Item = (usize, Instruction<'c>)> {
        let mut at = from;
        core::iter::from_fn(move || {
            let instruction = Instruction::decode(self.words, at).filter(|_| at < to)?;
            let start = core::mem::replace(&mut at, instruction.end);
            Some((start, instruction))
        })
    }

    fn operands(self, instruction: &Instruction<'_>) -> Vec<Operand> {
        instruction.operands(self.temporaries).collect()
    }

    fn int(self, operand: Operand) -> Option<i64> {
        match operand {
            Operand::Constant(number) => match self.image.constant(number.into()) {
                Some(Constant::Int(value)) => Some(value.into()),
                _ => None,
            },
            _ => None,
        }
    }

    /// How often a loop comes round at most, if it counts a variable up or down to a number from
    /// one that is known; `start` and `end` are where it starts behind its `head`, and its `loop`.
    pub(super) fn rounds(self, handler: usize, start: usize, end: usize) -> Option<u64> {
        let condition = Instruction::decode(self.words, start)?;
        if condition.target()? <= end {
            return None;
        }
        let [left, right] = self.operands(&condition)[..] else { return None };
        // The loop goes on while the jump is not taken.
        let (variable, last, is_up) = match (left, right, condition.op) {
            (Operand::Variable(v), limit, Op::JumpGreaterEqual) => (v, self.int(limit)? - 1, true),
            (Operand::Variable(v), limit, Op::JumpGreater) => (v, self.int(limit)?, true),
            (limit, Operand::Variable(v), Op::JumpLessEqual) => (v, self.int(limit)? - 1, true),
            (limit, Operand::Variable(v), Op::JumpLess) => (v, self.int(limit)?, true),
            (Operand::Variable(v), limit, Op::JumpLessEqual) => (v, self.int(limit)? + 1, false),
            (Operand::Variable(v), limit, Op::JumpLess) => (v, self.int(limit)?, false),
            (limit, Operand::Variable(v), Op::JumpGreaterEqual) => (v, self.int(limit)? + 1, false),
            (limit, Operand::Variable(v), Op::JumpGreater) => (v, self.int(limit)?, false),
            _ => return None,
        };
        let step = self.step(variable, condition.end, end)?;
        let first = self.value_before(variable, handler, start)?;
        // Where it goes on from the end of what numbers can be, it comes round again.
        i32::try_from(last.checked_add(step)?).ok()?;
        let (way, step) = match is_up {
            true => (last - first, step),
            false => (first - last, -step),
        };
        (step > 0).then(|| u64::try_from(way / step + 1).unwrap_or(0))
    }

    /// By how much a loop changes a variable each time round: there is one instruction that does,
    /// and no way past it.
    fn step(self, variable: u8, start: usize, end: usize) -> Option<i64> {
        let mut step = None;
        for (at, instruction) in self.between(start, end) {
            if !self.sets(&instruction, variable) {
                // It may be set by a sub.
                if instruction.op == Op::Call {
                    return None;
                }
                continue;
            }
            let [left, right] = self.operands(&instruction)[..] else { return None };
            let is_left = left == Operand::Variable(variable);
            let by = match instruction.op {
                Op::Add if is_left => self.int(right)?,
                Op::Add if right == Operand::Variable(variable) => self.int(left)?,
                Op::Sub if is_left => -self.int(right)?,
                _ => return None,
            };
            let is_passed_over = self.between(start, at).any(|(_, jump)| {
                jump.op != Op::Loop && jump.target().is_some_and(|to| to > at && to <= end)
            });
            if step.replace(by).is_some() || is_passed_over {
                return None;
            }
        }
        step
    }

    /// What a variable is set to before a place of its handler, if that is a number and there is no
    /// way past it.
    fn value_before(self, variable: u8, handler: usize, place: usize) -> Option<i64> {
        // Of a loop around this one each round has to come by what sets it.
        let around =
            loops(self.words).into_iter().filter(|(start, end)| *start < place && *end > place);
        let from = around.map(|(start, _)| start).max().unwrap_or(handler);
        let before: Vec<_> = self.between(from.max(handler), place).collect();
        let at = before.iter().rposition(|(_, instruction)| self.sets(instruction, variable))?;
        let (offset, set) = &before[at];
        let value = match (set.op, &self.operands(set)[..]) {
            (Op::Set, &[value]) => self.int(value)?,
            _ => return None,
        };
        let comes_past = before.iter().any(|(from, jump)| {
            jump.target().is_some_and(|to| (to > *offset && to <= place) && *from < place)
        });
        let may_change = before[at + 1..].iter().any(|(_, instruction)| instruction.op == Op::Call);
        (!comes_past && !may_change).then_some(value)
    }

    fn sets(self, instruction: &Instruction<'_>, variable: u8) -> bool {
        instruction.destination(self.temporaries) == Some(Operand::Variable(variable))
            || instruction.op == Op::StoreVariable && instruction.number() == u16::from(variable)
            || instruction.kept() == Some(variable.into())
    }
}
