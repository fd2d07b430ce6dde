//! The verifier: one linear pass that proves a handler's code cannot misbehave.
//!
//! What it proves of every segment of code, and how:
//! * every instruction decodes and its operands are within the program and the profile;
//! * constants are integers, or strings that lie within the section of strings;
//! * forward jumps land on the start of an instruction of the same segment: targets not yet reached
//!   are kept sorted, and each must be met exactly. There are at most [`MAX_PENDING`] different
//!   ones: the compiler makes two for each level of nesting;
//! * backward jumps go only behind the innermost open `head`, and pay fuel, so a handler always
//!   ends;
//! * a sub calls only subs whose record says that they go less deep, so that none comes back to
//!   itself and no more than [`MAX_CALL_DEPTH`] run at once; it looks at no argument of the event
//!   that the record does not have, and who calls it has them too;
//! * segments do not overlap: together they are not longer than the code section, which also keeps
//!   the pass linear for hostile images.

mod error;

use crate::Profile;
use crate::decode::Instruction;
use crate::image::{
    CONSTANT_WORDS, Constant, FilterKind, ImageLayout, RECORD_WORDS, Record, Trigger, fingerprint,
    words,
};
use crate::isa::{ARGUMENTS, Format, JOIN_MAX, LIST_MAX, MAX_CALL_DEPTH, Op, Operand, TEMPORARIES};
use crate::schedule::{ClockTime, EVERY_MAX};
pub use error::{CodeError, VerifyError};

/// Most different forward targets open at one point of the code.
pub const MAX_PENDING: usize = 72;
/// Most loops around one point of the code.
pub const MAX_LOOPS: usize = 32;

/// Where the records of each trigger start in the handler table; the last entry is the table's
/// length.
pub(crate) type Starts = [u16; Trigger::COUNT + 1];

pub(crate) fn verify(
    bytes: &[u8],
    layout: &ImageLayout,
    profile: &Profile,
) -> Result<Starts, VerifyError> {
    let header = &layout.header;
    let limit = |what, found: usize, allowed: usize| {
        if found <= allowed { Ok(()) } else { Err(VerifyError::Limit { what, found, allowed }) }
    };
    limit("bytes of source", header.source as usize, profile.source)?;
    limit("bytes", bytes.len() - header.source as usize, profile.image)?;
    limit("variables", header.variables.into(), profile.variables)?;
    limit("temporaries", header.temporaries.into(), profile.temporaries.min(TEMPORARIES.into()))?;

    let (constants, _) = words(bytes, &layout.constants).as_chunks::<CONSTANT_WORDS>();
    let strings = bytes.get(layout.strings.clone()).unwrap_or_default();
    for (number, constant) in constants.iter().enumerate() {
        let constant = Constant::from_words(*constant, strings);
        match constant.ok_or(VerifyError::Constant(number as u16))? {
            Constant::String(text) => limit("bytes in a text", text.len(), profile.value)?,
            Constant::Int(_) => {}
        }
    }
    let (records, _) = words(bytes, &layout.handlers).as_chunks::<RECORD_WORDS>();
    // They come last; where the records are out of order, that is found below.
    let is_sub = |record: &[u32; RECORD_WORDS]| u32::from_le(record[0]) as u8 >= Trigger::Sub as u8;
    let subs = records.iter().rposition(|record| !is_sub(record)).map_or(0, |last| last + 1);
    let subs = records.get(subs..).unwrap_or_default();
    let verifier = Verifier {
        constants,
        strings,
        code: words(bytes, &layout.code),
        variables: header.variables,
        temporaries: header.temporaries,
        subs,
        profile,
    };
    let mut starts = [0; Trigger::COUNT + 1];
    let mut before = None;
    let mut unused = verifier.code.len();
    let mut open = Open::default();
    for (index, record) in records.iter().enumerate() {
        let index = index as u16;
        let record = Record::from_words(*record).ok_or(VerifyError::Handler(index))?;
        verifier.event_is_there(record)?;
        if before >= Some(record.order()) || !verifier.key_fits(record) {
            return Err(VerifyError::Handler(index));
        }
        before = Some(record.order());
        for start in &mut starts[record.trigger as usize + 1..] {
            *start = index + 1;
        }
        let arguments = (1 << record.trigger.arguments()) - 1;
        let segment = match record.trigger {
            Trigger::Sub => Segment {
                start: record.code,
                end: Op::Leave,
                arguments: record.filter as u8,
                depth: record.key,
            },
            _ => {
                let depth = MAX_CALL_DEPTH + 1;
                Segment { start: record.code, end: Op::End, arguments, depth }
            }
        };
        verifier.segment(segment, &mut unused, &mut open)?;
        if is_expression(record) {
            let filter = Segment { start: record.filter, end: Op::Return, arguments: 0, depth: 0 };
            verifier.segment(filter, &mut unused, &mut open)?;
        }
    }
    Ok(starts)
}

/// A segment of code, and what it may do.
#[derive(Clone, Copy)]
struct Segment {
    start: u16,
    /// The instruction it ends with.
    end: Op,
    /// Bit n: it may look at the event's argument n.
    arguments: u8,
    /// It may call subs that go less deep than this.
    depth: u8,
}

fn is_expression(record: Record) -> bool {
    matches!(record.trigger, Trigger::LocalFilter | Trigger::RemoteFilter)
        && record.key == FilterKind::Expression as u8
}

/// What a script names by a number, of which each profile has some.
#[derive(Clone, Copy)]
enum Numbered {
    Pin,
    Timer,
    Alarm,
    FlashVariable,
    Every,
    Clock,
}

struct Verifier<'v> {
    constants: &'v [[u32; CONSTANT_WORDS]],
    strings: &'v [u8],
    code: &'v [u32],
    variables: u16,
    temporaries: u8,
    /// The records of the subs.
    subs: &'v [[u32; RECORD_WORDS]],
    profile: &'v Profile,
}

impl Verifier<'_> {
    /// The timer, alarm or pin of an event.
    fn event_is_there(&self, record: Record) -> Result<(), VerifyError> {
        match record.trigger {
            Trigger::Timer => self.is_there(Numbered::Timer, record.key),
            Trigger::Alarm => self.is_there(Numbered::Alarm, record.key),
            Trigger::Gpio => self.is_there(Numbered::Pin, record.key),
            Trigger::Every => self.is_there(Numbered::Every, record.key.saturating_add(1)),
            Trigger::Clock => self.is_there(Numbered::Clock, record.key.saturating_add(1)),
            _ => Ok(()),
        }
    }

    /// What an instruction names by its number.
    fn named_is_there(&self, instruction: &Instruction<'_>) -> Result<(), VerifyError> {
        let what = match instruction.op.format() {
            Format::Flash | Format::FlashResult => Numbered::FlashVariable,
            Format::Pin | Format::PinResult | Format::PinMode => Numbered::Pin,
            Format::Timer => Numbered::Timer,
            Format::Alarm => Numbered::Alarm,
            _ => return Ok(()),
        };
        let [_, number, _] = instruction.fields();
        self.is_there(what, number)
    }

    fn is_there(&self, what: Numbered, found: u8) -> Result<(), VerifyError> {
        let Profile { flash_variables, max_pin, timers, alarms, name, .. } = *self.profile;
        let (what, first, last) = match what {
            Numbered::Pin => ("pin", 0, max_pin),
            Numbered::Timer => ("timer", 1, timers),
            Numbered::Alarm => ("alarm", 1, alarms),
            Numbered::Every => ("on every number", 1, timers),
            Numbered::Clock => ("on clock number", 1, alarms),
            Numbered::FlashVariable => ("flash variable", 1, flash_variables),
        };
        if (first..=last).contains(&found) {
            return Ok(());
        }
        Err(VerifyError::Number { what, found, allowed: (first, last), profile: name })
    }

    fn key_fits(&self, record: Record) -> bool {
        match record.trigger {
            // Its key is looked at in `event_is_there`.
            Trigger::Timer | Trigger::Alarm => true,
            Trigger::Gpio => record.filter <= 1,
            Trigger::Sub => {
                (1..=MAX_CALL_DEPTH).contains(&record.key) && record.filter >> ARGUMENTS == 0
            }
            Trigger::Every => self
                .int(record.filter)
                .is_some_and(|period| (1..=EVERY_MAX).contains(&period.cast_unsigned())),
            Trigger::Clock => self.int(record.filter).and_then(ClockTime::from_int).is_some(),
            Trigger::LocalName | Trigger::RemoteName => {
                self.string(record.filter).is_some_and(|name| fingerprint(name) == record.key)
            }
            Trigger::LocalFilter | Trigger::RemoteFilter => match FilterKind::from_code(record.key)
            {
                Some(FilterKind::Constant) => self.string(record.filter).is_some(),
                Some(FilterKind::Variable) => record.filter < self.variables,
                Some(FilterKind::Expression) => true,
                None => false,
            },
            _ => record.key == 0,
        }
    }

    /// A constant that is a number.
    fn int(&self, number: u16) -> Option<i32> {
        match Constant::from_words(*self.constants.get(usize::from(number))?, self.strings)? {
            Constant::Int(int) => Some(int),
            Constant::String(_) => None,
        }
    }

    /// A constant that is a string.
    fn string(&self, number: u16) -> Option<&[u8]> {
        match Constant::from_words(*self.constants.get(usize::from(number))?, self.strings)? {
            Constant::String(text) => Some(text),
            Constant::Int(_) => None,
        }
    }

    /// Whether a segment may call the sub of that number.
    fn may_call(&self, segment: Segment, number: u16) -> bool {
        let record = self.subs.get(usize::from(number)).copied().and_then(Record::from_words);
        record.is_some_and(|sub| {
            sub.trigger == Trigger::Sub
                && sub.key < segment.depth
                && sub.filter & !u16::from(segment.arguments) == 0
        })
    }

    /// Verifies a segment up to the instruction it ends with; takes its length off `unused`.
    fn segment(
        &self,
        segment: Segment,
        unused: &mut usize,
        open: &mut Open,
    ) -> Result<(), VerifyError> {
        let Segment { start, end, arguments, .. } = segment;
        let Open { pending, heads } = open;
        let mut at = usize::from(start);
        let mut loops = 0;
        loop {
            let fail = |why| VerifyError::Code { at: at as u16, why };
            match pending.nearest() {
                Some(target) if target == at => pending.pop(),
                Some(target) if target <= at => return Err(fail(CodeError::Jump)),
                _ => {}
            }
            let instruction =
                Instruction::decode(self.code, at).ok_or(fail(CodeError::Undecodable))?;
            let op = instruction.op;
            *unused = unused.checked_sub(instruction.end - at).ok_or(fail(CodeError::Overlap))?;
            self.named_is_there(&instruction)?;
            if !self.fits(&instruction, arguments) {
                return Err(fail(CodeError::Operand));
            }
            match op {
                Op::End | Op::Return if op == end && pending.is_empty() && loops == 0 => {
                    return Ok(());
                }
                Op::Leave
                    if op == end
                        && pending.is_empty()
                        && loops == 0
                        && instruction.target() == Some(start.into()) =>
                {
                    return Ok(());
                }
                // A handler may end early too: nothing more to prove about that.
                Op::End if end == Op::End => {}
                Op::End | Op::Return | Op::Leave => return Err(fail(CodeError::Misplaced)),
                Op::Call if !self.may_call(segment, instruction.number()) => {
                    return Err(fail(CodeError::Call));
                }
                _ if matches!(op.format(), Format::Jump | Format::NearJump) => {
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

    /// Whether the operands and the destination are within the program.
    fn fits(&self, instruction: &Instruction<'_>, arguments: u8) -> bool {
        let readable = |operand| match operand {
            Operand::Argument(number) => arguments >> number & 1 == 1,
            Operand::Temporary(number) => number < self.temporaries,
            Operand::Variable(number) => u16::from(number) < self.variables,
            Operand::Constant(number) => usize::from(number) < self.constants.len(),
        };
        let writable = |operand| match operand {
            Operand::Temporary(_) | Operand::Variable(_) => readable(operand),
            Operand::Argument(_) | Operand::Constant(_) => false,
        };
        let [a, _, c] = instruction.fields();
        let format_fits = match instruction.op.format() {
            Format::PinMode => c <= 2,
            Format::Join => (2..=JOIN_MAX).contains(&a),
            Format::List => (1..=LIST_MAX).contains(&a),
            Format::Kept => instruction.kept().is_some_and(|number| number < self.variables.into()),
            Format::LoadVariable | Format::StoreVariable => instruction.number() < self.variables,
            Format::LoadConstant => usize::from(instruction.number()) < self.constants.len(),
            // What they name is looked at in `named_is_there`.
            Format::Flash
            | Format::FlashResult
            | Format::Pin
            | Format::PinResult
            | Format::Timer
            | Format::Alarm
            | Format::Values
            | Format::Result
            | Format::LongResult
            | Format::Jump
            | Format::NearJump
            | Format::Loop
            // Which it calls is looked at in `may_call`.
            | Format::Call => true,
        };
        format_fits
            && instruction.operands(self.temporaries).all(readable)
            && instruction.destination(self.temporaries).is_none_or(writable)
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
