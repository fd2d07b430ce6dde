//! What the lints know of a script's names and topics, for editors.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use umqtt_vm::Side;

use super::facts::{ScriptFacts, each_node};
use super::fold::{KnownValues, value};
use super::topics::Topics;
use crate::ast::*;

/// What a script does with a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TopicUse {
    /// `on topic`
    Handle,
    /// `subscribe`
    Subscribe,
    /// `unsubscribe`
    Unsubscribe,
    /// `publish`
    Publish,
    /// `retained_topic`
    Retained,
}

/// A topic, and where the expression stands that is known to be it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedTopic {
    /// The expression.
    pub span: Span,
    /// On which broker.
    pub side: Side,
    /// What the script does with it.
    pub usage: TopicUse,
    /// The topic, or a filter.
    pub topic: Vec<u8>,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The topics, in the order of the source.
    pub topics: Vec<NamedTopic>,
    /// What constants, and variables that are set once to something known, are; by their names
    /// without `$`.
    pub values: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Known {
    /// What is known of a script, or of those of its statements that could be read.
    pub fn of(source: &[u8], script: &[Statement]) -> Known {
        let facts = ScriptFacts::collect(source, script);
        let values = Topics::resolve(&facts);
        let mut known = Known::default();
        for name in facts.variables.keys() {
            if let Some(value) = values.variable(name) {
                known.values.insert(Cow::into_owned(name.clone()), value);
            }
        }
        let mut note = |expr: &Expr, side: Side, usage: TopicUse| {
            if let Some(topic) = value(source, expr, &values) {
                known.topics.push(NamedTopic { span: expr.span, side, usage, topic });
            }
        };
        for clause in &facts.handlers {
            if let EventPattern::Topic { broker, filter } = &clause.event {
                note(filter, broker.side, TopicUse::Handle);
            }
        }
        for step in &facts.steps {
            match &step.action.kind {
                ActionKind::Subscribe { broker, filter } => {
                    note(filter, broker.side, TopicUse::Subscribe);
                }
                ActionKind::Unsubscribe { broker, filter } => {
                    note(filter, broker.side, TopicUse::Unsubscribe);
                }
                ActionKind::Publish { broker, topic, .. } => {
                    note(topic, broker.side, TopicUse::Publish);
                }
                _ => {}
            }
        }
        facts.each_expression(&mut |expr| {
            each_node(expr, &mut |node| {
                if let ExprKind::Call(call) = &node.kind
                    && let Call::Unary(FunctionWord::Retained, filter) = &**call
                {
                    note(filter, Side::Local, TopicUse::Retained);
                }
            });
        });
        // A step of a sub is there for each call.
        known.topics.sort_by_key(|topic| (topic.span, topic.usage));
        known.topics.dedup_by_key(|topic| (topic.span, topic.usage));
        known
    }
}
