//! Applying the changes diagnostics propose, over and over until nothing proposes any: mending one
//! thing may bring up another.

use std::collections::BTreeMap;

use umqtt_lang::diagnostic::{Diagnostic, Edit, Severity};

/// Most rounds of checking and mending. Each round applies every fix that does not touch another,
/// so that real scripts need two or three.
const ROUNDS: usize = 32;

/// What became of a script.
pub(crate) struct Fixed {
    /// The text with the fixes applied.
    pub(crate) source: Vec<u8>,
    /// How many were applied.
    pub(crate) applied: usize,
    /// The diagnostics that are left of that text.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Mends a script as far as its diagnostics know how. A round that would bring errors the text did
/// not have is not taken.
pub(crate) fn fix(source: &[u8], mut check: impl FnMut(&[u8]) -> Vec<Diagnostic>) -> Fixed {
    let mut fixed = Fixed { source: source.to_vec(), applied: 0, diagnostics: check(source) };
    for _ in 0..ROUNDS {
        let (next, applied) = apply(&fixed.source, &fixed.diagnostics);
        if applied == 0 || next == fixed.source {
            break;
        }
        let diagnostics = check(&next);
        if errors(&diagnostics) > errors(&fixed.diagnostics) {
            break;
        }
        fixed = Fixed { source: next, applied: fixed.applied + applied, diagnostics };
    }
    fixed
}

fn errors(diagnostics: &[Diagnostic]) -> usize {
    diagnostics.iter().filter(|found| found.severity() == Severity::Error).count()
}

/// One round: the text with every fix that does not touch one taken before it, and how many those
/// were.
fn apply(source: &[u8], diagnostics: &[Diagnostic]) -> (Vec<u8>, usize) {
    // By start: so whatever could touch a new edit is its neighbour.
    let mut taken: BTreeMap<usize, &Edit> = BTreeMap::new();
    let mut applied = 0;
    for fix in diagnostics.iter().filter_map(|found| found.fix.as_ref()) {
        if !fix.edits.is_empty() && sound(&fix.edits, source.len()) && free(&fix.edits, &taken) {
            taken.extend(fix.edits.iter().map(|edit| (edit.span.start as usize, edit)));
            applied += 1;
        }
    }
    let mut out = Vec::with_capacity(source.len() + 64);
    let mut at = 0;
    for (start, edit) in taken {
        out.extend_from_slice(&source[at..start]);
        out.extend_from_slice(&edit.text);
        at = edit.span.end as usize;
    }
    out.extend_from_slice(&source[at..]);
    (out, applied)
}

/// In order, apart from each other, within the text.
fn sound(edits: &[Edit], len: usize) -> bool {
    edits.iter().all(|edit| edit.span.start <= edit.span.end && edit.span.end as usize <= len)
        && edits.is_sorted_by(|a, b| a.span.end <= b.span.start && a.span.start < b.span.start)
}

/// Nothing taken overlaps, or inserts at the same place.
fn free(edits: &[Edit], taken: &BTreeMap<usize, &Edit>) -> bool {
    edits.iter().all(|edit| {
        let (start, end) = (edit.span.start as usize, edit.span.end as usize);
        let before = taken.range(..=start).next_back();
        let after = taken.range(start..).next();
        before.is_none_or(|(&at, other)| at < start && other.span.end as usize <= start)
            && after.is_none_or(|(&at, _)| at > start && at >= end)
    })
}

#[cfg(test)]
mod tests {
    use umqtt_lang::ast::Span;
    use umqtt_lang::diagnostic::Code;

    use super::*;

    fn proposal(edits: &[(usize, usize, &str)]) -> Diagnostic {
        let edits = edits
            .iter()
            .map(|&(start, end, text)| Edit { span: Span::new(start, end), text: text.into() })
            .collect();
        Diagnostic::new(Code::Grouping, Span::new(0, 0), "m").fix("change it", edits)
    }

    #[test]
    fn applies_what_does_not_overlap() {
        let found = [
            proposal(&[(0, 1, "A"), (4, 4, "!")]),
            proposal(&[(0, 3, "lost")]),
            proposal(&[(4, 4, "same place")]),
            proposal(&[(2, 3, "C")]),
        ];
        assert_eq!(apply(b"abcdef", &found), (b"AbCd!ef".to_vec(), 2));
    }

    #[test]
    fn refuses_edits_outside_the_text_or_out_of_order() {
        let found =
            [proposal(&[(5, 9, "x")]), proposal(&[(3, 4, "x"), (0, 1, "y")]), proposal(&[])];
        assert_eq!(apply(b"abcdef", &found), (b"abcdef".to_vec(), 0));
    }

    #[test]
    fn goes_on_until_nothing_is_proposed() {
        let fixed = fix(b"aaa", |text| match text.iter().position(|&byte| byte == b'a') {
            Some(at) => vec![proposal(&[(at, at + 1, "b")])],
            None => Vec::new(),
        });
        assert_eq!((fixed.source.as_slice(), fixed.applied), (&b"bbb"[..], 3));
        assert!(fixed.diagnostics.is_empty());
    }

    #[test]
    fn a_fix_that_feeds_itself_comes_to_an_end() {
        let fixed = fix(b"a", |text| vec![proposal(&[(text.len(), text.len(), "a")])]);
        assert_eq!(fixed.applied, ROUNDS);
    }

    #[test]
    fn a_round_that_brings_errors_is_not_taken() {
        let fixed = fix(b"a", |text| {
            let mut found = vec![proposal(&[(0, 1, "bb")])];
            if text.len() > 1 {
                found.push(Diagnostic::new(Code::BadHex, Span::new(0, 1), "worse"));
            }
            found
        });
        assert_eq!((fixed.source.as_slice(), fixed.applied), (&b"a"[..], 0));
    }
}
