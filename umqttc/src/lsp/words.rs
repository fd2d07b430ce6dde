//! What is told of a word of the language, as Markdown.

use umqtt_device::settings::{Param, ParamType};
use umqtt_lang::reference::reference;
use umqtt_lang::roles::Role;
use umqtt_vm::words::{ActionWord, FunctionWord, Special};

use crate::word_help::{WordHelp, words};

/// What is told of a word in the role it has; none of what a script itself names.
pub(super) fn describe(word: &str, role: Role) -> Option<String> {
    let found = match role {
        Role::Action(action) => vec![action_help(action)],
        Role::Function(function) => vec![function_help(function)],
        Role::Special(special) => vec![special_help(word, special)],
        Role::Setting => return setting(word),
        Role::Event | Role::Time => words(&format!("on {word}")),
        // Not every line with a `=` in it.
        Role::Operator => {
            let lines = reference(word).filter(|line| line.usage == word);
            lines
                .map(|line| WordHelp { usage: line.usage.to_owned(), text: line.text.to_owned() })
                .collect()
        }
        Role::Keyword => words(word),
        _ => return None,
    };
    let found = match found {
        found if found.is_empty() && role == Role::Time => words(word),
        found => found,
    };
    (!found.is_empty()).then(|| markdown(&found))
}

/// What is told of a setting.
pub(super) fn setting(name: &str) -> Option<String> {
    let spec = Param::by_name(name.as_bytes())?.spec();
    let usage = format!("config {} {}", spec.name, spec.kind.placeholder());
    Some(markdown(&[WordHelp { usage, text: spec.help.to_owned() }]))
}

/// The values of a setting that takes few.
pub(super) fn setting_values(name: &str) -> Vec<String> {
    let Some(param) = Param::by_name(name.as_bytes()) else { return Vec::new() };
    match param.spec().kind {
        ParamType::Flag => ["0", "1"].map(str::to_owned).to_vec(),
        ParamType::OneOf(numbers) => numbers.iter().map(i32::to_string).collect(),
        ParamType::Int { min, max } if max - min < 8 => {
            (min..=max).map(|number| number.to_string()).collect()
        }
        ParamType::AddressOrDhcp => vec!["dhcp".to_owned()],
        ParamType::TimeZone => crate::zones::names().map(str::to_owned).collect(),
        ParamType::Weekday => {
            ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].map(str::to_owned).to_vec()
        }
        _ => Vec::new(),
    }
}

/// What is told of an action.
pub(super) fn action_help(action: ActionWord) -> WordHelp {
    let usage = format!("{} {}", action.keyword(), action.usage());
    WordHelp { usage, text: action.documentation().to_owned() }
}

/// What is told of a function.
pub(super) fn function_help(function: FunctionWord) -> WordHelp {
    let usage = format!("{}({})", function.keyword(), function.usage());
    WordHelp { usage, text: function.documentation().to_owned() }
}

/// What is told of a variable that the device sets.
pub(super) fn special_help(word: &str, special: Special) -> WordHelp {
    let text = match special.event() {
        Some(event) => {
            format!("{} In `on {}`.", special.documentation(), event.event_word())
        }
        None => special.documentation().to_owned(),
    };
    WordHelp { usage: word.to_owned(), text }
}

/// As Markdown: code, and a paragraph, for each.
pub(super) fn markdown(found: &[WordHelp]) -> String {
    let shown = found.iter().map(|WordHelp { usage, text }| match text.is_empty() {
        true => usage.clone(),
        false => format!("```umqtt\n{usage}\n```\n{text}"),
    });
    shown.collect::<Vec<_>>().join("\n\n")
}
