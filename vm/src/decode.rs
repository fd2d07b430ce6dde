//! Decoding instructions one at a time, for the verifier, the disassembler and tools. The machine
//! decodes for itself while it runs.

use core::fmt;

use crate::Image;
use crate::image::{Constant, FIRST_VERSION, Record, Trigger, VERSION};
use crate::isa::{Format, Op, Operand, list_words};

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
            Format::List => list_words(a),
            Format::LongResult | Format::Kept => 1,
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
            Format::Join | Format::List => self.fields()[0],
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
            Format::Join | Format::List => behind(index),
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
            | Format::Join
            | Format::List
            | Format::Kept => Some(Operand::from_byte(c, temporaries)),
            _ => None,
        }
    }

    /// The number in B and C.
    #[inline]
    pub fn number(&self) -> u16 {
        let [_, b, c] = self.fields();
        u16::from_le_bytes([b, c])
    }

    /// The number of the variable that keeps a value for it and that no script names.
    #[inline]
    pub fn kept(&self) -> Option<u32> {
        match self.op.format() {
            Format::Kept => self.rest.first().copied().map(u32::from_le),
            _ => None,
        }
    }

    /// Whether the value of that number in a list is a text whatever it looks like.
    pub fn is_text(&self, index: u8) -> bool {
        let [count, ..] = self.fields();
        let at = usize::from(count.div_ceil(4)) + usize::from(index / 32);
        let marks = self.rest.get(at).copied().map_or(0, u32::from_le);
        self.op.format() == Format::List && marks >> (index % 32) & 1 == 1
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
            Format::Call => write!(f, " {}", self.number())?,
            Format::LoadVariable => write_variable(image, self.number(), f)?,
            Format::LoadConstant => write_constant(image, self.number(), f)?,
            _ => {}
        }
        let temporaries = image.layout().header.temporaries;
        self.operands(temporaries).zip(0..).try_for_each(|(operand, index)| {
            if self.is_text(index) {
                f.write_str(" text")?;
            }
            write_operand(image, operand, f)
        })?;
        if let Some(number) = self.kept() {
            write!(f, " kept in {number}")?;
        }
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

/// The format of an image with these records and this code.
pub fn version(records: &[Record], code: &[u32]) -> u8 {
    let is_new = records.iter().any(|record| record.trigger > Trigger::RemoteFilter)
        || instructions(code).any(|(_, instruction)| instruction.op as u8 > Op::Random as u8);
    if is_new { VERSION } else { FIRST_VERSION }
}
