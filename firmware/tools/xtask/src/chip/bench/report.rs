//! What the program on the core prints: a line for each thing counted, a word that says what, then
//! names and figures.

use std::collections::HashMap;
use std::fmt;

use anyhow::{Context, Result};

/// All it printed.
#[derive(Debug)]
pub(super) struct Report {
    lines: Vec<(String, HashMap<String, u64>)>,
    notes: Vec<String>,
}

impl Report {
    /// Reads it.
    pub(super) fn parse(text: &str) -> Result<Report> {
        let (mut lines, mut notes) = (Vec::new(), Vec::new());
        for line in text.lines() {
            let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
            if what == "note" {
                notes.push(rest.to_owned());
                continue;
            }
            let words: Vec<&str> = rest.split(' ').collect();
            let figures = words.chunks(2).map(|pair| match pair {
                [name, figure] => Ok((name.to_string(), figure.parse()?)),
                _ => anyhow::bail!("a name without its figure"),
            });
            let figures = figures.collect::<Result<_>>();
            let figures = figures.with_context(|| format!("the core printed {line:?}"))?;
            lines.push((what.to_owned(), figures));
        }
        Ok(Report { lines, notes })
    }

    /// The figures of that name, of all things of that kind, in order.
    pub(super) fn all(&self, what: &str, name: &str) -> impl Iterator<Item = u64> {
        self.lines
            .iter()
            .filter(move |(kind, _)| kind == what)
            .filter_map(move |(_, figures)| figures.get(name).copied())
    }

    /// Instructions of the events.
    pub(super) fn events(&self) -> impl Iterator<Item = u64> {
        self.all("event", "instructions")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, figures) in &self.lines {
            let figure = |name| figures.get(name).copied().unwrap_or(0);
            match &what[..] {
                "compile" => writeln!(
                    f,
                    "{:>9} instructions  to compile {} bytes to {}, with {} bytes of heap",
                    figure("instructions"),
                    figure("source"),
                    figure("image"),
                    figure("heap")
                )?,
                "load" => writeln!(
                    f,
                    "{:>9} instructions  to load; {} bytes of RAM beside the image",
                    figure("instructions"),
                    figure("ram")
                )?,
                _ => {}
            }
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "note: {note}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Report;

    #[test]
    fn figures_are_found_by_kind_and_name() {
        let report = Report::parse(
            "event instructions 5\nload instructions 7 ram 9\nnote it waits\nevent instructions 6\n",
        )
        .unwrap();
        assert!(report.events().eq([5, 6]));
        assert!(report.all("load", "ram").eq([9]));
        insta::assert_snapshot!(report, @r"
                7 instructions  to load; 9 bytes of RAM beside the image
        note: it waits
        ");
    }

    #[test]
    fn what_is_no_figure_is_said() {
        let error = format!("{:#}", Report::parse("event instructions many\n").unwrap_err());
        assert!(error.starts_with("the core printed \"event instructions many\""), "{error}");
        assert!(Report::parse("panicked at src/main.rs\n").is_err());
    }
}
