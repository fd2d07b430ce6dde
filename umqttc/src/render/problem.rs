//! Problems of test files as people read them: the line, an underline, what happened instead.

use std::io::{self, Write};

use codespan_reporting::diagnostic as shown;
use codespan_reporting::term::{self, Config, termcolor};

use super::excerpt::{Excerpt, Text};
use super::printable;
use crate::script_test::Problem;

/// Writes a problem under a title, which is its message unless another is given.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write(
    out: &mut dyn Write,
    color: bool,
    name: &str,
    source: &[u8],
    problem: &Problem,
    title: Option<&str>,
) -> io::Result<()> {
    let text = Text::new(source);
    let name = printable(name.as_bytes());
    let mut buffer = if color { termcolor::Buffer::ansi() } else { termcolor::Buffer::no_color() };
    let excerpt = Excerpt::around(&name, &text, problem.span.start as usize);
    let label = excerpt.visible(problem.span.start as usize..problem.span.end as usize);
    let notes = problem.notes.iter().map(|note| printable(note.as_bytes())).collect();
    let diagnostic = shown::Diagnostic::<()>::error()
        .with_message(printable(title.unwrap_or(&problem.message).as_bytes()))
        .with_labels(label.map(|at| shown::Label::primary((), at)).into_iter().collect())
        .with_notes(notes);
    term::emit_to_write_style(&mut buffer, &Config::default(), &excerpt, &diagnostic)
        .map_err(io::Error::other)?;
    out.write_all(buffer.as_slice())
}
