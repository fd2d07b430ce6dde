//! What stands between two tokens: line ends and comments.

use alloc::vec::Vec;

/// A comment.
pub(super) struct Comment<'s> {
    /// From its `%`, without white space at its end.
    pub(super) text: &'s [u8],
    /// How many line ends come before it, behind the token or comment before.
    pub(super) lines_before: usize,
    /// White space comes before it on its line.
    pub(super) indented: bool,
}

/// White space and comments.
pub(super) struct Gap<'s> {
    pub(super) comments: Vec<Comment<'s>>,
    /// How many line ends come last, behind the last comment.
    pub(super) lines_after: usize,
    empty: bool,
}

impl<'s> Gap<'s> {
    /// What stands from `start` to `end`.
    pub(super) fn of(source: &'s [u8], start: usize, end: usize) -> Gap<'s> {
        let mut gap = Gap { comments: Vec::new(), lines_after: 0, empty: start == end };
        let mut rest = source.get(start..end).unwrap_or_default();
        let mut before = None;
        while let Some((&byte, tail)) = rest.split_first() {
            if byte != b'%' {
                gap.lines_after += usize::from(byte == b'\n');
                before = Some(byte);
                rest = tail;
                continue;
            }
            let len = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
            let text = &rest[..len];
            let blanks = text.iter().rev().take_while(|&&byte| byte <= b' ').count();
            gap.comments.push(Comment {
                text: &text[..len - blanks],
                lines_before: gap.lines_after,
                indented: before.is_some_and(|byte| byte != b'\n'),
            });
            gap.lines_after = 0;
            rest = &rest[len..];
        }
        gap
    }

    /// Nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.empty
    }

    /// The source goes to another line in it.
    pub(super) fn has_line_end(&self) -> bool {
        self.lines_after > 0 || self.comments.iter().any(|comment| comment.lines_before > 0)
    }
}
