//! Constants where a number, a duration or a time is written out: their values, which the tree has
//! in their place.

use crate::named::{NamedConstants, NamedValue};

/// What a word stands for.
pub(super) enum NamedWord<'k> {
    /// Itself: it begins with no `$`.
    Unnamed,
    /// The value of a constant.
    Value(&'k [u8]),
    /// The value of a constant that is wrong, or not known yet: nothing is to follow from that.
    Unknown,
    /// Nothing: there is no constant of that name.
    NoConstant,
}

impl<'k> NamedWord<'k> {
    /// What a word stands for; `None`: the constants are being collected.
    pub(super) fn of(word: &[u8], named: Option<&'k NamedConstants>) -> NamedWord<'k> {
        if !matches!(word, [b'$', _, ..]) {
            return NamedWord::Unnamed;
        }
        let Some(named) = named else { return NamedWord::Unknown };
        let entry = named.find(word).and_then(|at| named.entries.get(at));
        match entry.map(|entry| entry.value) {
            None => NamedWord::NoConstant,
            Some(NamedValue::Known(place)) => NamedWord::Value(place.of(&named.bytes)),
            Some(_) => NamedWord::Unknown,
        }
    }
}
