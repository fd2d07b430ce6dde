//! Operands, once it is known how many temporaries the program has.

use umqtt_vm::decode::Instruction;
use umqtt_vm::isa::{Format, Operand, TEMPORARIES};

use super::subs::Subs;

/// Renumbers the operands of code that was made for [`TEMPORARIES`] temporaries for a program that
/// has `temporaries` of them: variables stand behind the temporaries. The variables that the script
/// does not name stand behind the `named` ones, and the subs in the order of their records.
pub(super) fn renumber_operands(code: &mut [u32], temporaries: u8, named: u32, subs: &Subs) {
    let renumber = |byte: &mut u8| *byte = Operand::from_byte(*byte, TEMPORARIES).byte(temporaries);
    let mut at = 0;
    while let Some(instruction) = Instruction::decode(code, at) {
        let (op, end, number) = (instruction.op, instruction.end, instruction.number());
        let mut bytes = code[at].to_le_bytes();
        bytes[1..].iter_mut().take(op.values().into()).for_each(renumber);
        match op.format() {
            Format::LoadVariable | Format::LoadConstant => renumber(&mut bytes[1]),
            Format::Result
            | Format::LongResult
            | Format::FlashResult
            | Format::PinResult
            | Format::Join
            | Format::List
            | Format::Kept => renumber(&mut bytes[3]),
            _ => {}
        }
        if op.format() == Format::Call {
            [bytes[2], bytes[3]] = subs.final_number(number).to_le_bytes();
        }
        code[at] = u32::from_le_bytes(bytes);
        if op.format() == Format::Kept {
            code[at + 1] += named;
        }
        if matches!(op.format(), Format::Join | Format::List | Format::LongResult) {
            let places = match op.format() {
                Format::List => usize::from(bytes[1].div_ceil(4)),
                _ => end - at - 1,
            };
            for word in &mut code[at + 1..at + 1 + places] {
                let mut bytes = word.to_le_bytes();
                bytes.iter_mut().for_each(renumber);
                *word = u32::from_le_bytes(bytes);
            }
        }
        at = end;
    }
}
