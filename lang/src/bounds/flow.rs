//! All ways through the code of a handler, and what the dearest costs.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use umqtt_vm::Profile;
use umqtt_vm::decode::Instruction;
use umqtt_vm::fuel;
use umqtt_vm::image::Constant;
use umqtt_vm::isa::{Op, Operand};

use super::cost::Cost;
use super::loops::Code;
use super::prices::{NUMBER, price};

/// Bytes by which the memory of a script grows at least.
pub(super) const MEMORY_STEP: u64 = 128;

/// What is known where code is about to run.
#[derive(Clone)]
struct Place {
    /// How long the texts in the temporaries are at most.
    temporaries: Vec<u32>,
    /// Bytes of the statement's texts.
    scratch: u64,
    /// What it took until here.
    cost: Cost,
}

impl Place {
    fn join(&mut self, other: &Place) {
        for (len, other) in self.temporaries.iter_mut().zip(&other.temporaries) {
            *len = (*len).max(*other);
        }
        self.scratch = self.scratch.max(other.scratch);
        self.cost = self.cost.or(other.cost);
    }
}

/// Places that are still to be looked at, by their offsets.
type Waiting = BTreeMap<usize, Place>;

fn put(waiting: &mut Waiting, at: usize, place: Place) {
    match waiting.get_mut(&at) {
        Some(known) => known.join(&place),
        None => {
            waiting.insert(at, place);
        }
    }
}

/// What a piece of code leads to.
#[derive(Default)]
struct Passed {
    /// It ends.
    ended: Option<Cost>,
    /// It comes to the `loop` that leads back to its start.
    back: Option<Place>,
    /// It goes on behind the piece.
    exits: Waiting,
}

/// Looks at all code of a program.
pub(super) struct Flow<'c> {
    pub(super) code: Code<'c>,
    pub(super) profile: &'c Profile,
    pub(super) loops: BTreeMap<usize, usize>,
    /// How long each constant is.
    pub(super) constants: Vec<u32>,
    /// How long each variable is at most, as far as is known yet.
    pub(super) variables: Vec<u32>,
    /// Where each sub starts.
    pub(super) subs: Vec<usize>,
    /// What those take that were looked at.
    pub(super) sub_costs: Vec<Option<Cost>>,
    /// Most bytes of texts that a statement has.
    pub(super) scratch: u64,
    /// What moving all texts together costs.
    pub(super) compaction: u64,
    /// The handler or sub that is looked at.
    pub(super) start: usize,
}

impl Flow<'_> {
    /// What a handler, a sub or a filter takes whose code starts there.
    pub(super) fn run(&mut self, start: usize) -> Cost {
        let before = core::mem::replace(&mut self.start, start);
        let limit = self.limit();
        let temporaries = alloc::vec![limit; usize::from(self.code.temporaries)];
        let place = Place { temporaries, scratch: 0, cost: Cost::default() };
        let passed = self.pass(start, usize::MAX, place);
        self.start = before;
        passed.ended.unwrap_or_default()
    }

    fn limit(&self) -> u32 {
        u32::try_from(self.profile.value).unwrap_or(u32::MAX)
    }

    /// All ways from a place up to an offset. Jumps lead forward, so whatever leads to an offset
    /// was looked at before it.
    fn pass(&mut self, from: usize, until: usize, place: Place) -> Passed {
        let mut passed = Passed::default();
        let mut waiting = Waiting::from([(from, place)]);
        while let Some((at, mut place)) = waiting.pop_first() {
            if at >= until {
                put(&mut passed.exits, at, place);
                continue;
            }
            let Some(instruction) = Instruction::decode(self.code.words, at) else { continue };
            if instruction.op == Op::Head
                && let Some(&end) = self.loops.get(&instruction.end)
            {
                place.cost = place.cost.then(Cost { steps: 1, words: 1, ..Cost::default() });
                let looped = self.looped(instruction.end, end, place);
                for (at, place) in looped.exits {
                    put(&mut waiting, at, place);
                }
                passed.ended = either(passed.ended, looped.ended);
                continue;
            }
            self.step(at, &instruction, &mut place);
            match instruction.op {
                Op::End | Op::Return | Op::Leave => {
                    passed.ended = either(passed.ended, Some(place.cost));
                    continue;
                }
                Op::Loop => {
                    match &mut passed.back {
                        Some(back) => back.join(&place),
                        None => passed.back = Some(place),
                    }
                    continue;
                }
                _ => {}
            }
            if let Some(target) = instruction.target() {
                put(&mut waiting, target, place.clone());
            }
            if instruction.op != Op::Jump {
                put(&mut waiting, instruction.end, place);
            }
        }
        passed
    }

    /// A loop, from behind its `head` on.
    fn looped(&mut self, start: usize, end: usize, place: Place) -> Passed {
        let before = place.cost;
        let mut entry = Place { cost: Cost::default(), ..place };
        // What it sets may be as long as anything where it comes round.
        let limit = self.limit();
        for (_, instruction) in self.code.between(start, end) {
            match instruction.destination(self.code.temporaries) {
                Some(Operand::Temporary(number)) => set(&mut entry.temporaries, number, limit),
                _ if instruction.op == Op::Call => entry.temporaries.fill(limit),
                _ => {}
            }
        }
        let behind = Instruction::decode(self.code.words, end).map_or(end + 1, |it| it.end);
        let mut passed = self.pass(start, behind, entry.clone());
        if passed.back.as_ref().is_some_and(|back| back.scratch > entry.scratch) {
            entry.scratch = self.profile.ram as u64;
            passed = self.pass(start, behind, entry);
        }
        let round = passed.back.take().map_or(Cost::default(), |back| back.cost);
        // The last time round is not paid for where it is stopped.
        let all = match self.code.rounds(self.start, start, end) {
            Some(rounds) => Cost { words: round.words, ..round.times(rounds) },
            None => Cost { by_fuel: true, words: round.words, ..round.times(u64::MAX) },
        };
        let all = before.then(all);
        for place in passed.exits.values_mut() {
            place.cost = all.then(place.cost);
        }
        passed.ended = passed.ended.map(|ended| all.then(ended));
        // It may be stopped before it leads anywhere.
        if all.by_fuel {
            passed.ended = either(passed.ended, Some(all));
        }
        passed
    }

    /// What one instruction takes and leaves.
    fn step(&mut self, at: usize, instruction: &Instruction<'_>, place: &mut Place) {
        let limit = self.limit();
        let mut lens: Vec<u32> = instruction
            .operands(self.code.temporaries)
            .map(|operand| match operand {
                Operand::Argument(_) => limit,
                Operand::Temporary(number) => get(&place.temporaries, number.into(), limit),
                Operand::Variable(number) => get(&self.variables, number.into(), limit),
                Operand::Constant(number) => get(&self.constants, number.into(), limit),
            })
            .collect();
        match instruction.op {
            Op::LoadVariable => lens.push(get(&self.variables, instruction.number().into(), limit)),
            Op::LoadConstant => lens.push(get(&self.constants, instruction.number().into(), limit)),
            _ => {}
        }
        let flash_write = u64::from(self.profile.fuel / fuel::FLASH_WRITES);
        let price = price(instruction, &lens, limit, flash_write);
        let destination = instruction.destination(self.code.temporaries);
        let variable = match (instruction.op, destination) {
            (Op::StoreVariable, _) => Some(usize::from(instruction.number())),
            (_, Some(Operand::Variable(number))) => Some(number.into()),
            _ => None,
        };
        let mut paid = price.fuel;
        if price.pieces > 0 && instruction.op != Op::Changed {
            place.scratch = place.scratch.saturating_add(price.text.into());
            self.scratch = self.scratch.max(place.scratch);
        }
        let is_stored = variable.is_some() && price.is_text;
        if is_stored {
            let copied = u64::from(price.text) / fuel::COPIED as u64;
            paid += fuel::TEXT as u64 + copied + self.variables.len() as u64;
        }
        let mut most = paid;
        if price.pieces > 0 || is_stored {
            most += self.compaction;
            // An instruction that finds no room is done again when all texts have been moved
            // together, and each time there is more memory: as much as was missing, or a step.
            let steps = u64::from(price.text) / MEMORY_STEP + 1;
            let again = 1 + price.pieces.max(1).min(steps);
            paid = paid * (1 + again) + self.compaction * (1 + again);
        }
        if let Some(number) = instruction.kept() {
            self.grow(number as usize, lens.first().copied().unwrap_or(limit));
        }
        match (variable, destination) {
            (Some(number), _) => self.grow(number, price.text),
            (None, Some(Operand::Temporary(number))) => {
                set(&mut place.temporaries, number, price.text);
            }
            _ => {}
        }
        let mut cost = Cost {
            steps: 1,
            fuel: paid,
            looking: price.looks.into(),
            flash_writes: (instruction.op == Op::SetFlash).into(),
            by_fuel: false,
            words: (instruction.end - at) as u64,
            most,
        };
        if instruction.op == Op::Call {
            cost = cost.then(self.sub(instruction.number().into()));
            place.temporaries.fill(limit);
        }
        place.cost = place.cost.then(cost);
        if variable.is_some() || destination.is_none() {
            place.scratch = 0;
        }
    }

    /// What a sub takes.
    fn sub(&mut self, number: usize) -> Cost {
        if let Some(Some(known)) = self.sub_costs.get(number) {
            return *known;
        }
        let Some(&start) = self.subs.get(number) else { return Cost::default() };
        let cost = self.run(start);
        if let Some(place) = self.sub_costs.get_mut(number) {
            *place = Some(cost);
        }
        cost
    }

    fn grow(&mut self, variable: usize, len: u32) {
        if let Some(known) = self.variables.get_mut(variable) {
            *known = (*known).max(len.max(NUMBER));
        }
    }
}

fn either(one: Option<Cost>, other: Option<Cost>) -> Option<Cost> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.or(other)),
        (one, other) => one.or(other),
    }
}

fn get(lens: &[u32], at: usize, limit: u32) -> u32 {
    lens.get(at).copied().unwrap_or(limit)
}

fn set(lens: &mut [u32], at: u8, len: u32) {
    if let Some(place) = lens.get_mut(usize::from(at)) {
        *place = len;
    }
}

/// How long the text of a constant is.
pub(super) fn constant_len(constant: Option<Constant<'_>>) -> u32 {
    match constant {
        Some(Constant::String(text)) => text.len() as u32,
        _ => NUMBER,
    }
}
