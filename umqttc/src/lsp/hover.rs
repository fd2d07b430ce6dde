//! `textDocument/hover`: what a word is for; who uses a name or a topic.

use std::fmt::Write as _;

use gen_lsp_types::{Hover, HoverParams, MarkupContent, MarkupKind};
use umqtt_lang::lint::TopicUse;
use umqtt_lang::roles::Role;
use umqtt_lang::symbols::Symbol;
use umqtt_vm::{FLASH_VARIABLE_LEN, Side};

use super::documents::{Document, Kind};
use super::references::{Target, target, topic_places};
use super::state::State;
use super::words;

/// Longest value that is shown, bytes.
const MAX_VALUE: usize = 60;
/// Most places that are listed.
const MAX_PLACES: usize = 20;

/// What is told of the word at a place.
pub(super) fn hover(state: &State, params: HoverParams) -> Option<Hover> {
    let place = params.text_document_position_params;
    let document = state.documents.get(&place.text_document.uri)?;
    if document.kind != Kind::Script {
        return None;
    }
    let offset = document.lines.offset(&document.text, place.position);
    let script = document.script(&state.options);
    let (text, span) = match target(state, document, offset) {
        Some((Target::Symbol(symbol), span)) => (of_symbol(state, document, &symbol), span),
        Some((Target::Topic(topic), span)) => (of_topic(state, document, &topic), span),
        None => {
            let word = script.word(offset)?;
            let text = String::from_utf8_lossy(word.span.of(document.text.as_bytes()));
            let name = match word.role {
                Role::SettingValue => return None,
                _ => text,
            };
            (words::describe(&name, word.role)?, word.span)
        }
    };
    let contents = MarkupContent { kind: MarkupKind::Markdown, value: text };
    let range = document.lines.range(&document.text, span);
    Some(Hover { contents: contents.into(), range: Some(range) })
}

fn of_symbol(state: &State, document: &Document, symbol: &Symbol) -> String {
    let script = document.script(&state.options);
    let value = |name: &[u8]| script.known.values.get(name).map(|value| shown(value));
    let mut text = match symbol {
        Symbol::Constant(name) => {
            let name_shown = String::from_utf8_lossy(name);
            match value(name) {
                Some(value) => format!("```umqtt\nconst ${name_shown} = {value}\n```\n"),
                None => format!("```umqtt\nconst ${name_shown}\n```\n"),
            }
        }
        Symbol::Variable(name) => {
            let name_shown = String::from_utf8_lossy(name);
            let once = value(name).map(|value| format!("Set once, to `{value}`.  \n"));
            format!("```umqtt\n${name_shown}\n```\nA variable. {}", once.unwrap_or_default())
        }
        Symbol::Sub(name) => format!("```umqtt\nsub {} do\n```\n", String::from_utf8_lossy(name)),
        Symbol::Flash(slot) => format!(
            "```umqtt\n@{slot}\n```\nFlash variable {slot} of {}: up to {FLASH_VARIABLE_LEN} bytes that survive resets and power cuts. ",
            state.options.profile.flash_variables
        ),
        _ => String::new(),
    };
    let places = script.symbols.places(symbol);
    let lines = |sets: bool| -> Vec<usize> {
        let found = places.iter().filter(|place| place.sets == sets);
        let mut lines: Vec<usize> =
            found.map(|place| document.lines.line(place.span.start as usize) + 1).collect();
        lines.dedup();
        lines
    };
    let (set, used) = match symbol {
        Symbol::Sub(_) => ("Defined", "called"),
        Symbol::Constant(_) => ("Defined", "used"),
        _ => ("Set", "read"),
    };
    let _ = write!(text, "{set} {}, {used} {}.", in_lines(&lines(true)), in_lines(&lines(false)));
    text
}

fn in_lines(lines: &[usize]) -> String {
    let listed = lines.iter().take(MAX_PLACES).map(usize::to_string).collect::<Vec<_>>().join(", ");
    let more = if lines.len() > MAX_PLACES { ", ..." } else { "" };
    match lines.len() {
        0 => "nowhere".to_owned(),
        1 => format!("in line {listed}"),
        _ => format!("in lines {listed}{more}"),
    }
}

fn of_topic(state: &State, document: &Document, topic: &umqtt_lang::lint::NamedTopic) -> String {
    let side = if topic.side == Side::Local { "own" } else { "remote" };
    let mut text = format!("Topic `{}` on the {side} broker.\n", shown(&topic.topic));
    let places = topic_places(state, document, topic);
    for (other, place) in places.iter().take(MAX_PLACES) {
        let usage = match place.usage {
            TopicUse::Handle => "handled",
            TopicUse::Subscribe => "subscribed to",
            TopicUse::Unsubscribe => "unsubscribed from",
            TopicUse::Publish => "published",
            TopicUse::Retained => "looked up",
        };
        let line = other.lines.line(place.span.start as usize) + 1;
        let uri = other.uri.as_ref();
        let file = match uri == document.uri.as_ref() {
            true => String::new(),
            false => format!(" of {}", uri.rsplit('/').next().unwrap_or(uri)),
        };
        let as_filter = match place.topic == topic.topic {
            true => String::new(),
            false => format!(" as `{}`", shown(&place.topic)),
        };
        let _ = write!(text, "\n* {usage}{as_filter} in line {line}{file}");
    }
    if places.len() > MAX_PLACES {
        text.push_str("\n* ...");
    }
    text
}

/// A value on one line, cut where it is long, without what would end the code it stands in.
fn shown(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let plain = text.chars().map(|letter| match letter {
        '`' => '\'',
        letter if letter.is_control() => ' ',
        letter => letter,
    });
    let mut plain: String = plain.collect();
    if plain.len() > MAX_VALUE {
        plain.truncate(plain.floor_char_boundary(MAX_VALUE));
        plain.push_str("...");
    }
    plain
}
