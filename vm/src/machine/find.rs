//! Which handlers an event wakes.

use umqtt_topic::{check_filter, matches};

use super::Handlers;
use super::run::Run;
use super::store::{NoRoom, Store};
use super::value::Value;
use crate::image::{Entry, FilterKind, RECORD_WORDS, Trigger, fingerprint};
use crate::program::Facts;
use crate::{Event, Side, Trap};

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
        let (trigger, key) = match *event {
            Event::Topic { side, topic, .. } => {
                let trigger = match side {
                    Side::Local => Trigger::LocalName,
                    Side::Remote => Trigger::RemoteName,
                };
                return Wanted {
                    keyed: range(facts, trigger),
                    key: 0,
                    // The trigger of filters is the one behind that of names.
                    filters_end: facts.starts[trigger as usize + 2].into(),
                    topic: Some(topic),
                };
            }
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
        Wanted { keyed: range(facts, trigger), key, filters_end: 0, topic: None }
    }
}

#[inline(always)]
fn range(facts: &Facts, trigger: Trigger) -> (usize, usize) {
    (facts.starts[trigger as usize].into(), facts.starts[trigger as usize + 1].into())
}

/// Whether there may be a handler more.
#[inline(always)]
pub(super) fn any_left(facts: &Facts, handlers: &Handlers, event: &Event<'_>) -> bool {
    let Wanted { keyed: (first, end), filters_end, .. } = Wanted::of(facts, event);
    handlers.keyed.max(first) < end || handlers.filter.max(end) < filters_end
}

/// The next handler. An error says how much memory a filter lacks: with more, this is to be done again.
#[inline(always)]
pub(super) fn next(run: &mut Run<'_>, handlers: &mut Handlers) -> Result<Option<u16>, NoRoom> {
    let store = &run.store;
    let wanted = Wanted::of(store.facts, store.event);
    let (first, end) = wanted.keyed;
    let Some(topic) = wanted.topic else {
        if !handlers.started {
            let keyed = first_with(store, first, end, wanted.key);
            *handlers = Handlers { started: true, keyed, filter: 0 };
        }
        let index = handlers.keyed;
        let wakes = index < end && entry(store, index).is_some_and(|entry| entry.key == wanted.key);
        handlers.keyed = if wakes { index + 1 } else { end };
        return Ok(wakes.then_some(index as u16));
    };
    if !handlers.started {
        *handlers = Handlers { started: true, keyed: first, filter: end };
    }
    let named = named(store, handlers, end, topic);
    while handlers.filter < wanted.filters_end {
        let index = handlers.filter;
        let Some(record) = entry(&run.store, index) else { break };
        if named.is_some_and(|code| code < record.code) {
            break;
        }
        let matches = filter_matches(run, record, topic)?;
        handlers.filter += 1;
        if matches {
            return Ok(Some(index as u16));
        }
    }
    Ok(named.map(|_| {
        handlers.keyed += 1;
        handlers.keyed as u16 - 1
    }))
}

/// Where the code of the next record starts whose name is the topic; leaves `handlers.keyed` at it.
#[inline(always)]
fn named(store: &Store<'_>, handlers: &mut Handlers, end: usize, topic: &[u8]) -> Option<u16> {
    if handlers.keyed >= end {
        return None;
    }
    let key = fingerprint(topic);
    handlers.keyed = first_with(store, handlers.keyed, end, key);
    while handlers.keyed < end {
        let record = entry(store, handlers.keyed)?;
        if record.key != key {
            handlers.keyed = end;
            return None;
        }
        if store.text(store.constant(record.filter.into())) == topic {
            return Some(record.code);
        }
        handlers.keyed += 1;
    }
    None
}

/// The first record from `first` to `end`, which are sorted by key, whose key is at least `key`.
#[inline(always)]
fn first_with(store: &Store<'_>, first: usize, end: usize, key: u8) -> usize {
    let smaller = |index| entry(store, index).is_some_and(|record| record.key < key);
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

/// A handler record.
#[inline(always)]
pub(super) fn entry(store: &Store<'_>, index: usize) -> Option<Entry> {
    let words = store.words.get(store.facts.records + RECORD_WORDS * index..)?;
    Some(Entry::from_words(*words.first_chunk()?))
}

#[inline(always)]
fn filter_matches(run: &mut Run<'_>, record: Entry, topic: &[u8]) -> Result<bool, NoRoom> {
    let store = &run.store;
    let number = usize::from(record.filter);
    let value = match FilterKind::from_code(record.key) {
        Some(FilterKind::Constant) => {
            return Ok(matches(store.text(store.constant(number)), topic));
        }
        Some(FilterKind::Variable) => store.slot(store.first_variable + number),
        Some(FilterKind::Expression) => return computed_matches(run, number, topic),
        None => return Ok(false),
    };
    Ok(value_matches(store, value, topic))
}

/// A filter that is only known at run time may be nonsense; then it matches nothing.
#[inline(always)]
fn value_matches(store: &Store<'_>, value: Value, topic: &[u8]) -> bool {
    if value.is_int() {
        return int_matches(value, topic);
    }
    let filter = store.text(value);
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

/// The expression has no loop, so fuel means nothing to it.
#[inline(never)]
fn computed_matches(run: &mut Run<'_>, at: usize, topic: &[u8]) -> Result<bool, NoRoom> {
    let found = match run.run(run.store.facts.code + at) {
        Ok(value) => value_matches(&run.store, value, topic),
        Err(Trap::OutOfMemory) if run.growable => return Err(NoRoom(run.wanted)),
        Err(_) => false,
    };
    run.store.end_statement();
    Ok(found)
}
