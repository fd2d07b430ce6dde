//! What each word of a script is, for editors: a script that is just being typed has words too.
//!
//! The words are those of the compiler's token stream. Where a statement is right, the roles are
//! those its tree has; a test holds them together. Where it is not, a word gets the role it would
//! have if what is missing were there.
//!
//! Not for chips: it keeps a list of all words.

mod reader;

use alloc::vec::Vec;

use umqtt_vm::Profile;

use crate::ast::{ActionWord, FunctionWord, Span, Special};
use crate::lexer::gap_len;
use crate::statements::statements;
use crate::token_stream::TokenStream;
use crate::tokens::{Token, keywords};
use reader::Reader;

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// `on`, `if`, `local`, `retained` and what else belongs to the syntax.
    Keyword,
    /// The word of an event.
    Event,
    /// The word of an action.
    Action(ActionWord),
    /// The word of a function.
    Function(FunctionWord),
    /// Between values.
    Operator,
    /// Brackets and commas.
    Punctuation,
    /// `$name`: a variable, or a constant.
    Variable(Access),
    /// `$this_data`, `$timestamp`, ...
    Special(Special),
    /// `@N`, or `@$name`
    Flash(Access),
    /// The name of a sub.
    Sub(Access),
    /// The name of a setting.
    Setting,
    /// The value of a setting.
    SettingValue,
    /// A part of a topic that is written out.
    Topic,
    /// Another text, in quotes or bare.
    Text,
    /// A number.
    Number,
    /// `#0d0a`
    Hex,
    /// A duration, a time of day or a day, behind `every` or `clock`.
    Time,
    /// `% ...`, to the end of the line.
    Comment,
    /// A word that cannot stand where it does.
    Stray,
}

/// What is done with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// `const $name = ...`, `sub NAME do`
    Define,
    /// `setvar $name = ...`
    Set,
    /// It is read, or called.
    Use,
}

/// A word and its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleSpan {
    /// The word.
    pub span: Span,
    /// What it is.
    pub role: Role,
}

/// Every word, sign and comment of a script, in order, apart from each other. None of one that is
/// longer than the profile takes.
///
/// ```
/// use umqtt_lang::roles::{Access, Role, roles};
/// use umqtt_lang::umqtt_vm::Profile;
///
/// let script = b"on init do setvar $x = "; // just being typed
/// let found: Vec<Role> = roles(script, &Profile::DESKTOP).iter().map(|word| word.role).collect();
/// assert_eq!(found[4], Role::Variable(Access::Set));
/// ```
pub fn roles(source: &[u8], profile: &Profile) -> Vec<RoleSpan> {
    if source.len() > profile.source {
        return Vec::new();
    }
    let right: Vec<u32> = statements(source, profile)
        .filter_map(|statement| Some(statement.ok()?.span().start))
        .collect();
    let mut found = Vec::new();
    let mut stream = TokenStream::verbatim(source, profile.nesting);
    while stream.begin() {
        let mut tokens: Vec<(Token, Span)> = Vec::new();
        for token in stream.by_ref() {
            match token {
                Ok((start, token, end)) => tokens.push((token, Span { start, end })),
                // A string without an end is one word to the end of the script.
                Err(fault) => tokens.push((Token::String, fault.span)),
            }
        }
        Reader::new(source, &tokens, &right, &mut found).statement();
    }
    with_comments(source, found)
}

/// Every word of the language, with the role it has where it has its meaning: for grammars of
/// editors, which have lists of them.
pub fn vocabulary() -> impl Iterator<Item = (&'static str, Role)> {
    let by_place = ["const", "sub"].map(|word| (word, Role::Keyword));
    let keywords = keywords().map(|(word, token)| {
        let role = match token {
            token if token.starts_event() => Role::Event,
            token if token.is_operator() => Role::Operator,
            _ => ActionWord::from_keyword(word).map_or(Role::Keyword, Role::Action),
        };
        (word, role)
    });
    let functions =
        FunctionWord::ALL.iter().map(|function| (function.keyword(), Role::Function(*function)));
    let specials = Special::ALL
        .iter()
        .flat_map(|special| special.keywords().iter().map(|word| (*word, Role::Special(*special))));
    by_place.into_iter().chain(keywords).chain(functions).chain(specials)
}

/// Puts the comments between the words.
fn with_comments(source: &[u8], words: Vec<RoleSpan>) -> Vec<RoleSpan> {
    let mut all = Vec::with_capacity(words.len());
    let mut end = 0;
    for word in words {
        comments(source, end, word.span.start as usize, &mut all);
        end = word.span.end as usize;
        all.push(word);
    }
    comments(source, end, source.len(), &mut all);
    all
}

/// The comments in what stands between two words.
fn comments(source: &[u8], start: usize, end: usize, found: &mut Vec<RoleSpan>) {
    let mut at = start;
    while let Some(gap) = source.get(at..end) {
        let Some(first) = gap.iter().position(|&byte| byte == b'%') else { break };
        let line = &gap[first..];
        // A comment is a gap of its own up to its line's end.
        let len = line.iter().position(|&byte| byte == b'\n').unwrap_or(line.len());
        debug_assert!(gap_len(&line[..len]) == len);
        let text = line[..len].trim_ascii_end();
        let span = Span::new(at + first, at + first + text.len());
        found.push(RoleSpan { span, role: Role::Comment });
        at += first + len.max(1);
    }
}
