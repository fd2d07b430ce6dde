//! The code of one handler while it is being made: instructions, with jumps to labels whose distances are not known yet.

use alloc::vec::Vec;

use umqtt_vm::decode::Source;
use umqtt_vm::isa::{Format, NEAR, Op, PUSH, source};

/// A place to jump to; made by [`Body::label`], put somewhere by [`Body::place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label(u16);

/// Where a result goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    Stack,
    Variable(u8),
}

/// A place in the code: words before it, and jumps before it. Jumps are kept apart from the words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    words: u32,
    jumps: u32,
}

/// A jump instruction, to be inserted at its place.
#[derive(Clone, Copy, Debug)]
struct Jump {
    words_before: u32,
    op: Op,
    coded: Coded,
    label: Label,
    /// The distance takes a word of its own.
    far: bool,
}

impl Jump {
    fn len(&self) -> usize {
        1 + usize::from(self.coded.count) + usize::from(self.far)
    }
}

/// An instruction's first word and its operands' extension words.
#[derive(Clone, Copy, Debug, Default)]
struct Coded {
    word: u32,
    extensions: [u32; 3],
    count: u8,
}

impl Coded {
    /// Operands come before the other fields, whose bytes are left as they are.
    fn new(op: Op, sources: &[Source], fields: [u8; 3]) -> Coded {
        let mut coded = Coded::default();
        let mut bytes = [op as u8, fields[0], fields[1], fields[2]];
        for (index, source) in sources.iter().enumerate().rev() {
            let (byte, extension) = encode(*source);
            bytes[index + 1] = byte;
            if let Some(extension) = extension {
                coded.extensions[usize::from(coded.count)] = extension;
                coded.count += 1;
            }
        }
        coded.word = u32::from_le_bytes(bytes);
        coded
    }

    fn extensions(&self) -> &[u32] {
        &self.extensions[..usize::from(self.count)]
    }
}

/// An operand's byte and its extension word.
fn encode(operand: Source) -> (u8, Option<u32>) {
    use umqtt_vm::isa::source::*;
    match operand {
        Source::Pop => (POP, None),
        Source::Argument(number) => (ARGUMENT + number, None),
        Source::Int(value) if (INT_MIN..=INT_MAX).contains(&value) => {
            (INT + (value - INT_MIN) as u8, None)
        }
        Source::Int(value) => (WIDE_INT, Some(value as u32)),
        Source::Variable(number) if number < VARIABLES.into() => (VARIABLE + number as u8, None),
        Source::Variable(number) => (WIDE_VARIABLE, Some(number)),
        Source::Constant(number) if number < CONSTANTS.into() => (CONSTANT + number as u8, None),
        Source::Constant(number) => (WIDE_CONSTANT, Some(number)),
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Body {
    words: Vec<u32>,
    jumps: Vec<Jump>,
    labels: Vec<Option<Place>>,
    lines: Vec<(Place, u32)>,
    depth: usize,
    deepest: usize,
    reachable: bool,
}

/// How a [`Body`] was at some moment; see [`Body::forget_since`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    place: Place,
    lines: usize,
    depth: usize,
    reachable: bool,
}

/// A loop that is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoopStart(Place);

impl Body {
    pub(super) fn new() -> Body {
        Body { reachable: true, ..Body::default() }
    }

    /// Whether the code so far can run on into what comes next.
    pub(super) fn reachable(&self) -> bool {
        self.reachable
    }

    /// The most values on the stack at once so far.
    pub(super) fn deepest(&self) -> usize {
        self.deepest
    }

    /// An instruction whose fields hold value operands only.
    pub(super) fn op(&mut self, op: Op, sources: &[Source]) {
        self.with_number(op, sources, 0);
    }

    /// An instruction with a number in B: a pin, a timer, an alarm, a flash variable, a variable.
    pub(super) fn with_number(&mut self, op: Op, sources: &[Source], number: u8) {
        self.emit(Coded::new(op, sources, [0, number, 0]));
        self.effect(pops(sources), op.has_result().into());
        if op == Op::End {
            self.reachable = false;
        }
    }

    pub(super) fn pin_mode(&mut self, pin: u8, mode: u8) {
        self.emit(Coded::new(Op::PinMode, &[], [0, pin, mode]));
    }

    /// An instruction with a result, and perhaps a number in B.
    pub(super) fn result(&mut self, op: Op, sources: &[Source], number: u8, to: To) {
        if op.format() == Format::Values {
            self.op(op, sources);
            return self.popped(to);
        }
        self.emit(Coded::new(op, sources, [0, number, destination(to)]));
        self.finish_result(pops(sources), to);
    }

    /// Joins 2 to [`umqtt_vm::isa::JOIN_MAX`] values.
    pub(super) fn join(&mut self, sources: &[Source], to: To) {
        let pops = pops(sources);
        let fields = [sources.len() as u8, pops as u8, destination(to)];
        self.emit(Coded::new(Op::Join, &[], fields));
        for four in sources.chunks(4) {
            let mut bytes = [source::POP; 4];
            bytes.iter_mut().zip(four).for_each(|(byte, source)| *byte = encode(*source).0);
            self.words.push(u32::from_le_bytes(bytes));
        }
        self.words.extend(sources.iter().filter_map(|source| encode(*source).1));
        self.finish_result(pops, to);
    }

    /// Sets a variable to an operand.
    pub(super) fn set(&mut self, variable: u8, source: Source) {
        self.with_number(Op::Set, &[source], variable);
    }

    /// What is on the stack goes where it is wanted.
    fn popped(&mut self, to: To) {
        if let To::Variable(number) = to {
            self.set(number, Source::Pop);
        }
    }

    fn finish_result(&mut self, pops: usize, to: To) {
        let pushed = destination(to) == PUSH;
        self.effect(pops, pushed.into());
        if pushed {
            self.popped(to);
        }
    }

    pub(super) fn label(&mut self) -> Label {
        self.labels.push(None);
        Label((self.labels.len() - 1) as u16)
    }

    /// Puts a label here.
    pub(super) fn place(&mut self, label: Label) {
        self.labels[usize::from(label.0)] = Some(self.here());
        // Only what is jumped to makes code reachable again.
        self.reachable = self.reachable || self.jumps.iter().rev().any(|jump| jump.label == label);
    }

    pub(super) fn jump(&mut self, op: Op, sources: &[Source], label: Label) {
        let words_before = self.words.len() as u32;
        let coded = Coded::new(op, sources, [0; 3]);
        self.jumps.push(Jump { words_before, op, coded, label, far: false });
        self.effect(pops(sources), 0);
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
        self.labels[usize::from(label.0)] = Some(start.0);
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
            place: self.here(),
            lines: self.lines.len(),
            depth: self.depth,
            reachable: self.reachable,
        }
    }

    /// Takes back all code made since the mark: it cannot be reached. Its labels must not be used any more.
    pub(super) fn forget_since(&mut self, mark: Mark) {
        self.words.truncate(mark.place.words as usize);
        self.jumps.truncate(mark.place.jumps as usize);
        self.lines.truncate(mark.lines);
        self.depth = mark.depth;
        self.reachable = mark.reachable;
    }

    fn here(&self) -> Place {
        Place { words: self.words.len() as u32, jumps: self.jumps.len() as u32 }
    }

    fn emit(&mut self, coded: Coded) {
        self.words.push(coded.word);
        self.words.extend_from_slice(coded.extensions());
    }

    fn effect(&mut self, pops: usize, pushes: usize) {
        self.depth = self.depth.saturating_sub(pops) + pushes;
        self.deepest = self.deepest.max(self.depth);
    }

    /// Writes the finished code behind `code` and its lines behind `lines`.
    pub(super) fn finish(mut self, code: &mut Vec<u32>, lines: &mut Vec<(u32, u32)>) {
        self.thread_jumps();
        let starts = self.settle();
        let base = code.len();
        let mut written = 0;
        for (index, jump) in self.jumps.iter().enumerate() {
            let before = jump.words_before as usize;
            code.extend_from_slice(&self.words[written..before]);
            written = before;
            let distance = self.distance(&starts, index) as u32;
            // A distance that does not fit 16 bits means too much code, which is found when the image is written.
            let field = match jump.op.format() {
                Format::NearJump if jump.far => 0,
                Format::NearJump => distance << 24,
                _ => distance << 16,
            };
            code.push(jump.coded.word | field);
            code.extend_from_slice(jump.coded.extensions());
            code.extend(jump.far.then_some(distance));
        }
        code.extend_from_slice(&self.words[written..]);
        lines.extend(
            self.lines
                .iter()
                .map(|(place, line)| ((base + address(&starts, *place)) as u32, *line)),
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
            while let Some(place) = self.labels[usize::from(label.0)] {
                match self.jumps.get(place.jumps as usize) {
                    Some(next) if next.words_before == place.words && next.op == Op::Jump => {
                        label = next.label;
                    }
                    _ => break,
                }
            }
            self.jumps[index].label = label;
        }
    }

    /// Finds the jumps that go far, and returns how many words jumps take before each of them.
    fn settle(&mut self) -> Vec<u32> {
        loop {
            let mut starts = Vec::with_capacity(self.jumps.len() + 1);
            let mut total = 0;
            starts.push(0);
            for jump in &self.jumps {
                total += jump.len() as u32;
                starts.push(total);
            }
            let mut settled = true;
            for index in 0..self.jumps.len() {
                let jump = &self.jumps[index];
                let near = (1..=NEAR).contains(&(self.distance(&starts, index) as u32));
                if jump.op.format() == Format::NearJump && !jump.far && !near {
                    self.jumps[index].far = true;
                    settled = false;
                }
            }
            if settled {
                return starts;
            }
        }
    }

    /// From the end of a jump to its label, in words, forward or back.
    fn distance(&self, starts: &[u32], index: usize) -> usize {
        let jump = &self.jumps[index];
        let end = jump.words_before as usize + starts[index + 1] as usize;
        let place = self.labels[usize::from(jump.label.0)].unwrap_or_default();
        address(starts, place).abs_diff(end)
    }
}

fn pops(sources: &[Source]) -> usize {
    sources.iter().filter(|source| **source == Source::Pop).count()
}

fn destination(to: To) -> u8 {
    match to {
        To::Variable(number) => number,
        To::Stack => PUSH,
    }
}

fn address(starts: &[u32], place: Place) -> usize {
    place.words as usize + starts[place.jumps as usize] as usize
}
