//! The machine: a program, the buffer it computes in, and running its handlers.
//!
//! | file | job |
//! |---|---|
//! | `mod.rs` | the machine, and which handlers an event wakes |
//! | `run.rs` | the loop that runs code |
//! | `memory.rs` | what a machine computes in, as it is given |
//! | `store.rs` | how that is used: stack, variables, temporaries |
//! | `value.rs` | what a value is |
//! | `text.rs` | functions on texts |
//! | `json.rs` | `json_parse` |

mod json;
mod memory;
mod run;
mod store;
mod text;
mod value;

use umqtt_topic::{check_filter, matches};

pub(crate) use self::memory::needed;
use self::memory::split;
pub use self::memory::{BufferTooSmall, MAX_BUFFER, Memory};
use self::run::Run;
use self::store::Store;
pub use self::value::parse_number;
use self::value::{Value, View};
use crate::image::{Entry, FilterKind, Trigger, WORD, fingerprint, text_range, words};
use crate::{Event, Fault, Handler, Program, Side, Syscalls, Trap, Warnings};

/// Longest value a machine can hold, bytes, whatever its limit says.
const MAX_VALUE: usize = u16::MAX as usize;

/// A walk over the handlers of one event; see [`Machine::next`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Handlers {
    started: bool,
    /// Index of the next record to look at, of those found by name or key.
    keyed: u16,
    /// Index of the next record to look at, of those with a filter.
    filter: u16,
}

/// A program and the memory it computes in.
///
/// The memory holds the variables, the stack, the variables' texts and temporaries; nothing else is ever allocated.
pub struct Machine<B, M> {
    program: Program<B>,
    memory: M,
    texts_end: u32,
    limit: u32,
    warnings: Warnings,
}

impl<B: AsRef<[u8]>, M: Memory> Machine<B, M> {
    /// Lays out the variables, all empty, in `memory`; more than [`MAX_BUFFER`] bytes are of no use. Values made while running are
    /// cut at `value_limit` bytes.
    ///
    /// # Errors
    /// [`BufferTooSmall`].
    pub fn new(program: Program<B>, memory: M, value_limit: usize) -> Result<Self, BufferTooSmall> {
        let mut memory = memory;
        let needed = needed(&program.layout().header);
        if WORD * memory.words().len() < needed {
            return Err(BufferTooSmall { needed });
        }
        let (slots, _) = split(memory.words(), &program.layout().header);
        slots.fill(Value::EMPTY.0);
        let limit = value_limit.min(MAX_VALUE) as u32;
        Ok(Machine { program, memory, texts_end: 0, limit, warnings: Warnings::default() })
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
    pub fn next(
        &mut self,
        handlers: &mut Handlers,
        event: &Event<'_>,
        sys: &mut dyn Syscalls,
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
        if index >= end || self.program.entry(index)?.key != key {
            return None;
        }
        handlers.keyed += 1;
        Some(Handler(index))
    }

    #[inline(never)]
    fn next_topic(
        &mut self,
        handlers: &mut Handlers,
        side: Side,
        topic: &[u8],
        sys: &mut dyn Syscalls,
    ) -> Option<Handler> {
        let (by_name, by_filter) = match side {
            Side::Local => (Trigger::LocalName, Trigger::LocalFilter),
            Side::Remote => (Trigger::RemoteName, Trigger::RemoteFilter),
        };
        let (first, names_end) = self.program.range(by_name);
        let (first_filter, filters_end) = self.program.range(by_filter);
        if !handlers.started {
            *handlers = Handlers { started: true, keyed: first, filter: first_filter };
        }
        let named = self.named(handlers, names_end, topic);
        while handlers.filter < filters_end {
            let record = self.program.entry(handlers.filter)?;
            if named.is_some_and(|code| code < record.code) {
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

    /// Where the code of the next record starts whose name is the topic; leaves `handlers.keyed` at it.
    #[inline]
    fn named(&self, handlers: &mut Handlers, end: u16, topic: &[u8]) -> Option<u16> {
        if handlers.keyed >= end {
            return None;
        }
        let key = fingerprint(topic);
        handlers.keyed = self.first_with(handlers.keyed, end, key);
        while handlers.keyed < end {
            let record = self.program.entry(handlers.keyed)?;
            if record.key != key {
                handlers.keyed = end;
                return None;
            }
            if self.constant(record.filter) == Some(topic) {
                return Some(record.code);
            }
            handlers.keyed += 1;
        }
        None
    }

    /// The first record from `first` to `end`, which are sorted by key, whose key is at least `key`.
    fn first_with(&self, first: u16, end: u16, key: u8) -> u16 {
        let smaller = |index| self.program.entry(index).is_some_and(|record| record.key < key);
        let (mut low, mut high) = (first, end);
        // A few are looked at quicker one after the other.
        while high - low > 4 {
            let middle = low + (high - low) / 2;
            if smaller(middle) { low = middle + 1 } else { high = middle }
        }
        while low < high && smaller(low) {
            low += 1;
        }
        low
    }

    #[inline(never)]
    fn filter_matches(&mut self, record: Entry, topic: &[u8], sys: &mut dyn Syscalls) -> bool {
        match FilterKind::from_code(record.key) {
            Some(FilterKind::Constant) => {
                self.constant(record.filter).is_some_and(|filter| matches(filter, topic))
            }
            Some(FilterKind::Variable) => {
                let (slots, arena) = split(self.memory.words(), &self.program.layout().header);
                let Some(slot) = slots.get(usize::from(record.filter)) else { return false };
                let view = View { texts: b"", arguments: &NO_ARGUMENTS, arena };
                match Value(*slot).as_int() {
                    None => dynamic_matches(view.text(Value(*slot)), topic),
                    Some(int) => itoa::Buffer::new().format(int).as_bytes() == topic,
                }
            }
            Some(FilterKind::Expression) => {
                // The expression has no loop, so fuel means nothing to it.
                let found = self.with_run(record.filter, &NO_ARGUMENTS, 0, sys, |store, value| {
                    let mut digits = itoa::Buffer::new();
                    dynamic_matches(store.bytes(value, &mut digits), topic)
                });
                found.unwrap_or(false)
            }
            None => false,
        }
    }

    /// Runs a handler to its end.
    ///
    /// Fuel counts words of code passed by `while` loops, twice, with surcharges for what takes long: actions, flash
    /// writes, long texts. Code without loops needs none.
    ///
    /// # Errors
    /// [`Fault`] when it was stopped: all it did until then stays done.
    #[inline(never)]
    pub fn run(
        &mut self,
        handler: Handler,
        event: &Event<'_>,
        fuel: u32,
        sys: &mut dyn Syscalls,
    ) -> Result<(), Fault> {
        let corrupt = Fault { trap: Trap::Corrupt, at: 0 };
        let record = self.program.entry(handler.0).ok_or(corrupt)?;
        let arguments = event.arguments();
        self.with_run(record.code, &arguments, fuel, sys, |_, _| ())
    }

    /// What was counted so far.
    pub fn warnings(&self) -> &Warnings {
        &self.warnings
    }

    /// Calls `each` with the number and value of every variable, in the order of numbers. Names are in
    /// [`crate::Debug::variable`].
    pub fn variables(&mut self, each: &mut dyn FnMut(u16, &[u8])) {
        let variables = self.program.variables();
        let (slots, arena) = split(self.memory.words(), &self.program.layout().header);
        let view = View { texts: b"", arguments: &NO_ARGUMENTS, arena };
        for (number, slot) in slots.iter().take(variables).enumerate() {
            match Value(*slot).as_int() {
                None => each(number as u16, view.text(Value(*slot))),
                Some(int) => each(number as u16, itoa::Buffer::new().format(int).as_bytes()),
            }
        }
    }

    #[inline]
    fn constant(&self, number: u16) -> Option<&[u8]> {
        let (bytes, layout) = (self.program.bytes().as_ref(), self.program.layout());
        let entry = words(bytes, &layout.constants).get(usize::from(number))?;
        bytes.get(layout.texts.clone())?.get(text_range(*entry))
    }

    /// Runs the code at `at`; what is to be done with its value, `act` does.
    #[inline]
    fn with_run<T>(
        &mut self,
        at: u16,
        arguments: &[&[u8]; 4],
        fuel: u32,
        sys: &mut dyn Syscalls,
        act: impl FnOnce(&Store<'_>, Value) -> T,
    ) -> Result<T, Fault> {
        let layout = self.program.layout();
        let bytes = self.program.bytes().as_ref();
        let code = layout.code.start / WORD;
        let mut growable = self.memory.may_grow();
        // Where to go on after the memory has grown.
        let mut from = code + usize::from(at);
        let mut fuel = i32::try_from(fuel).unwrap_or(i32::MAX);
        let mut pushed = 0;
        let mut scratch_end = self.texts_end as usize;
        loop {
            let (slots, arena) = split(self.memory.words(), &layout.header);
            let variables = usize::from(layout.header.variables);
            let mut run = Run {
                store: Store {
                    words: words(bytes, &(0..layout.code.end)),
                    at: from,
                    code,
                    table: layout.constants.start / WORD,
                    texts: bytes.get(layout.texts.clone()).unwrap_or_default(),
                    slots,
                    variables,
                    top: variables + pushed,
                    arena,
                    texts_end: self.texts_end as usize,
                    scratch_end,
                    arguments,
                    limit: self.limit as usize,
                    growable,
                    wanted: 0,
                    warnings: &mut self.warnings,
                },
                fuel,
                sys: &mut *sys,
            };
            let result = run.run();
            let store = &run.store;
            self.texts_end = store.texts_end as u32;
            match result {
                Ok(value) => return Ok(act(store, value)),
                Err(Trap::OutOfMemory) if growable => {
                    // The instruction is done again.
                    (from, pushed) = (store.at - 1, store.top - variables);
                    (fuel, scratch_end) = (run.fuel, store.scratch_end);
                    let wanted = store.wanted;
                    growable = self.memory.grow(wanted) && self.memory.may_grow();
                }
                Err(trap) => return Err(Fault { trap, at: store.offset() }),
            }
        }
    }
}

const NO_ARGUMENTS: [&[u8]; 4] = [b""; 4];

/// A filter that is only known at run time may be nonsense; then it matches nothing.
fn dynamic_matches(filter: &[u8], topic: &[u8]) -> bool {
    filter == topic || (matches(filter, topic) && check_filter(filter).is_ok())
}
