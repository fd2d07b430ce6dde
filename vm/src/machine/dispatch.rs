//! Which handlers an event wakes.

use umqtt_topic::{check_filter, matches};

use super::memory::Slot;
use super::value::{StringSource, Value};
use crate::image::{CONSTANT_WORDS, FilterKind, HandlerEntry, RECORD_WORDS, Trigger, fingerprint};
use crate::number::NumberText;
use crate::program::ProgramInfo;
use crate::{Event, Handler, Side};

/// A walk over the handlers of one event; see [`crate::Machine::find`].
#[derive(Clone, Copy, Debug, Default)]
pub struct HandlerCursor {
    started: bool,
    /// Index of the next record to look at, of those found by name or key.
    keyed: usize,
    /// Index of the next record to look at, of those with a filter.
    filter: usize,
    done: bool,
}

impl HandlerCursor {
    /// Whether it is known that none is left.
    #[inline]
    pub fn is_done(&self) -> bool {
        self.done
    }
}

/// The result of looking for the next handler of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dispatch {
    /// None is left.
    Nothing,
    /// The event wakes this one.
    Handler(Handler),
    /// The event wakes this one if the filter matches that its expression computes: ask
    /// [`crate::Machine::matches`].
    Computed(Handler),
}

/// What dispatching reads: the program and the variables.
pub(super) struct DispatchTable<'m> {
    /// The image, as words.
    pub(super) words: &'m [u32],
    pub(super) slots: &'m [Slot],
    pub(super) info: &'m ProgramInfo,
    pub(super) source: StringSource<'m>,
}

/// The records that an event may wake.
struct Candidates<'e> {
    /// The records found by name or key: the first, and the one behind the last.
    keyed: (usize, usize),
    /// What those found by key have.
    key: u8,
    /// For a topic: the one behind the last record with a filter; the first is behind those with a
    /// name.
    filters_end: usize,
    topic: Option<&'e [u8]>,
}

impl<'e> Candidates<'e> {
    #[inline(always)]
    fn of(info: &ProgramInfo, event: &Event<'e>) -> Candidates<'e> {
        if let Event::Topic { side, topic, .. } = *event {
            let trigger = match side {
                Side::Local => Trigger::LocalName,
                Side::Remote => Trigger::RemoteName,
            };
            return Candidates {
                keyed: range(info, trigger),
                key: 0,
                // The trigger of filters is the one behind that of names.
                filters_end: info.starts[trigger as usize + 2].into(),
                topic: Some(topic),
            };
        }
        let (trigger, key) = event.trigger();
        Candidates { keyed: range(info, trigger), key, filters_end: 0, topic: None }
    }
}

#[inline(always)]
fn range(info: &ProgramInfo, trigger: Trigger) -> (usize, usize) {
    (info.starts[trigger as usize].into(), info.starts[trigger as usize + 1].into())
}

/// The next handler.
#[inline(never)]
pub(super) fn next(table: &DispatchTable<'_>, cursor: &mut HandlerCursor) -> Dispatch {
    let candidates = Candidates::of(table.info, table.source.event);
    let found = find(table, &candidates, cursor);
    let end = candidates.keyed.1;
    cursor.done = cursor.keyed >= end && cursor.filter >= candidates.filters_end;
    found
}

#[inline(always)]
fn find(
    table: &DispatchTable<'_>,
    candidates: &Candidates<'_>,
    cursor: &mut HandlerCursor,
) -> Dispatch {
    let (first, end) = candidates.keyed;
    let handler = |index: usize| Handler(index as u16);
    let Some(topic) = candidates.topic else {
        if !cursor.started {
            cursor.started = true;
            cursor.keyed = first_with(table, first, end, candidates.key);
        }
        let index = cursor.keyed;
        let wakes =
            index < end && entry(table, index).is_some_and(|entry| entry.key == candidates.key);
        cursor.keyed = if wakes { index + 1 } else { end };
        return if wakes { Dispatch::Handler(handler(index)) } else { Dispatch::Nothing };
    };
    if !cursor.started {
        *cursor = HandlerCursor { started: true, keyed: first, filter: end, done: false };
    }
    let named = named(table, cursor, end, topic);
    while cursor.filter < candidates.filters_end {
        let index = cursor.filter;
        let Some(record) = entry(table, index) else { break };
        if named.is_some_and(|code| code < record.code) {
            break;
        }
        cursor.filter += 1;
        let number = usize::from(record.filter);
        let matches = match FilterKind::from_code(record.key) {
            Some(FilterKind::Constant) => matches(table.string(number), topic),
            Some(FilterKind::Variable) => {
                let slot = table.slots.get(table.info.first_variable + number);
                value_matches(&table.source, slot.map_or(Value::EMPTY, |slot| Value(*slot)), topic)
            }
            Some(FilterKind::Expression) => return Dispatch::Computed(handler(index)),
            None => false,
        };
        if matches {
            return Dispatch::Handler(handler(index));
        }
    }
    if named.is_none() {
        return Dispatch::Nothing;
    }
    cursor.keyed += 1;
    Dispatch::Handler(handler(cursor.keyed - 1))
}

/// Where the code of the next record starts whose name is the topic; leaves `cursor.keyed` at it.
#[inline(always)]
fn named(
    table: &DispatchTable<'_>,
    cursor: &mut HandlerCursor,
    end: usize,
    topic: &[u8],
) -> Option<u16> {
    if cursor.keyed >= end {
        return None;
    }
    let key = fingerprint(topic);
    cursor.keyed = first_with(table, cursor.keyed, end, key);
    while cursor.keyed < end {
        let record = entry(table, cursor.keyed)?;
        if record.key != key {
            cursor.keyed = end;
            return None;
        }
        if table.string(record.filter.into()) == topic {
            return Some(record.code);
        }
        cursor.keyed += 1;
    }
    None
}

/// The first record from `first` to `end`, which are sorted by key, whose key is at least `key`.
#[inline(always)]
fn first_with(table: &DispatchTable<'_>, first: usize, end: usize, key: u8) -> usize {
    let smaller = |index| entry(table, index).is_some_and(|record| record.key < key);
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
fn entry(table: &DispatchTable<'_>, index: usize) -> Option<HandlerEntry> {
    record(table.words, table.info, index)
}

/// A handler record.
#[inline(always)]
pub(super) fn record(words: &[u32], info: &ProgramInfo, index: usize) -> Option<HandlerEntry> {
    let words = words.get(info.records + RECORD_WORDS * index..)?;
    Some(HandlerEntry::from_words(*words.first_chunk()?))
}

/// A constant.
#[inline(always)]
pub(super) fn constant(words: &[u32], constants: usize, number: usize) -> Value {
    let words = words.get(constants + CONSTANT_WORDS * number..);
    let words = words.and_then(|words| words.first_chunk());
    Value(words.map_or(Value::EMPTY.0, |words| words.map(u32::from_le)))
}

impl DispatchTable<'_> {
    /// The bytes of a constant that is a string.
    #[inline(always)]
    fn string(&self, number: usize) -> &[u8] {
        self.source.string(constant(self.words, self.info.constants, number))
    }
}

/// A filter that is only known at run time may be nonsense; then it matches nothing.
#[inline(always)]
pub(super) fn value_matches(source: &StringSource<'_>, value: Value, topic: &[u8]) -> bool {
    if value.is_number() {
        return number_matches(value, topic);
    }
    let filter = source.string(value);
    // Most do not match, and most of those differ in their first byte.
    match filter.first() {
        Some(b'+' | b'#') => {}
        first if first == topic.first() => {}
        _ => return false,
    }
    filter == topic || (matches(filter, topic) && check_filter(filter).is_ok())
}

#[inline(never)]
fn number_matches(value: Value, topic: &[u8]) -> bool {
    value.as_number().is_some_and(|number| number.text(&mut NumberText::new()) == topic)
}
