//! Edits that take an action away.

use alloc::vec::Vec;

use crate::ast::{OnClause, Span};
use crate::diagnostic::Edit;

/// Takes an action away; the whole handler, if that does nothing else and holds no comment.
pub(super) fn of_action(source: &[u8], clause: &OnClause, action: Span) -> Edit {
    let is_all = clause.actions.len() == 1 && !clause.span.of(source).contains(&b'%');
    removal(source, if is_all { clause.span } else { action })
}

/// Takes something away, with its line if it is all of that.
pub(super) fn removal(source: &[u8], span: Span) -> Edit {
    let (before, behind) = (&source[..span.start as usize], &source[span.end as usize..]);
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r');
    let indent = before.iter().rev().take_while(is_blank).count();
    let blanks = behind.iter().take_while(is_blank).count();
    let is_first = before.len() == indent || before[before.len() - indent - 1] == b'\n';
    let (mut start, mut end) = (span.start as usize, span.end as usize + blanks);
    if is_first && behind.get(blanks).is_none_or(|byte| *byte == b'\n') {
        start -= indent;
        end = (end + 1).min(source.len());
    }
    Edit { span: Span::new(start, end), text: Vec::new() }
}
