//! The machine: a program, the buffer it computes in, and running its handlers.
//!
//! | file | job |
//! |---|---|
//! | `mod.rs` | the machine, and which handlers an event wakes |
//! | `run.rs` | the loop that runs code |
//! | `store.rs` | memory: stack, variables, temporaries |
//! | `value.rs` | what a value is |
//! | `text.rs` | functions on texts |
//! | `json.rs` | `json_parse` |

mod json;
mod run;
mod store;
mod text;
mod value;

use core::ops::DerefMut;

use umqtt_topic::{check_filter, matches};

use self::run::Run;
use self::store::Store;
pub use self::value::parse_number;
use self::value::{Kind, Slot, Stored, Value, View};
use crate::image::{FilterKind, Header, Record, Trigger, constant, fingerprint};
use crate::{Event, Fault, Handler, Program, Side, Syscalls, Trap, Warnings};

/// Most bytes of buffer that hold texts: places of texts are 16 bits wide.
pub const MAX_BUFFER: usize = 65_535;
/// Longest value a machine can hold, bytes, whatever its limit says.
const MAX_VALUE: usize = u16::MAX as usize;

/// Slots must start at a multiple of 4.
const MAX_PADDING: usize = align_of::<Slot>() - 1;

/// Bytes of buffer a program needs before any text is stored.
pub(crate) fn needed(header: &Header) -> usize {
    MAX_PADDING + size_of::<Slot>() * (usize::from(header.variables) + usize::from(header.stack))
}

/// The buffer cannot hold the program's variables and stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferTooSmall {
    /// Bytes it takes at least.
    pub needed: usize,
}

impl core::fmt::Display for BufferTooSmall {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "the script needs {} bytes of memory", self.needed)
    }
}

impl core::error::Error for BufferTooSmall {}

/// A walk over the handlers of one event; see [`Machine::next`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Handlers {
    started: bool,
    /// Index of the next record to look at, of those found by name or key.
    keyed: u16,
    /// Index of the next record to look at, of those with a filter.
    filter: u16,
}

/// A program and the buffer it computes in.
///
/// The buffer holds the stack, the variables and their texts, and temporaries; nothing else is ever allocated.
/// It must not move in memory while the machine lives, which `Box<[u8]>`, `Vec<u8>` and `&mut [u8]` see to.
pub struct Machine<B, M> {
    program: Program<B>,
    buffer: M,
    /// Bytes at the start of the buffer that are left unused, so that slots are aligned.
    padding: u8,
    texts_end: usize,
    limit: usize,
    warnings: Warnings,
}

impl<B: AsRef<[u8]>, M: DerefMut<Target = [u8]>> Machine<B, M> {
    /// Lays out the variables, all empty, in `buffer`; more than [`MAX_BUFFER`] bytes are of no use. Values are
    /// cut at `value_limit` bytes.
    ///
    /// # Errors
    /// [`BufferTooSmall`].
    pub fn new(program: Program<B>, buffer: M, value_limit: usize) -> Result<Self, BufferTooSmall> {
        let needed = needed(&program.layout().header);
        if buffer.len() < needed {
            return Err(BufferTooSmall { needed });
        }
        let limit = value_limit.min(MAX_VALUE);
        let padding = buffer.as_ptr().align_offset(align_of::<Slot>()).min(MAX_PADDING) as u8;
        let warnings = Warnings::default();
        let mut machine = Machine { program, buffer, padding, texts_end: 0, limit, warnings };
        machine.memory().variables.fill(Stored::EMPTY.slot());
        Ok(machine)
    }

    /// The program.
    pub fn program(&self) -> &Program<B> {
        &self.program
    }

    /// The next handler, in script order, that the event wakes; `None` after the last. Start with
    /// `Handlers::default()`. Ask again only after having run the one before: a filter may depend on
    /// what that one set.
    ///
    /// A handler whose constant topic differs is not even looked at.
    pub fn next<S: Syscalls + ?Sized>(
        &mut self,
        handlers: &mut Handlers,
        event: &Event<'_>,
        sys: &mut S,
    ) -> Option<Handler> {
        let (trigger, key) = match *event {
            Event::Topic { side, topic, .. } => return self.next_topic(handlers, side, topic, sys),
            Event::Config => (Trigger::Config, 0),
            Event::Init => (Trigger::Init, 0),
            Event::WifiConnect => (Trigger::WifiConnect, 0),
            Event::WifiDisconnect => (Trigger::WifiDisconnect, 0),
            Event::MqttConnect => (Trigger::MqttConnect, 0),
            Event::Serial { .. } => (Trigger::Serial, 0),
            Event::HttpResponse { .. } => (Trigger::HttpResponse, 0),
            Event::Timer(n) => (Trigger::Timer, n),
            Event::Alarm(n) => (Trigger::Alarm, n),
            Event::GpioInterrupt { pin, .. } => (Trigger::Gpio, pin),
        };
        let (first, end) = self.program.range(trigger);
        if !handlers.started {
            *handlers =
                Handlers { started: true, keyed: self.first_with(first, end, key), filter: 0 };
        }
        let index = handlers.keyed;
        if index >= end || self.program.record(index)?.key != key {
            return None;
        }
        handlers.keyed += 1;
        Some(Handler(index))
    }

    fn next_topic<S: Syscalls + ?Sized>(
        &mut self,
        handlers: &mut Handlers,
        side: Side,
        topic: &[u8],
        sys: &mut S,
    ) -> Option<Handler> {
        let (by_name, by_filter) = match side {
            Side::Local => (Trigger::LocalName, Trigger::LocalFilter),
            Side::Remote => (Trigger::RemoteName, Trigger::RemoteFilter),
        };
        let (first, names_end) = self.program.range(by_name);
        let (first_filter, filters_end) = self.program.range(by_filter);
        if !handlers.started {
            // Without names there is nothing to look a fingerprint up for.
            let keyed = if first == names_end {
                names_end
            } else {
                self.first_with(first, names_end, fingerprint(topic))
            };
            *handlers = Handlers { started: true, keyed, filter: first_filter };
        }
        let named = self.named(handlers, names_end, topic);
        while handlers.filter < filters_end {
            let record = self.program.record(handlers.filter)?;
            if named.is_some_and(|named| named.code < record.code) {
                break;
            }
            let index = handlers.filter;
            handlers.filter += 1;
            if self.filter_matches(record, topic, sys) {
                return Some(Handler(index));
            }
        }
        named?;
        handlers.keyed += 1;
        Some(Handler(handlers.keyed - 1))
    }

    /// The next record whose name is the topic; leaves `handlers.keyed` at it.
    fn named(&self, handlers: &mut Handlers, end: u16, topic: &[u8]) -> Option<Record> {
        if handlers.keyed >= end {
            return None;
        }
        let key = fingerprint(topic);
        while handlers.keyed < end {
            let record = self.program.record(handlers.keyed)?;
            if record.key != key {
                handlers.keyed = end;
                return None;
            }
            if self.constant(record.filter) == Some(topic) {
                return Some(record);
            }
            handlers.keyed += 1;
        }
        None
    }

    /// The first record from `first` to `end`, which are sorted by key, whose key is at least `key`.
    fn first_with(&self, first: u16, end: u16, key: u8) -> u16 {
        let (mut low, mut high) = (first, end);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.program.record(middle) {
                Some(record) if record.key < key => low = middle + 1,
                _ => high = middle,
            }
        }
        low
    }

    fn filter_matches<S: Syscalls + ?Sized>(
        &mut self,
        record: Record,
        topic: &[u8],
        sys: &mut S,
    ) -> bool {
        match FilterKind::from_code(record.key) {
            Some(FilterKind::Constant) => {
                self.constant(record.filter).is_some_and(|filter| matches(filter, topic))
            }
            Some(FilterKind::Variable) => {
                let memory = self.memory();
                let Some(slot) = memory.variables.get(usize::from(record.filter)) else {
                    return false;
                };
                let mut digits = itoa::Buffer::new();
                let filter = match Stored::read(*slot) {
                    Some(stored) => memory
                        .arena
                        .get(stored.offset..stored.offset + stored.len)
                        .unwrap_or_default(),
                    None => digits.format(Value(*slot).as_int().unwrap_or(0)).as_bytes(),
                };
                dynamic_matches(filter, topic)
            }
            Some(FilterKind::Expression) => {
                const NO_ARGUMENTS: [&[u8]; 4] = [b""; 4];
                // The expression has no loop, so fuel means nothing to it.
                let found = self.with_run(record.filter, &NO_ARGUMENTS, 0, sys, |run| {
                    let value = run.run().ok().flatten().unwrap_or(Value::EMPTY);
                    let mut digits = itoa::Buffer::new();
                    dynamic_matches(run.store.view().bytes(value, &mut digits), topic)
                });
                found.unwrap_or(false)
            }
            None => false,
        }
    }

    /// Runs a handler to its end.
    ///
    /// Fuel counts bytes of code passed by `while` loops, with surcharges for what takes long: actions, flash
    /// writes, long texts. Code without loops needs none.
    ///
    /// # Errors
    /// [`Fault`] when it was stopped: all it did until then stays done.
    pub fn run<S: Syscalls + ?Sized>(
        &mut self,
        handler: Handler,
        event: &Event<'_>,
        fuel: u32,
        sys: &mut S,
    ) -> Result<(), Fault> {
        let corrupt = Fault { trap: Trap::Corrupt, at: 0 };
        let record = self.program.record(handler.0).ok_or(corrupt)?;
        let arguments = event.arguments();
        self.with_run(record.code, &arguments, fuel, sys, |run| match run.run() {
            Ok(_) => Ok(()),
            // Inside the instruction that failed: its line is the line of the byte before.
            Err(trap) => Err(Fault { trap, at: run.at.saturating_sub(1) as u16 }),
        })
        .unwrap_or(Err(corrupt))
    }

    /// What was counted so far.
    pub fn warnings(&self) -> Warnings {
        self.warnings
    }

    /// Calls `each` with the number and value of every variable, in the order of numbers. Names are in
    /// [`crate::Debug::variable`].
    pub fn variables(&mut self, each: &mut dyn FnMut(u16, &[u8])) {
        let memory = self.memory();
        for (number, slot) in memory.variables.iter().enumerate() {
            let mut digits = itoa::Buffer::new();
            let value = match Stored::read(*slot) {
                Some(stored) => Value::text(Kind::Variable, number as u32, 0, stored.len),
                None => Value(*slot),
            };
            let view = View {
                constants: b"",
                arguments: &[b"", b"", b"", b""],
                variables: memory.variables,
                arena: memory.arena,
            };
            each(number as u16, view.bytes(value, &mut digits));
        }
    }

    #[inline]
    fn constant(&self, offset: u16) -> Option<&[u8]> {
        let bytes = self.program.bytes().as_ref();
        constant(bytes.get(self.program.layout().constants.clone())?, offset.into())
    }

    fn memory(&mut self) -> Memory<'_> {
        let header = &self.program.layout().header;
        memory(&mut self.buffer, self.padding, header)
    }

    /// Makes everything ready to run the code at `at`, and puts away what is to stay.
    fn with_run<S: Syscalls + ?Sized, T>(
        &mut self,
        at: u16,
        arguments: &[&[u8]; 4],
        fuel: u32,
        sys: &mut S,
        act: impl FnOnce(&mut Run<'_, S>) -> T,
    ) -> Option<T> {
        let layout = self.program.layout();
        let bytes = self.program.bytes().as_ref();
        let memory = memory(&mut self.buffer, self.padding, &layout.header);
        let mut run = Run {
            store: Store {
                variables: memory.variables,
                stack: memory.stack,
                depth: 0,
                arena: memory.arena,
                texts_end: self.texts_end,
                scratch_end: self.texts_end,
                constants: bytes.get(layout.constants.clone())?,
                arguments,
                limit: self.limit,
            },
            code: bytes.get(layout.code.clone())?,
            at: at.into(),
            fuel,
            warnings: &mut self.warnings,
            sys,
        };
        let result = act(&mut run);
        self.texts_end = run.store.texts_end;
        Some(result)
    }
}

/// A filter that is only known at run time may be nonsense; then it matches nothing.
fn dynamic_matches(filter: &[u8], topic: &[u8]) -> bool {
    filter == topic || (matches(filter, topic) && check_filter(filter).is_ok())
}

/// The parts of the buffer.
struct Memory<'m> {
    variables: &'m mut [Slot],
    stack: &'m mut [Slot],
    arena: &'m mut [u8],
}

#[inline]
fn memory<'m>(buffer: &'m mut [u8], padding: u8, header: &Header) -> Memory<'m> {
    let empty = Memory { variables: &mut [], stack: &mut [], arena: &mut [] };
    let (variables, stack) = (usize::from(header.variables), usize::from(header.stack));
    let slots = size_of::<Slot>() * (variables + stack);
    let Some((_, buffer)) = buffer.split_at_mut_checked(padding.into()) else { return empty };
    let Some((slots, arena)) = buffer.split_at_mut_checked(slots) else { return empty };
    // Aligned, unless the owner has moved the buffer.
    let Ok(slots) = bytemuck::try_cast_slice_mut(slots) else { return empty };
    let Some((variables, stack)) = slots.split_at_mut_checked(variables) else { return empty };
    let arena_len = arena.len().min(MAX_BUFFER);
    Memory { variables, stack, arena: &mut arena[..arena_len] }
}
