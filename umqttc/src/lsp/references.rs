//! `textDocument/definition`, `references` and `documentHighlight`: where names and topics stand.
//!
//! A name belongs to its script. A topic belongs to all scripts of the workspace: what is published
//! by one is handled by another. Within a script the two brokers are two; between scripts they are
//! not, as one's remote broker is another's own.

use gen_lsp_types::{
    Definition, DefinitionParams, DefinitionResponse, DocumentHighlight, DocumentHighlightKind,
    DocumentHighlightParams, Location, ReferenceParams, TextDocumentPositionParams,
};
use umqtt_lang::ast::Span;
use umqtt_lang::lint::{NamedTopic, TopicUse, overlap};
use umqtt_lang::roles::Role;
use umqtt_lang::symbols::Symbol;

use super::documents::{Document, Kind};
use super::state::State;

/// Most places of a topic.
const MAX_PLACES: usize = 2000;

/// What stands at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A name of the script.
    Symbol(Symbol),
    /// A topic that is written out, or a part of one.
    Topic(NamedTopic),
}

/// The name or topic at an offset, and its word.
pub(super) fn target(state: &State, document: &Document, offset: usize) -> Option<(Target, Span)> {
    if document.kind != Kind::Script {
        return None;
    }
    let script = document.script(&state.options);
    let word = script.word(offset)?;
    if word.role == Role::Topic {
        return Some((Target::Topic(script.topic(word.span)?.clone()), word.span));
    }
    let (symbol, place) = script.symbols.at(offset)?;
    Some((Target::Symbol(symbol.clone()), place.span))
}

fn at<'s>(
    state: &'s State,
    place: &TextDocumentPositionParams,
) -> Option<(&'s Document, Target, Span)> {
    let document = state.documents.get(&place.text_document.uri)?;
    let offset = document.lines.offset(&document.text, place.position);
    let (target, span) = target(state, document, offset)?;
    Some((document, target, span))
}

/// Every place of the scripts that may have to do with a topic of a document.
pub(super) fn topic_places<'s>(
    state: &'s State,
    document: &'s Document,
    topic: &NamedTopic,
) -> Vec<(&'s Document, &'s NamedTopic)> {
    let mut places = Vec::new();
    for other in state.scripts() {
        let is_own = other.uri == document.uri;
        let topics = &other.script(&state.options).known.topics;
        let meets = topics.iter().filter(|place| {
            (!is_own || place.side == topic.side) && overlap(&place.topic, &topic.topic)
        });
        places.extend(meets.map(|place| (other, place)));
        if places.len() > MAX_PLACES {
            break;
        }
    }
    places.truncate(MAX_PLACES);
    places
}

fn location(document: &Document, span: Span) -> Location {
    Location::new(document.uri.clone(), document.lines.range(&document.text, span))
}

/// Where a name is set or defined; where the messages of a topic are handled.
pub(super) fn definition(state: &State, params: DefinitionParams) -> Option<DefinitionResponse> {
    let (document, target, _) = at(state, &params.text_document_position_params)?;
    let found: Vec<Location> = match target {
        Target::Symbol(symbol) => {
            let places = document.script(&state.options).symbols.places(&symbol).iter();
            places.filter(|place| place.sets).map(|place| location(document, place.span)).collect()
        }
        Target::Topic(topic) => {
            let places = topic_places(state, document, &topic);
            let handled = places.iter().filter(|(_, place)| place.usage == TopicUse::Handle);
            handled.map(|(document, place)| location(document, place.span)).collect()
        }
    };
    Some(Definition::from(found).into())
}

/// Every place of a name or a topic.
pub(super) fn references(state: &State, params: ReferenceParams) -> Option<Vec<Location>> {
    let (document, target, _) = at(state, &params.text_document_position_params)?;
    let wants_definitions = params.context.include_declaration;
    Some(match target {
        Target::Symbol(symbol) => {
            let places = document.script(&state.options).symbols.places(&symbol).iter();
            let wanted = places.filter(|place| wants_definitions || !place.sets);
            wanted.map(|place| location(document, place.span)).collect()
        }
        Target::Topic(topic) => {
            let places = topic_places(state, document, &topic);
            let wanted = places
                .iter()
                .filter(|(_, place)| wants_definitions || place.usage != TopicUse::Handle);
            wanted.map(|(document, place)| location(document, place.span)).collect()
        }
    })
}

/// Every place of a name or a topic in its script.
pub(super) fn highlights(
    state: &State,
    params: DocumentHighlightParams,
) -> Option<Vec<DocumentHighlight>> {
    let (document, target, _) = at(state, &params.text_document_position_params)?;
    let highlight = |span: Span, sets: bool| {
        let kind = match sets {
            true => DocumentHighlightKind::Write,
            false => DocumentHighlightKind::Read,
        };
        DocumentHighlight::new(document.lines.range(&document.text, span), Some(kind))
    };
    let script = document.script(&state.options);
    Some(match target {
        Target::Symbol(symbol) => {
            let places = script.symbols.places(&symbol).iter();
            places.map(|place| highlight(place.span, place.sets)).collect()
        }
        Target::Topic(topic) => {
            let places =
                script.known.topics.iter().filter(|place| {
                    place.side == topic.side && overlap(&place.topic, &topic.topic)
                });
            places.map(|place| highlight(place.span, place.usage == TopicUse::Publish)).collect()
        }
    })
}
