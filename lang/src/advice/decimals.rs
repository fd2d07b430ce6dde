//! Decimals with a comma: `19,5`.

use alloc::format;
use alloc::vec;

use super::Advice;
use super::words::Words;
use crate::ast::{FunctionWord, Span};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::tokens::Token;

/// What was meant, wherever an error comes of the comma.
pub(super) fn advice(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let at = words.at(diagnostic.span)?;
    let comma = match diagnostic.code {
        // `every 0,5s`: `0` is no duration. `+ 0,5h`: neither is that an offset.
        Code::BadTime => (at + 1..=at + 2).find(|&at| is_decimal(words, at))?,
        Code::UnexpectedWord if diagnostic.message.contains("takes other values") => {
            within_call(words, at)?
        }
        Code::UnexpectedWord => Some(at).filter(|&at| is_decimal(words, at))?,
        _ => return None,
    };
    if is_first_value(words, comma - 1) {
        return None;
    }
    let (whole, behind) = (words.span(comma - 1)?, words.span(comma + 1)?);
    let text = |span: Span| core::str::from_utf8(span.of(words.source)).ok();
    let (whole, decimals) = (text(whole)?, text(behind)?);
    let meant = format!("{whole}.{decimals}");
    // `1,000` may be a thousand.
    if decimals.len() == 3 && decimals.bytes().all(|byte| byte.is_ascii_digit()) && whole != "0" {
        return Some(Advice::new(format!(
            "decimals have a point: `{meant}`; thousands have no sign: `{whole}{decimals}`"
        )));
    }
    let edit = Edit { span: words.span(comma)?, text: b".".to_vec() };
    Some(
        Advice::new(format!("decimals have a point: `{meant}`"))
            .fix(format!("write `{meant}`"), vec![edit]),
    )
}

/// Whether a comma stands between digits, nothing between them, and no other comma beside.
fn is_decimal(words: &Words<'_>, comma: usize) -> bool {
    let touches = |at: usize| matches!((words.span(at), words.span(at + 1)), (Some(a), Some(b)) if a.end == b.start);
    let is_comma = |at: usize| words.token(at) == Some(Token::Comma);
    let Some(whole) = comma.checked_sub(1) else { return false };
    let digits = words.text(whole);
    let behind = words.text(comma + 1);
    let in_list = comma.checked_sub(2).is_some_and(|before| is_comma(before) && touches(before))
        || is_comma(comma + 2) && touches(comma + 1) && touches(comma + 2);
    is_comma(comma)
        && touches(whole)
        && touches(comma)
        && !in_list
        && !digits.is_empty()
        && digits.iter().all(u8::is_ascii_digit)
        && behind.first().is_some_and(u8::is_ascii_digit)
        && !behind.iter().any(|byte| b".,:/".contains(byte))
}

/// The comma in `round(21,5, 1)`, if it is the only one that can be, and the only one too many.
fn within_call(words: &Words<'_>, at: usize) -> Option<usize> {
    let open = words.open_bracket(at)?;
    let name = core::str::from_utf8(words.text(open.checked_sub(1)?)).ok()?;
    // Its bound is a whole number.
    if name == "random" {
        return None;
    }
    let takes = FunctionWord::from_keyword(name)?.usage().split(',').count();
    let (mut depth, mut given, mut decimal) = (0, 1, None);
    for at in open.. {
        match words.token(at)? {
            Token::Open => depth += 1,
            Token::Close => depth -= 1,
            Token::Comma if depth == 1 => {
                given += 1;
                if is_decimal(words, at) && decimal.replace(at).is_some() {
                    return None;
                }
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    decimal.filter(|_| given == takes + 1)
}

/// `gpio_out 12,1`, `settimer(1,1000)`: what takes a number and a value.
fn is_first_value(words: &Words<'_>, at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|at| words.token(at));
    let takes = |token| matches!(token, Some(Token::NumberedAction(_) | Token::PinMode));
    takes(before(1)) || before(1) == Some(Token::Open) && takes(before(2))
}
