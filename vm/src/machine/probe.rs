//! What watches the interpreter while it runs: nothing, which costs nothing, or a host that
//! traces.

use umqtt_topic::{check_filter, check_name};

use super::store::ValueStore;
use super::value::Value;
use crate::decode::Instruction;
use crate::isa::{ARGUMENTS, Format, Op, Operand};
use crate::number::NumberText;
use crate::{Debug, Host, Image, Step, TopicError};

/// Most ends of blocks that are passed over in looking for the next statement.
const MAX_ENDS: usize = 32;

/// Asked before every instruction.
pub(super) trait Probe {
    /// The instruction at this place of the words is to be carried out.
    fn before(&mut self, m: &mut ValueStore<'_>, host: &mut dyn Host, at: usize);
}

impl Probe for () {
    #[inline(always)]
    fn before(&mut self, _: &mut ValueStore<'_>, _: &mut dyn Host, _: usize) {}
}

/// Sends steps to the host.
#[derive(Debug, Default)]
pub(super) struct Stepper {
    /// The instruction before.
    last: Option<Last>,
}

/// An instruction whose result is looked at behind it.
#[derive(Clone, Copy, Debug)]
struct Last {
    /// Where it is, of the words.
    at: usize,
    op: Op,
    number: u16,
    /// Where its result went.
    place: Option<u8>,
    /// The variable among the results, by its number.
    variable: Option<u16>,
}

impl Probe for &mut Stepper {
    fn before(&mut self, m: &mut ValueStore<'_>, host: &mut dyn Host, at: usize) {
        if self.last.is_some_and(|last| last.at == at) {
            return; // done again, with more memory
        }
        self.result(m, host);
        let code = m.words.get(m.info.code..).unwrap_or_default();
        let Some(offset) = at.checked_sub(m.info.code) else { return };
        let Some(instruction) = Instruction::decode(code, offset) else { return };
        let debug = debug(m);
        host.step(Step::Instruction { at: offset as u16, debug });
        let [a, b, c] = instruction.fields();
        let op = instruction.op;
        match (relation(op), op) {
            (Some((relation, turned)), _) => {
                let (left, right) = (m.get(u32::from(a) << 24), m.get(u32::from(b) << 24));
                let holds = undone(m, |m| holds(m, relation, left, right));
                let mut texts = [NumberText::new(), NumberText::new()];
                let [first, second] = &mut texts;
                let (left, right) = (m.bytes(left, first), m.bytes(right, second));
                host.step(Step::Compared { relation, left, right, holds });
                if op.format() == Format::NearJump {
                    branch(host, &instruction, holds != turned, code, debug);
                }
            }
            (None, Op::JumpFalse | Op::JumpTrue) => {
                let value = m.get(u32::from(a) << 24);
                let holds = undone(m, |m| m.truth(value));
                host.step(Step::Tested { value: m.bytes(value, &mut NumberText::new()), holds });
                branch(host, &instruction, holds == (op == Op::JumpTrue), code, debug);
            }
            (None, Op::Call) => {
                host.step(Step::Action { op, number: instruction.number(), values: [b""; 2] });
            }
            (None, Op::PinMode) => {
                let mode = ["input", "input pullup"].get(usize::from(c)).copied();
                let values = [mode.unwrap_or("output").as_bytes(), b""];
                host.step(Step::Action { op, number: b.into(), values });
            }
            _ if op.is_action() => {
                let number = if op.format() == Format::Values { 0 } else { b.into() };
                let mut texts = [NumberText::new(), NumberText::new()];
                let [first, second] = &mut texts;
                let one = m.bytes(m.get(u32::from(a) << 24), first);
                let two = match op.values() {
                    2.. => m.bytes(m.get(u32::from(b) << 24), second),
                    _ => b"",
                };
                host.step(Step::Action { op, number, values: [one, two] });
                if let Err(error) = check(op, one) {
                    host.step(Step::Refused(error));
                }
            }
            _ => {}
        }
        self.last = Some(Last::of(&instruction, at, m));
    }
}

impl Stepper {
    /// The handler has ended: what the last instruction did.
    pub(super) fn result(&mut self, m: &mut ValueStore<'_>, host: &mut dyn Host) {
        let Some(last) = self.last.take() else { return };
        let mut text = NumberText::new();
        if let Some(place) = last.place
            && last.op.is_from_outside()
        {
            let value = m.bytes(m.slot(place.into()), &mut text);
            host.step(Step::Answer { op: last.op, number: last.number, value });
        }
        if let Some(variable) = last.variable {
            let value = m.slot(m.first_variable + usize::from(variable));
            let name = debug(m).variable(variable).unwrap_or_default();
            host.step(Step::Assigned { variable, name, value: m.bytes(value, &mut text) });
        }
    }
}

impl Last {
    fn of(instruction: &Instruction<'_>, at: usize, m: &ValueStore<'_>) -> Last {
        let [_, b, _] = instruction.fields();
        let temporaries = (m.first_variable as u8).saturating_sub(ARGUMENTS);
        let destination = instruction.destination(temporaries);
        let variable = match (instruction.op, destination) {
            (Op::StoreVariable, _) => Some(instruction.number()),
            (_, Some(Operand::Variable(number))) => Some(number.into()),
            _ => None,
        };
        let number = match instruction.op.format() {
            Format::PinResult | Format::FlashResult => b.into(),
            _ => 0,
        };
        let place = destination.map(|operand| operand.byte(temporaries));
        Last { at, op: instruction.op, number, place, variable }
    }
}

/// Which relation an instruction looks at, and whether it is turned round: then it jumps, or its
/// result is 1, if the relation does not hold.
fn relation(op: Op) -> Option<(Op, bool)> {
    Some(match op {
        Op::JumpEqual | Op::Equal => (Op::Equal, false),
        Op::JumpNotEqual => (Op::Equal, true),
        Op::NotEqual => (Op::NotEqual, false),
        Op::JumpGreater | Op::Greater => (Op::Greater, false),
        Op::JumpLessEqual => (Op::Greater, true),
        Op::LessEqual => (Op::LessEqual, false),
        Op::JumpLess | Op::Less => (Op::Less, false),
        Op::JumpGreaterEqual => (Op::Less, true),
        Op::GreaterEqual => (Op::GreaterEqual, false),
        Op::StringGreater | Op::StringGreaterEqual => (op, false),
        _ => return None,
    })
}

/// Whether the topic of an action is one, if it has one.
fn check(op: Op, topic: &[u8]) -> Result<(), TopicError> {
    match op {
        Op::PublishLocal
        | Op::PublishLocalRetained
        | Op::PublishRemote
        | Op::PublishRemoteRetained => check_name(topic),
        Op::SubscribeLocal | Op::SubscribeRemote | Op::UnsubscribeLocal | Op::UnsubscribeRemote => {
            check_filter(topic)
        }
        _ => Ok(()),
    }
}

/// A jump that is taken or not.
fn branch(
    host: &mut dyn Host,
    instruction: &Instruction<'_>,
    jumps: bool,
    code: &[u32],
    debug: Debug<'_>,
) {
    let target = if jumps { instruction.target() } else { None };
    let to = target.unwrap_or(instruction.end);
    let line = statement(code, to).and_then(|at| debug.line(at as u16));
    host.step(Step::Branch { jumps, to: to as u16, line });
}

/// Where the next statement is when code goes on at an offset; `None` at the end of a handler or a
/// sub. Each end of a block leads on to the next.
fn statement(code: &[u32], from: usize) -> Option<usize> {
    let mut at = from;
    for _ in 0..MAX_ENDS {
        let instruction = Instruction::decode(code, at)?;
        at = match instruction.op {
            Op::End | Op::Leave => return None,
            Op::Jump | Op::Loop => instruction.target()?,
            Op::Head => instruction.end,
            _ => return Some(at),
        };
    }
    Some(from)
}

/// The names and lines of the program.
fn debug<'m>(m: &ValueStore<'m>) -> Debug<'m> {
    Image { bytes: m.bytes, layout: m.info.layout.clone() }.debug()
}

fn holds(m: &mut ValueStore<'_>, relation: Op, left: Value, right: Value) -> bool {
    match relation {
        Op::Equal => m.equal(left, right),
        Op::NotEqual => !m.equal(left, right),
        Op::StringGreater => m.order(left, right).is_gt(),
        Op::StringGreaterEqual => m.order(left, right).is_ge(),
        _ => {
            let (left, right) = (m.number(left), m.number(right));
            match relation {
                Op::Greater => left > right,
                Op::LessEqual => left <= right,
                Op::Less => left < right,
                _ => left >= right,
            }
        }
    }
}

/// Looks at values without having paid for it, or counted anything.
fn undone<R>(m: &mut ValueStore<'_>, look: impl FnOnce(&mut ValueStore<'_>) -> R) -> R {
    let (words, fuel, stopped_at) = (m.words, m.fuel, m.stopped_at);
    let warnings = m.state.warnings;
    m.fuel = i32::MAX;
    let result = look(m);
    (m.words, m.fuel, m.stopped_at) = (words, fuel, stopped_at);
    m.state.warnings = warnings;
    result
}

impl Op {
    /// Whether it does something outside the machine.
    pub fn is_action(self) -> bool {
        match self.format() {
            Format::Values => !matches!(self, Op::Return | Op::End | Op::Head),
            Format::Pin | Format::PinMode | Format::Timer | Format::Alarm | Format::Flash => true,
            _ => false,
        }
    }

    /// Whether its result is something from outside the machine, other than the event's data.
    pub fn is_from_outside(self) -> bool {
        matches!(
            self,
            Op::PinRead
                | Op::Adc
                | Op::Timestamp
                | Op::Weekday
                | Op::Flash
                | Op::Random
                | Op::Retained
                | Op::Sunrise
                | Op::Sunset
                | Op::Date
                | Op::UnixTime
                | Op::Uptime
                | Op::Between
        )
    }
}
