//! The names of a script and where they stand, for editors.

use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use umqtt_vm::Profile;

use crate::ast::Span;
use crate::lexer::Lexeme;
use crate::lint::Known;
use crate::literal::{number_of, unescape};
use crate::roles::{Access, Role, RoleSpan};
use crate::tokens;

/// A name of a script.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Symbol {
    /// `$name` that `setvar` sets, without its `$`.
    Variable(Vec<u8>),
    /// `$name` of a `const`, without its `$`.
    Constant(Vec<u8>),
    /// The name of a sub.
    Sub(Vec<u8>),
    /// The number of a flash variable.
    Flash(u8),
}

/// A place where a name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occurrence {
    /// The name, with its `$` or `@`.
    pub span: Span,
    /// It is defined or set there.
    pub sets: bool,
}

/// Every name of a script.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    /// Each with its places, in the order of the source.
    pub entries: BTreeMap<Symbol, Vec<Occurrence>>,
}

impl Symbols {
    /// The names among the words of a script; `known` are the values of its constants.
    pub fn of(source: &[u8], words: &[RoleSpan], known: &Known) -> Symbols {
        let constants: BTreeSet<Vec<u8>> = words
            .iter()
            .filter(|word| word.role == Role::Variable(Access::Define))
            .map(|word| name(source, word.span))
            .collect();
        let mut symbols = Symbols::default();
        let of_name = |name: Vec<u8>| match constants.contains(&name) {
            true => Symbol::Constant(name),
            false => Symbol::Variable(name),
        };
        for word in words {
            let (symbol, access) = match word.role {
                Role::Variable(access) => (of_name(name(source, word.span)), access),
                Role::Sub(access) => (Symbol::Sub(word.span.of(source).to_vec()), access),
                Role::Flash(access) => {
                    let slot = unescape(word.span.of(source));
                    let slot = slot.get(1..).unwrap_or_default();
                    let mut value: Cow<'_, [u8]> = Cow::Borrowed(slot);
                    if let Some(constant) = slot.strip_prefix(b"$") {
                        let span = Span { start: word.span.start + 1, end: word.span.end };
                        symbols.note(of_name(constant.to_vec()), span, Access::Use);
                        value = Cow::Owned(known.values.get(constant).cloned().unwrap_or_default());
                    }
                    let Some(number) = flash_number(&value) else { continue };
                    (Symbol::Flash(number), access)
                }
                _ => continue,
            };
            symbols.note(symbol, word.span, access);
        }
        symbols
    }

    fn note(&mut self, symbol: Symbol, span: Span, access: Access) {
        let sets = access != Access::Use;
        self.entries.entry(symbol).or_default().push(Occurrence { span, sets });
    }

    /// The name at an offset, its end included. Where two touch, the one that begins there.
    pub fn at(&self, offset: usize) -> Option<(&Symbol, Occurrence)> {
        let mut best: Option<(&Symbol, Occurrence)> = None;
        for (symbol, places) in &self.entries {
            for place in places {
                let (start, end) = (place.span.start as usize, place.span.end as usize);
                let is_better = best.is_none_or(|(_, best)| best.span.start < place.span.start);
                if start <= offset && offset <= end && is_better {
                    best = Some((symbol, *place));
                }
            }
        }
        best
    }

    /// The places of a name.
    pub fn places(&self, symbol: &Symbol) -> &[Occurrence] {
        self.entries.get(symbol).map(Vec::as_slice).unwrap_or_default()
    }
}

/// A variable's name without its `$`.
fn name(source: &[u8], span: Span) -> Vec<u8> {
    unescape(span.of(source)).get(1..).unwrap_or_default().to_vec()
}

fn flash_number(text: &[u8]) -> Option<u8> {
    number_of(text).and_then(|number| u8::try_from(number).ok()).filter(|slot| *slot > 0)
}

/// Why a name cannot be given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// It is no single word of the language.
    NoWord,
    /// It stands for something already.
    Taken,
    /// It is a word of the language.
    Reserved,
    /// Flash variables have numbers, the first and the last of which are these.
    NoSlot(u8, u8),
}

impl core::fmt::Display for NameError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            NameError::NoWord => f.write_str("this is no name: a name is one word without signs"),
            NameError::Taken => f.write_str("this name is taken"),
            NameError::Reserved => f.write_str("this is a word of the language"),
            NameError::NoSlot(first, last) => {
                write!(f, "flash variables are @{first} to @{last}")
            }
        }
    }
}

impl core::error::Error for NameError {}

/// What a name is written like when `symbol` gets the name that a user has typed: with its `$` or
/// `@`, whether that was typed or not.
///
/// # Errors
/// [`NameError`]
pub fn renamed(
    symbols: &Symbols,
    symbol: &Symbol,
    typed: &str,
    profile: &Profile,
) -> Result<Vec<u8>, NameError> {
    let typed = typed.trim();
    let sign = match symbol {
        Symbol::Variable(_) | Symbol::Constant(_) => "$",
        Symbol::Flash(_) => "@",
        Symbol::Sub(_) => "",
    };
    let bare = typed.strip_prefix(sign).unwrap_or(typed);
    let written = [sign.as_bytes(), bare.as_bytes()].concat();
    let first = crate::lexer::lexemes(&written).next();
    let is_word = matches!(first, Some((Lexeme::Word, span)) if span == (0..written.len()));
    if bare.is_empty() || !is_word || bare.contains(['\\', '$', '@', '#']) {
        return Err(NameError::NoWord);
    }
    let name = bare.as_bytes().to_vec();
    let new = match symbol {
        Symbol::Flash(_) => {
            let last = profile.flash_variables;
            let slot = flash_number(&name).filter(|slot| *slot <= last);
            Symbol::Flash(slot.ok_or(NameError::NoSlot(1, last))?)
        }
        Symbol::Sub(_) => {
            if !tokens::of_word(&name, b"").is_name() {
                return Err(NameError::Reserved);
            }
            Symbol::Sub(name)
        }
        _ => {
            if crate::ast::Special::from_bytes(&written).is_some() {
                return Err(NameError::Reserved);
            }
            Symbol::Variable(name)
        }
    };
    let is_taken = |new: &Symbol| new != symbol && symbols.entries.contains_key(new);
    let taken = match &new {
        Symbol::Variable(name) => {
            is_taken(&Symbol::Variable(name.clone())) || is_taken(&Symbol::Constant(name.clone()))
        }
        new => is_taken(new),
    };
    if taken { Err(NameError::Taken) } else { Ok(written) }
}
