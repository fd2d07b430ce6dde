//! One line of output while it is put together: an action, the head of a block, or a comment.

use alloc::vec::Vec;

use crate::tokens::Token;

/// Spaces for each level.
const INDENT: usize = 4;

/// Further spaces where an action goes on on the next line.
const CONTINUATION: usize = 8;

/// A line wider than this keeps the line ends it had.
const WIDTH: usize = 100;

/// A token or a comment.
pub(super) struct Piece<'s> {
    text: &'s [u8],
    /// A space comes before it.
    space: bool,
    /// It started a line in the source.
    was_first: bool,
    /// Goes to the end of the line.
    comment: bool,
}

impl<'s> Piece<'s> {
    /// A token behind another.
    pub(super) fn token(text: &'s [u8], last: Option<Token>, token: Token, first: bool) -> Self {
        let space = !(matches!(token, Token::Close | Token::Comma)
            || last == Some(Token::Open)
            || (token == Token::Open && last.is_some_and(is_function)));
        Piece { text, space, was_first: first, comment: false }
    }

    /// A comment.
    pub(super) fn comment(text: &'s [u8], first: bool) -> Self {
        Piece { text, space: true, was_first: first, comment: true }
    }
}

fn is_function(token: Token) -> bool {
    matches!(token, Token::Function(_) | Token::Indexed(_))
}

/// The line.
pub(super) struct Line<'s> {
    level: usize,
    pieces: Vec<Piece<'s>>,
}

impl<'s> Line<'s> {
    pub(super) fn new(level: usize) -> Line<'s> {
        Line { level, pieces: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub(super) fn push(&mut self, mut piece: Piece<'s>) {
        // `, - 2` is a negative number.
        if let [.., comma, minus] = &self.pieces[..]
            && (comma.text, minus.text) == (b",", b"-")
        {
            piece.space = false;
        }
        // `on clock sunset -30m`
        if let [on, clock, .., sign] = &self.pieces[..]
            && (on.text, clock.text) == (b"on", b"clock")
            && matches!(sign.text, b"+" | b"-")
        {
            piece.space = false;
        }
        self.pieces.push(piece);
    }

    /// Writes it, with its line end; nothing where it is empty.
    pub(super) fn write(&mut self, out: &mut Vec<u8>) {
        if self.pieces.is_empty() {
            return;
        }
        let tokens = self.pieces.iter().filter(|piece| !piece.comment);
        let width: usize = tokens.map(|piece| piece.text.len() + usize::from(piece.space)).sum();
        let too_wide = self.level * INDENT + width > WIDTH;
        let indent = self.level * INDENT;
        out.resize(out.len() + indent, b' ');
        let mut behind_comment = false;
        for (at, piece) in self.pieces.drain(..).enumerate() {
            let breaks = behind_comment || (piece.was_first && (too_wide || piece.comment));
            if at > 0 && breaks {
                out.push(b'\n');
                out.resize(out.len() + indent + CONTINUATION, b' ');
            } else if at > 0 && piece.space {
                out.push(b' ');
            }
            out.extend_from_slice(piece.text);
            behind_comment = piece.comment;
        }
        out.push(b'\n');
    }
}
