//! The code of one handler while it is being made: instructions, with jumps to labels whose lengths are not known yet.

use alloc::vec::Vec;

use umqtt_vm::isa::{
    INT_SHORT, INT_SHORT_MAX, INT_SHORT_MIN, Op, SET_SHORT, SHORT_VARIABLES, VAR_SHORT,
    write_varint, zigzag,
};

/// A place to jump to; made by [`Body::label`], put somewhere by [`Body::place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label(u16);

/// A place in the code: bytes before it, and jumps before it. Jumps are kept apart from the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    bytes: u32,
    jumps: u32,
}

/// A jump instruction, to be inserted at its place.
#[derive(Clone, Copy, Debug)]
struct Jump {
    bytes_before: u32,
    op: Op,
    /// The constant operand of `JumpNotEqual`.
    constant: Option<u32>,
    label: Label,
    /// Bytes of the distance.
    width: u8,
}

impl Jump {
    fn len(&self) -> usize {
        1 + self.constant.map_or(0, |offset| write_varint(offset).1) + usize::from(self.width)
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Body {
    bytes: Vec<u8>,
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

    /// An instruction without operand.
    pub(super) fn op(&mut self, op: Op) {
        self.bytes.push(op as u8);
        self.effect(op.pops().into(), op.pushes().into());
        if op == Op::End {
            self.reachable = false;
        }
    }

    /// An instruction with a one-byte operand.
    pub(super) fn op_byte(&mut self, op: Op, operand: u8) {
        self.bytes.extend([op as u8, operand]);
        let pops = if op == Op::Join { usize::from(operand) } else { op.pops().into() };
        self.effect(pops, op.pushes().into());
    }

    pub(super) fn pin_mode(&mut self, pin: u8, mode: u8) {
        self.bytes.extend([Op::PinMode as u8, pin, mode]);
    }

    pub(super) fn constant(&mut self, offset: u32) {
        self.bytes.push(Op::Const as u8);
        self.varint(offset);
        self.effect(0, 1);
    }

    pub(super) fn int(&mut self, value: i32) {
        if (INT_SHORT_MIN..=INT_SHORT_MAX).contains(&value) {
            self.bytes.push(INT_SHORT + (value - INT_SHORT_MIN) as u8);
        } else {
            self.bytes.push(Op::Int as u8);
            self.varint(zigzag(value));
        }
        self.effect(0, 1);
    }

    pub(super) fn variable(&mut self, number: u8) {
        self.short_or_wide(VAR_SHORT, Op::Var, number);
        self.effect(0, 1);
    }

    pub(super) fn set_variable(&mut self, number: u8) {
        self.short_or_wide(SET_SHORT, Op::Set, number);
        self.effect(1, 0);
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

    pub(super) fn jump(&mut self, op: Op, constant: Option<u32>, label: Label) {
        let bytes_before = self.bytes.len() as u32;
        self.jumps.push(Jump { bytes_before, op, constant, label, width: 1 });
        self.effect(op.pops().into(), 0);
        if op == Op::Jump {
            self.reachable = false;
        }
    }

    pub(super) fn loop_start(&mut self) -> LoopStart {
        self.bytes.push(Op::Head as u8);
        LoopStart(self.here())
    }

    /// Jumps back; the distance is filled in when the body is laid out.
    pub(super) fn loop_end(&mut self, start: LoopStart) {
        let label = self.label();
        self.labels[usize::from(label.0)] = Some(start.0);
        self.jump(Op::Loop, None, label);
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
        Mark { place: self.here(), lines: self.lines.len(), reachable: self.reachable }
    }

    /// Takes back all code made since the mark: it cannot be reached. Its labels must not be used any more.
    pub(super) fn forget_since(&mut self, mark: Mark) {
        self.bytes.truncate(mark.place.bytes as usize);
        self.jumps.truncate(mark.place.jumps as usize);
        self.lines.truncate(mark.lines);
        self.reachable = mark.reachable;
    }

    fn here(&self) -> Place {
        Place { bytes: self.bytes.len() as u32, jumps: self.jumps.len() as u32 }
    }

    fn varint(&mut self, value: u32) {
        let (bytes, len) = write_varint(value);
        self.bytes.extend_from_slice(&bytes[..len]);
    }

    fn short_or_wide(&mut self, short: u8, wide: Op, number: u8) {
        if number < SHORT_VARIABLES {
            self.bytes.push(short + number);
        } else {
            self.bytes.extend([wide as u8, number]);
        }
    }

    fn effect(&mut self, pops: usize, pushes: usize) {
        self.depth = self.depth.saturating_sub(pops) + pushes;
        self.deepest = self.deepest.max(self.depth);
    }

    /// Writes the finished code behind `code` and its lines behind `lines`.
    pub(super) fn finish(mut self, code: &mut Vec<u8>, lines: &mut Vec<(u32, u32)>) {
        self.thread_jumps();
        let starts = self.settle();
        let base = code.len();
        let mut written = 0;
        for (index, jump) in self.jumps.iter().enumerate() {
            let before = jump.bytes_before as usize;
            code.extend_from_slice(&self.bytes[written..before]);
            written = before;
            code.push(jump.op as u8);
            if let Some(constant) = jump.constant {
                let (bytes, len) = write_varint(constant);
                code.extend_from_slice(&bytes[..len]);
            }
            let (mut bytes, len) = write_varint(self.distance(&starts, index) as u32);
            let width = usize::from(jump.width);
            // A distance that has become shorter keeps its width.
            for byte in &mut bytes[len - 1..width - 1] {
                *byte |= 0x80;
            }
            code.extend_from_slice(&bytes[..width]);
        }
        code.extend_from_slice(&self.bytes[written..]);
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
                    Some(next) if next.bytes_before == place.bytes && next.op == Op::Jump => {
                        label = next.label;
                    }
                    _ => break,
                }
            }
            self.jumps[index].label = label;
        }
    }

    /// Finds each jump's shortest width that fits, and returns how many bytes jumps take before each of them.
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
                let width = write_varint(self.distance(&starts, index) as u32).1 as u8;
                if width > self.jumps[index].width {
                    self.jumps[index].width = width;
                    settled = false;
                }
            }
            if settled {
                return starts;
            }
        }
    }

    /// From the end of a jump to its label, in bytes, forward or back.
    fn distance(&self, starts: &[u32], index: usize) -> usize {
        let jump = &self.jumps[index];
        let end = jump.bytes_before as usize + starts[index + 1] as usize;
        let place = self.labels[usize::from(jump.label.0)].unwrap_or_default();
        address(starts, place).abs_diff(end)
    }
}

fn address(starts: &[u32], place: Place) -> usize {
    place.bytes as usize + starts[place.jumps as usize] as usize
}
