//! Negative numbers behind a topic or a URL, where the sign subtracts.

use alloc::format;
use alloc::vec;

use super::Advice;
use super::words::Words;
use crate::diagnostic::{Diagnostic, Edit};
use crate::tokens::Token;

/// `publish local a/b -5`, of which the data is missed behind the line.
pub(super) fn advice(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let at = words.from(diagnostic.span.start);
    // What begins the next line may have been read as the data.
    let digits = [at.checked_sub(1), at.checked_sub(2)]
        .into_iter()
        .flatten()
        .find(|&last| words.span(last + 1).is_none() || words.is_first_on_line(last + 1))?;
    let sign = digits.checked_sub(1)?;
    let first = (0..sign).rev().find(|&at| words.is_first_on_line(at))?;
    let (minus, number) = (words.span(sign)?, words.span(digits)?);
    let takes_two = matches!(words.token(first)?, Token::Publish | Token::PairAction(_));
    let is_negative = words.token(sign) == Some(Token::Minus)
        && words.text(digits).first().is_some_and(u8::is_ascii_digit)
        && minus.end == number.start
        && words.span(sign.checked_sub(1)?)?.end < minus.start;
    if !takes_two || !is_negative {
        return None;
    }
    let number = core::str::from_utf8(words.text(digits)).ok()?;
    let edit =
        Edit { span: minus.to(words.span(digits)?), text: format!("(-{number})").into_bytes() };
    let help = format!(
        "behind a value `-` subtracts: a negative number stands in brackets, `(-{number})`"
    );
    Some(Advice::new(help).fix("add the brackets", vec![edit]))
}
