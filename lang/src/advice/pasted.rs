//! What comes with a script that was saved or copied: files that are no text, fences, prompts and
//! line numbers.

use alloc::format;
use alloc::vec;

use super::Advice;
use super::words::Words;
use crate::ast::Span;
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::tokens::Token;

/// Bytes at the start of a file by which one that is no text is known.
const START: usize = 16;

/// What a file is that is no script, in place of all that is wrong in it.
pub(super) fn no_script(source: &[u8]) -> Option<Diagnostic> {
    let start = &source[..source.len().min(START)];
    let text = start.trim_ascii_start().to_ascii_lowercase();
    let is_page = [&b"<!doctype"[..], b"<html", b"<?xml"].iter().any(|tag| text.starts_with(tag));
    let is_control = |byte: &u8| *byte < b' ' && !byte.is_ascii_whitespace();
    let (what, help) = if is_utf16(start) {
        (
            "no script but UTF-16 text",
            "save it as UTF-8; in PowerShell: `Set-Content -Encoding utf8`",
        )
    } else if start.starts_with(b"{\\rtf") {
        ("no script but a document with formats (RTF)", "save it as plain text")
    } else if is_page {
        ("no script but a web page", "download the script itself, not the page that shows it")
    } else if start.starts_with(b"%PDF-") || start.iter().any(is_control) {
        ("no text", "a script is a text file; is this another file?")
    } else {
        return None;
    };
    let message = format!("this file is {what}");
    Some(Diagnostic::new(Code::UnexpectedWord, Span { start: 0, end: 0 }, message).help(help))
}

/// By its byte order mark, or by letters that are two bytes each.
fn is_utf16(start: &[u8]) -> bool {
    match start {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [a, 0, b, 0, ..] | [0, a, 0, b, ..] => a.is_ascii() && b.is_ascii() && *a != 0 && *b != 0,
        _ => false,
    }
}

/// What was copied with a script, if it is one of them.
pub(super) fn advice(words: &Words<'_>, diagnostic: &Diagnostic) -> Option<Advice> {
    let at = words.at(diagnostic.span)?;
    if let Some(advice) = blanks(words, at) {
        return Some(advice);
    }
    if !words.is_first_on_line(at) {
        return None;
    }
    fence(words, at).or_else(|| prompt(words, at)).or_else(|| line_number(words, at))
}

/// Blanks of other kinds, which pages and word processors have.
const BLANKS: &str =
    "\u{a0}\u{2002}\u{2003}\u{2007}\u{2009}\u{200a}\u{200b}\u{202f}\u{3000}\u{feff}";

/// A blank that is part of a word, and cannot be seen. All on its line are told of at once.
fn blanks(words: &Words<'_>, at: usize) -> Option<Advice> {
    let is_blank = |c: &char| BLANKS.contains(*c);
    let text = |at: usize| core::str::from_utf8(words.text(at)).unwrap_or_default();
    // What follows a word that ends in one is what the parser stumbles over.
    let first = [Some(at), at.checked_sub(1)]
        .into_iter()
        .flatten()
        .filter(|&at| words.token(at) != Some(Token::String))
        .find_map(|at| text(at).chars().find(is_blank))?;
    let mut begin = at;
    while let Some(before) = begin.checked_sub(1).filter(|&b| words.is_on_line_of(begin, b)) {
        begin = before;
    }
    let line = (begin..).take_while(|&at| at == begin || words.is_on_line_of(at, begin));
    let mut edits = vec![];
    for at in line.take_while(|&at| words.token(at).is_some()) {
        let start = words.span(at)?.start;
        let is_text = words.token(at) == Some(Token::String);
        for (offset, c) in text(at).char_indices().filter(|(_, c)| !is_text && is_blank(c)) {
            let start = start + offset as u32;
            let span = Span { start, end: start + c.len_utf8() as u32 };
            let has_width = !matches!(c, '\u{200b}' | '\u{feff}');
            edits.push(Edit { span, text: if has_width { b" ".to_vec() } else { vec![] } });
        }
    }
    let code = first as u32;
    Some(
        Advice::new(format!(
            "U+{code:04X} stands here, a blank as pages have it, which is part of the word: write ordinary ones"
        ))
        .fix("replace them", edits),
    )
}

/// A line of three backquotes, as around a script in a page of Markdown.
fn fence(words: &Words<'_>, at: usize) -> Option<Advice> {
    let span = words.span(at)?;
    words.text(at).starts_with(b"```").then(|| {
        let span = Span { start: span.start, end: words.line_end(span.start) };
        Advice::new("the marks around a script in a page are no part of it")
            .fix("remove this line", vec![Edit { span, text: vec![] }])
    })
}

/// `CMD>println 1`, `$ println 1`
fn prompt(words: &Words<'_>, at: usize) -> Option<Advice> {
    let (prompt, behind) = match (words.text(at), words.text(at + 1)) {
        (b"CMD", b">") => ("CMD>", at + 2),
        (b"$", _) => ("$", at + 1),
        (b">", b">") if words.text(at + 2) == b">" => (">>>", at + 3),
        (b">", _) => (">", at + 1),
        _ => return None,
    };
    let is_line = words.is_on_line_of(behind, at)
        && words.token(behind).is_some_and(|token| {
            token.starts_action() || token.is_reserved() || token == Token::Config
        });
    let (start, end) = (words.span(at)?.start, words.span(behind)?.start);
    is_line.then(|| {
        Advice::new(format!("the prompt `{prompt}` is no part of the line"))
            .fix("remove it", vec![Edit { span: Span { start, end }, text: vec![] }])
    })
}

/// `12: println 1`, as `show script` prints it.
fn line_number(words: &Words<'_>, at: usize) -> Option<Advice> {
    let digits = words.text(at).strip_suffix(b":")?;
    let span = words.span(at)?;
    (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then(|| {
        Advice::new("the numbers of lines are no part of a script")
            .fix("remove it", vec![Edit { span, text: vec![] }])
    })
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::no_script;

    #[test]
    fn files_that_are_no_script() {
        for (source, what) in [
            (&b"\xff\xfeo\0n\0 \0"[..], "no script but UTF-16 text"),
            (b"\xfe\xff\0o\0n", "no script but UTF-16 text"),
            (b"o\0n\0 \0i\0", "no script but UTF-16 text"),
            (b"\x7fELF\x02\x01\x01\0", "no text"),
            (b"PK\x03\x04", "no text"),
            (b"%PDF-1.7\n", "no text"),
            (b"{\\rtf1\\ansi on init do", "no script but a document with formats (RTF)"),
            (b"\n<!DOCTYPE html>", "no script but a web page"),
            (b"<html><body>", "no script but a web page"),
        ] {
            let found = no_script(source).map(|diagnostic| diagnostic.message);
            assert_eq!(found, Some(format!("this file is {what}")), "{source:?}");
        }
        for script in [&b""[..], b"on init do", b"\xef\xbb\xbfon init do", b"% a\r\n\ton", b"\xfc"]
        {
            assert_eq!(no_script(script), None, "{script:?}");
        }
    }
}
