//! Commas and brackets around the values of an action: `gpio_out 12, 1`, `settimer(1, 1000)`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Advice;
use super::words::Words;
use crate::ast::ActionWord;
use crate::diagnostic::{Diagnostic, Edit};
use crate::tokens::Token;

/// The values of an action as they stand in the source.
struct Values {
    /// The word of the action.
    word: ActionWord,
    /// The bracket behind the word and the one that closes it, if all values stand in them.
    brackets: Option<(usize, usize)>,
    /// The commas between the values.
    commas: Vec<usize>,
    /// The last `=` before the first comma.
    equal: Option<usize>,
}

/// What was meant, if it is one of them.
pub(super) fn advice(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let at = words.at(diagnostic.span)?;
    let action = action_before(words, at)?;
    let values = Values::of(words, action)?;
    let is_call = values.brackets.is_some_and(|(open, _)| open == at);
    if !is_call && !values.commas.contains(&at) {
        return None;
    }
    let word = values.word.keyword();
    let usage = usage(values.word);
    let several = values.commas.iter().any(|&comma| words.token(comma + 2) == Some(Token::Equal));
    Some(match values.word {
        ActionWord::SetVar if values.equal.is_some() && several => {
            Advice::new("each `setvar` sets one variable")
        }
        ActionWord::SetVar if !is_call => Advice::new(format!("`{word} {usage}` sets a variable"))
            .fix("write it so", values.edits(words)),
        ActionWord::HttpPost => Advice::new(format!("two values: `{word} {usage}`")),
        ActionWord::HttpGet => Advice::new("one URL: `http_get URL`"),
        ActionWord::Print | ActionWord::Println | ActionWord::SerialOut | ActionWord::System => {
            Advice::new("`|` joins values").fix("replace by `|`", values.edits(words))
        }
        _ => {
            let what = if is_call { "brackets or commas" } else { "commas" };
            Advice::new(format!("values stand side by side, without {what}: `{word} {usage}`"))
                .fix(format!("remove the {what}"), values.edits(words))
        }
    })
}

/// What stands behind the word of an action.
pub(super) fn usage(word: ActionWord) -> String {
    match word {
        ActionWord::Publish => "local TOPIC DATA".into(),
        ActionWord::Subscribe | ActionWord::Unsubscribe => "local TOPIC".into(),
        ActionWord::SetVar => "$name = VALUE".into(),
        ActionWord::PinMode => "PIN output".into(),
        _ => word.usage().into(),
    }
}

/// The action a word is a value of, if the word stands on its line.
fn action_before(words: &Words<'_>, at: usize) -> Option<usize> {
    let mut action = at;
    loop {
        let before = action.checked_sub(1)?;
        if !words.is_on_line_of(action, before) {
            return None;
        }
        action = before;
        if words.token(action)?.starts_action() {
            return Some(action);
        }
    }
}

impl Values {
    fn of(words: &Words<'_>, action: usize) -> Option<Values> {
        let word = core::str::from_utf8(words.text(action)).ok()?;
        let word = ActionWord::from_keyword(word)?;
        let ends = |at: usize| {
            !words.is_on_line_of(at, at - 1)
                || words.token(at).is_none_or(|token| token.starts_action() || token.is_reserved())
        };
        let end = (action + 1..).find(|&at| ends(at))?;
        let brackets = brackets(words, action, end);
        let base = i32::from(brackets.is_some());
        let (mut depth, mut commas, mut equal) = (0, Vec::new(), None);
        for at in action + 1..end {
            match words.token(at)? {
                Token::Open => depth += 1,
                Token::Close => depth -= 1,
                Token::Comma if depth == base => commas.push(at),
                Token::Equal if commas.is_empty() => equal = Some(at),
                _ => {}
            }
        }
        Some(Values { word, brackets, commas, equal })
    }

    /// The edits that take commas and brackets away, or put what belongs there in their place.
    fn edits(&self, words: &Words<'_>) -> Vec<Edit> {
        let joins = matches!(
            self.word,
            ActionWord::Print
                | ActionWord::Println
                | ActionWord::SerialOut
                | ActionWord::HttpGet
                | ActionWord::System
        );
        // A value of its own may stand in brackets.
        let brackets = self.brackets.filter(|_| !joins);
        let mut edits = Vec::new();
        if let Some(open) = brackets.and_then(|(open, _)| words.span(open)) {
            let blank =
                if words.source.get(open.start as usize - 1) == Some(&b' ') { "" } else { " " };
            let takes_broker = matches!(
                self.word,
                ActionWord::Publish | ActionWord::Subscribe | ActionWord::Unsubscribe
            );
            let behind = brackets.and_then(|(open, _)| words.token(open + 1));
            let lacks_broker = takes_broker && !matches!(behind, Some(Token::Side(_)));
            let broker = if lacks_broker { "local " } else { "" };
            edits.push(Edit { span: open, text: format!("{blank}{broker}").into() });
        }
        for (index, &comma) in self.commas.iter().enumerate() {
            let Some(span) = words.span(comma) else { continue };
            let sets = self.word == ActionWord::SetVar;
            let sign = match index {
                0 if sets && self.equal.is_none() => " =",
                _ if sets || joins => " |",
                _ => "",
            };
            let is_blank = words.source.get(span.end as usize).is_none_or(|&byte| byte <= b' ');
            let blank = if is_blank { "" } else { " " };
            edits.push(Edit { span, text: format!("{sign}{blank}").into_bytes() });
        }
        if let Some((_, close)) = brackets
            && let Some(span) = words.span(close)
        {
            // `settimer(1, 1000);`
            let end = words.span(close + 1).filter(|_| words.text(close + 1) == b";");
            edits.push(Edit { span: end.map_or(span, |end| span.to(end)), text: Vec::new() });
        }
        edits
    }
}

/// The brackets all values stand in: `settimer(1, 1000)`.
fn brackets(words: &Words<'_>, action: usize, end: usize) -> Option<(usize, usize)> {
    let open = action + 1;
    if words.token(open) != Some(Token::Open) || open >= end {
        return None;
    }
    let mut depth = 0;
    for at in open..end {
        match words.token(at)? {
            Token::Open => depth += 1,
            Token::Close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let behind = (at + 1..end).all(|at| words.text(at) == b";");
            return behind.then_some((open, at));
        }
    }
    None
}
