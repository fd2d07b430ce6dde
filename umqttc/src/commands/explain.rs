//! `umqttc explain`: the page of a diagnostic.

use std::io::{self, Write};

use clap::Args;
use umqtt_lang::diagnostic::{self, Code};

use crate::Verdict;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Explain an error or a warning: what it means, an example, how to mend it
#[derive(Args)]
pub(crate) struct Explain {
    /// The code as messages show it: E0011, w0001; without it, all are listed
    code: Option<String>,
}

impl Explain {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Verdict, Failure> {
        match &self.code {
            Some(text) => {
                let code = Code::parse(text).ok_or_else(|| Failure::UnknownCode(text.clone()))?;
                plain(diagnostic::explain(code), &mut terminal.out)
            }
            None => Code::ALL
                .iter()
                .try_for_each(|code| writeln!(terminal.out, "{code}  {}", code.title())),
        }
        .map_err(Failure::Output)?;
        Ok(Verdict::Fine)
    }
}

/// Writes a page of `lang/docs/diagnostics.md` as a terminal shows it best: no marks of a heading, examples set in.
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
