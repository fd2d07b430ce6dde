//! What people write who know other languages, and what to write instead.
//!
//! The parser reports what is wrong; this looks at the source around it, guesses what was meant,
//! and adds help and, where that is sure, a fix. It also reports what the parser cannot know beside
//! an error of its own: variables that nothing sets, and comments that are none. Whole-script and
//! desktop only, as the lints are: a chip reports the plain error.
//!
//! | module | knows |
//! |---|---|
//! | `words` | the source as words, with the lines they stand on |
//! | `actions` | what stands where an action is due |
//! | `assignments` | variables set as in other languages |
//! | `braces` | blocks in braces |
//! | `calls` | functions: without brackets or values, and those of other languages |
//! | `commas` | commas and brackets around the values of an action |
//! | `decimals` | decimals with a comma |
//! | `foreign` | actions of other languages, with their values in brackets |
//! | `json` | JSON whose quotes end the text it stands in |
//! | `arguments` | brokers left out, topics without quotes, values that are missing or none |
//! | `negatives` | negative numbers where the sign subtracts |
//! | `numbers` | numbers that stick to their word, names of pins, and what is no number |
//! | `pasted` | files that are no text, and what is copied with a script |
//! | `signs` | quotes, comments, braces and signs of other languages |
//! | `specials` | variables of the device, misspelt or guessed |
//! | `subs` | constants and subs: signs missing or too many, other words for a call |
//! | `times` | events that time brings; times, durations and days as elsewhere |
//! | `texts` | texts and values joined as in other languages, and texts whose end is missing |
//! | `variables` | variables that nothing sets, in a script with other errors |

mod actions;
mod arguments;
mod assignments;
mod braces;
mod calls;
mod commas;
mod decimals;
mod foreign;
mod json;
mod negatives;
mod numbers;
mod pasted;
mod signs;
mod specials;
mod subs;
mod texts;
mod times;
mod variables;
mod words;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::parse::MAX_DIAGNOSTICS;
use crate::tokens::{self, Token, keywords};
use words::Words;

/// Adds to the errors of a script what was probably meant, and errors that need no sound script to
/// be sure. What is found stays in the order of the source.
pub fn advise(source: &[u8], errors: &mut Vec<Diagnostic>) {
    let is_syntax = |diagnostic: &Diagnostic| {
        matches!(diagnostic.code, Code::UnexpectedWord | Code::UnexpectedEnd | Code::ReservedWord)
    };
    if errors.is_empty() {
        return;
    }
    if let Some(diagnostic) = pasted::no_script(source) {
        *errors = Vec::from([diagnostic]);
        return;
    }
    let words = Words::of(source);
    let is_syntactic = errors.iter().any(is_syntax);
    drop_swallowed(errors);
    for diagnostic in errors.iter_mut().filter(|diagnostic| is_syntax(diagnostic)) {
        if arguments::bare_topic(&words, diagnostic) {
            continue;
        }
        let negative = negatives::advice(&words, diagnostic);
        let advice = pasted::advice(&words, diagnostic)
            .or_else(|| decimals::advice(&words, diagnostic))
            .or_else(|| subs::advice(&words, diagnostic))
            .or_else(|| times::advice(&words, diagnostic))
            .or_else(|| calls::side_by_side(&words, diagnostic))
            .or_else(|| calls::index(&words, diagnostic))
            .or_else(|| commas::advice(&words, diagnostic))
            .or_else(|| arguments::advice(&words, diagnostic))
            .or_else(|| json::advice(&words, diagnostic))
            .or_else(|| texts::advice(&words, diagnostic))
            .or_else(|| signs::advice(&words, diagnostic))
            .or_else(|| actions::advice(&words, diagnostic))
            .or_else(|| texts::bare_words(&words, diagnostic))
            .or_else(|| arguments::open_if(diagnostic))
            .or_else(|| known_words(&words, diagnostic));
        if let Some(advice) = advice {
            advice.add_to(diagnostic);
        }
        arguments::missing_value(&words, diagnostic);
        texts::several_lines(&words, diagnostic);
        if let Some(advice) = negative {
            advice.add_to(diagnostic);
        }
    }
    braces::merge(&words, errors);
    drop_comments(&words, errors);
    let unclosed = errors.iter().any(|diagnostic| diagnostic.code == Code::UnclosedString);
    if is_syntactic && !unclosed {
        variables::check(&words, errors);
        comments(&words, errors);
    }
    for diagnostic in errors.iter_mut() {
        let advice = signs::template(&words, diagnostic)
            .or_else(|| calls::index_in_name(&words, diagnostic))
            .or_else(|| texts::stuck(&words, diagnostic))
            .or_else(|| specials::advice(&words, diagnostic))
            .or_else(|| subs::named(&words, diagnostic))
            .or_else(|| time(&words, diagnostic))
            .or_else(|| numbers::pin(&words, diagnostic))
            .or_else(|| numbers::swapped(&words, diagnostic))
            .or_else(|| numbers::number(&words, diagnostic));
        if let Some(advice) = advice {
            advice.add_to(diagnostic);
        }
    }
    errors.sort_by_key(|diagnostic| (diagnostic.span, diagnostic.code));
}

/// `every 0,5s`, `clock 07:00 Mon`
fn time(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let advice =
        || decimals::advice(words, diagnostic).or_else(|| times::advice(words, diagnostic));
    (diagnostic.code == Code::BadTime).then(advice)?
}

/// A quote that is missing turns texts and script inside out from there on: what is reported behind
/// it is no use.
fn drop_swallowed(errors: &mut Vec<Diagnostic>) {
    let unclosed = errors.iter().find(|diagnostic| diagnostic.code == Code::UnclosedString);
    let Some(&(long, _)) = unclosed.and_then(|diagnostic| diagnostic.related.first()) else {
        return;
    };
    errors.retain(|diagnostic| {
        diagnostic.code == Code::UnclosedString || diagnostic.span.start < long.start
    });
}

/// Drops what the words of a comment of another language, which is told of, look like.
fn drop_comments(words: &Words<'_>, errors: &mut Vec<Diagnostic>) {
    let is_comment = |diagnostic: &&Diagnostic| {
        diagnostic.help.as_deref().is_some_and(|help| help.starts_with("a comment begins"))
    };
    let comments: Vec<u32> =
        errors.iter().filter(is_comment).map(|diagnostic| diagnostic.span.start).collect();
    errors.retain(|diagnostic| {
        let before = comments.partition_point(|&start| start < diagnostic.span.start);
        let comment = before.checked_sub(1).map(|at| comments[at]);
        comment.is_none_or(|start| words.line_end(start) != words.line_end(diagnostic.span.start))
    });
}

/// Tells of comments that look like a part of an expression. What the parser misses on their lines
/// is no use to add.
fn comments(words: &Words<'_>, errors: &mut Vec<Diagnostic>) {
    let mut found = Vec::new();
    crate::lint::comments::check(words.source, &mut found);
    found.truncate(MAX_DIAGNOSTICS);
    for comment in &found {
        for diagnostic in errors.iter_mut() {
            if diagnostic.span.start < comment.span.start
                && words.line_end(diagnostic.span.start) == words.line_end(comment.span.start)
            {
                diagnostic.fix = None;
            }
        }
    }
    errors.append(&mut found);
}

/// What was meant, and how to write it.
struct Advice {
    help: String,
    fix: Option<(String, Vec<Edit>)>,
}

impl Advice {
    fn new(help: impl Into<String>) -> Advice {
        Advice { help: help.into(), fix: None }
    }

    fn fix(mut self, title: impl Into<String>, edits: Vec<Edit>) -> Advice {
        self.fix = Some((title.into(), edits));
        self
    }

    /// In place of what the parser has guessed.
    fn add_to(self, diagnostic: &mut Diagnostic) {
        diagnostic.help = Some(self.help);
        diagnostic.fix = self.fix.map(|(title, edits)| crate::diagnostic::Fix { title, edits });
    }
}

/// What could have stood there, where nothing is known of what does.
fn known_words(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    if diagnostic.help.is_some() {
        return None;
    }
    let at = words.at(diagnostic.span)?;
    let wanted: fn(Token) -> bool = if diagnostic.message.contains("an event") {
        Token::starts_event
    } else if words.is_action_due(at, diagnostic)
        && words.token(at) == Some(Token::Word)
        && words.text(at).first().is_some_and(u8::is_ascii_alphabetic)
    {
        Token::starts_action
    } else {
        return None;
    };
    let known: Vec<&str> =
        keywords().filter(|(_, token)| wanted(*token)).map(|(word, _)| word).collect();
    let kind = if diagnostic.message.contains("an event") { "events" } else { "actions" };
    Some(Advice::new(format!("the {kind} are {}", list(&known))))
}

/// The functions there are, in words.
fn functions() -> String {
    let known: Vec<&str> = tokens::functions().map(|(word, _)| word).collect();
    format!("the functions are {}", list(&known))
}

/// `a`, `b` and `c`
fn list(words: &[&str]) -> String {
    let mut out = String::new();
    for (at, word) in words.iter().enumerate() {
        out.push_str(match at {
            0 => "",
            _ if at + 1 == words.len() => " and ",
            _ => ", ",
        });
        out.push_str(&format!("`{word}`"));
    }
    out
}
