//! What may stand at a place of a script, for an editor that completes words.
//!
//! The parser itself is asked: each kind of word is tried behind what stands before the place. So a
//! word that is proposed is taken, and a new word of the language is proposed without a line here.

use alloc::vec::Vec;

use logos::Logos;
use umqtt_vm::Profile;
use umqtt_vm::words::{ActionOperands, FunctionWord};

use crate::ast::{Span, Trigger};
use crate::lexer::{Lexeme, is_word_end};
use crate::parse::probe::takes;
use crate::roles::{Role, RoleSpan, roles};
use crate::tokens::{Token, functions, keywords};

/// What may stand at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// What is there already of the word, up to the place.
    pub typed: Span,
    /// What kind of word.
    pub kind: ExpectedKind,
    /// The event in whose handler the place is.
    pub event: Option<Trigger>,
}

/// What kind of word may stand at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpectedKind {
    /// Nothing that is known: a comment, a text, a new name.
    Nothing,
    /// One of these words.
    Words(Vec<&'static str>),
    /// A value; of a topic if so.
    Value {
        /// Functions, which a bracket follows.
        functions: Vec<&'static str>,
        /// It is a topic, or a part of one.
        is_topic: bool,
    },
    /// The inside of a text that is a topic.
    TopicText,
    /// A number that is written out, or a constant.
    Number,
    /// What `setvar` sets.
    Target,
    /// The name of a sub.
    Sub,
    /// The name of a setting.
    Setting,
    /// The value of the setting whose name stands there.
    SettingValue(Span),
    /// What follows `clock`; true right behind it.
    Clock(bool),
    /// What follows `every`.
    Duration,
}

/// What may stand at a place of a script.
pub fn expected(source: &[u8], at: usize, profile: &Profile) -> Expected {
    let at = at.min(source.len());
    let before = source.get(..at).unwrap_or_default();
    let start = before.iter().rposition(|&byte| is_word_end(byte)).map_or(0, |end| end + 1);
    let typed = Span::new(start, at);
    let nothing = Expected { typed, kind: ExpectedKind::Nothing, event: None };
    if source.len() > profile.source {
        return nothing;
    }
    let up_to_place = roles(before, profile);
    if let Some(last) = up_to_place.last() {
        let text = last.span.of(before);
        let reaches = last.span.end as usize == at;
        // Up to its line's end, blanks included.
        let in_comment =
            last.role == Role::Comment && !before[last.span.start as usize..].contains(&b'\n');
        if in_comment {
            return nothing;
        }
        let is_open = reaches && Lexeme::lexer(text).next() == Some(Ok(Lexeme::Unclosed));
        if is_open {
            let typed = Span::new(last.span.start as usize + 1, at);
            let kind = match last.role {
                Role::Topic => ExpectedKind::TopicText,
                _ => ExpectedKind::Nothing,
            };
            return Expected { typed, kind, event: None };
        }
        // Right behind a text or a raw value there is no word yet.
        if reaches && (text.starts_with(b"\"") || typed.is_empty() && is_raw(last.role)) {
            return nothing;
        }
    }
    let words: Vec<RoleSpan> = up_to_place
        .into_iter()
        .filter(|word| (word.span.start as usize) < start && word.role != Role::Comment)
        .collect();
    let statement = statement_start(before, &words);
    let event = words[statement..].get(1).and_then(|word| event(word, before));
    let kind = kind(before, start, &words[statement..], profile);
    Expected { typed, kind, event }
}

fn is_raw(role: Role) -> bool {
    role == Role::SettingValue
}

/// Where among the words the last statement starts.
fn statement_start(source: &[u8], words: &[RoleSpan]) -> usize {
    let starts = |word: &RoleSpan| {
        word.role == Role::Keyword
            && matches!(word.span.of(source), b"on" | b"config" | b"const" | b"sub")
    };
    words.iter().rposition(starts).unwrap_or(0)
}

fn event(word: &RoleSpan, source: &[u8]) -> Option<Trigger> {
    let text = word.span.of(source);
    match word.role {
        Role::Event if text == b"topic" => Some(Trigger::LocalName),
        Role::Event => Trigger::from_bytes(text),
        _ => None,
    }
}

/// What may follow these words of a statement.
fn kind(source: &[u8], start: usize, words: &[RoleSpan], profile: &Profile) -> ExpectedKind {
    let texts: Vec<&[u8]> = words.iter().map(|word| word.span.of(source)).collect();
    let last = words.last().map(|word| word.role);
    match (texts.as_slice(), last) {
        ([b"config"], _) => return ExpectedKind::Setting,
        ([b"config", _], _) => return ExpectedKind::SettingValue(words[1].span),
        ([b"const"] | [b"sub"], _) => return ExpectedKind::Nothing,
        // They start a statement by what will follow.
        ([.., b"const" | b"sub"], Some(Role::Stray)) => return ExpectedKind::Nothing,
        ([.., b"sub", _], Some(Role::Stray)) => return ExpectedKind::Words(Vec::from(["do"])),
        ([b"on", b"every", rest @ ..], _) if !rest.contains(&&b"do"[..]) => {
            return match rest {
                [] => ExpectedKind::Duration,
                _ => ExpectedKind::Words(Vec::from(["do"])),
            };
        }
        ([b"on", b"clock", rest @ ..], _) if !rest.contains(&&b"do"[..]) => {
            return ExpectedKind::Clock(rest.is_empty());
        }
        ([.., b"setvar"], Some(Role::Action(_))) => return ExpectedKind::Target,
        ([.., b"call"], Some(Role::Action(_))) => return ExpectedKind::Sub,
        _ => {}
    }
    let from = words.first().map_or(start, |word| word.span.start as usize);
    let mut text = source.get(from..start).unwrap_or_default().to_vec();
    let at = text.len();
    let mut fits = |word: &[u8]| {
        text.truncate(at);
        text.extend_from_slice(word);
        takes(&text, at, profile)
    };
    if fits(b"\"1\"") {
        // A number takes no other value.
        if !fits(b"#00") {
            return ExpectedKind::Number;
        }
        let (plain, indexed) = (fits(b"not("), fits(b"substr("));
        let found = functions().filter(|(_, token)| match token {
            Token::Indexed(_) => indexed,
            _ => plain,
        });
        let functions = found.map(|(word, _)| word).collect();
        return ExpectedKind::Value { functions, is_topic: is_topic(words) };
    }
    // Words of one terminal are taken alike.
    let mut tried: Vec<(&str, bool)> = Vec::new();
    let mut found: Vec<&'static str> = Vec::new();
    for (word, token) in keywords() {
        let terminal = token.terminal();
        let taken = match tried.iter().find(|(tried, _)| *tried == terminal) {
            Some((_, taken)) => *taken,
            None => {
                let taken = match token {
                    // As the last word of a handler it is forgiven where it ends nothing.
                    Token::EndIf => fits(b"endif print 1"),
                    _ => fits(word.as_bytes()),
                };
                tried.push((terminal, taken));
                taken
            }
        };
        if taken {
            found.push(word);
        }
    }
    // The grammar takes a pin without its pull-up, and a timer with one; the compiler does not.
    match texts.get(1).and_then(|word| Trigger::from_bytes(word)) {
        Some(Trigger::Gpio) if texts.len() == 3 => found.retain(|word| *word != "do"),
        Some(Trigger::Timer | Trigger::Alarm) if texts.len() == 3 => {
            found.retain(|word| *word == "do");
        }
        _ => {}
    }
    // What starts a statement by what follows it: `$name =`, and a name and `do`.
    if found.contains(&"on") {
        found.extend(["const", "sub"]);
    }
    ExpectedKind::Words(found)
}

/// Whether the value behind these words is a topic or a part of one.
fn is_topic(words: &[RoleSpan]) -> bool {
    let mut rest = words;
    loop {
        rest = match rest {
            [.., RoleSpan { role: Role::Function(FunctionWord::Retained), .. }, _] => return true,
            [.., before, RoleSpan { role: Role::Keyword, .. }] => {
                return match before.role {
                    Role::Event => true,
                    Role::Action(action) => matches!(
                        action.operands(),
                        ActionOperands::Message | ActionOperands::Filter
                    ),
                    _ => false,
                };
            }
            // A bracket, as it follows no value.
            [before @ .., RoleSpan { role: Role::Punctuation, .. }]
                if before.last().is_some_and(|last| {
                    matches!(last.role, Role::Keyword | Role::Operator | Role::Punctuation)
                }) =>
            {
                before
            }
            // It goes on behind an operator only.
            [before @ .., value, RoleSpan { role: Role::Operator, .. }] if is_part(value) => before,
            _ => return false,
        };
    }
}

fn is_part(word: &RoleSpan) -> bool {
    matches!(word.role, Role::Topic | Role::Variable(_) | Role::Special(_))
}
