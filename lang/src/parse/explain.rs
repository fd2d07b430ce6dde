//! Says what is wrong where the parser stops: which word it did not expect, what it would have
//! taken instead in the user's words, and what was probably meant.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use lalrpop_util::ParseError;
use umqtt_vm::Profile;

use super::expected::Expected;
use super::hint::hint;
use super::quote::{quote, shown};
use super::recover::Skip;
use crate::ast::Span;
use crate::diagnostic::{Code, Diagnostic, Edit, HINTS, LONG_TEXT};
use crate::token_stream::{BlockPart, LexError, ParserState, SpannedToken, TokenStream};
use crate::tokens::Token;

/// The diagnostic of what stopped the parser, and how much to skip.
pub(super) fn explain(
    error: ParseError<u32, Token, LexError>,
    tokens: &TokenStream<'_>,
    profile: &Profile,
) -> (Diagnostic, Skip) {
    match error {
        // An `endif` that is only implied: it is the end of the handler that is not expected.
        ParseError::UnrecognizedToken { token: (start, Token::EndIf, end), expected }
            if start == end =>
        {
            let expected = Expected::new(&expected, tokens);
            match tokens.following() {
                Some(at) => unexpected(at, &expected, tokens),
                None => (early_end(start, &expected, tokens), Skip::Statement),
            }
        }
        ParseError::UnrecognizedToken { token: (start, token, end), expected } => {
            let at = SpannedToken { token, span: Span { start, end } };
            unexpected(at, &Expected::new(&expected, tokens), tokens)
        }
        ParseError::UnrecognizedEof { location, expected } => {
            let expected = Expected::new(&expected, tokens);
            match tokens.following() {
                Some(at) => unexpected(at, &expected, tokens),
                None => (early_end(location, &expected, tokens), Skip::Statement),
            }
        }
        // The parser has no other ways to fail: tokens are never extra, and there is no lexer of
        // its own.
        ParseError::ExtraToken { token: (start, token, end) } => {
            let at = SpannedToken { token, span: Span { start, end } };
            unexpected(at, &Expected::new(&[], tokens), tokens)
        }
        ParseError::InvalidToken { location } => {
            (early_end(location, &Expected::new(&[], tokens), tokens), Skip::Statement)
        }
        ParseError::User { error } => fault(error, tokens, profile),
    }
}

/// What the token stream itself refuses.
pub(super) fn fault(
    fault: LexError,
    tokens: &TokenStream<'_>,
    profile: &Profile,
) -> (Diagnostic, Skip) {
    if fault.code == Code::UnclosedString {
        let quote = Span { start: fault.span.start, end: fault.span.start + 1 };
        let diagnostic =
            Diagnostic::new(Code::UnclosedString, quote, "this string is never closed").hinted(
                |diagnostic| {
                    let diagnostic = diagnostic
                        .help("end it with `\"`; a `\"` inside a string is written `\\\"`");
                    match tokens.long_string {
                        Some(long) => diagnostic.related(long, LONG_TEXT),
                        None => diagnostic,
                    }
                },
            );
        return (diagnostic, Skip::Statement);
    }
    let diagnostic = Diagnostic::new(
        Code::NestedTooDeep,
        fault.span,
        format!("nested deeper than the {} levels there may be", profile.nesting),
    )
    .hinted(|it| it.help("`if`, `while` and brackets count; compute a part before, with `setvar`"));
    let bracket = tokens.last.is_some_and(|last| last.token == Token::Open);
    (diagnostic, if bracket { Skip::Action } else { Skip::Statement })
}

/// A word that cannot stand where it stands.
fn unexpected(
    at: SpannedToken,
    expected: &Expected<'_>,
    tokens: &TokenStream<'_>,
) -> (Diagnostic, Skip) {
    // A value right behind an operator is refused only where that operator had to be the value: `$x
    // == 1`.
    if let Some(operator) = tokens.before_last.filter(|before| before.token.is_operator())
        && at.token.starts_value()
        && expected.ends_expression()
    {
        return unexpected(operator, &Expected::A_VALUE, tokens);
    }
    let source = tokens.source();
    let word = shown(at.span.of(source));
    let cut = at.token.starts_statement();
    if at.token.is_reserved() && expected.value() && !(cut && tokens.starts_statement(at)) {
        return reserved(at, &word, tokens);
    }
    if let Some(message) = unopened(at, &word, expected, tokens) {
        return (Diagnostic::new(Code::UnexpectedWord, at.span, message), Skip::Action);
    }
    if let Some(diagnostic) = missing_opener(at, expected, tokens) {
        return (diagnostic, Skip::Action);
    }
    let message = if tokens.state == ParserState::ConfigEnd {
        format!("unexpected `{word}` behind the value of a `config` line")
    } else {
        format!("unexpected `{word}`{}", expected.in_words())
    };
    let mut diagnostic = Diagnostic::new(Code::UnexpectedWord, at.span, message);
    let in_condition = tokens.blocks.last().is_some_and(|block| block.part == BlockPart::Condition);
    if at.token.is_reserved() || (in_condition && at.token.starts_action()) {
        diagnostic = name_open_block(diagnostic, expected, tokens);
    }
    let diagnostic = match HINTS.then(|| hint(at, expected, tokens)).flatten() {
        Some(hint) => hint.add_to(diagnostic),
        None => diagnostic,
    };
    (diagnostic, Skip::Action)
}

/// A `do` or `then` that the line before should have ended with; reported there.
fn missing_opener(
    at: SpannedToken,
    expected: &Expected<'_>,
    tokens: &TokenStream<'_>,
) -> Option<Diagnostic> {
    let word = match (expected.lists("DO"), expected.lists("THEN")) {
        (true, _) => "do",
        (_, true) => "then",
        _ => return None,
    };
    if !at.token.starts_action() && !tokens.is_first_on_line(at.span) {
        return None;
    }
    let before = tokens.before_last?.span;
    let behind = Span { start: before.end, end: before.end };
    let diagnostic = Diagnostic::new(
        Code::UnexpectedWord,
        before,
        format!("`{word}` is missing behind `{}`", shown(before.of(tokens.source()))),
    );
    Some(diagnostic.hinted(|it| {
        let edit = Edit { span: behind, text: format!(" {word}").into_bytes() };
        it.fix(format!("add `{word}`"), Vec::from([edit]))
    }))
}

/// `print then`
fn reserved(at: SpannedToken, word: &str, tokens: &TokenStream<'_>) -> (Diagnostic, Skip) {
    let diagnostic = Diagnostic::new(
        Code::ReservedWord,
        at.span,
        format!("`{word}` is a reserved word and cannot be a value"),
    );
    let structural = match at.token {
        Token::If | Token::While => tokens.is_first_on_line(at.span),
        Token::On | Token::Config => false,
        Token::Do if tokens.state == ParserState::Event => true,
        _ => belongs_to_block(at.token, tokens),
    };
    if structural {
        let diagnostic = diagnostic.hinted(|it| {
            it.help(format!("a value is missing before it; a text would be written `\"{word}\"`"))
        });
        return (diagnostic, Skip::Action);
    }
    let diagnostic = diagnostic.hinted(|it| {
        it.help(format!("put quotes around it: `\"{word}\"`"))
            .fix("quote it", quote(tokens.source(), at.span))
    });
    (diagnostic, Skip::Value)
}

/// Whether a reserved word continues or ends the innermost open block.
fn belongs_to_block(token: Token, tokens: &TokenStream<'_>) -> bool {
    tokens.blocks.last().is_some_and(|block| match token {
        Token::Then => !block.is_while && block.part == BlockPart::Condition,
        Token::Do => block.is_while && block.part == BlockPart::Condition,
        Token::Else | Token::ElseIf | Token::EndIf => {
            !block.is_while && block.part != BlockPart::Condition
        }
        Token::Done => block.is_while && block.part != BlockPart::Condition,
        _ => false,
    })
}

/// `endif` without `if`, `)` without `(`
fn unopened(
    at: SpannedToken,
    word: &str,
    expected: &Expected<'_>,
    tokens: &TokenStream<'_>,
) -> Option<String> {
    let opener = match at.token {
        Token::Else | Token::ElseIf | Token::EndIf => "if",
        Token::Done => "while",
        Token::Close if !expected.wants("CLOSE") && !expected.value() => "(",
        _ => return None,
    };
    let is_open = tokens.blocks.iter().any(|block| block.is_while == (opener == "while"));
    let is_open = is_open && opener != "(";
    if is_open || tokens.state != ParserState::Actions || !expected.action() {
        return None;
    }
    Some(format!("`{word}` without an open `{opener}`"))
}

/// The script ends, but not its last statement.
fn early_end(location: u32, expected: &Expected<'_>, tokens: &TokenStream<'_>) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::UnexpectedEnd,
        Span { start: location, end: location },
        format!("the script ends in the middle of a statement{}", expected.in_words()),
    );
    name_open_block(diagnostic, expected, tokens)
}

/// Shows where the `if` or `while` was opened whose end is missing.
fn name_open_block(
    diagnostic: Diagnostic,
    expected: &Expected<'_>,
    tokens: &TokenStream<'_>,
) -> Diagnostic {
    diagnostic.hinted(|diagnostic| {
        let ends = ["THEN", "DO", "ENDIF", "DONE"].iter().any(|name| expected.wants(name));
        match tokens.blocks.last() {
            Some(block) if ends => {
                let word = if block.is_while { "while" } else { "if" };
                diagnostic.related(block.opened, format!("this `{word}` is still open"))
            }
            _ => diagnostic,
        }
    })
}
