//! Decoding instructions one at a time, for the verifier, the disassembler and tools. The machine
//! decodes for itself while it runs.

use core::fmt;

use crate::Image;
use crate::image::Constant;
use crate::isa::{Format, Op, Operand};

/// One instruction with its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction<'c> {
    /// Which.
    pub op: Op,
    /// The first word.
    word: u32,
    /// The words behind the first.
    rest: &'c [u32],
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
        let len = match op.format() {
            Format::Join => usize::from(a.div_ceil(4)),
            Format::NearJump if c == 0 => 1,
            Format::LongResult => 1,
            _ => 0,
        };
        let rest = code.get(at + 1..)?.get(..len)?;
        Some(Instruction { op, word, rest, end: at + 1 + len })
    }

    /// The bytes A, B and C.
    #[inline]
    pub fn fields(&self) -> [u8; 3] {
        let [_, a, b, c] = self.word.to_le_bytes();
        [a, b, c]
    }

    /// Its value operands, the first first, in a program with so many temporaries.
    #[inline]
    pub fn operands(&self, temporaries: u8) -> impl Iterator<Item = Operand> + '_ {
        let count = match self.op.format() {
            Format::Join => self.fields()[0],
            Format::LongResult => self.op.values() + 1,
            _ => self.op.values(),
        };
        (0..count).map(move |index| Operand::from_byte(self.operand(index), temporaries))
    }

    fn operand(&self, index: u8) -> u8 {
        let behind = |at: u8| {
            let word = self.rest.get(usize::from(at / 4)).copied().unwrap_or(0);
            u32::from_le(word).to_le_bytes()[usize::from(at % 4)]
        };
        match self.op.format() {
            Format::Join => behind(index),
            Format::LongResult if index == self.op.values() => behind(0),
            _ => self.fields()[usize::from(index)],
        }
    }

    /// Where its result goes, if it has one, in a program with so many temporaries.
    #[inline]
    pub fn destination(&self, temporaries: u8) -> Option<Operand> {
        let [a, _, c] = self.fields();
        match self.op.format() {
            Format::LoadVariable | Format::LoadConstant => Some(Operand::from_byte(a, temporaries)),
            Format::Result
            | Format::LongResult
            | Format::FlashResult
            | Format::PinResult
            | Format::Join => Some(Operand::from_byte(c, temporaries)),
            _ => None,
        }
    }

    /// The number in B and C.
    #[inline]
    pub fn number(&self) -> u16 {
        let [_, b, c] = self.fields();
        u16::from_le_bytes([b, c])
    }

    /// Where it may jump to.
    #[inline]
    pub fn target(&self) -> Option<usize> {
        let [_, _, c] = self.fields();
        match self.op.format() {
            Format::Jump => self.end.checked_add(self.number().into()),
            Format::Loop => self.end.checked_sub(self.number().into()),
            Format::NearJump if c == 0 => {
                self.end.checked_add(u32::from_le(*self.rest.first()?) as usize)
            }
            Format::NearJump => self.end.checked_add(c.into()),
            _ => None,
        }
    }

    /// The instruction as text: `jump_neq arg1 "on" -> 0012`, with constants and names out of
    /// `image`.
    pub fn display<'a>(&'a self, image: &'a Image<'a>) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| self.write(image, f))
    }

    fn write(&self, image: &Image<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.op.mnemonic())?;
        let [_, b, c] = self.fields();
        match self.op.format() {
            Format::Flash | Format::FlashResult => write!(f, " @{b}")?,
            Format::Timer | Format::Alarm | Format::Pin | Format::PinResult => write!(f, " {b}")?,
            Format::PinMode => {
                let mode = ["input", "input pullup", "output"].get(usize::from(c)).copied();
                write!(f, " {b} {}", mode.unwrap_or("?"))?;
            }
            Format::LoadVariable => write_variable(image, self.number(), f)?,
            Format::LoadConstant => write_constant(image, self.number(), f)?,
            _ => {}
        }
        let temporaries = image.layout().header.temporaries;
        self.operands(temporaries).try_for_each(|operand| write_operand(image, operand, f))?;
        if self.op.format() == Format::StoreVariable {
            f.write_str(" ->")?;
            write_variable(image, self.number(), f)?;
        }
        if let Some(operand) = self.destination(temporaries) {
            f.write_str(" ->")?;
            write_operand(image, operand, f)?;
        }
        match self.target() {
            Some(target) => write!(f, " -> {target:04}"),
            None => Ok(()),
        }
    }
}

fn write_operand(image: &Image<'_>, operand: Operand, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match operand {
        Operand::Argument(number) => write!(f, " arg{number}"),
        Operand::Temporary(number) => write!(f, " t{number}"),
        Operand::Variable(number) => write_variable(image, number.into(), f),
        Operand::Constant(number) => write_constant(image, number.into(), f),
    }
}

pub(crate) fn write_variable(
    image: &Image<'_>,
    number: u16,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    match image.debug().variable(number) {
        Some(name) => write!(f, " {}", name.escape_ascii()),
        None => write!(f, " ${number}"),
    }
}

pub(crate) fn write_constant(
    image: &Image<'_>,
    number: u16,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    match image.constant(number) {
        Some(Constant::Int(value)) => write!(f, " {value}"),
        Some(Constant::String(text)) => write!(f, " \"{}\"", text.escape_ascii()),
        None => f.write_str(" ?"),
    }
}

/// The instructions of a code section with their offsets in words; stops at the first that cannot
/// be decoded.
pub fn instructions(code: &[u32]) -> impl Iterator<Item = (usize, Instruction<'_>)> {
    let mut at = 0;
    core::iter::from_fn(move || {
        let instruction = Instruction::decode(code, at)?;
        let start = at;
        at = instruction.end;
        Some((start, instruction))
    })
}
