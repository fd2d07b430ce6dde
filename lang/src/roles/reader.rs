//! Reads the tokens of one statement and gives each its role.
//!
//! The shape of every action stands in the tables of words; an expression goes on as long as an
//! operator follows. What is missing is read over.

use alloc::vec::Vec;

use umqtt_vm::words::{ActionOperands, ActionWord, FunctionWord, Trigger};

use super::{Access, Role, RoleSpan};
use crate::ast::Span;
use crate::literal;
use crate::tokens::Token;

/// What a text in an expression is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Texts {
    Plain,
    Topics,
}

/// See the module.
pub(super) struct Reader<'t> {
    source: &'t [u8],
    tokens: &'t [(Token, Span)],
    at: usize,
    /// Where statements start that the compiler has read.
    right: &'t [u32],
    /// It is one of these, so that every word stands where it belongs.
    is_right: bool,
    found: &'t mut Vec<RoleSpan>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(
        source: &'t [u8],
        tokens: &'t [(Token, Span)],
        right: &'t [u32],
        found: &'t mut Vec<RoleSpan>,
    ) -> Reader<'t> {
        Reader { source, tokens, at: 0, right, is_right: false, found }
    }

    /// Reads all tokens: those of a statement, and before it perhaps words that start none.
    pub(super) fn statement(mut self) {
        while let Some(token) = self.peek() {
            if token.starts_statement() {
                self.is_right = self.right.binary_search(&self.span().start).is_ok();
            }
            match token {
                Token::Config => self.config(),
                Token::Const => self.constant(),
                // As a value it would need quotes.
                Token::On if !self.starts_handler() => self.stray(),
                Token::On => self.handler(),
                _ => self.action_or_part(token),
            }
        }
    }

    fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).map(|(token, _)| *token)
    }

    fn span(&self) -> Span {
        self.tokens.get(self.at).map(|(_, span)| *span).unwrap_or_default()
    }

    /// Gives the next token a role, and goes on behind it.
    fn take(&mut self, role: Role) {
        self.found.push(RoleSpan { span: self.span(), role });
        self.at += 1;
    }

    /// Takes the next token if it is that one.
    fn take_if(&mut self, wanted: impl Fn(Token) -> bool, role: Role) -> bool {
        let is_there = self.peek().is_some_and(wanted);
        if is_there {
            self.take(role);
        }
        is_there
    }

    /// Whether the next token begins a line, so that in a statement that is wrong it was hardly
    /// meant as a value.
    fn begins_line(&self) -> bool {
        let before = self.source.get(..self.span().start as usize).unwrap_or_default();
        let line = before.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
        line.iter().all(|&byte| byte <= b' ')
    }

    /// Whether an `on` was hardly meant as a value.
    fn starts_handler(&self) -> bool {
        let next = self.tokens.get(self.at + 1).map(|(token, _)| *token);
        self.is_right || self.begins_line() || next.is_some_and(Token::starts_event)
    }

    fn config(&mut self) {
        self.take(Role::Keyword);
        self.take_if(|token| token == Token::Word, Role::Setting);
        match self.peek() {
            Some(Token::Raw) if self.span().of(self.source).first() == Some(&b'@') => {
                self.take(Role::Flash(Access::Use));
            }
            Some(Token::Raw) => self.take(Role::SettingValue),
            _ => {}
        }
    }

    fn constant(&mut self) {
        self.take(Role::Keyword);
        self.take_if(|token| matches!(token, Token::Variable(_)), Role::Variable(Access::Define));
        self.take_if(|token| token == Token::Equal, Role::Operator);
        self.expression(Texts::Plain, true);
    }

    fn handler(&mut self) {
        let is_sub = self.span().of(self.source) == b"sub";
        self.take(Role::Keyword);
        match self.peek() {
            Some(Token::SimpleEvent(_)) if is_sub => self.take(Role::Sub(Access::Define)),
            Some(Token::SimpleEvent(event)) => {
                self.take(Role::Event);
                if matches!(event, Trigger::Every | Trigger::Clock) {
                    self.time();
                }
            }
            Some(Token::NumberedEvent(_)) => {
                self.take(Role::Event);
                self.number();
                self.take_if(|token| matches!(token, Token::Pull(_)), Role::Keyword);
            }
            Some(Token::Topic) => {
                self.take(Role::Event);
                self.take_if(|token| matches!(token, Token::Side(_)), Role::Keyword);
                self.expression(Texts::Topics, true);
            }
            _ => {}
        }
        while let Some(token) = self.peek() {
            match token {
                Token::Do => return self.take(Role::Keyword),
                token if token.starts_action() && self.begins_line() => return,
                token if token.starts_statement() => return,
                _ => self.stray(),
            }
        }
    }

    /// `10s`, `06:30 + 30m weekdays`
    fn time(&mut self) {
        while let Some(token) = self.peek() {
            match token {
                Token::Do => return,
                Token::Minus | Token::Sign(_) => self.take(Role::Operator),
                Token::Variable(None) => self.take(Role::Variable(Access::Use)),
                // The sign of an offset.
                Token::Negative => self.negative(Role::Time),
                token if token.is_reserved() || self.begins_line() => return,
                _ => self.take(Role::Time),
            }
        }
    }

    /// The sign and what is behind it, each for itself.
    fn negative(&mut self, behind: Role) {
        let span = self.span();
        let sign = Span { start: span.start, end: span.start + 1 };
        self.found.push(RoleSpan { span: sign, role: Role::Operator });
        let digits = Span { start: span.start + 1, end: span.end };
        self.found.push(RoleSpan { span: digits, role: behind });
        self.at += 1;
    }

    /// An action, or a part of an `if` or `while`.
    fn action_or_part(&mut self, token: Token) {
        match token {
            Token::If | Token::While | Token::ElseIf => {
                self.take(Role::Keyword);
                self.expression(Texts::Plain, true);
                self.take_if(|token| matches!(token, Token::Then | Token::Do), Role::Keyword);
            }
            Token::Else | Token::EndIf | Token::Done | Token::Then | Token::Do => {
                self.take(Role::Keyword);
            }
            token if token.starts_action() => self.action(),
            _ => self.stray(),
        }
    }

    fn action(&mut self) {
        let Some(word) = ActionWord::from_bytes(self.span().of(self.source)) else {
            return self.stray();
        };
        self.take(Role::Action(word));
        match word.operands() {
            ActionOperands::Value => self.expression(Texts::Plain, true),
            ActionOperands::Pair => {
                self.expression(Texts::Plain, true);
                let is_comma = self.take_if(|token| token == Token::Comma, Role::Punctuation);
                self.expression(Texts::Plain, is_comma);
            }
            ActionOperands::Numbered => {
                self.number();
                self.expression(Texts::Plain, true);
            }
            ActionOperands::Filter => {
                self.side();
                self.expression(Texts::Topics, true);
            }
            ActionOperands::Message => {
                self.side();
                self.expression(Texts::Topics, true);
                self.expression(Texts::Plain, false);
                self.take_if(|token| token == Token::Retained, Role::Keyword);
            }
            ActionOperands::Assignment => {
                match self.peek() {
                    Some(Token::Variable(None)) => self.take(Role::Variable(Access::Set)),
                    Some(Token::Flash) => self.take(Role::Flash(Access::Set)),
                    _ => {}
                }
                self.take_if(|token| token == Token::Equal, Role::Operator);
                self.expression(Texts::Plain, true);
            }
            ActionOperands::PinMode => {
                self.number();
                self.take_if(|token| matches!(token, Token::Mode(_)), Role::Keyword);
                self.take_if(|token| matches!(token, Token::Pull(_)), Role::Keyword);
            }
            ActionOperands::Name => {
                let is_name = |token: Token| token.is_name() || matches!(token, Token::Function(_));
                if self.is_right || !self.begins_line() {
                    self.take_if(is_name, Role::Sub(Access::Use));
                }
            }
        }
    }

    fn side(&mut self) {
        self.take_if(|token| matches!(token, Token::Side(_)), Role::Keyword);
    }

    /// The number of a timer or a pin, perhaps in quotes or a constant.
    fn number(&mut self) {
        match self.peek() {
            Some(Token::Variable(_)) => self.take(Role::Variable(Access::Use)),
            Some(Token::Minus) => {
                self.take(Role::Operator);
                self.take_if(|token| token == Token::Word, Role::Number);
            }
            Some(Token::Word | Token::String | Token::Negative) => self.take(Role::Number),
            _ => {}
        }
    }

    /// An expression: values with operators between them. Where `takes_operators`, an operator in
    /// the place of its first value is a text.
    fn expression(&mut self, texts: Texts, takes_operators: bool) {
        // Open brackets, each with what the texts in it are.
        let mut open: Vec<Texts> = Vec::new();
        let mut takes_operators = takes_operators;
        loop {
            let here = open.last().copied().unwrap_or(texts);
            // A value is due.
            let Some(token) = self.peek() else { return };
            let is_action = token.starts_action() && !self.is_right && self.begins_line();
            match token {
                _ if is_action => return,
                Token::Open => {
                    self.take(Role::Punctuation);
                    open.push(here);
                    takes_operators = true;
                    continue;
                }
                Token::Function(word) | Token::Indexed(word) => {
                    self.take(Role::Function(word));
                    if self.take_if(|token| token == Token::Open, Role::Punctuation) {
                        let is_topic = word == FunctionWord::Retained;
                        open.push(if is_topic { Texts::Topics } else { Texts::Plain });
                        takes_operators = true;
                    }
                    continue;
                }
                token if token.is_operator() && takes_operators => self.take(Role::Text),
                Token::Close | Token::Comma if !open.is_empty() => {}
                token if token.starts_value() || token.is_name() => self.value(token, here),
                _ => return,
            }
            takes_operators = true;
            // Behind a value.
            loop {
                let Some(token) = self.peek() else { return };
                match token {
                    Token::Close if open.pop().is_some() => self.take(Role::Punctuation),
                    Token::Comma if !open.is_empty() => {
                        self.take(Role::Punctuation);
                        break;
                    }
                    Token::Negative => self.negative(Role::Number),
                    token if token.is_operator() => {
                        self.take(Role::Operator);
                        break;
                    }
                    _ => return,
                }
            }
        }
    }

    /// A literal or a variable.
    fn value(&mut self, token: Token, texts: Texts) {
        let text = if texts == Texts::Topics { Role::Topic } else { Role::Text };
        let raw = self.span().of(self.source);
        self.take(match token {
            Token::Variable(Some(special)) => Role::Special(special),
            Token::Variable(None) => Role::Variable(Access::Use),
            Token::Flash => Role::Flash(Access::Use),
            Token::Hex => Role::Hex,
            Token::Negative => Role::Number,
            Token::Word if texts == Texts::Plain && is_number(raw) => Role::Number,
            _ => text,
        });
    }

    /// A word that is not in its place has the role it can have anywhere.
    fn stray(&mut self) {
        match self.peek() {
            Some(Token::String) => self.take(Role::Text),
            Some(Token::Variable(Some(special))) => self.take(Role::Special(special)),
            Some(Token::Variable(None)) => self.take(Role::Variable(Access::Use)),
            Some(Token::Flash) => self.take(Role::Flash(Access::Use)),
            Some(Token::Hex) => self.take(Role::Hex),
            Some(Token::Negative) => self.take(Role::Number),
            Some(Token::Open | Token::Close | Token::Comma) => self.take(Role::Punctuation),
            Some(token) if token.is_operator() => self.take(Role::Operator),
            Some(Token::Function(word) | Token::Indexed(word)) => self.take(Role::Function(word)),
            _ => self.take(Role::Stray),
        }
    }
}

/// Digits, with decimals perhaps.
fn is_number(word: &[u8]) -> bool {
    let mut parts = word.splitn(2, |&byte| byte == b'.');
    let is_digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    literal::number(word).is_some()
        || parts.next().is_some_and(is_digits) && parts.next().is_none_or(is_digits)
}
