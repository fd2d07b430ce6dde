//! The page of each diagnostic.

use super::Code;

/// Every page, one behind the other.
const PAGES: &str = include_str!("../../docs/diagnostics.md");

/// The page of a diagnostic, as Markdown: a heading, what it means, an example that triggers it,
/// and that example mended.
pub fn explain(code: Code) -> &'static str {
    let mut start = None;
    for (at, _) in PAGES.match_indices("\n## ") {
        let heading = at + 1;
        match start {
            Some(start) => return PAGES[start..heading].trim_end(),
            None if PAGES[heading + 3..].starts_with(code.as_str()) => start = Some(heading),
            None => {}
        }
    }
    start.map_or("", |start| PAGES[start..].trim_end())
}
