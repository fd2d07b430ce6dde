//! `umqttc explain`: the page of a diagnostic, or what a word of the language is for.

use std::io::{self, Write};

use clap::Args;
use umqtt_lang::diagnostic::{self, Code};

use crate::Status;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::word_help::words;

/// Explain an error or a warning (what it means, an example, how to mend it), or a word of the
/// language
#[derive(Args)]
pub(crate) struct Explain {
    /// The code as messages show it (E0011, w0001), or a word, sign or variable of the language;
    /// without it, all codes are listed
    code: Option<String>,
}

impl Explain {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        match &self.code {
            Some(text) => {
                let out = &mut terminal.out;
                match Code::parse(text).or_else(|| short(text)) {
                    Some(code) => plain(diagnostic::explain(code), out),
                    None => match words(text) {
                        words if words.is_empty() => {
                            return Err(Failure::UnknownCode(text.clone()));
                        }
                        words => words.iter().try_for_each(|it| {
                            writeln!(out, "{}", it.usage)?;
                            if it.text.is_empty() {
                                Ok(())
                            } else {
                                writeln!(out, "    {}", it.text)
                            }
                        }),
                    },
                }
            }
            None => Code::ALL
                .iter()
                .try_for_each(|code| writeln!(terminal.out, "{code}  {}", code.title())),
        }
        .map_err(Failure::Output)?;
        Ok(Status::Success)
    }
}

/// A code without its zeros: `w1` is `W0001`.
fn short(text: &str) -> Option<Code> {
    let (letter, digits) = text.split_at_checked(1)?;
    let number: u16 = digits.parse().ok()?;
    Code::parse(&format!("{letter}{number:04}"))
}

/// Writes a page of `lang/docs/diagnostics.md` as a terminal shows it best: no marks of a heading,
/// examples set in.
fn plain(page: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut example = false;
    for line in page.trim().lines() {
        if line.starts_with("```") {
            example = !example;
        } else if example && !line.is_empty() {
            writeln!(out, "    {line}")?;
        } else {
            writeln!(out, "{}", line.trim_start_matches("## "))?;
        }
    }
    Ok(())
}
