//! Places in the code, jumps to them, and where a value goes.

use umqtt_vm::isa::{Op, Operand, TEMPORARIES};

/// A place to jump to; made by [`label`](super::function::FunctionBuilder::label), put somewhere by
/// [`place`](super::function::FunctionBuilder::place).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label(pub(super) u16);

/// Where a result goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dest {
    /// The next free temporary.
    Temporary,
    /// A variable, by number.
    Variable(u16),
}

/// A place in the code: so many words and jumps are before it. Jumps are kept apart from the words.
pub(super) type CodeOffset = u32;

/// A jump instruction, to be inserted at its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jump {
    pub(super) at: CodeOffset,
    pub(super) op: Op,
    pub(super) word: u32,
    pub(super) label: Label,
    /// The distance takes a word of its own.
    pub(super) far: bool,
}

impl Jump {
    pub(super) fn len(&self) -> usize {
        1 + usize::from(self.far)
    }
}

/// An instruction's first word: operands come before the other fields, whose bytes are left as they
/// are.
pub(super) fn encode(op: Op, operands: &[Operand], fields: [u8; 3]) -> u32 {
    let mut bytes = [op as u8, fields[0], fields[1], fields[2]];
    bytes[1..].iter_mut().zip(operands).for_each(|(byte, operand)| *byte = byte_of(*operand));
    u32::from_le_bytes(bytes)
}

/// An operand's byte, as if the program had all temporaries there can be: how many it has is known
/// only in the end.
pub(super) fn byte_of(operand: Operand) -> u8 {
    operand.byte(TEMPORARIES)
}
