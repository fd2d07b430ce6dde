//! The code of one handler while it is being made: instructions, with jumps to labels whose
//! distances are not known yet.

use alloc::vec::Vec;

use umqtt_vm::isa::{CONSTANTS, Format, NEAR, Op, Operand, VARIABLES};

use super::jump::{CodeOffset, Dest, Jump, Label, byte_of, encode};
use crate::budget::MemoryBudget;

/// The place of a label that has none yet.
const NOWHERE: CodeOffset = CodeOffset::MAX;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct FunctionBuilder {
    words: Vec<u32>,
    jumps: Vec<Jump>,
    labels: Vec<CodeOffset>,
    lines: Vec<(CodeOffset, u32)>,
    /// Temporaries in use. They are taken and given back like a stack.
    depth: usize,
    deepest: usize,
    reachable: bool,
}

/// How a [`FunctionBuilder`] was at some moment; see [`FunctionBuilder::forget_since`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    words: u32,
    jumps: u32,
    lines: usize,
    depth: usize,
    reachable: bool,
}

/// A loop that is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoopStart(CodeOffset);

impl FunctionBuilder {
    pub(super) fn new() -> FunctionBuilder {
        FunctionBuilder { reachable: true, ..FunctionBuilder::default() }
    }

    /// Empties it, for the next handler.
    pub(super) fn clear(&mut self) {
        self.words.clear();
        self.jumps.clear();
        self.labels.clear();
        self.lines.clear();
        self.depth = 0;
        self.deepest = 0;
        self.reachable = true;
    }

    /// Makes room for what so many tokens can become; false if there is none.
    pub(super) fn reserve(&mut self, budget: &MemoryBudget<'_>, tokens: usize) -> bool {
        budget.grow(&mut self.words, tokens + 4)
            && budget.grow(&mut self.jumps, 2)
            && budget.grow(&mut self.labels, 2)
            && budget.grow(&mut self.lines, 2)
    }

    /// The same for the jumps of a condition of so many tokens.
    pub(super) fn reserve_jumps(&mut self, budget: &MemoryBudget<'_>, tokens: usize) -> bool {
        budget.grow(&mut self.jumps, tokens + 2) && budget.grow(&mut self.labels, tokens + 4)
    }

    /// Whether the code so far can run on into what comes next.
    pub(super) fn reachable(&self) -> bool {
        self.reachable
    }

    /// The most temporaries in use at once so far.
    pub(super) fn deepest(&self) -> usize {
        self.deepest
    }

    /// The temporary that holds the newest value.
    pub(super) fn top(&self) -> Operand {
        Operand::Temporary(self.depth.saturating_sub(1) as u8)
    }

    /// A variable as an operand; one that has no place is brought into a temporary.
    pub(super) fn variable(&mut self, number: u16) -> Operand {
        match u8::try_from(number) {
            Ok(place) if place < VARIABLES => Operand::Variable(place),
            _ => self.load(Op::LoadVariable, number),
        }
    }

    /// A constant as an operand; one that has no place is brought into a temporary.
    pub(super) fn constant(&mut self, number: u32) -> Operand {
        match u8::try_from(number) {
            Ok(place) if place < CONSTANTS => Operand::Constant(place),
            // A number that does not fit 16 bits means too many constants, which is found when the
            // image is written.
            _ => self.load(Op::LoadConstant, number as u16),
        }
    }

    fn load(&mut self, op: Op, number: u16) -> Operand {
        let [low, high] = number.to_le_bytes();
        let destination = self.push();
        self.words.push(encode(op, &[], [destination, low, high]));
        self.top()
    }

    /// An instruction whose fields hold value operands only.
    pub(super) fn op(&mut self, op: Op, operands: &[Operand]) {
        self.with_number(op, operands, 0);
    }

    /// An instruction with a number in B: a pin, a timer, an alarm, a flash variable.
    pub(super) fn with_number(&mut self, op: Op, operands: &[Operand], number: u8) {
        self.words.push(encode(op, operands, [0, number, 0]));
        self.pop(operands);
        if op == Op::End {
            self.reachable = false;
        }
    }

    /// A call of a sub.
    pub(super) fn call(&mut self, number: u16) {
        let [low, high] = number.to_le_bytes();
        self.words.push(encode(Op::Call, &[], [0, low, high]));
    }

    pub(super) fn pin_mode(&mut self, pin: u8, mode: u8) {
        self.words.push(encode(Op::PinMode, &[], [0, pin, mode]));
    }

    /// An instruction with a result, and perhaps a number in B.
    pub(super) fn result(&mut self, op: Op, operands: &[Operand], number: u8, dest: Dest) {
        self.pop(operands);
        let destination = self.destination(dest);
        let third = operands.get(2).filter(|_| op.format() == Format::LongResult);
        let first = operands.get(..operands.len().min(2)).unwrap_or_default();
        self.words.push(encode(op, first, [0, number, destination]));
        self.words.extend(third.map(|operand| u32::from(byte_of(*operand))));
        self.finish_result(dest);
    }

    /// An instruction with a result that keeps its operand in a variable that no script names, by
    /// its number among those of its kind.
    pub(super) fn kept(&mut self, op: Op, operand: Operand, number: u16, dest: Dest) {
        self.pop(&[operand]);
        let destination = self.destination(dest);
        self.words.push(encode(op, &[operand], [0, 0, destination]));
        self.words.push(number.into());
        self.finish_result(dest);
    }

    /// A list of values; bit n of the marks: whether value n is a text whatever it looks like.
    pub(super) fn list(&mut self, op: Op, operands: &[Operand], marks: u64, dest: Dest) {
        self.pop(operands);
        let destination = self.destination(dest);
        self.words.push(encode(op, &[], [operands.len() as u8, 0, destination]));
        self.places(operands);
        self.words.push(marks as u32);
        if operands.len() > 32 {
            self.words.push((marks >> 32) as u32);
        }
        self.finish_result(dest);
    }

    /// Joins 2 to [`umqtt_vm::isa::JOIN_MAX`] values.
    pub(super) fn join(&mut self, operands: &[Operand], dest: Dest) {
        self.pop(operands);
        let destination = self.destination(dest);
        self.words.push(encode(Op::Join, &[], [operands.len() as u8, 0, destination]));
        self.places(operands);
        self.finish_result(dest);
    }

    /// Words with the places of operands, four in each.
    fn places(&mut self, operands: &[Operand]) {
        for four in operands.chunks(4) {
            let mut bytes = [0; 4];
            bytes.iter_mut().zip(four).for_each(|(byte, operand)| *byte = byte_of(*operand));
            self.words.push(u32::from_le_bytes(bytes));
        }
    }

    /// Sets a variable to an operand.
    pub(super) fn set(&mut self, variable: u16, operand: Operand) {
        self.pop(&[operand]);
        match place_of(variable) {
            Some(place) => self.words.push(encode(Op::Set, &[operand], [0, 0, place])),
            None => {
                let [low, high] = variable.to_le_bytes();
                self.words.push(encode(Op::StoreVariable, &[operand], [0, low, high]));
            }
        }
    }

    /// Where a result goes; a variable without a place gets it by way of a temporary.
    fn destination(&mut self, dest: Dest) -> u8 {
        match dest {
            Dest::Variable(number) => place_of(number).unwrap_or_else(|| self.push()),
            Dest::Temporary => self.push(),
        }
    }

    fn finish_result(&mut self, dest: Dest) {
        if let Dest::Variable(number) = dest
            && place_of(number).is_none()
        {
            self.set(number, self.top());
        }
    }

    /// Takes the next temporary; its byte. More than there are means too many values at once, which
    /// is found behind the action.
    fn push(&mut self) -> u8 {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        byte_of(self.top())
    }

    /// Gives back the temporaries among operands: they are the newest.
    fn pop(&mut self, operands: &[Operand]) {
        let temporaries = operands.iter().filter(|operand| is_temporary(**operand)).count();
        self.depth = self.depth.saturating_sub(temporaries);
    }

    pub(super) fn label(&mut self) -> Label {
        self.labels.push(NOWHERE);
        Label((self.labels.len() - 1) as u16)
    }

    /// Puts a label here.
    pub(super) fn place(&mut self, label: Label) {
        self.labels[usize::from(label.0)] = self.here();
        // Only what is jumped to makes code reachable again.
        self.reachable = self.reachable || self.jumps.iter().rev().any(|jump| jump.label == label);
    }

    pub(super) fn jump(&mut self, op: Op, operands: &[Operand], label: Label) {
        let (at, word) = (self.here(), encode(op, operands, [0; 3]));
        self.jumps.push(Jump { at, op, word, label, far: false });
        self.pop(operands);
        if op == Op::Jump {
            self.reachable = false;
        }
    }

    pub(super) fn loop_start(&mut self) -> LoopStart {
        self.op(Op::Head, &[]);
        LoopStart(self.here())
    }

    /// Jumps back; the distance is filled in when the body is laid out.
    pub(super) fn loop_end(&mut self, start: LoopStart) {
        let label = self.label();
        self.labels[usize::from(label.0)] = start.0;
        self.jump(Op::Loop, &[], label);
        self.reachable = false;
    }

    /// From here on the code belongs to this source line.
    pub(super) fn line(&mut self, line: u32) {
        let here = self.here();
        match self.lines.last_mut() {
            Some((place, last)) if *place == here => *last = line,
            Some((_, last)) if *last == line => {}
            _ => self.lines.push((here, line)),
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            words: self.words.len() as u32,
            jumps: self.jumps.len() as u32,
            lines: self.lines.len(),
            depth: self.depth,
            reachable: self.reachable,
        }
    }

    /// Takes back all code made since the mark: it cannot be reached. Its labels must not be used
    /// any more.
    pub(super) fn forget_since(&mut self, mark: Mark) {
        self.words.truncate(mark.words as usize);
        self.jumps.truncate(mark.jumps as usize);
        self.lines.truncate(mark.lines);
        self.depth = mark.depth;
        self.reachable = mark.reachable;
    }

    fn here(&self) -> CodeOffset {
        (self.words.len() + self.jumps.len()) as CodeOffset
    }

    /// Writes the finished code behind `code` and its lines behind `lines`, and empties this.
    /// Nothing if there is no room.
    pub(super) fn finish(
        &mut self,
        budget: &MemoryBudget<'_>,
        code: &mut Vec<u32>,
        lines: &mut Vec<(u32, u32)>,
    ) {
        let jumps = self.jumps.len();
        if budget.grow(code, self.words.len() + 2 * jumps)
            && budget.grow(lines, self.lines.len())
            && budget.has(size_of::<u32>() * (jumps + 1))
        {
            self.write(code, lines);
        }
        self.clear();
    }

    fn write(&mut self, code: &mut Vec<u32>, lines: &mut Vec<(u32, u32)>) {
        self.thread_jumps();
        let mut starts = Vec::with_capacity(self.jumps.len() + 1);
        self.relax_branches(&mut starts);
        let base = code.len();
        let mut written = 0;
        for (index, jump) in self.jumps.iter().enumerate() {
            let before = jump.at as usize - index;
            code.extend_from_slice(&self.words[written..before]);
            written = before;
            let distance = self.distance(&starts, index) as u32;
            // A distance that does not fit 16 bits means too much code, which is found when the
            // image is written.
            let field = match jump.op.format() {
                Format::NearJump if jump.far => 0,
                Format::NearJump => distance << 24,
                _ => distance << 16,
            };
            code.push(jump.word | field);
            code.extend(jump.far.then_some(distance));
        }
        code.extend_from_slice(&self.words[written..]);
        lines.extend(
            self.lines
                .iter()
                .map(|(place, line)| ((base + self.address(&starts, *place)) as u32, *line)),
        );
    }

    /// Lets jumps to a jump go where that one goes.
    fn thread_jumps(&mut self) {
        for index in 0..self.jumps.len() {
            let mut label = self.jumps[index].label;
            if self.jumps[index].op == Op::Loop {
                continue;
            }
            // Forward jumps only, so this ends.
            loop {
                let place = self.labels[usize::from(label.0)];
                match self.jumps.get(self.jumps_before(place)) {
                    Some(next) if next.at == place && next.op == Op::Jump => {
                        label = next.label;
                    }
                    _ => break,
                }
            }
            self.jumps[index].label = label;
        }
    }

    /// Finds the jumps that go far, and how many words jumps take before each of them.
    fn relax_branches(&mut self, starts: &mut Vec<u32>) {
        loop {
            starts.clear();
            let mut total = 0;
            starts.push(0);
            for jump in &self.jumps {
                total += jump.len() as u32;
                starts.push(total);
            }
            let mut settled = true;
            for index in 0..self.jumps.len() {
                let jump = &self.jumps[index];
                let near = (1..=NEAR).contains(&(self.distance(starts, index) as u32));
                if jump.op.format() == Format::NearJump && !jump.far && !near {
                    self.jumps[index].far = true;
                    settled = false;
                }
            }
            if settled {
                return;
            }
        }
    }

    /// From the end of a jump to its label, in words, forward or back.
    fn distance(&self, starts: &[u32], index: usize) -> usize {
        let jump = &self.jumps[index];
        let end = jump.at as usize - index + starts[index + 1] as usize;
        self.address(starts, self.labels[usize::from(jump.label.0)]).abs_diff(end)
    }

    /// How many jumps are before a place.
    fn jumps_before(&self, place: CodeOffset) -> usize {
        self.jumps.partition_point(|jump| jump.at < place)
    }

    fn address(&self, starts: &[u32], place: CodeOffset) -> usize {
        if place == NOWHERE {
            return 0;
        }
        let jumps = self.jumps_before(place);
        place as usize - jumps + starts[jumps] as usize
    }
}

fn is_temporary(operand: Operand) -> bool {
    matches!(operand, Operand::Temporary(_))
}

/// The byte of a variable, if it has one.
fn place_of(variable: u16) -> Option<u8> {
    let number = u8::try_from(variable).ok()?;
    (number < VARIABLES).then(|| byte_of(Operand::Variable(number)))
}
