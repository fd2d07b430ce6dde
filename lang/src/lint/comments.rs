//! A `%` that was meant as an operator or as a sign, and begins a comment (W0023).

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use logos::Logos;
use umqtt_vm::parse_number;

use crate::ast::{ActionWord, Span};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::lexer::Lexeme;
use crate::tokens::{Token, of_punctuation, of_word};

/// W0023. Looks at tokens only, so it also helps where the script does not parse because of the
/// comment.
pub(crate) fn check(source: &[u8], found: &mut Vec<Diagnostic>) {
    let mut end = 0;
    let mut before: Option<(Token, Span)> = None;
    // The two tokens before that one, the nearer one first.
    let mut further: [Option<Token>; 2] = [None; 2];
    let mut lexer = Lexeme::lexer(source);
    loop {
        let lexeme = lexer.next();
        let range = lexer.span();
        let next = if lexeme.is_some() { range.start } else { source.len() };
        if let Some(last) = before {
            found.extend(comment(source, end, next, last, further));
        }
        let Some(lexeme) = lexeme else { return };
        let slice = lexer.slice();
        let token = match lexeme {
            Ok(Lexeme::Punctuation) => of_punctuation(slice[0]),
            Ok(Lexeme::String) | Ok(Lexeme::Unclosed) => Token::String,
            Ok(Lexeme::Word) | Err(()) => of_word(slice, lexer.remainder()),
        };
        further = [before.map(|(token, _)| token), further[0]];
        before = Some((token, Span::new(range.start, range.end)));
        end = range.end;
    }
}

/// The comment that begins on the line of the token before it, if it looks like a part of an
/// expression. `further` are the two tokens before that one.
fn comment(
    source: &[u8],
    start: usize,
    end: usize,
    (token, span): (Token, Span),
    [further, furthest]: [Option<Token>; 2],
) -> Option<Diagnostic> {
    let gap = source.get(start..end)?;
    let percent = start + gap.iter().position(|&byte| byte == b'%')?;
    if source[start..percent].contains(&b'\n') {
        return None;
    }
    let text = source[percent + 1..end].split(|&byte| byte == b'\n').next().unwrap_or_default();
    let sign = Span::new(percent, percent + 1);
    let word = span.of(source);
    let is_number = word.iter().all(u8::is_ascii_digit);
    let diagnostic = |message: &str| Diagnostic::new(Code::SwallowedByComment, sign, message);
    if percent == start && is_number && !looks_like_operand(text) {
        let diagnostic = diagnostic("this `%` begins a comment and is no part of the value");
        let number = core::str::from_utf8(word).ok()?;
        let whole = Span { start: span.start, end: sign.end };
        if furthest == Some(Token::NumberedAction(ActionWord::Pwm)) {
            let diagnostic = diagnostic.help("the duty cycle is given per mille, from 0 to 1000");
            let meant = parse_number(word).saturating_mul(10);
            return Some(match meant {
                0..=1000 => diagnostic.fix(
                    format!("write `{meant}`"),
                    vec![Edit { span: whole, text: format!("{meant}").into_bytes() }],
                ),
                _ => diagnostic,
            });
        }
        let diagnostic =
            diagnostic.help(format!("a percent sign stands in quotes: `\"{number}%\"`"));
        let is_text = matches!(further, Some(Token::UnaryAction(_)))
            || matches!(further, Some(Token::Sign(crate::ast::Operator::Join)));
        return Some(match is_text {
            true => diagnostic.fix("quote it", crate::parse::quote(source, whole)),
            false => diagnostic,
        });
    }
    let may_be_operand =
        is_number || matches!(token, Token::Variable(_) | Token::Flash | Token::Close);
    if !may_be_operand || !looks_like_operand(text) {
        return None;
    }
    let blank = |byte: Option<&u8>| byte.is_some_and(|&byte| byte <= b' ');
    let mut replaced = Vec::new();
    if percent == start {
        replaced.push(b' ');
    }
    replaced.extend_from_slice(b"mod");
    if !blank(source.get(percent + 1)) {
        replaced.push(b' ');
    }
    let mut edits = vec![Edit { span: sign, text: replaced }];
    // Chains group from the right: with other operators beside it the remainder needs brackets.
    let (operand, goes_on) = first_word(text);
    let is_between = further.is_some_and(Token::is_operator) || goes_on;
    if is_between && token != Token::Close && operand > 0 {
        let at = |offset: usize, text: &[u8]| Edit {
            span: Span::new(offset, offset),
            text: text.to_vec(),
        };
        edits.insert(0, at(span.start as usize, b"("));
        edits.push(at(percent + 1 + operand, b")"));
    }
    let diagnostic = diagnostic("this `%` begins a comment that goes on to the end of the line");
    // A number that is written out is not computed: `gpio_pwm 4 % 500`.
    let is_written_out = matches!(
        further,
        Some(Token::NumberedAction(_) | Token::NumberedEvent(_) | Token::PinMode)
    );
    if is_written_out {
        return Some(diagnostic);
    }
    Some(
        diagnostic
            .help("the remainder of a division is computed by `mod`")
            .fix("replace by `mod`", edits),
    )
}

/// Where the first word of a text ends, and whether an operator follows; 0 if it does not begin
/// with a word.
fn first_word(text: &[u8]) -> (usize, bool) {
    let mut lexer = Lexeme::lexer(text);
    let Some(Ok(Lexeme::Word)) = lexer.next() else { return (0, false) };
    let end = lexer.span().end;
    let goes_on = match lexer.next() {
        Some(Ok(Lexeme::Punctuation)) => of_punctuation(lexer.slice()[0]).is_operator(),
        Some(Ok(Lexeme::Word)) => of_word(lexer.slice(), lexer.remainder()).is_operator(),
        _ => false,
    };
    (end, goes_on)
}

/// Whether a comment reads like the rest of an expression: one value, and then nothing, an operator
/// or the word that follows a condition. A sentence goes on with another word.
fn looks_like_operand(text: &[u8]) -> bool {
    let mut lexer = Lexeme::lexer(text);
    let mut first = lexer.next();
    let in_brackets = lexer.slice() == b"(";
    if in_brackets {
        first = lexer.next();
    }
    let Some(Ok(Lexeme::Word)) = first else { return false };
    let is_value = matches!(lexer.slice(), [b'$' | b'@', _, ..])
        || lexer.slice().iter().all(u8::is_ascii_digit);
    if !is_value || in_brackets {
        return is_value;
    }
    match lexer.next() {
        None => true,
        Some(Ok(Lexeme::Punctuation)) => lexer.slice() != b"(" && lexer.slice() != b",",
        Some(Ok(Lexeme::Word)) => {
            let token = of_word(lexer.slice(), lexer.remainder());
            token.is_operator() || matches!(token, Token::Then | Token::Do)
        }
        _ => false,
    }
}
