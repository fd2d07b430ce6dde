//! Starting a handler, and going on with it when memory has grown.

use super::dispatch::{record, value_matches};
use super::interpreter::Interpreter;
use super::memory::{MAX_STRING_BYTES, Slot};
use super::probe::Probe;
use super::store::ValueStore;
use super::value::Value;
use super::{MachineState, words};
use crate::decode::instructions;
use crate::image::Trigger;
use crate::isa::{ARGUMENTS, Op, Operand};
use crate::program::ProgramInfo;
use crate::{Event, Handler, Syscalls, Trap, TrapCode};

/// A verified image with the memory it runs in.
pub(super) struct Frame<'m> {
    pub(super) bytes: &'m [u8],
    pub(super) info: &'m ProgramInfo,
    pub(super) memory: (&'m mut [Slot], &'m mut [u8]),
    pub(super) state: &'m mut MachineState,
    /// Whether the memory can grow.
    pub(super) growable: bool,
}

/// A handler that stopped for lack of memory.
pub(super) struct Suspended {
    /// There is no fuel left.
    stopped: bool,
    /// Where to go on, of the words: the instruction is done again.
    at: usize,
    scratch_end: usize,
    /// Bytes that are missing.
    pub(super) missing: usize,
}

/// What became of a handler.
pub(super) type RunResult = Result<(), Trap>;

/// Whether the filter that a handler's expression computes matches. The error is the number of
/// bytes that are missing.
#[inline(never)]
pub(super) fn matches(
    frame: Frame<'_>,
    handler: Handler,
    event: &Event<'_>,
    fuel: &mut u32,
    sys: &mut Syscalls<'_>,
) -> Result<bool, usize> {
    let Event::Topic { topic, .. } = event else { return Ok(false) };
    let mut interpreter = Interpreter::new(frame, event, sys);
    interpreter.store.fuel = start_with(*fuel);
    let Some(record) = record(interpreter.store.words, interpreter.store.info, handler.index())
    else {
        return Ok(false);
    };
    let result = interpreter.run(interpreter.store.info.code + usize::from(record.filter), ());
    *fuel = left(&interpreter);
    match result {
        Ok(value) => Ok(value_matches(&interpreter.store.source(), value, topic)),
        Err(TrapCode::OutOfMemory) if interpreter.growable => Err(interpreter.missing),
        Err(TrapCode::OutOfMemory) => {
            let warnings = &mut interpreter.store.state.warnings;
            warnings.filters_without_memory = warnings.filters_without_memory.wrapping_add(1);
            Ok(false)
        }
        Err(_) => Ok(false),
    }
}

/// Runs a handler from its start.
#[inline(never)]
pub(super) fn run<P: Probe>(
    frame: Frame<'_>,
    handler: Handler,
    event: &Event<'_>,
    fuel: &mut u32,
    sys: &mut Syscalls<'_>,
    probe: P,
) -> Result<RunResult, Suspended> {
    let mut interpreter = Interpreter::new(frame, event, sys);
    let Some(code) = begin(&mut interpreter.store, handler) else {
        return Ok(Err(Trap { code: TrapCode::Corrupt, at: 0 }));
    };
    interpreter.store.fuel = start_with(*fuel);
    run_to_end(&mut interpreter, code, fuel, probe)
}

/// Where a handler's code is, of the words; sets its arguments.
#[inline(always)]
fn begin(m: &mut ValueStore<'_>, handler: Handler) -> Option<usize> {
    let record = record(m.words, m.info, handler.index())?;
    let code = m.info.code + usize::from(record.code);
    m.set_arguments(code);
    Some(code)
}

/// Runs a handler on.
#[inline(never)]
pub(super) fn resume<P: Probe>(
    frame: Frame<'_>,
    suspended: Suspended,
    event: &Event<'_>,
    fuel: &mut u32,
    sys: &mut Syscalls<'_>,
    probe: P,
) -> Result<RunResult, Suspended> {
    let mut interpreter = Interpreter::new(frame, event, sys);
    interpreter.store.fuel = start_with(*fuel);
    interpreter.store.scratch_end = suspended.scratch_end;
    if suspended.stopped {
        interpreter.store.at = suspended.at + 1;
        interpreter.store.stop();
    }
    run_to_end(&mut interpreter, suspended.at, fuel, probe)
}

/// The fuel to run with.
#[inline(always)]
fn start_with(fuel: u32) -> i32 {
    fuel.min(i32::MAX as u32) as i32
}

/// The fuel that is left.
#[inline(always)]
fn left(interpreter: &Interpreter<'_>) -> u32 {
    interpreter.store.fuel.max(0) as u32
}

#[inline(always)]
fn run_to_end<P: Probe>(
    interpreter: &mut Interpreter<'_>,
    at: usize,
    fuel: &mut u32,
    probe: P,
) -> Result<RunResult, Suspended> {
    let result = interpreter.run(at, probe);
    *fuel = left(interpreter);
    let ValueStore { at, strings_end, scratch_end, .. } = interpreter.store;
    interpreter.store.state.strings_end = strings_end;
    let code = match result {
        Ok(_) => return Ok(Ok(())),
        Err(code) => code,
    };
    if code == TrapCode::OutOfMemory && interpreter.growable {
        let (stopped, missing) = (interpreter.store.fuel < 0, interpreter.missing);
        return Err(Suspended { stopped, at: at - 1, scratch_end, missing });
    }
    interpreter.store.state.calls.clear();
    Ok(Err(Trap { code, at: interpreter.store.offset() }))
}

impl<'m> Interpreter<'m> {
    #[inline(always)]
    fn new(frame: Frame<'m>, event: &'m Event<'m>, sys: &'m mut Syscalls<'_>) -> Interpreter<'m> {
        let Frame { bytes, info, memory: (slots, arena), state, growable } = frame;
        let arena_len = arena.len().min(MAX_STRING_BYTES);
        Interpreter {
            store: ValueStore {
                words: words(bytes),
                fuel: 0,
                stopped_at: 0,
                slots,
                constants: info.constants,
                first_variable: info.first_variable,
                strings_end: state.strings_end,
                scratch_end: state.strings_end,
                at: 0,
                arena: arena.get_mut(..arena_len).unwrap_or_default(),
                limit: state.limit,
                info,
                bytes,
                event,
                state,
            },
            missing: 0,
            growable,
            host: &mut *sys.host,
            supervisor: &mut *sys.supervisor,
        }
    }
}

impl ValueStore<'_> {
    /// Gives the event's arguments their places, cut at the limit of values.
    #[inline(always)]
    fn set_arguments(&mut self, code: usize) {
        match self.event {
            Event::Topic { topic, data, .. } => {
                self.set_argument(0, topic.len(), code);
                self.set_argument(1, data.len(), code);
            }
            Event::GpioInterrupt { level, .. } => self.put_int(0, (*level).into()),
            Event::Serial { .. } | Event::HttpResponse { .. } => self.set_all_arguments(code),
            _ => {}
        }
    }

    #[inline(never)]
    fn set_all_arguments(&mut self, code: usize) {
        for index in 0..usize::from(ARGUMENTS) {
            self.set_argument(index, self.event.argument(index).len(), code);
        }
    }

    #[inline(always)]
    fn set_argument(&mut self, index: usize, len: usize, code: usize) {
        if len > self.limit {
            self.cut_argument(index, code);
        }
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = Value::argument(index as u32, len.min(self.limit)).0;
        }
    }

    /// Whether a sub, or one that it calls, uses an argument.
    fn sub_uses(&self, number: u16, argument: usize) -> bool {
        let subs = usize::from(self.info.starts[Trigger::Sub as usize]);
        let sub = record(self.words, self.info, subs + usize::from(number));
        sub.is_some_and(|sub| sub.filter >> argument & 1 == 1)
    }

    /// Counts an argument that is longer than a value may be, if the handler uses it.
    #[cold]
    #[inline(never)]
    fn cut_argument(&mut self, index: usize, code: usize) {
        let words = self.words.get(code..).unwrap_or_default();
        let temporaries = self.first_variable as u8 - ARGUMENTS;
        let argument = Operand::Argument(index as u8);
        let used = instructions(words)
            .take_while(|(_, instruction)| instruction.op != Op::End)
            .find(|(_, instruction)| {
                instruction.operands(temporaries).any(|operand| operand == argument)
                    || instruction.op == Op::Call && self.sub_uses(instruction.number(), index)
            });
        if let Some((at, _)) = used {
            self.at = code + at + 1;
            self.count_cut();
        }
    }
}
