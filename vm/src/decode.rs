//! Decoding instructions one at a time: for the verifier, the disassembler and whoever wants to look. The
//! machine decodes for itself while it runs.

use core::fmt;

use crate::Image;
use crate::isa::{Format, Op, PUSH, source};

/// Where an operand comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Off the stack.
    Pop,
    /// One of the event's arguments.
    Argument(u8),
    /// An integer.
    Int(i32),
    /// A variable, by number.
    Variable(u32),
    /// A constant, by number.
    Constant(u32),
}

/// One instruction with its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction<'c> {
    /// Which.
    pub op: Op,
    /// The first word.
    word: u32,
    /// The words behind the first.
    rest: &'c [u32],
    /// The words of a join's sources, of the rest.
    listed: usize,
    /// Where the next instruction starts, in words.
    pub end: usize,
}

impl<'c> Instruction<'c> {
    /// Decodes the instruction at word `at`; `None` where there is none.
    #[inline]
    pub fn decode(code: &'c [u32], at: usize) -> Option<Instruction<'c>> {
        let word = u32::from_le(*code.get(at)?);
        let op = Op::from_code(word as u8)?;
        let [_, a, _, c] = word.to_le_bytes();
        let (mut values, mut listed) = (op.values(), 0);
        if op == Op::Join {
            values = a;
            listed = usize::from(a.div_ceil(4));
        }
        let rest = code.get(at + 1..)?;
        let mut instruction = Instruction { op, word, rest, listed, end: 0 };
        let wide = (0..values).filter(|index| is_wide(instruction.source_byte(*index))).count();
        let far = op.format() == Format::NearJump && c == 0;
        let len = listed + wide + usize::from(far);
        instruction.rest = rest.get(..len)?;
        instruction.end = at + 1 + len;
        Some(instruction)
    }

    /// The bytes A, B and C.
    #[inline]
    pub fn fields(&self) -> [u8; 3] {
        let [_, a, b, c] = self.word.to_le_bytes();
        [a, b, c]
    }

    /// How many value operands it has.
    #[inline]
    pub fn values(&self) -> u8 {
        if self.op == Op::Join { self.fields()[0] } else { self.op.values() }
    }

    /// Its value operands, the first first; `None` for one that is not a source.
    #[inline]
    pub fn sources(&self) -> impl Iterator<Item = Option<Source>> + '_ {
        let values = self.values();
        let wide = |index: &u8| is_wide(self.source_byte(*index));
        // Extension words stand in the order of a join's operands, in the opposite one of all others'.
        let joins = self.op == Op::Join;
        let mut next = if joins { self.listed } else { (0..values).filter(wide).count() };
        (0..values).map(move |index| {
            let byte = self.source_byte(index);
            let mut extension = 0;
            if is_wide(byte) {
                next = if joins { next } else { next.checked_sub(1)? };
                extension = u32::from_le(*self.rest.get(next)?);
                next += usize::from(joins);
            }
            source_of(byte, extension)
        })
    }

    /// Where its result goes, if it has one: to the stack (`None`), or to a variable.
    #[inline]
    pub fn destination(&self) -> Option<Option<u8>> {
        let [_, _, c] = self.fields();
        match self.op.format() {
            _ if !self.op.has_result() => None,
            Format::Values => Some(None),
            _ => Some((c != PUSH).then_some(c)),
        }
    }

    /// Where it may jump to.
    #[inline]
    pub fn target(&self) -> Option<usize> {
        let [_, b, c] = self.fields();
        let distance = usize::from(u16::from_le_bytes([b, c]));
        match self.op.format() {
            Format::Jump => self.end.checked_add(distance),
            Format::Loop => self.end.checked_sub(distance),
            Format::NearJump if c == 0 => {
                self.end.checked_add(u32::from_le(*self.rest.last()?) as usize)
            }
            Format::NearJump => self.end.checked_add(c.into()),
            _ => None,
        }
    }

    #[inline]
    fn source_byte(&self, index: u8) -> u8 {
        let (word, byte) = match self.op {
            Op::Join => {
                (self.rest.get(usize::from(index / 4)).map_or(0, |w| u32::from_le(*w)), index % 4)
            }
            _ => (self.word, index + 1),
        };
        (word >> (8 * u32::from(byte))) as u8
    }

    /// The instruction as text: `jump_neq this_data "on" -> 0012`, with constants and names out of `image`.
    pub fn display<'a>(&'a self, image: &'a Image<'a>) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| self.write(image, f))
    }

    fn write(&self, image: &Image<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.op.mnemonic())?;
        let variable = |f: &mut fmt::Formatter<'_>, number: u32| match u16::try_from(number)
            .ok()
            .and_then(|number| image.debug().variable(number))
        {
            Some(name) => write!(f, " {}", name.escape_ascii()),
            None => write!(f, " ${number}"),
        };
        let [_, b, c] = self.fields();
        match self.op.format() {
            Format::Flash | Format::FlashResult => write!(f, " @{b}")?,
            Format::Timer | Format::Alarm | Format::Pin | Format::PinResult => write!(f, " {b}")?,
            Format::PinMode => {
                let mode = ["input", "input pullup", "output"].get(usize::from(c)).copied();
                write!(f, " {b} {}", mode.unwrap_or("?"))?;
            }
            _ => {}
        }
        for source in self.sources() {
            match source {
                Some(Source::Pop) => f.write_str(" pop")?,
                Some(Source::Argument(number)) => write!(f, " arg{number}")?,
                Some(Source::Int(value)) => write!(f, " {value}")?,
                Some(Source::Variable(number)) => variable(f, number)?,
                Some(Source::Constant(number)) => {
                    let bytes = image.constant(number).unwrap_or_default();
                    write!(f, " \"{}\"", bytes.escape_ascii())?;
                }
                None => f.write_str(" ?")?,
            }
        }
        if self.op.format() == Format::Variable {
            f.write_str(" ->")?;
            variable(f, b.into())?;
        }
        match self.destination() {
            Some(Some(number)) => {
                f.write_str(" ->")?;
                variable(f, number.into())?;
            }
            Some(None) => f.write_str(" -> push")?,
            None => {}
        }
        match self.target() {
            Some(target) => write!(f, " -> {target:04}"),
            None => Ok(()),
        }
    }
}

#[inline]
fn is_wide(byte: u8) -> bool {
    (source::WIDE_INT..=source::WIDE_CONSTANT).contains(&byte)
}

#[inline]
fn source_of(byte: u8, extension: u32) -> Option<Source> {
    use source::*;
    Some(match byte {
        CONSTANT.. => Source::Constant((byte - CONSTANT).into()),
        VARIABLE.. => Source::Variable((byte - VARIABLE).into()),
        INT.. => Source::Int(i32::from(byte - INT) + INT_MIN),
        POP => Source::Pop,
        WIDE_INT => Source::Int(extension as i32),
        WIDE_VARIABLE => Source::Variable(extension),
        WIDE_CONSTANT => Source::Constant(extension),
        _ if byte < ARGUMENT + ARGUMENTS => Source::Argument(byte - ARGUMENT),
        _ => return None,
    })
}

/// The instructions of a code section with their offsets in words; stops at the first that cannot be decoded.
pub fn instructions(code: &[u32]) -> impl Iterator<Item = (usize, Instruction<'_>)> {
    let mut at = 0;
    core::iter::from_fn(move || {
        let instruction = Instruction::decode(code, at)?;
        let start = at;
        at = instruction.end;
        Some((start, instruction))
    })
}
