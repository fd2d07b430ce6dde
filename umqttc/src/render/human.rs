//! Diagnostics as people read them: the line, an underline, help.

use std::io::{self, Write};

use codespan_reporting::diagnostic as shown;
use codespan_reporting::files::Error;
use codespan_reporting::term::{self, Config, termcolor};
use umqtt_lang::diagnostic::{Diagnostic, Severity};

use super::excerpt::{Excerpt, Position, Text};
use super::printable;

/// Most diagnostics of one file that are shown, errors before warnings; the rest is counted. Nobody
/// reads more, and a broken file must not make output without end.
const SHOWN_MAX: usize = 100;

/// Writes the diagnostics of one script.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write(
    out: &mut dyn Write,
    color: bool,
    name: &str,
    source: &[u8],
    diagnostics: &[Diagnostic],
) -> io::Result<()> {
    let text = Text::new(source);
    let name = printable(name.as_bytes());
    let config = Config::default();
    let mut buffer = if color { termcolor::Buffer::ansi() } else { termcolor::Buffer::no_color() };
    let is_error = |found: &&Diagnostic| found.severity() == Severity::Error;
    let mut errors = diagnostics.iter().filter(is_error).count().min(SHOWN_MAX);
    let mut warnings = SHOWN_MAX - errors;
    for found in diagnostics {
        let left = if is_error(&found) { &mut errors } else { &mut warnings };
        if *left == 0 {
            continue;
        }
        *left -= 1;
        let excerpt = Excerpt::around(&name, &text, found.span.start as usize);
        let diagnostic = convert(found, &text, &excerpt);
        term::emit_to_write_style(&mut buffer, &config, &excerpt, &diagnostic).map_err(
            |error| match error {
                Error::Io(error) => error,
                other => io::Error::other(other),
            },
        )?;
        out.write_all(buffer.as_slice())?;
        buffer.clear();
    }
    if let Some(more @ 1..) = diagnostics.len().checked_sub(SHOWN_MAX) {
        writeln!(out, "{name}: {more} more not shown")?;
    }
    Ok(())
}

fn convert(found: &Diagnostic, text: &Text<'_>, excerpt: &Excerpt<'_>) -> shown::Diagnostic<()> {
    let severity = match found.severity() {
        Severity::Error => shown::Severity::Error,
        Severity::Warning => shown::Severity::Warning,
    };
    let range = |span: umqtt_lang::ast::Span| span.start as usize..span.end as usize;
    let mut labels = Vec::new();
    let mut notes = Vec::new();
    labels.extend(excerpt.visible(range(found.span)).map(|at| shown::Label::primary((), at)));
    for (span, words) in &found.related {
        let words = printable(words.as_bytes());
        match excerpt.visible(range(*span)) {
            Some(at) => labels.push(shown::Label::secondary((), at).with_message(words)),
            None => {
                let Position { line, column, .. } = text.position(span.start as usize);
                notes.push(format!("line {line}, column {column}: {words}"));
            }
        }
    }
    notes.extend(found.help.iter().map(|help| note("help", help)));
    notes.extend(found.fix.iter().map(|fix| note("fix", &fix.title)));
    shown::Diagnostic::new(severity)
        .with_code(found.code.as_str())
        .with_message(printable(found.message.as_bytes()))
        .with_labels(labels)
        .with_notes(notes)
}

fn note(kind: &str, text: &str) -> String {
    let indent = format!("\n{:width$}", "", width = kind.len() + 2);
    format!("{kind}: {}", printable(text.as_bytes()).replace('\n', &indent))
}

#[cfg(test)]
mod tests {
    use umqtt_lang::ast::Span;
    use umqtt_lang::diagnostic::Code;

    use super::*;

    fn shown(source: &[u8], found: Diagnostic) -> String {
        let mut out = Vec::new();
        write(&mut out, false, "x.script", source, &[found]).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_an_underline_and_help() {
        let source = b"on init\ndo\n\tprint \xff $x\n";
        let found =
            Diagnostic::new(Code::UndeclaredVariable, Span::new(20, 22), "nothing sets `$x`")
                .related(Span::new(3, 7), "in this handler")
                .help("set it somewhere:\nsetvar $x = 1")
                .fix("remove it", Vec::new());
        insta::assert_snapshot!(shown(source, found));
    }

    #[test]
    fn columns_count_characters() {
        let source = "on init do println \"gr\u{fc}n \u{1f4a1}\" $x\n".as_bytes();
        let found = Diagnostic::new(
            Code::UndeclaredVariable,
            Span::new(source.len() - 3, source.len() - 1),
            "nothing sets `$x`",
        );
        let text = shown(source, found);
        assert!(text.contains("x.script:1:29\n"), "{text}");
        // The lamp is two cells wide.
        assert!(text.contains(&format!("\u{2502} {:29}^^", "")), "{text}");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let mut source = vec![b'('; 100_000];
        source[50_000] = b'!';
        let found = Diagnostic::new(Code::NestedTooDeep, Span::new(50_000, 50_001), "too deep")
            .related(Span::new(0, 1), "the first one");
        insta::assert_snapshot!(shown(&source, found));
    }

    #[test]
    fn many_are_counted_not_shown() {
        let found = vec![Diagnostic::new(Code::BadHex, Span::new(0, 1), "m"); SHOWN_MAX + 7];
        let mut out = Vec::new();
        write(&mut out, false, "x", b"#", &found).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches("error[E0005]").count(), SHOWN_MAX);
        assert!(text.ends_with("x: 7 more not shown\n"));
    }

    #[test]
    fn warnings_do_not_crowd_out_an_error() {
        let mut found = vec![Diagnostic::new(Code::NeverRead, Span::new(0, 1), "w"); SHOWN_MAX];
        found.push(Diagnostic::new(Code::BadHex, Span::new(0, 1), "m"));
        let mut out = Vec::new();
        write(&mut out, false, "x", b"#", &found).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches("error[E0005]").count(), 1);
        assert_eq!(text.matches("warning[").count(), SHOWN_MAX - 1);
        assert!(text.ends_with("x: 1 more not shown\n"));
    }

    #[test]
    fn any_span_in_any_text() {
        let texts: [&[u8]; 6] =
            [b"", b"\n", b"\r\n\r", b"a\xc3\xa9\xf0\x9f\x92\xa1b\n", b"\xff\n\xff", &[b'x'; 400]];
        for source in texts {
            for start in 0..=source.len() + 2 {
                for end in [start, start + 1, start + 3, source.len() + 9] {
                    let span = Span::new(start, end);
                    let related = Span::new(source.len().saturating_sub(start), end);
                    let found = Diagnostic::new(Code::BadHex, span, "m").related(related, "r");
                    assert!(shown(source, found).starts_with("error[E0005]: m"));
                }
            }
        }
    }
}
