//! What a word of the language is for, as `umqttc explain` prints it and editors show it.

use umqtt_device::settings::Param;
use umqtt_lang::reference::reference;
use umqtt_vm::words::{ActionWord, FunctionWord, Trigger};

/// How a word is written, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WordHelp {
    /// As a script has it.
    pub(crate) usage: String,
    /// What it does or is, as Markdown; may be empty.
    pub(crate) text: String,
}

/// What a word is for: of the language, or else a setting, a word behind `on clock`, or a sign of
/// other languages. `on clock` is asked for as it stands in a script, too.
pub(crate) fn words(asked: &str) -> Vec<WordHelp> {
    let word = asked.trim();
    let event = word.strip_prefix("on ").map(str::trim_start).unwrap_or(word);
    let found = of_language(event);
    match () {
        () if !found.is_empty() => found,
        () if event != word => of_event(event),
        () => {
            of_clock(word).or_else(|| setting(word)).or_else(|| foreign(word)).unwrap_or_default()
        }
    }
}

/// How a word of the language is written and what it is for: `serial` is an event, `gpio_in` a
/// function, `topic` one of many events. Of what is none of these, the lines of the language's
/// page: `if`, `div`, `$adc`.
fn of_language(word: &str) -> Vec<WordHelp> {
    let actions = ActionWord::from_keyword(word);
    let functions = FunctionWord::from_keyword(word);
    let mut found = of_event(word);
    found.extend(
        actions.map(|action| entry(format!("{word} {}", action.usage()), action.documentation())),
    );
    found.extend(
        functions.map(|function| {
            entry(format!("{word}({})", function.usage()), function.documentation())
        }),
    );
    if found.is_empty() {
        found.extend(reference(word).map(|line| match line.place {
            "" => entry(line.usage.to_owned(), line.text),
            place => entry(line.usage.to_owned(), &format!("{} ({place})", line.text)),
        }));
    }
    found
}

/// The events that begin with these words: `topic` and `topic local` are the beginning of one.
fn of_event(words: &str) -> Vec<WordHelp> {
    let begins = |trigger: &&Trigger| {
        let keyword = trigger.keyword();
        !matches!(trigger, Trigger::Config | Trigger::Sub)
            && (keyword == words
                || keyword.strip_prefix(words).is_some_and(|rest| rest.starts_with(' ')))
    };
    let events = Trigger::ALL.iter().filter(begins);
    let shown = events.map(|trigger| {
        let usage = format!("on {} {}", trigger.keyword(), trigger.usage());
        entry(usage.trim_end().to_owned(), trigger.documentation())
    });
    shown.collect()
}

fn entry(usage: String, text: &str) -> WordHelp {
    WordHelp { usage, text: text.to_owned() }
}

/// A word that may follow `on clock`.
fn of_clock(word: &str) -> Option<Vec<WordHelp>> {
    let text = match word {
        "sunrise" | "sunset" => {
            "when the sun does so, for the settings `latitude` and `longitude`; `-30m` or `+1h` may follow"
        }
        "weekdays" => "Monday to Friday",
        "weekend" => "Saturday and Sunday",
        "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun" => "on that day of the week",
        _ => return None,
    };
    let usage = match word {
        "sunrise" | "sunset" => format!("on clock {word}"),
        _ => format!("on clock 07:00 {word}"),
    };
    let mut found = vec![entry(usage, text)];
    found.extend(of_event("clock"));
    found
        .extend(reference(&format!("${word}")).map(|line| entry(line.usage.to_owned(), line.text)));
    Some(found)
}

/// A setting of the device.
fn setting(word: &str) -> Option<Vec<WordHelp>> {
    let spec = Param::by_name(word.as_bytes())?.spec();
    let usage = format!("config {} {}", spec.name, spec.kind.placeholder());
    let text = format!("a setting: {}; `set {} ...` on the console", spec.help, spec.name);
    Some(vec![entry(usage, &text)])
}

/// A sign or word of other languages, and what is written in its place.
fn foreign(word: &str) -> Option<Vec<WordHelp>> {
    let here = match word {
        "==" | "===" => "=",
        "!=" | "<>" => "neq",
        "!" => "not",
        "<" => "lt",
        "<=" => "lte",
        ">=" => "gte",
        "&&" | "&" => "and",
        "||" => "or",
        "/" => "div",
        "." => "|",
        _ => return None,
    };
    let mut found =
        vec![entry(format!("`{word}` is no sign of the language; here it is `{here}`"), "")];
    // Of the lines with a `=` in them the one that is about it.
    let lines = reference(here).filter(|line| line.usage.split(' ').next() == Some(here));
    found.extend(lines.map(|line| entry(line.usage.to_owned(), line.text)));
    Some(found)
}
