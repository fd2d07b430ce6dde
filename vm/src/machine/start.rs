//! Starting a handler, and going on with it when memory has grown.

use super::find::{record, value_matches};
use super::memory::{MAX_TEXTS, Slot};
use super::run::Run;
use super::store::Store;
use super::value::Value;
use super::{State, words};
use crate::decode::instructions;
use crate::isa::{ARGUMENTS, Op, Place};
use crate::program::Facts;
use crate::{Event, Fault, Handler, Syscalls, Trap};

/// A verified image with the memory it runs in.
pub(super) struct Parts<'m> {
    pub(super) bytes: &'m [u8],
    pub(super) facts: &'m Facts,
    pub(super) memory: (&'m mut [Slot], &'m mut [u8]),
    pub(super) state: &'m mut State,
    /// Whether the memory can grow.
    pub(super) growable: bool,
}

/// A handler that stopped for lack of memory.
pub(super) struct Paused {
    /// There is no fuel left.
    stopped: bool,
    /// Where to go on, of the words: the instruction is done again.
    at: usize,
    scratch_end: usize,
    /// Bytes that are missing.
    pub(super) wanted: usize,
}

/// What became of a handler.
pub(super) type Ran = Result<(), Fault>;

/// Whether the filter that a handler's expression computes matches. An error says how many bytes it lacks.
#[inline(never)]
pub(super) fn matches(
    parts: Parts<'_>,
    handler: Handler,
    event: &Event<'_>,
    fuel: &mut u32,
    sys: &mut Syscalls<'_>,
) -> Result<bool, usize> {
    let Event::Topic { topic, .. } = event else { return Ok(false) };
    let mut run = Run::new(parts, event, sys);
    run.store.fuel = start_with(*fuel);
    let Some(record) = record(run.store.words, run.store.facts, handler.index()) else {
        return Ok(false);
    };
    let result = run.run(run.store.facts.code + usize::from(record.filter));
    *fuel = left(&run);
    match result {
        Ok(value) => Ok(value_matches(&run.store.view(), value, topic)),
        Err(Trap::OutOfMemory) if run.growable => Err(run.wanted),
        Err(_) => Ok(false),
    }
}

/// Runs a handler from its start.
#[inline(never)]
pub(super) fn run(
    parts: Parts<'_>,
    handler: Handler,
    event: &Event<'_>,
    fuel: &mut u32,
    sys: &mut Syscalls<'_>,
) -> Result<Ran, Paused> {
    let mut run = Run::new(parts, event, sys);
    let m = &mut run.store;
    let Some(record) = record(m.words, m.facts, handler.index()) else {
        return Ok(Err(Fault { trap: Trap::Corrupt, at: 0 }));
    };
    let code = m.facts.code + usize::from(record.code);
    m.set_arguments(code);
    run.store.fuel = start_with(*fuel);
    to_its_end(&mut run, code, fuel)
}

/// Runs a handler on.
#[inline(never)]
pub(super) fn go_on(
    parts: Parts<'_>,
    paused: Paused,
    event: &Event<'_>,
    fuel: &mut u32,
    sys: &mut Syscalls<'_>,
) -> Result<Ran, Paused> {
    let mut run = Run::new(parts, event, sys);
    run.store.fuel = start_with(*fuel);
    run.store.scratch_end = paused.scratch_end;
    if paused.stopped {
        run.store.at = paused.at + 1;
        run.store.stop();
    }
    to_its_end(&mut run, paused.at, fuel)
}

/// The fuel to run with.
#[inline(always)]
fn start_with(fuel: u32) -> i32 {
    fuel.min(i32::MAX as u32) as i32
}

/// The fuel that is left.
#[inline(always)]
fn left(run: &Run<'_>) -> u32 {
    run.store.fuel.max(0) as u32
}

#[inline(always)]
fn to_its_end(run: &mut Run<'_>, at: usize, fuel: &mut u32) -> Result<Ran, Paused> {
    let result = run.run(at);
    *fuel = left(run);
    let Store { at, texts_end, scratch_end, .. } = run.store;
    *run.texts_end = texts_end;
    let trap = match result {
        Ok(_) => return Ok(Ok(())),
        Err(trap) => trap,
    };
    if trap == Trap::OutOfMemory && run.growable {
        let (stopped, wanted) = (run.store.fuel < 0, run.wanted);
        return Err(Paused { stopped, at: at - 1, scratch_end, wanted });
    }
    Ok(Err(Fault { trap, at: run.store.offset() }))
}

impl<'m> Run<'m> {
    #[inline(always)]
    fn new(parts: Parts<'m>, event: &'m Event<'m>, sys: &'m mut Syscalls<'_>) -> Run<'m> {
        let Parts { bytes, facts, memory: (slots, arena), state, growable } = parts;
        let arena_len = arena.len().min(MAX_TEXTS);
        Run {
            store: Store {
                words: words(bytes),
                fuel: 0,
                stopped_at: 0,
                slots,
                constants: facts.constants,
                first_variable: facts.first_variable,
                texts_end: state.texts_end,
                scratch_end: state.texts_end,
                at: 0,
                arena: arena.get_mut(..arena_len).unwrap_or_default(),
                limit: state.limit,
                facts,
                bytes,
                event,
                warnings: &mut state.warnings,
            },
            texts_end: &mut state.texts_end,
            wanted: 0,
            growable,
            flash_fuel: state.flash_fuel,
            host: &mut *sys.host,
            supervisor: &mut *sys.supervisor,
        }
    }
}

impl Store<'_> {
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

    /// Counts an argument that is longer than a value may be, if the handler uses it.
    #[cold]
    #[inline(never)]
    fn cut_argument(&mut self, index: usize, code: usize) {
        let words = self.words.get(code..).unwrap_or_default();
        let temporaries = self.first_variable as u8 - ARGUMENTS;
        let argument = Place::Argument(index as u8);
        let used =
            instructions(words).take_while(|(_, instruction)| instruction.op != Op::End).find(
                |(_, instruction)| instruction.operands(temporaries).any(|place| place == argument),
            );
        if let Some((at, _)) = used {
            self.at = code + at + 1;
            self.count_cut();
        }
    }
}
