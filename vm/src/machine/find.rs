//! Which handlers an event wakes.

use umqtt_topic::{check_filter, matches};

use super::memory::Slot;
use super::value::{Value, View};
use crate::image::{CONSTANT_WORDS, Entry, FilterKind, RECORD_WORDS, Trigger, fingerprint};
use crate::program::Facts;
use crate::{Event, Handler};

/// A walk over the handlers of one event; see [`crate::Machine::find`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Handlers {
    started: bool,
    /// Index of the next record to look at, of those found by name or key.
    keyed: usize,
    /// Index of the next record to look at, of those with a filter.
    filter: usize,
    done: bool,
}

impl Handlers {
    /// Whether it is known that none is left.
    #[inline]
    pub fn is_done(&self) -> bool {
        self.done
    }
}

/// What was found of the handlers of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// None is left.
    Nothing,
    /// The event wakes this one.
    Handler(Handler),
    /// The event wakes this one if the filter matches that its expression computes: ask [`crate::Machine::matches`].
    Computed(Handler),
}

/// What is looked at.
pub(super) struct Look<'m> {
    /// The image, as words.
    pub(super) words: &'m [u32],
    pub(super) slots: &'m [Slot],
    pub(super) facts: &'m Facts,
    pub(super) view: View<'m>,
}

/// What handlers are looked for.
struct Wanted<'e> {
    /// The records found by name or key: the first, and the one behind the last.
    keyed: (usize, usize),
    /// What those found by key have.
    key: u8,
    /// For a topic: the one behind the last record with a filter; the first is behind those with a name.
    filters_end: usize,
    topic: Option<&'e [u8]>,
}

impl<'e> Wanted<'e> {
    #[inline(always)]
    fn of(facts: &Facts, event: &Event<'e>) -> Wanted<'e> {
        let (trigger, key) = event.trigger();
        if let Event::Topic { topic, .. } = *event {
            return Wanted {
                keyed: range(facts, trigger),
                key,
                // The trigger of filters is the one behind that of names.
                filters_end: facts.starts[trigger as usize + 2].into(),
                topic: Some(topic),
            };
        }
        Wanted { keyed: range(facts, trigger), key, filters_end: 0, topic: None }
    }
}

#[inline(always)]
fn range(facts: &Facts, trigger: Trigger) -> (usize, usize) {
    (facts.starts[trigger as usize].into(), facts.starts[trigger as usize + 1].into())
}

/// The next handler.
#[inline(never)]
pub(super) fn next(look: &Look<'_>, handlers: &mut Handlers) -> Found {
    let wanted = Wanted::of(look.facts, look.view.event);
    let found = find(look, &wanted, handlers);
    let end = wanted.keyed.1;
    handlers.done = handlers.keyed >= end && handlers.filter >= wanted.filters_end;
    found
}

#[inline(always)]
fn find(look: &Look<'_>, wanted: &Wanted<'_>, handlers: &mut Handlers) -> Found {
    let (first, end) = wanted.keyed;
    let handler = |index: usize| Handler(index as u16);
    let Some(topic) = wanted.topic else {
        if !handlers.started {
            handlers.started = true;
            handlers.keyed = first_with(look, first, end, wanted.key);
        }
        let index = handlers.keyed;
        let wakes = index < end && entry(look, index).is_some_and(|entry| entry.key == wanted.key);
        handlers.keyed = if wakes { index + 1 } else { end };
        return if wakes { Found::Handler(handler(index)) } else { Found::Nothing };
    };
    if !handlers.started {
        *handlers = Handlers { started: true, keyed: first, filter: end, done: false };
    }
    let named = named(look, handlers, end, topic);
    while handlers.filter < wanted.filters_end {
        let index = handlers.filter;
        let Some(record) = entry(look, index) else { break };
        if named.is_some_and(|code| code < record.code) {
            break;
        }
        handlers.filter += 1;
        let number = usize::from(record.filter);
        let matches = match FilterKind::from_code(record.key) {
            Some(FilterKind::Constant) => matches(look.text(number), topic),
            Some(FilterKind::Variable) => {
                let slot = look.slots.get(look.facts.first_variable + number);
                value_matches(&look.view, slot.map_or(Value::EMPTY, |slot| Value(*slot)), topic)
            }
            Some(FilterKind::Expression) => return Found::Computed(handler(index)),
            None => false,
        };
        if matches {
            return Found::Handler(handler(index));
        }
    }
    if named.is_none() {
        return Found::Nothing;
    }
    handlers.keyed += 1;
    Found::Handler(handler(handlers.keyed - 1))
}

/// Where the code of the next record starts whose name is the topic; leaves `handlers.keyed` at it.
#[inline(always)]
fn named(look: &Look<'_>, handlers: &mut Handlers, end: usize, topic: &[u8]) -> Option<u16> {
    if handlers.keyed >= end {
        return None;
    }
    let key = fingerprint(topic);
    handlers.keyed = first_with(look, handlers.keyed, end, key);
    while handlers.keyed < end {
        let record = entry(look, handlers.keyed)?;
        if record.key != key {
            handlers.keyed = end;
            return None;
        }
        if look.text(record.filter.into()) == topic {
            return Some(record.code);
        }
        handlers.keyed += 1;
    }
    None
}

/// The first record from `first` to `end`, which are sorted by key, whose key is at least `key`.
#[inline(always)]
fn first_with(look: &Look<'_>, first: usize, end: usize, key: u8) -> usize {
    let smaller = |index| entry(look, index).is_some_and(|record| record.key < key);
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

#[inline(always)]
fn entry(look: &Look<'_>, index: usize) -> Option<Entry> {
    record(look.words, look.facts, index)
}

/// A handler record.
#[inline(always)]
pub(super) fn record(words: &[u32], facts: &Facts, index: usize) -> Option<Entry> {
    let words = words.get(facts.records + RECORD_WORDS * index..)?;
    Some(Entry::from_words(*words.first_chunk()?))
}

/// A constant.
#[inline(always)]
pub(super) fn constant(words: &[u32], constants: usize, number: usize) -> Value {
    let words = words.get(constants + CONSTANT_WORDS * number..);
    let words = words.and_then(|words| words.first_chunk());
    Value(words.map_or(Value::EMPTY.0, |words| words.map(u32::from_le)))
}

impl Look<'_> {
    /// The bytes of a constant that is a text.
    #[inline(always)]
    fn text(&self, number: usize) -> &[u8] {
        self.view.text(constant(self.words, self.facts.constants, number))
    }
}

/// A filter that is only known at run time may be nonsense; then it matches nothing.
#[inline(always)]
pub(super) fn value_matches(view: &View<'_>, value: Value, topic: &[u8]) -> bool {
    if value.is_int() {
        return int_matches(value, topic);
    }
    let filter = view.text(value);
    // Most do not match, and most of those tell it by their first byte.
    match filter.first() {
        Some(b'+' | b'#') => {}
        first if first == topic.first() => {}
        _ => return false,
    }
    filter == topic || (matches(filter, topic) && check_filter(filter).is_ok())
}

#[inline(never)]
fn int_matches(value: Value, topic: &[u8]) -> bool {
    value.as_int().is_some_and(|int| itoa::Buffer::new().format(int).as_bytes() == topic)
}
