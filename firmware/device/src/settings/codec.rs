//! The bytes settings are kept as: a version byte, then for each value its number in the table, its
//! length and its bytes (numbers as 4 bytes, little-endian). Every entry says its length, so
//! entries of other versions can be passed by.

use alloc::{boxed::Box, vec::Vec};

use umqtt_memory::{try_append, try_to_vec};

use super::{Param, TABLE, Value};

/// The format, not the set of parameters: that may change without a new number.
const VERSION: u8 = 1;

/// What concerns who may come in.
const GUARDS: [Param; 6] = [
    Param::BrokerUser,
    Param::BrokerPassword,
    Param::BrokerAccess,
    Param::ConfigAccess,
    Param::ConfigPort,
    Param::ScriptKey,
];

/// The number of what is kept with them and is no parameter: the highest counter of a signed script
/// that was taken, 8 bytes.
const COUNTER: u8 = 255;

/// Most bytes `write` can give with today's table; a test holds it against the table.
pub const MAX_LEN: usize = 1536;

/// Writes these values; `None` if there is no memory for it.
pub(super) fn write<'v>(values: impl Iterator<Item = &'v (Param, Value)>) -> Option<Vec<u8>> {
    let mut bytes = try_to_vec(&[VERSION])?;
    for (param, value) in values {
        let number;
        let content: &[u8] = match value {
            Value::Number(value) => {
                number = value.to_le_bytes();
                &number
            }
            Value::Text(text) => text,
        };
        // No text of the table is longer than 255 bytes: its range is a `u8`.
        let Ok(len) = u8::try_from(content.len()) else { continue };
        if !try_append(&mut bytes, &[param.spec().id, len]) || !try_append(&mut bytes, content) {
            return None;
        }
    }
    Some(bytes)
}

/// Whether it is something [`write()`] wrote, whole, and what concerns who may come in can be read.
pub(super) fn is_sound(bytes: &[u8]) -> bool {
    let [VERSION, rest @ ..] = bytes else { return false };
    let mut rest = rest;
    while let [id, len, tail @ ..] = rest {
        let Some((_, tail)) = tail.split_at_checked(usize::from(*len)) else { return false };
        if *id == COUNTER && usize::from(*len) != size_of::<u64>() {
            return false;
        }
        let guards = |param: Param| param.spec().id == *id;
        if GUARDS.into_iter().any(guards) && !read(bytes).any(|(param, _)| guards(param)) {
            return false;
        }
        rest = tail;
    }
    rest.is_empty()
}

/// Reads what it knows and finds sound; stops at the first entry that is cut short.
pub(super) fn read(bytes: &[u8]) -> impl Iterator<Item = (Param, Value)> + '_ {
    entries(bytes).filter_map(|(id, content)| {
        let spec = TABLE.iter().find(|spec| spec.id == id && spec.saved)?;
        let number = content.try_into().ok().map(|four| Value::Number(i32::from_le_bytes(four)));
        let text = || Value::Text(Box::from(content));
        let value = number
            .filter(|value| spec.kind.check(value.borrow()))
            .or_else(|| Some(text()).filter(|value| spec.kind.check(value.borrow())))?;
        Some((spec.param, value))
    })
}

/// The highest counter of a signed script that was taken; 0 at first.
pub(super) fn counter(bytes: &[u8]) -> u64 {
    let number = |content: &[u8]| content.try_into().ok().map(u64::from_le_bytes);
    let counters = entries(bytes).filter(|(id, _)| *id == COUNTER);
    counters.filter_map(|(_, content)| number(content)).max().unwrap_or(0)
}

/// What was written, but with this counter; `None` if there is no memory for it.
pub(crate) fn with_counter(bytes: &[u8], counter: u64) -> Option<Vec<u8>> {
    let mut new = try_to_vec(&[VERSION])?;
    let others = entries(bytes).filter(|(id, _)| *id != COUNTER);
    let number = counter.to_le_bytes();
    for (id, content) in others.chain([(COUNTER, &number[..])]) {
        let Ok(len) = u8::try_from(content.len()) else { continue };
        if !try_append(&mut new, &[id, len]) || !try_append(&mut new, content) {
            return None;
        }
    }
    Some(new)
}

/// The entries: their numbers and their bytes.
fn entries(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = match bytes {
        [VERSION, rest @ ..] => rest,
        _ => &[],
    };
    core::iter::from_fn(move || {
        let [id, len, tail @ ..] = rest else { return None };
        let (content, tail) = tail.split_at_checked(usize::from(*len))?;
        rest = tail;
        Some((*id, content))
    })
}
