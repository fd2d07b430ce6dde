//! The machine: a program, the memory it computes in, and running its handlers.
//!
//! | file | job |
//! |---|---|
//! | `mod.rs` | the machine |
//! | `dispatch.rs` | which handlers an event wakes |
//! | `start.rs` | starting and resuming a handler |
//! | `interpreter.rs` | the loop that runs code |
//! | `actions.rs` | what code does outside |
//! | `calls.rs` | where to go on behind a sub |
//! | `memory.rs` | what a machine computes in, as it is given |
//! | `store.rs` | how that is used: variables, temporaries, strings |
//! | `probe.rs` | what watches the interpreter |
//! | `pay.rs` | what is paid for that beside what words cost |
//! | `value.rs` | what a value is |
//! | `decimals.rs` | computing with decimals |
//! | `strings.rs` | functions on strings |
//! | `json.rs`, `unescape.rs` | `json_parse`, `json_len` |
//! | `json_write.rs` | `json`, `json_array` |

mod actions;
mod calls;
mod decimals;
mod dispatch;
mod interpreter;
mod json;
mod json_write;
mod memory;
mod pay;
mod probe;
mod start;
mod store;
mod strings;
mod unescape;
mod value;

use self::calls::CallStack;
use self::dispatch::DispatchTable;
pub use self::dispatch::{Dispatch, HandlerCursor};
pub use self::memory::{MAX_STRING_BYTES, Memory, Slot, TooFewSlots};
use self::probe::Stepper;
use self::start::{Frame, RunResult, Suspended};

use self::value::{StringSource, Value};
use crate::decode::instructions;
use crate::fuel::FLASH_WRITES;
use crate::number::NumberText;
use crate::{Event, Handler, Profile, Program, Syscalls, Trap, Warnings};

/// Longest value a machine can hold, bytes, whatever its limit.
const MAX_VALUE: usize = u16::MAX as usize;

/// A program and the memory it computes in.
///
/// The memory holds the variables, the event's arguments, temporaries, and the strings of all of
/// them; nothing else is ever allocated.
pub struct Machine<B, M> {
    program: Program<B>,
    memory: M,
    state: MachineState,
}

/// What a machine keeps beside its memory.
#[derive(Debug)]
struct MachineState {
    /// Where the variables' strings end; written back when a handler has ended or is suspended.
    strings_end: usize,
    /// Longest value.
    limit: usize,
    /// Fuel that a write to flash costs.
    flash_fuel: i32,
    calls: CallStack,
    warnings: Warnings,
}

impl<B: AsRef<[u8]>, M: Memory> Machine<B, M> {
    /// Lays out the variables, all empty, in `memory`; more than [`MAX_STRING_BYTES`] bytes for
    /// strings are of no use. Values made while running are cut at the profile's limit.
    ///
    /// # Errors
    /// [`TooFewSlots`].
    pub fn new(program: Program<B>, memory: M, profile: &Profile) -> Result<Self, TooFewSlots> {
        let mut memory = memory;
        let needed = program.info().slots();
        let (slots, _) = memory.parts();
        slots.get_mut(..needed).ok_or(TooFewSlots { needed })?.fill(Value::EMPTY.0);
        let limit = profile.value.min(MAX_VALUE);
        let flash_fuel = (profile.fuel / FLASH_WRITES).min(i32::MAX as u32 / 4) as i32;
        let (calls, warnings) = (CallStack::default(), Warnings::default());
        let state = MachineState { strings_end: 0, limit, flash_fuel, calls, warnings };
        Ok(Machine { program, memory, state })
    }

    /// The program.
    pub fn program(&self) -> &Program<B> {
        &self.program
    }

    /// See [`Program::unload`].
    pub fn unload(&mut self) -> B
    where
        B: Default,
    {
        self.program.unload()
    }

    /// See [`Program::reload`].
    pub fn reload(&mut self, bytes: B, profile: &Profile) -> bool {
        self.program.reload(bytes, profile)
    }

    /// The memory it computes in.
    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// The memory it computes in, to change how far it may grow. What it holds must stay.
    pub fn memory_mut(&mut self) -> &mut M {
        &mut self.memory
    }

    /// The next handler, in script order, that the event wakes or may wake. Start with
    /// `HandlerCursor::default()`. Ask again only after having run the one before: a filter may
    /// depend on what that one set.
    ///
    /// A handler whose constant topic differs is not even looked at.
    #[inline]
    pub fn find(&mut self, cursor: &mut HandlerCursor, event: &Event<'_>) -> Dispatch {
        let (slots, arena) = self.memory.parts();
        let (bytes, info) = (self.program.bytes().as_ref(), self.program.info());
        let source = StringSource { bytes, strings: info.strings, event, arena };
        dispatch::next(&DispatchTable { words: words(bytes), slots, info, source }, cursor)
    }

    /// Whether the event wakes a handler whose filter an expression computes; takes what that costs
    /// of the fuel, and without any left it wakes none.
    #[cold]
    #[inline(never)]
    pub fn matches(
        &mut self,
        handler: Handler,
        event: &Event<'_>,
        fuel: &mut u32,
        sys: &mut Syscalls<'_>,
    ) -> bool {
        let mut growable = true;
        loop {
            match start::matches(self.frame(growable), handler, event, fuel, sys) {
                Ok(matches) => return matches,
                Err(bytes) => growable = self.memory.grow(bytes),
            }
        }
    }

    /// The next handler that the event wakes: [`Machine::find`], and [`Machine::matches`] where it
    /// is not sure. `None` after the last.
    pub fn next(
        &mut self,
        cursor: &mut HandlerCursor,
        event: &Event<'_>,
        fuel: &mut u32,
        sys: &mut Syscalls<'_>,
    ) -> Option<Handler> {
        loop {
            match self.find(cursor, event) {
                Dispatch::Nothing => return None,
                Dispatch::Handler(handler) => return Some(handler),
                Dispatch::Computed(handler) if self.matches(handler, event, fuel, sys) => {
                    return Some(handler);
                }
                Dispatch::Computed(_) => {}
            }
        }
    }

    /// Runs a handler to its end.
    ///
    /// Takes what it costs of the fuel: see [`crate::fuel`].
    ///
    /// # Errors
    /// [`Trap`] when it was stopped: all it did until then stays done.
    #[inline]
    pub fn run(
        &mut self,
        handler: Handler,
        event: &Event<'_>,
        fuel: &mut u32,
        sys: &mut Syscalls<'_>,
    ) -> Result<(), Trap> {
        match start::run(self.frame(true), handler, event, fuel, sys, ()) {
            Ok(ran) => ran,
            Err(suspended) => self.finish(suspended, event, fuel, sys),
        }
    }

    /// As [`Machine::run`], and sends every [`Step`](crate::Step) within the handler to the host.
    /// The script does the same, and pays the same.
    ///
    /// # Errors
    /// [`Trap`] when it was stopped.
    #[cold]
    #[inline(never)]
    pub fn run_traced(
        &mut self,
        handler: Handler,
        event: &Event<'_>,
        fuel: &mut u32,
        sys: &mut Syscalls<'_>,
    ) -> Result<(), Trap> {
        let stepper = &mut Stepper::default();
        let mut ran = start::run(self.frame(true), handler, event, fuel, sys, &mut *stepper);
        loop {
            let suspended = match ran {
                Ok(ran) => return ran,
                Err(suspended) => suspended,
            };
            let growable = self.memory.grow(suspended.missing);
            ran = start::resume(self.frame(growable), suspended, event, fuel, sys, &mut *stepper);
        }
    }

    /// Resumes a handler until it has ended, however often it needs more memory.
    #[cold]
    #[inline(never)]
    fn finish(
        &mut self,
        suspended: Suspended,
        event: &Event<'_>,
        fuel: &mut u32,
        sys: &mut Syscalls<'_>,
    ) -> RunResult {
        let mut suspended = suspended;
        loop {
            let growable = self.memory.grow(suspended.missing);
            match start::resume(self.frame(growable), suspended, event, fuel, sys, ()) {
                Ok(ran) => return ran,
                Err(again) => suspended = again,
            }
        }
    }

    #[inline]
    fn frame(&mut self, growable: bool) -> Frame<'_> {
        Frame {
            bytes: self.program.bytes().as_ref(),
            info: self.program.info(),
            memory: self.memory.parts(),
            state: &mut self.state,
            growable,
        }
    }

    /// What was counted so far.
    pub fn warnings(&self) -> &Warnings {
        &self.state.warnings
    }

    /// Calls `each` with the number and value of every variable that the script names, in the order
    /// of numbers. Names are in [`crate::Debug::variable`].
    pub fn variables(&mut self, each: &mut dyn FnMut(u16, &[u8])) {
        let (slots, arena) = self.memory.parts();
        let (bytes, info) = (self.program.bytes().as_ref(), self.program.info());
        let source = StringSource { bytes, strings: info.strings, event: &Event::Init, arena };
        // Those that the script does not name come behind all others.
        let words = words(bytes).get(info.code..).unwrap_or_default();
        let code = words.get(..info.layout.header.code.into()).unwrap_or_default();
        let kept = instructions(code).filter_map(|(_, instruction)| instruction.kept()).min();
        let named = kept.map_or(info.variables, |first| info.variables.min(first as usize));
        let variables = slots.iter().skip(info.first_variable).take(named);
        for (number, slot) in variables.enumerate() {
            match Value(*slot).as_number() {
                None => each(number as u16, source.string(Value(*slot))),
                Some(value) => each(number as u16, value.text(&mut NumberText::new())),
            }
        }
    }
}

/// The whole words of an image. It starts at one, as has been verified.
#[inline]
fn words(bytes: &[u8]) -> &[u32] {
    let (_, words, _) = bytemuck::pod_align_to(bytes);
    words
}
