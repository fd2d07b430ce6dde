//! The source as words, with the lines they stand on.

use alloc::vec::Vec;

use logos::Logos;

use crate::ast::Span;
use crate::diagnostic::Diagnostic;
use crate::lexer::Lexeme;
use crate::tokens::{Token, of_punctuation, of_word};

/// Every word of a source, in order.
pub(super) struct Words<'s> {
    pub(super) source: &'s [u8],
    all: Vec<(Token, Span)>,
}

impl<'s> Words<'s> {
    pub(super) fn of(source: &'s [u8]) -> Words<'s> {
        let mut all = Vec::new();
        let mut lexer = Lexeme::lexer(source);
        while let Some(lexeme) = lexer.next() {
            let slice = lexer.slice();
            let token = match lexeme {
                Ok(Lexeme::Punctuation) => of_punctuation(slice[0]),
                Ok(Lexeme::String | Lexeme::Unclosed) => Token::String,
                Ok(Lexeme::Word) | Err(()) => of_word(slice, lexer.remainder()),
            };
            let range = lexer.span();
            all.push((token, Span::new(range.start, range.end)));
        }
        Words { source, all }
    }

    /// Every word with its place, by its index.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, Token, Span)> {
        self.all.iter().enumerate().map(|(at, &(token, span))| (at, token, span))
    }

    /// The index of the word a span begins with.
    pub(super) fn at(&self, span: Span) -> Option<usize> {
        self.all.binary_search_by_key(&span.start, |(_, span)| span.start).ok()
    }

    /// The index of the first word at or behind an offset.
    pub(super) fn from(&self, offset: u32) -> usize {
        self.all.partition_point(|(_, span)| span.start < offset)
    }

    pub(super) fn token(&self, at: usize) -> Option<Token> {
        self.all.get(at).map(|&(token, _)| token)
    }

    pub(super) fn span(&self, at: usize) -> Option<Span> {
        self.all.get(at).map(|&(_, span)| span)
    }

    /// A word's bytes; none beyond the end.
    pub(super) fn text(&self, at: usize) -> &'s [u8] {
        self.span(at).map_or(b"", |span| span.of(self.source))
    }

    /// Whether nothing but white space stands before a word on its line.
    pub(super) fn is_first_on_line(&self, at: usize) -> bool {
        let Some(span) = self.span(at) else { return false };
        let before = &self.source[..span.start as usize];
        before.iter().rev().find(|&&byte| byte == b'\n' || byte > b' ').is_none_or(|&b| b == b'\n')
    }

    /// Whether a word follows another on the same line.
    pub(super) fn is_on_line_of(&self, at: usize, before: usize) -> bool {
        match (self.span(before), self.span(at)) {
            (Some(before), Some(span)) => {
                !Span { start: before.end, end: span.start }.of(self.source).contains(&b'\n')
            }
            _ => false,
        }
    }

    /// Where the line of a place ends, without a comment at its end.
    pub(super) fn line_end(&self, start: u32) -> u32 {
        let rest = &self.source[start as usize..];
        start + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()) as u32
    }

    /// Whether the parser wanted an action where this word stands, and it is not meant to go on
    /// with a value.
    pub(super) fn is_action_due(&self, at: usize, diagnostic: &Diagnostic) -> bool {
        diagnostic.message.contains("an action")
            && (self.is_first_on_line(at) || !diagnostic.message.contains("an operator"))
    }

    /// The bracket that is open at a word.
    pub(super) fn open_bracket(&self, at: usize) -> Option<usize> {
        let mut depth = 0;
        (0..at).rev().find(|&at| {
            match self.token(at) {
                Some(Token::Close) => depth += 1,
                Some(Token::Open) => depth -= 1,
                _ => {}
            }
            depth < 0
        })
    }

    /// What would close the innermost block that is open before a word: `endif`, `done`, or
    /// nothing.
    pub(super) fn closer(&self, at: usize) -> Option<&'static str> {
        let mut open: Vec<&'static str> = Vec::new();
        let mut before: &[u8] = b"";
        for &(token, span) in &self.all[..at.min(self.all.len())] {
            let ended = core::mem::replace(&mut before, span.of(self.source)) == b"end";
            match token {
                // `end if`
                Token::If | Token::While if ended => {}
                token if token.starts_statement() => open.clear(),
                Token::If => open.push("endif"),
                Token::While => open.push("done"),
                Token::EndIf | Token::Done => drop(open.pop()),
                _ if matches!(span.of(self.source), b"}" | b"end") => drop(open.pop()),
                _ => {}
            }
        }
        open.pop()
    }
}
