//! Decoding instructions one at a time: for the verifier, the disassembler and whoever wants to look. The
//! machine decodes for itself while it runs.

use core::fmt;

use crate::Image;
use crate::isa::{
    INT_SHORT, INT_SHORT_MIN, Op, Operand, SET_SHORT, VAR_SHORT, read_varint, unzigzag,
};

/// One instruction with its operands. Short forms are given as the instruction they stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Which.
    pub op: Op,
    /// The operand; for [`Operand::Int`] the bits of the `i32`, for jumps the distance; 0 without operand.
    pub a: u32,
    /// The second operand of [`Operand::ConstJump`] (the distance) and [`Operand::PinMode`] (the mode).
    pub b: u32,
    /// Where the next instruction starts.
    pub end: usize,
}

impl Instruction {
    /// Decodes the instruction at offset `at`; `None` where there is none.
    #[inline]
    pub fn decode(code: &[u8], at: usize) -> Option<Instruction> {
        let byte = *code.get(at)?;
        let mut end = at + 1;
        let (op, a, b) = match byte {
            INT_SHORT.. => (Op::Int, (i32::from(byte - INT_SHORT) + INT_SHORT_MIN) as u32, 0),
            SET_SHORT.. => (Op::Set, u32::from(byte - SET_SHORT), 0),
            VAR_SHORT.. => (Op::Var, u32::from(byte - VAR_SHORT), 0),
            _ => {
                let op = Op::from_code(byte)?;
                let mut byte = || {
                    let value = code.get(end).copied();
                    end += 1;
                    value.map(u32::from)
                };
                let (a, b) = match op.operand() {
                    Operand::None => (0, 0),
                    Operand::Const | Operand::Jump | Operand::Loop => {
                        (read_varint(code, &mut end)?, 0)
                    }
                    Operand::Int => (unzigzag(read_varint(code, &mut end)?) as u32, 0),
                    Operand::ConstJump => {
                        (read_varint(code, &mut end)?, read_varint(code, &mut end)?)
                    }
                    Operand::PinMode => (byte()?, byte()?),
                    Operand::Var
                    | Operand::Arg
                    | Operand::Flash
                    | Operand::Pin
                    | Operand::Timer
                    | Operand::Alarm
                    | Operand::Count => (byte()?, 0),
                };
                (op, a, b)
            }
        };
        Some(Instruction { op, a, b, end })
    }

    /// How many values it takes off the stack.
    #[inline]
    pub fn pops(&self) -> u32 {
        if self.op == Op::Join { self.a } else { u32::from(self.op.pops()) }
    }

    /// Where it may jump to.
    pub fn target(&self) -> Option<usize> {
        match self.op.operand() {
            Operand::Jump => self.end.checked_add(self.a as usize),
            Operand::ConstJump => self.end.checked_add(self.b as usize),
            Operand::Loop => self.end.checked_sub(self.a as usize),
            _ => None,
        }
    }

    /// The instruction as text: `jump_neq "on" -> 0012`, with constants and names out of `image`.
    pub fn display<'a>(&'a self, image: &'a Image<'a>) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| self.write(image, f))
    }

    fn write(&self, image: &Image<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.op.mnemonic())?;
        match self.op.operand() {
            Operand::Const | Operand::ConstJump => {
                let bytes = image.constant(self.a).unwrap_or_default();
                write!(f, " \"{}\"", bytes.escape_ascii())?;
            }
            Operand::Int => write!(f, " {}", self.a as i32)?,
            Operand::Var => match image.debug().variable(self.a as u16) {
                Some(name) => write!(f, " {}", name.escape_ascii())?,
                None => write!(f, " ${}", self.a)?,
            },
            Operand::Flash => write!(f, " @{}", self.a)?,
            Operand::PinMode => {
                let mode = ["input", "input pullup", "output"].get(self.b as usize).copied();
                write!(f, " {} {}", self.a, mode.unwrap_or("?"))?;
            }
            Operand::Arg | Operand::Pin | Operand::Timer | Operand::Alarm | Operand::Count => {
                write!(f, " {}", self.a)?;
            }
            Operand::None | Operand::Jump | Operand::Loop => {}
        }
        match self.target() {
            Some(target) => write!(f, " -> {target:04}"),
            None => Ok(()),
        }
    }
}

/// The instructions of a code section with their offsets; stops at the first that cannot be decoded.
pub fn instructions(code: &[u8]) -> impl Iterator<Item = (usize, Instruction)> + '_ {
    let mut at = 0;
    core::iter::from_fn(move || {
        let instruction = Instruction::decode(code, at)?;
        let start = at;
        at = instruction.end;
        Some((start, instruction))
    })
}
