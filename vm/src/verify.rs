//! The verifier: one linear pass that proves a handler's code cannot misbehave.
//!
//! What it proves of every segment of code, and how:
//! * every instruction decodes and its operands are within the program and the profile;
//! * the stack neither underflows nor passes the header's depth, and is empty behind everything that does not push
//!   a value: so at every jump and every jump's target;
//! * forward jumps land on the start of an instruction of the same segment: targets not yet reached are kept sorted,
//!   and each must be met exactly. There are at most [`MAX_PENDING`] different ones: the compiler makes two for each
//!   level of nesting;
//! * backward jumps go only behind the innermost open `head`, and pay fuel, so a handler always ends;
//! * segments do not overlap: together they are not longer than the code section, which also keeps the pass linear
//!   for hostile images.

use crate::decode::Instruction;
use crate::image::{FilterKind, Layout, RECORD_LEN, Record, Trigger, constant, fingerprint};
use crate::isa::{Op, Operand};
use crate::{ImageError, Profile};

/// Most different forward targets open at one point of the code.
pub const MAX_PENDING: usize = 72;
/// Most loops around one point of the code.
pub const MAX_LOOPS: usize = 32;

/// Why an image may not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// Not a whole image at all.
    Image(ImageError),
    /// More of something than the profile allows.
    Limit {
        /// Of what.
        what: &'static str,
        /// How many the image has.
        found: usize,
        /// How many may be.
        allowed: usize,
    },
    /// A handler record makes no sense; its place in the table.
    Handler(u16),
    /// The code is wrong.
    Code {
        /// Offset into the code section.
        at: u16,
        /// What is wrong there.
        why: CodeError,
    },
}

/// What is wrong with code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeError {
    /// Not an instruction, or cut off.
    Undecodable,
    /// An operand out of range.
    Operand,
    /// The stack would underflow, overflow, or not be empty where it has to be.
    Stack,
    /// A jump into the middle of an instruction, out of the segment, or one too many.
    Jump,
    /// A `loop` that does not match its `head`.
    Loop,
    /// Code used by more than one handler.
    Overlap,
    /// An instruction that may not stand in this kind of segment.
    Misplaced,
}

impl core::fmt::Display for VerifyError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            VerifyError::Image(error) => error.fmt(f),
            VerifyError::Limit { what, found, allowed } => {
                write!(f, "the image has {found} {what}, this device allows {allowed}")
            }
            VerifyError::Handler(index) => write!(f, "the image is invalid (handler {index})"),
            VerifyError::Code { at, why } => write!(f, "the image is invalid ({why:?} at {at})"),
        }
    }
}

impl core::error::Error for VerifyError {}

/// Where the records of each trigger start in the handler table; the last entry is the table's length.
pub(crate) type Starts = [u16; Trigger::COUNT + 1];

pub(crate) fn verify(
    bytes: &[u8],
    layout: &Layout,
    profile: &Profile,
) -> Result<Starts, VerifyError> {
    let header = &layout.header;
    let limit = |what, found: usize, allowed: usize| {
        if found <= allowed { Ok(()) } else { Err(VerifyError::Limit { what, found, allowed }) }
    };
    limit("bytes of source", header.source as usize, profile.source)?;
    limit("bytes", bytes.len() - header.source as usize, profile.image)?;
    limit("variables", header.variables.into(), profile.variables)?;
    limit("values on the stack", header.stack.into(), profile.stack)?;

    let section = |range: &core::ops::Range<usize>| bytes.get(range.clone()).unwrap_or_default();
    let verifier = Verifier {
        constants: section(&layout.constants),
        code: section(&layout.code),
        variables: header.variables.into(),
        stack: header.stack.into(),
        profile,
    };
    let mut starts = [0; Trigger::COUNT + 1];
    let mut before = None;
    let mut unused = verifier.code.len();
    let mut open = Open::default();
    let (records, _) = section(&layout.handlers).as_chunks::<RECORD_LEN>();
    for (index, record) in records.iter().enumerate() {
        let index = index as u16;
        let record = Record::from_bytes(*record).ok_or(VerifyError::Handler(index))?;
        if before >= Some(record.order()) || !verifier.key_fits(record) {
            return Err(VerifyError::Handler(index));
        }
        before = Some(record.order());
        for start in &mut starts[record.trigger as usize + 1..] {
            *start = index + 1;
        }
        let arguments = record.trigger.arguments().into();
        verifier.segment(record.code, arguments, Op::End, &mut unused, &mut open)?;
        if is_expression(record) {
            verifier.segment(record.filter, 0, Op::Result, &mut unused, &mut open)?;
        }
    }
    Ok(starts)
}

fn is_expression(record: Record) -> bool {
    matches!(record.trigger, Trigger::LocalFilter | Trigger::RemoteFilter)
        && record.key == FilterKind::Expression as u8
}

struct Verifier<'v> {
    constants: &'v [u8],
    code: &'v [u8],
    variables: u32,
    stack: u32,
    profile: &'v Profile,
}

impl Verifier<'_> {
    fn key_fits(&self, record: Record) -> bool {
        let one_to = |most: u8| (1..=most).contains(&record.key);
        match record.trigger {
            Trigger::Timer => one_to(self.profile.timers),
            Trigger::Alarm => one_to(self.profile.alarms),
            Trigger::Gpio => record.key <= self.profile.max_pin && record.filter <= 1,
            Trigger::LocalName | Trigger::RemoteName => {
                constant(self.constants, record.filter.into())
                    .is_some_and(|name| fingerprint(name) == record.key)
            }
            Trigger::LocalFilter | Trigger::RemoteFilter => match FilterKind::from_code(record.key)
            {
                Some(FilterKind::Constant) => {
                    constant(self.constants, record.filter.into()).is_some()
                }
                Some(FilterKind::Variable) => u32::from(record.filter) < self.variables,
                Some(FilterKind::Expression) => true,
                None => false,
            },
            _ => record.key == 0,
        }
    }

    /// Verifies the segment from `start` to its `end` instruction; takes its length off `unused`.
    fn segment(
        &self,
        start: u16,
        arguments: u32,
        end: Op,
        unused: &mut usize,
        open: &mut Open,
    ) -> Result<(), VerifyError> {
        let Open { pending, heads } = open;
        let mut at = usize::from(start);
        let mut depth = 0u32;
        let mut loops = 0;
        loop {
            let fail = |why| VerifyError::Code { at: at as u16, why };
            match pending.nearest() {
                Some(target) if target == at && depth == 0 => pending.pop(),
                Some(target) if target <= at => return Err(fail(CodeError::Jump)),
                _ => {}
            }
            let instruction =
                Instruction::decode(self.code, at).ok_or(fail(CodeError::Undecodable))?;
            let op = instruction.op;
            *unused = unused.checked_sub(instruction.end - at).ok_or(fail(CodeError::Overlap))?;
            if !self.operands_fit(&instruction, arguments) {
                return Err(fail(CodeError::Operand));
            }
            depth = depth.checked_sub(instruction.pops()).ok_or(fail(CodeError::Stack))?;
            depth += u32::from(op.pushes());
            if depth > self.stack || (op.pushes() == 0 && depth != 0) {
                return Err(fail(CodeError::Stack));
            }
            match op {
                Op::End | Op::Result if op == end && pending.is_empty() && loops == 0 => {
                    return Ok(());
                }
                // A handler may end early too: nothing more to prove about that.
                Op::End if end == Op::End => {}
                Op::End | Op::Result => return Err(fail(CodeError::Misplaced)),
                Op::Jump | Op::JumpFalse | Op::JumpTrue | Op::JumpNotEqual => {
                    let target = instruction.target().ok_or(fail(CodeError::Jump))?;
                    pending.insert(target).ok_or(fail(CodeError::Jump))?;
                }
                Op::Head => {
                    *heads.get_mut(loops).ok_or(fail(CodeError::Loop))? = instruction.end;
                    loops += 1;
                }
                Op::Loop => {
                    loops = loops.checked_sub(1).ok_or(fail(CodeError::Loop))?;
                    if instruction.target() != Some(heads[loops]) {
                        return Err(fail(CodeError::Loop));
                    }
                }
                _ => {}
            }
            at = instruction.end;
        }
    }

    fn operands_fit(&self, instruction: &Instruction, arguments: u32) -> bool {
        let Instruction { a, b, .. } = *instruction;
        let one_to = |most: u8| (1..=u32::from(most)).contains(&a);
        let pin = a <= u32::from(self.profile.max_pin);
        match instruction.op.operand() {
            Operand::Const | Operand::ConstJump => constant(self.constants, a).is_some(),
            Operand::Var => a < self.variables,
            Operand::Arg => a < arguments,
            Operand::Flash => one_to(self.profile.flash_variables),
            Operand::Pin => pin,
            Operand::PinMode => pin && b <= 2,
            Operand::Timer => one_to(self.profile.timers),
            Operand::Alarm => one_to(self.profile.alarms),
            Operand::Count => a >= 2,
            Operand::None | Operand::Int | Operand::Jump | Operand::Loop => true,
        }
    }
}

/// What is open at a point of a segment; at its end nothing is. One room for all segments.
#[derive(Default)]
struct Open {
    pending: Pending,
    /// Where the loops around the point start.
    heads: [usize; MAX_LOOPS],
}

/// Forward targets not reached yet, the nearest last.
struct Pending {
    targets: [u16; MAX_PENDING],
    len: usize,
}

impl Default for Pending {
    fn default() -> Pending {
        Pending { targets: [0; MAX_PENDING], len: 0 }
    }
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn nearest(&self) -> Option<usize> {
        Some(self.targets[self.len.checked_sub(1)?].into())
    }

    fn pop(&mut self) {
        self.len -= 1;
    }

    fn insert(&mut self, target: usize) -> Option<()> {
        let target = u16::try_from(target).ok()?;
        let mut at = self.len;
        while at > 0 && self.targets[at - 1] < target {
            at -= 1;
        }
        if at > 0 && self.targets[at - 1] == target {
            return Some(());
        }
        if self.len == MAX_PENDING {
            return None;
        }
        self.targets.copy_within(at..self.len, at + 1);
        self.targets[at] = target;
        self.len += 1;
        Some(())
    }
}
