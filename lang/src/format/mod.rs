//! The formatter: one way to lay a script out, four spaces for each level, one action on a line.
//!
//! It moves words, it never changes them: literals keep their spelling, comments stay with the line
//! they belong to, and one blank line stays where there were any. It works on the tokens and what
//! stands between them; the tree is only needed for which words start actions, since most keywords
//! may also be values. The formatted script has the same tokens, so it compiles to the same image,
//! and is its own formatting.

mod gap;
mod line;
mod negatives;

use alloc::vec::Vec;

use umqtt_vm::Profile;

use crate::ast::{Action, ActionKind, Span, Statement};
use crate::diagnostic::Diagnostic;
use crate::parse;
use crate::token_stream::TokenStream;
use crate::tokens::Token;
use gap::{Comment, Gap};
use line::{Line, Piece};

/// Lays a script out.
///
/// ```
/// use umqtt_lang::{format, umqtt_vm::Profile};
///
/// let script = format(b"on init do println 1", &Profile::DESKTOP).expect("is right");
/// assert_eq!(script, b"on init do\n    println 1\n");
/// ```
///
/// # Errors
/// What is wrong with the script, if it does not parse: then there is nothing to go by.
pub fn format(source: &[u8], profile: &Profile) -> Result<Vec<u8>, Vec<Diagnostic>> {
    let crate::Parsed { statements, errors: wrong } = parse(source, profile);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut printer = Printer::new(source, action_starts(&statements));
    printer.negatives = negatives::starts(source, &statements);
    let mut tokens = TokenStream::verbatim(source, profile.nesting);
    while tokens.begin() {
        for token in tokens.by_ref() {
            // The parser has been here before and found nothing wrong.
            let Ok((start, token, end)) = token else { break };
            printer.token(token, Span { start, end });
        }
    }
    Ok(printer.finish())
}

/// Where actions start, in the order of the source.
fn action_starts(statements: &[Statement]) -> Vec<u32> {
    let mut starts = Vec::new();
    for statement in statements {
        if let Statement::On(clause) = statement {
            note_actions(&clause.actions, &mut starts);
        }
    }
    starts
}

/// As deep as `if` and `while` nest, which the parser has limited.
fn note_actions(actions: &[Action], starts: &mut Vec<u32>) {
    for action in actions {
        starts.push(action.span.start);
        match &action.kind {
            ActionKind::If { branches, otherwise } => {
                for branch in branches {
                    note_actions(&branch.actions, starts);
                }
                if let Some(actions) = otherwise {
                    note_actions(actions, starts);
                }
            }
            ActionKind::While(branch) => note_actions(&branch.actions, starts),
            _ => {}
        }
    }
}

/// Where a token goes.
enum Position {
    /// At the start of a line of this level.
    Line(usize),
    /// The same, as the end of a block or of a part of one.
    Closer(usize),
    /// The same, as the start of a statement.
    Statement,
    /// At the end of a line that opens a block: comments before it go behind it.
    Opener,
    /// Behind the token before.
    Join,
}

struct Printer<'s> {
    source: &'s [u8],
    out: Vec<u8>,
    line: Line<'s>,
    /// Where the rest of the actions start.
    starts: alloc::vec::IntoIter<u32>,
    next_start: Option<u32>,
    /// Where negative literals start, in order.
    negatives: Vec<u32>,
    /// End of the last token.
    end: usize,
    last: Option<Token>,
    /// Open `if` and `while`.
    level: usize,
    /// In a handler, not a `config` line.
    in_handler: bool,
    /// The last line opened a block and nothing has come since.
    opened: bool,
    /// Comments that wait for the end of an opening line.
    held: Vec<Comment<'s>>,
}

impl<'s> Printer<'s> {
    fn new(source: &'s [u8], starts: Vec<u32>) -> Printer<'s> {
        let mut starts = starts.into_iter();
        Printer {
            source,
            out: Vec::with_capacity(source.len() + source.len() / 4),
            line: Line::new(0),
            next_start: starts.next(),
            negatives: Vec::new(),
            starts,
            end: 0,
            last: None,
            level: 0,
            in_handler: false,
            opened: false,
            held: Vec::new(),
        }
    }

    /// Where the token goes, by what it is.
    fn place(&mut self, token: Token, start: u32) -> Position {
        if self.next_start == Some(start) {
            self.next_start = self.starts.next();
            let level = 1 + self.level;
            self.level += usize::from(matches!(token, Token::If | Token::While));
            return Position::Line(level);
        }
        match token {
            token if token.starts_statement() => {
                self.level = 0;
                Position::Statement
            }
            Token::Else | Token::ElseIf => Position::Closer(self.level),
            Token::EndIf | Token::Done => {
                self.level = self.level.saturating_sub(1);
                Position::Closer(self.level + 1)
            }
            Token::Do | Token::Then => Position::Opener,
            _ => Position::Join,
        }
    }

    fn token(&mut self, token: Token, span: Span) {
        if token == Token::Negative && self.negatives.binary_search(&span.start).is_err() {
            let digits = Span { start: span.start + 1, ..span };
            self.token(Token::Minus, Span { end: digits.start, ..span });
            return self.token(Token::Word, digits);
        }
        let gap = Gap::of(self.source, self.end, span.start as usize);
        let place = self.place(token, span.start);
        let piece = Piece::token(span.of(self.source), self.last, token, gap.has_line_end());
        match place {
            Position::Line(level) => {
                self.own_lines(gap.comments, Some(level));
                self.start_line(level, gap.lines_after, self.opened);
            }
            Position::Closer(level) => {
                self.own_lines(gap.comments, Some(level + 1));
                self.start_line(level, 0, true);
            }
            Position::Statement => {
                self.own_lines(gap.comments, None);
                self.start_line(0, gap.lines_after, false);
                self.in_handler = token == Token::On;
            }
            Position::Opener => self.held.extend(gap.comments),
            Position::Join => {
                for comment in gap.comments {
                    self.line.push(Piece::comment(comment.text, comment.lines_before > 0));
                }
            }
        }
        self.line.push(piece);
        self.opened = matches!(token, Token::Do | Token::Then | Token::Else);
        self.last = Some(token);
        self.end = span.end as usize;
    }

    /// Comments between lines. The first may belong to the line before. With `None` for their level
    /// they stand between statements: those that were indented belong to the handler before, up to
    /// the first that was not.
    fn own_lines(&mut self, comments: Vec<Comment<'s>>, level: Option<usize>) {
        let mut in_body = self.in_handler;
        let all = core::mem::take(&mut self.held).into_iter().chain(comments);
        for (at, comment) in all.enumerate() {
            if at == 0 && comment.lines_before == 0 && !self.line.is_empty() {
                self.line.push(Piece::comment(comment.text, false));
                continue;
            }
            in_body &= comment.indented;
            let level = level.unwrap_or(if in_body { 1 } else { 0 });
            self.start_line(level, comment.lines_before, self.opened && level > 0);
            self.line.push(Piece::comment(comment.text, false));
            self.opened = false;
        }
    }

    /// Ends the line, and starts one behind as many line ends as the source had.
    fn start_line(&mut self, level: usize, lines: usize, tight: bool) {
        self.line.write(&mut self.out);
        if lines > 1 && !tight && !self.out.is_empty() {
            self.out.push(b'\n');
        }
        self.line = Line::new(level);
    }

    fn finish(mut self) -> Vec<u8> {
        let gap = Gap::of(self.source, self.end, self.source.len());
        let dangling = gap.is_empty() && ends_in_escape(self.source);
        self.own_lines(gap.comments, None);
        self.line.write(&mut self.out);
        // A script that ends in a lone backslash must not get a line end for it to escape.
        if dangling {
            self.out.pop();
        }
        self.out
    }
}

/// Ends in a `\` that escapes nothing.
fn ends_in_escape(source: &[u8]) -> bool {
    source.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1
}
