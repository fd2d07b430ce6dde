//! The rows of the language's reference page for a word.

/// The lines of its tables.
const PAGE: &str = include_str!("../docs/language.md");

/// A line of a table of `docs/language.md`: what is written, and what that does or is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferenceEntry {
    /// As a script has it: `while E do ... done`.
    pub usage: &'static str,
    /// What it does or is, as Markdown.
    pub text: &'static str,
    /// The event whose handlers have it, as Markdown; empty for most.
    pub place: &'static str,
}

/// What is not in a table: its parts are, or it stands for any of many.
const OTHERS: [ReferenceEntry; 5] = [
    ReferenceEntry {
        usage: "on EVENT do ACTION ...",
        text: "a handler: what is done when the event happens, up to the next `on` or `config`",
        place: "",
    },
    ReferenceEntry {
        usage: "config NAME VALUE",
        text: "sets a parameter of the device before `init` runs; it is not saved",
        place: "",
    },
    ReferenceEntry {
        usage: "const $NAME = E",
        text: "names a value that is known when the script is compiled; nothing can set it",
        place: "",
    },
    ReferenceEntry {
        usage: "sub NAME do ACTION ...",
        text: "what `call NAME` does, up to the next statement; it shares all variables",
        place: "",
    },
    ReferenceEntry { usage: "% TEXT", text: "a comment, up to the end of the line", place: "" },
];

/// The language's reference page on a word, sign or variable: every line of its tables in
/// whose first column it stands, `@1` as `@N`. None if it is no word of the language.
pub fn reference(word: &str) -> impl Iterator<Item = ReferenceEntry> {
    let is_flash = word.strip_prefix('@').is_some_and(|n| n.parse::<u8>().is_ok());
    let word = if is_flash { "@N" } else { word };
    OTHERS.into_iter().chain(PAGE.lines().filter_map(entry)).filter(move |entry| {
        let mut words = entry.usage.split([' ', '(', ')', ',']);
        // `E` and `TOPIC` stand for others; `a` is of an example.
        let is_word = !word.bytes().all(|byte| byte.is_ascii_uppercase());
        // What may follow, and the older name of a variable, stand in the text.
        let mut named = entry.text.split('`').skip(1).step_by(2);
        let is_there = words.any(|one| one == word);
        is_word && (is_there || named.any(|one| one == word))
    })
}

/// The line of a table whose first column is code.
fn entry(line: &'static str) -> Option<ReferenceEntry> {
    let (usage, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
    let (text, place) = rest.strip_suffix(" |")?.split_once(" | ").unwrap_or((rest, ""));
    let usage = if usage == "\\|" { "|" } else { usage };
    let text = text.trim_end_matches([' ', '|']);
    // An example has its value there.
    let is_example = text.starts_with('`') && text.ends_with('`');
    (!text.is_empty() && !is_example).then(|| ReferenceEntry {
        usage,
        text,
        place: place.trim_end_matches([' ', '|']),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::keywords;

    #[test]
    fn every_word_sign_and_special_variable_is_there() {
        let specials = crate::tokens::specials();
        let signs = ["=", ">", "+", "-", "*", "|", "@N", "@7", "%", "$name"];
        for word in keywords().map(|(word, _)| word).chain(specials).chain(signs) {
            let found = reference(word).next().unwrap_or_else(|| panic!("{word} is missing"));
            assert!(!found.text.is_empty() && !found.text.ends_with('|'), "{found:?}");
        }
        for word in ["", "E", "TOPIC", "nothing", "@", "@x", "$nothing"] {
            assert_eq!(reference(word).next(), None, "{word}");
        }
        let adc = reference("$adc").next().unwrap();
        assert_eq!((adc.usage, adc.place), ("$adc", "anywhere"));
        assert_eq!(reference("|").next().unwrap().text, "both texts joined");
    }
}
