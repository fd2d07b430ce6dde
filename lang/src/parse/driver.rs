//! Drives the generated tables: the parser's stacks, kept as LALRPOP's own driver keeps them, but
//! grown only where there is memory, and without its error recovery (see [`super::recover`]).
//!
//! The build puts this module in the place of `lalrpop_util::state_machine` for the generated code.

use alloc::vec::Vec;

use lalrpop_util::ParseError;
pub(crate) use lalrpop_util::state_machine::{
    ErrorRecovery, ParseResult, ParserAction, ParserDefinition, SimulatedReduce, SymbolTriple,
    TokenTriple,
};

use crate::ast::Span;
use crate::budget::MemoryBudget;
use crate::diagnostic::Code;
use crate::token_stream::LexError;
use crate::tokens::Token;

/// Bytes that saying what was expected takes, and with it the diagnostic.
const EXPLAINING: usize = 4000;

/// The driver.
pub(crate) struct Parser;

impl Parser {
    /// Parses these tokens, as long as there is room for the stacks.
    pub(crate) fn drive<D, I>(
        budget: &MemoryBudget<'_>,
        mut definition: D,
        tokens: I,
    ) -> ParseResult<D>
    where
        D: ParserDefinition<Location = u32, Error = LexError, Token = Token>,
        I: Iterator<Item = Result<TokenTriple<D>, ParseError<u32, Token, LexError>>>,
    {
        let mut states = Vec::new();
        let mut symbols = Vec::new();
        let mut last = definition.start_location();
        grow(budget, &mut states, last)?;
        states.push(definition.start_state());
        let mut second = None;
        let mut tokens = tokens;
        loop {
            let (start, mut token, mut end) = match second.take() {
                Some(token) => token,
                None => match tokens.next() {
                    Some(token) => token?,
                    None => break,
                },
            };
            if matches!(token, Token::Negative) {
                token = Token::Word;
                if is_subtraction(budget, &definition, &states, start)? {
                    second = Some((start + 1, Token::Word, end));
                    (token, end) = (Token::Minus, start + 1);
                }
            }
            // What it takes on the stacks at most: an empty list of actions, and itself.
            if !budget.grow(&mut states, 2)
                || !budget.grow(&mut symbols, 2)
                || !budget.has_token(end.saturating_sub(start) as usize)
            {
                return Err(no_memory(start));
            }
            let Some(index) = definition.token_to_index(&token) else {
                return Err(unrecognized(
                    budget,
                    &definition,
                    &states,
                    Some((start, token, end)),
                    last,
                ));
            };
            last = end;
            loop {
                grow(budget, &mut states, start)?;
                grow(budget, &mut symbols, start)?;
                // There is always a state on the stack.
                let Some(&top) = states.last() else { return Err(no_memory(start)) };
                let action = definition.action(top, index);
                if let Some(state) = action.as_shift() {
                    states.push(state);
                    symbols.push((start, definition.token_to_symbol(index, token), end));
                    break;
                }
                let Some(rule) = action.as_reduce() else {
                    let token = Some((start, token, end));
                    return Err(unrecognized(budget, &definition, &states, token, last));
                };
                if let Some(done) = definition.reduce(rule, Some(&start), &mut states, &mut symbols)
                {
                    return match done {
                        Ok(_) => Err(ParseError::ExtraToken { token: (start, token, end) }),
                        Err(error) => Err(error),
                    };
                }
            }
        }
        loop {
            grow(budget, &mut states, last)?;
            grow(budget, &mut symbols, last)?;
            let Some(&top) = states.last() else { return Err(no_memory(last)) };
            let Some(rule) = definition.eof_action(top).as_reduce() else {
                return Err(unrecognized(budget, &definition, &states, None, last));
            };
            if let Some(done) = definition.reduce(rule, None, &mut states, &mut symbols) {
                return done;
            }
        }
    }
}

/// Whether `-5` is `-` and `5`: that is what it always was wherever these two can stand one behind
/// the other, and elsewhere it is a literal.
#[inline(never)]
fn is_subtraction<D: ParserDefinition<Location = u32, Error = LexError, Token = Token>>(
    budget: &MemoryBudget<'_>,
    definition: &D,
    states: &[D::StateIndex],
    at: u32,
) -> Result<bool, ParseError<u32, Token, LexError>> {
    let mut ahead = Vec::new();
    // Each of the two takes as much as any token.
    if !budget.grow(&mut ahead, states.len() + 4) {
        return Err(no_memory(at));
    }
    ahead.extend_from_slice(states);
    Ok([Token::Minus, Token::Word].iter().all(|token| {
        let Some(index) = definition.token_to_index(token) else { return false };
        while let Some(&top) = ahead.last() {
            let action = definition.action(top, index);
            if let Some(state) = action.as_shift() {
                ahead.push(state);
                return true;
            }
            let Some(rule) = action.as_reduce() else { return false };
            let SimulatedReduce::Reduce { states_to_pop, nonterminal_produced } =
                definition.simulate_reduce(rule)
            else {
                return false;
            };
            ahead.truncate(ahead.len().saturating_sub(states_to_pop));
            let Some(&top) = ahead.last() else { return false };
            ahead.push(definition.goto(top, nonterminal_produced));
        }
        false
    }))
}

/// Room for one more; a reduction takes no more than that.
fn grow<T, K>(
    budget: &MemoryBudget<'_>,
    list: &mut Vec<T>,
    at: u32,
) -> Result<(), ParseError<u32, K, LexError>> {
    if list.len() < list.capacity() || budget.grow(list, 1) { Ok(()) } else { Err(no_memory(at)) }
}

/// What is wrong is known to [`MemoryBudget::refused`]; who asks there does not look at this.
fn no_memory<K>(at: u32) -> ParseError<u32, K, LexError> {
    let span = Span { start: at, end: at };
    ParseError::User { error: LexError { code: Code::UnexpectedEnd, span } }
}

#[cold]
#[inline(never)]
fn unrecognized<D: ParserDefinition<Location = u32, Error = LexError>>(
    budget: &MemoryBudget<'_>,
    definition: &D,
    states: &[D::StateIndex],
    token: Option<TokenTriple<D>>,
    last: u32,
) -> ParseError<u32, D::Token, LexError> {
    // A list of names, and for each terminal a copy of the states.
    if !budget.has(EXPLAINING + 2 * states.len()) {
        return no_memory(last);
    }
    let expected = definition.expected_tokens_from_states(states);
    match token {
        Some(token) => ParseError::UnrecognizedToken { token, expected },
        None => ParseError::UnrecognizedEof { location: last, expected },
    }
}
