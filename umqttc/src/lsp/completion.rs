//! `textDocument/completion`: the words that fit at a place, and the names there are.

use gen_lsp_types::{
    CompletionItem, CompletionItemKind, CompletionParams, CompletionResponse, InsertTextFormat,
    MarkupContent, MarkupKind, TextEdit,
};
use umqtt_lang::ast::{Span, Special};
use umqtt_lang::expects::{Expected, ExpectedKind, expected};
use umqtt_lang::lint::{ConfigError, ConfigTable as _};
use umqtt_lang::literal::number_of;
use umqtt_lang::roles::Role;
use umqtt_lang::symbols::Symbol;
use umqtt_vm::words::{ActionWord, FunctionWord, Trigger};

use super::documents::{Document, Kind};
use super::state::State;
use super::words;
use crate::parameters::parameters;

/// Most topics that are proposed.
const MAX_TOPICS: usize = 500;

/// What may be written at a place.
pub(super) fn completion(state: &State, params: CompletionParams) -> Option<CompletionResponse> {
    let place = params.text_document_position_params;
    let document = state.documents.get(&place.text_document.uri)?;
    if document.kind != Kind::Script || document.is_too_long {
        return None;
    }
    let offset = document.lines.offset(&document.text, place.position);
    let expected = expected(document.text.as_bytes(), offset, &state.options.profile);
    let mut items = Items { state, document, offset, typed: expected.typed, found: Vec::new() };
    items.propose(&expected);
    Some(items.found.into())
}

struct Items<'s> {
    state: &'s State,
    document: &'s Document,
    offset: usize,
    typed: Span,
    found: Vec<CompletionItem>,
}

impl Items<'_> {
    fn propose(&mut self, expected: &Expected) {
        use CompletionItemKind as Is;
        match &expected.kind {
            ExpectedKind::Words(words) => words.iter().for_each(|word| self.word(word)),
            ExpectedKind::Value { functions, is_topic } => {
                if *is_topic {
                    self.topics(false);
                }
                self.symbols(|symbol| !matches!(symbol, Symbol::Sub(_)));
                self.specials(expected.event);
                functions.iter().for_each(|word| self.function(word));
            }
            ExpectedKind::TopicText => self.topics(true),
            ExpectedKind::Number => {
                let known = &self.document.script(&self.state.options).known;
                self.symbols(|symbol| match symbol {
                    Symbol::Constant(name) => {
                        known.values.get(name).is_some_and(|value| number_of(value).is_some())
                    }
                    _ => false,
                });
            }
            ExpectedKind::Target => {
                self.symbols(|it| matches!(it, Symbol::Variable(_) | Symbol::Flash(_)));
            }
            ExpectedKind::Sub => self.symbols(|symbol| matches!(symbol, Symbol::Sub(_))),
            ExpectedKind::Setting => self.settings(),
            ExpectedKind::SettingValue(name) => {
                let name = String::from_utf8_lossy(name.of(self.document.text.as_bytes()));
                for value in words::setting_values(&name) {
                    self.push(&value, Is::Value, value.clone(), None);
                }
            }
            ExpectedKind::Clock(is_first) => {
                let words: &[&str] = match is_first {
                    true => &["sunrise", "sunset"],
                    false => &[
                        "do", "mon", "tue", "wed", "thu", "fri", "sat", "sun", "weekdays",
                        "weekend",
                    ],
                };
                for word in words {
                    let help = words::describe(word, Role::Time);
                    self.push(word, Is::Value, (*word).to_owned(), help);
                }
            }
            ExpectedKind::Duration => {
                for word in ["500ms", "1s", "10s", "1m", "1h"] {
                    self.push(word, Is::Value, word.to_owned(), None);
                }
            }
            _ => {}
        }
    }

    /// Adds an item that writes a text in the place of what is typed.
    fn push(&mut self, label: &str, kind: CompletionItemKind, text: String, help: Option<String>) {
        let range = self.document.lines.range(&self.document.text, self.typed);
        self.found.push(CompletionItem {
            label: label.to_owned(),
            kind: Some(kind),
            documentation: help
                .map(|value| MarkupContent { kind: MarkupKind::Markdown, value }.into()),
            text_edit: Some(TextEdit { range, new_text: text }.into()),
            ..CompletionItem::default()
        });
    }

    /// A word of the language, where it has its meaning.
    fn word(&mut self, word: &str) {
        use CompletionItemKind as Is;
        if let Some(action) = ActionWord::from_keyword(word) {
            let help = words::describe(word, Role::Action(action));
            return self.push(word, Is::Method, word.to_owned(), help);
        }
        let is_event = word == "topic" || Trigger::from_keyword(word).is_some();
        let (kind, role) = match is_event && word != "config" && word != "sub" {
            true => (Is::Event, Role::Event),
            false => (Is::Keyword, Role::Keyword),
        };
        // What makes the word one of the language.
        let text = match word {
            "const" => "const $name = ",
            "sub" => "sub name do",
            word => word,
        };
        let help = words::describe(word, role);
        self.push(word, kind, text.to_owned(), help);
        let snippet = match word {
            "const" => "const \\$${1:name} = $0",
            "sub" => "sub ${1:name} do\n    $0",
            _ => return,
        };
        self.snippet(snippet);
    }

    fn function(&mut self, word: &str) {
        let Some(function) = FunctionWord::from_keyword(word) else { return };
        let help = words::describe(word, Role::Function(function));
        self.push(word, CompletionItemKind::Function, format!("{word}("), help);
        self.snippet(&format!("{word}($1)"));
    }

    /// The last item as a snippet, for a client that takes them.
    fn snippet(&mut self, text: &str) {
        if !self.state.client.takes_snippets {
            return;
        }
        let range = self.document.lines.range(&self.document.text, self.typed);
        if let Some(last) = self.found.last_mut() {
            last.text_edit = Some(TextEdit { range, new_text: text.to_owned() }.into());
            last.insert_text_format = Some(InsertTextFormat::Snippet);
        }
    }

    /// The names of the script, but for the one that is just being typed.
    fn symbols(&mut self, wanted: impl Fn(&Symbol) -> bool) {
        use CompletionItemKind as Is;
        let script = self.document.script(&self.state.options);
        for (symbol, places) in &script.symbols.entries {
            let is_typed = |at: usize| self.typed.start as usize <= at && at <= self.offset;
            if !wanted(symbol) || places.iter().all(|place| is_typed(place.span.start as usize)) {
                continue;
            }
            let text = |name: &[u8], sign: &str| {
                String::from_utf8(name.to_vec()).ok().map(|name| format!("{sign}{name}"))
            };
            let (label, kind) = match symbol {
                Symbol::Variable(name) => (text(name, "$"), Is::Variable),
                Symbol::Constant(name) => (text(name, "$"), Is::Constant),
                Symbol::Sub(name) => (text(name, ""), Is::Function),
                Symbol::Flash(slot) => (Some(format!("@{slot}")), Is::Field),
                _ => continue,
            };
            let Some(label) = label else { continue };
            let value = match symbol {
                Symbol::Constant(name) => script.known.values.get(name),
                _ => None,
            };
            self.push(&label, kind, label.clone(), None);
            if let (Some(value), Some(last)) = (value, self.found.last_mut()) {
                last.detail = Some(format!("= {}", String::from_utf8_lossy(value)));
            }
        }
    }

    /// The variables that the device sets, as far as the handler's event has them. A sub may have
    /// any.
    fn specials(&mut self, event: Option<Trigger>) {
        for special in Special::ALL {
            let is_there = special
                .event()
                .is_none_or(|of| event.is_none_or(|event| event.of_specials() == of.of_specials()));
            if let Some(word) = special.keywords().first().filter(|_| is_there) {
                let help = words::describe(word, Role::Special(*special));
                self.push(word, CompletionItemKind::Variable, (*word).to_owned(), help);
            }
        }
    }

    /// The settings of the device.
    fn settings(&mut self) {
        let table = parameters(&self.state.options.profile);
        for name in table.names() {
            if !matches!(table.check(name, b""), Err(ConfigError::Lacks(_))) {
                self.push(
                    name,
                    CompletionItemKind::Property,
                    name.to_owned(),
                    words::setting(name),
                );
            }
        }
    }

    /// The topics of all scripts.
    fn topics(&mut self, is_in_text: bool) {
        let mut topics = std::collections::BTreeSet::new();
        for script in self.state.scripts() {
            for topic in &script.script(&self.state.options).known.topics {
                let is_typed = script.uri == self.document.uri
                    && topic.span.start as usize <= self.offset
                    && self.offset <= topic.span.end as usize;
                let Ok(text) = str::from_utf8(&topic.topic) else { continue };
                // A value with quotes or line ends is hardly a topic.
                if !is_typed && !text.is_empty() && !text.contains(['"', '\\', '\n', '\r']) {
                    topics.insert(text.to_owned());
                }
            }
        }
        let closes = self.document.text.as_bytes().get(self.offset) == Some(&b'"');
        for topic in topics.into_iter().take(MAX_TOPICS) {
            let text = match (is_in_text, closes) {
                (true, true) => topic.clone(),
                (true, false) => format!("{topic}\""),
                (false, _) => format!("\"{topic}\""),
            };
            self.push(&topic, CompletionItemKind::Text, text, None);
            // A client compares it with what is typed.
            if let Some(last) = self.found.last_mut() {
                last.sort_text = Some(format!("0{topic}"));
            }
        }
    }
}
