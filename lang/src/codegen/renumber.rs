//! Operands, once it is known how many temporaries the program has.

use umqtt_vm::decode::Instruction;
use umqtt_vm::isa::{Format, Operand, TEMPORARIES};

/// Renumbers the operands of code that was made for [`TEMPORARIES`] temporaries for a program that
/// has `temporaries` of them: variables stand behind the temporaries.
pub(super) fn renumber_operands(code: &mut [u32], temporaries: u8) {
    let renumber = |byte: &mut u8| *byte = Operand::from_byte(*byte, TEMPORARIES).byte(temporaries);
    let mut at = 0;
    while let Some(instruction) = Instruction::decode(code, at) {
        let (op, end) = (instruction.op, instruction.end);
        let mut bytes = code[at].to_le_bytes();
        bytes[1..].iter_mut().take(op.values().into()).for_each(renumber);
        match op.format() {
            Format::LoadVariable | Format::LoadConstant => renumber(&mut bytes[1]),
            Format::Result
            | Format::LongResult
            | Format::FlashResult
            | Format::PinResult
            | Format::Join => renumber(&mut bytes[3]),
            _ => {}
        }
        code[at] = u32::from_le_bytes(bytes);
        if matches!(op.format(), Format::Join | Format::LongResult) {
            for word in &mut code[at + 1..end] {
                let mut bytes = word.to_le_bytes();
                bytes.iter_mut().for_each(renumber);
                *word = u32::from_le_bytes(bytes);
            }
        }
        at = end;
    }
}
