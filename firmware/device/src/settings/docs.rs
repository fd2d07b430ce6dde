//! The table as a page: `docs/settings.md` is this text, and a test keeps it so.

use alloc::string::String;
use core::fmt::Write;

use super::table::{Fallback, TABLE};

/// The page, in Markdown.
pub fn page() -> String {
    let mut page = String::from(
        "# Parameters\n\n\
         `set NAME VALUE` on the console sets one until the next restart, `save` keeps it; `config NAME VALUE` in a\n\
         script sets it while that script is loaded. This page is made from the table in `src/settings/table.rs`.\n\n\
         | name | value | default | what it does |\n|---|---|---|---|\n",
    );
    for spec in TABLE {
        let mut default = String::new();
        // Writing to a String cannot fail.
        let _ = match spec.default {
            Fallback::Number(number) => spec.kind.write_number(&mut default, number),
            Fallback::Text("") => default.write_str("none"),
            Fallback::Text(text) => default.write_str(text),
            Fallback::IdFromMac => default.write_str("ESPRouter_ and half the MAC address"),
        };
        let note = match (spec.secret, spec.saved) {
            (true, _) => "; never shown while locked",
            (_, false) => "; not saved",
            _ => "",
        };
        let _ =
            writeln!(page, "| `{}` | {} | {default} | {}{note} |", spec.name, spec.kind, spec.help);
    }
    page
}
