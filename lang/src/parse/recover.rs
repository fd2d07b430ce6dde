//! Where to go on after an error, so that the next mistake is reported too and not the consequences
//! of this one.
//!
//! The parser is not bent: the token stream skips to the next place that is sure to start
//! something, and a fresh parser is brought there by replaying the open blocks. What it builds is
//! thrown away, because a statement with an error gives no tree. Memory does not grow with what is
//! skipped.

use crate::token_stream::{BlockPart, LexError, OpenBlock, ParserState, SpannedToken, TokenStream};
use crate::tokens::Token;

/// How much is lost to an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skip {
    /// Up to the next action, or the next word that belongs to an open block.
    Action,
    /// The same, but a reserved word the error stands at was meant as a value.
    Value,
    /// Up to the next statement.
    Statement,
}

/// Skips what is lost. True if there is more of the statement to parse, false if the next statement
/// or the end of the script has been reached; an error if that end is within a string.
pub(super) fn recover(tokens: &mut TokenStream<'_>, skip: Skip) -> Result<bool, LexError> {
    // An `endif` that is only implied stands nowhere.
    let refused = tokens.last.take().filter(|at| !at.span.is_empty());
    let stuck = refused.is_some_and(|at| Some(at.span.start) == tokens.resumed_at);
    let mut next = match refused {
        Some(at) if !stuck && skip != Skip::Value => Some(at),
        _ => tokens.pull().transpose()?,
    };
    // `end if` ends an `if` in other languages and opens none.
    if refused.is_some_and(|at| at.span.of(tokens.source()) == b"end") {
        next = match tokens.pull().transpose()? {
            Some(at) if matches!(at.token, Token::If | Token::While) => {
                tokens.pull().transpose()?
            }
            other => other,
        };
    }
    // A `then` or `do` further on belongs to an `if` or `while` that was not read as one. Where
    // that looks like `elseif`, the block is open already.
    let word = refused.map(|at| at.span.of(tokens.source())).unwrap_or_default();
    let may_open = !word.starts_with(b"el");
    let indentation = refused.map_or(0, |at| tokens.line_indentation(at.span));
    // Whether what was skipped last wants a value behind it; `$i++` does not.
    let mut is_operator = false;
    let mut goes_on = false;
    while let Some(at) = next {
        match (at.token, tokens.state) {
            (token, place) if token.starts_statement() => {
                let surely = skip == Skip::Statement
                    || matches!(place, ParserState::Start | ParserState::ConfigEnd);
                if surely || tokens.starts_statement(at) {
                    tokens.put_back(at);
                    return Ok(false);
                }
            }
            _ if skip == Skip::Statement => {}
            (Token::Do, ParserState::Event) => {
                tokens.state = ParserState::Actions;
                return resume_behind(tokens);
            }
            (token, ParserState::Event)
                if token.starts_action() && tokens.is_first_on_line(at.span) =>
            {
                tokens.state = ParserState::Actions;
                tokens.resume(at);
                return Ok(true);
            }
            // A word that begins a line further out, or no further in, than what was refused: an
            // unknown action.
            (token, ParserState::Actions)
                if refused != Some(at)
                    && token.may_be_meant_as_action()
                    && !goes_on
                    && tokens.indentation(at.span).is_some_and(|blanks| blanks <= indentation) =>
            {
                if tokens.blocks.last().is_some_and(|block| block.part == BlockPart::Condition) {
                    tokens.enter(BlockPart::Body);
                }
                tokens.resume(at);
                return Ok(true);
            }
            (_, ParserState::Actions) => {
                match among_actions(tokens, at, may_open && refused != Some(at)) {
                    ResumePoint::Nothing => {}
                    ResumePoint::Here => {
                        tokens.resume(at);
                        return Ok(true);
                    }
                    ResumePoint::Behind => return resume_behind(tokens),
                }
            }
            _ => {}
        }
        goes_on = at.token.wants_value() && !is_operator;
        is_operator = at.token.is_operator();
        next = tokens.pull().transpose()?;
    }
    Ok(false)
}

/// Whether a token is a place to go on at.
enum ResumePoint {
    Nothing,
    Here,
    Behind,
}

fn among_actions(tokens: &mut TokenStream<'_>, at: SpannedToken, may_open: bool) -> ResumePoint {
    let condition =
        tokens.blocks.last().filter(|block| block.part == BlockPart::Condition).map(|b| b.is_while);
    match at.token {
        Token::Then if condition == Some(false) => {
            tokens.enter(BlockPart::Body);
            ResumePoint::Behind
        }
        Token::Do if condition == Some(true) => {
            tokens.enter(BlockPart::Body);
            ResumePoint::Behind
        }
        Token::Then | Token::Do if may_open && condition.is_none() => {
            let is_while = at.token == Token::Do;
            let block = OpenBlock { opened: at.span, is_while, part: BlockPart::Body };
            if tokens.open(block) { ResumePoint::Behind } else { ResumePoint::Nothing }
        }
        Token::Else | Token::ElseIf | Token::EndIf | Token::Done => {
            let is_while = at.token == Token::Done;
            let open = tokens.blocks.iter().rposition(|block| block.is_while == is_while);
            let Some(open) = open else { return ResumePoint::Nothing };
            let block = &mut tokens.blocks[open];
            if block.part == BlockPart::Else && at.token != Token::EndIf {
                return ResumePoint::Nothing;
            }
            if block.part == BlockPart::Condition {
                block.part = BlockPart::Body;
            }
            tokens.blocks.truncate(open + 1);
            ResumePoint::Here
        }
        token if token.starts_action() => {
            if condition.is_some() {
                if !tokens.is_first_on_line(at.span) {
                    return ResumePoint::Nothing;
                }
                tokens.enter(BlockPart::Body);
            }
            ResumePoint::Here
        }
        _ => ResumePoint::Nothing,
    }
}

/// Goes on at the token that comes next, if it belongs to the statement.
fn resume_behind(tokens: &mut TokenStream<'_>) -> Result<bool, LexError> {
    match tokens.pull().transpose()? {
        Some(at) if at.token.starts_statement() => {
            tokens.put_back(at);
            Ok(false)
        }
        Some(at) => {
            tokens.resume(at);
            Ok(true)
        }
        None => Ok(false),
    }
}
