//! What topics are known to be, and topics that MQTT does not allow (W0017).
//!
//! A topic is known if it is a literal, a join of literals, or made of variables that are set once
//! to such. What an `on topic` handler sends on under `$this_topic` is known as a pattern: its own
//! filter.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use umqtt_topic::{
    TextError, TopicError, check_filter, check_name, check_text, has_wildcard, split_shared,
};
use umqtt_vm::Side;

use super::facts::{ScriptFacts, each_node, unbracketed, variable_name};
use super::fold::{KnownValues, Literals, value};
use super::{quote, quote_bytes};
use crate::ast::*;
use crate::diagnostic::{Code, Diagnostic, Edit};

/// The values of variables that are set exactly once, to something known.
pub(super) struct Topics<'s> {
    constants: BTreeMap<&'s [u8], Vec<u8>>,
}

impl KnownValues for Topics<'_> {
    fn variable(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.constants.get(name).cloned()
    }
}

impl<'s> Topics<'s> {
    /// Follows the variables from those set to literals to those made of them, each once.
    pub(super) fn resolve(facts: &'s ScriptFacts<'_>) -> Topics<'s> {
        let mut topics = Topics { constants: BTreeMap::new() };
        // How many variables a variable still waits for, and who waits for whom.
        let mut waits: BTreeMap<&[u8], usize> = BTreeMap::new();
        let mut wanted_by: BTreeMap<Vec<u8>, Vec<&[u8]>> = BTreeMap::new();
        let mut ready: Vec<&[u8]> = Vec::new();
        for (name, variable) in &facts.variables {
            let set = variable.constant.or_else(|| only_value(facts, &variable.sets));
            let Some(set) = set else { continue };
            let mut count = 0;
            each_node(set, &mut |node| {
                if node.kind == ExprKind::Variable {
                    count += 1;
                    let other = variable_name(facts.source, node.span).into_owned();
                    wanted_by.entry(other).or_default().push(name);
                }
            });
            waits.insert(name, count);
            if count == 0 {
                ready.push(name);
            }
        }
        while let Some(name) = ready.pop() {
            let variable = facts.variables.get(name);
            let set = variable.and_then(|variable| {
                variable.constant.or_else(|| only_value(facts, &variable.sets))
            });
            let Some(known) = set.and_then(|set| value(facts.source, set, &topics)) else {
                continue;
            };
            topics.constants.insert(name, known);
            for &waiting in wanted_by.get(name).into_iter().flatten() {
                if let Some(count) = waits.get_mut(waiting) {
                    *count -= 1;
                    if *count == 0 {
                        ready.push(waiting);
                    }
                }
            }
        }
        topics
    }

    /// What a subscription or an `on topic` asks for, if that is known and valid.
    pub(super) fn filter(&self, facts: &ScriptFacts<'_>, expr: &Expr) -> Option<Vec<u8>> {
        if is_unquoted_plus(facts, expr) {
            return None;
        }
        let filter =
            value(facts.source, expr, self).filter(|filter| check_filter(filter).is_ok())?;
        // Of a shared subscription it gets the messages of the filter within.
        match split_shared(&filter) {
            Ok(Some(shared)) => Some(shared.filter.to_vec()),
            _ => Some(filter),
        }
    }

    /// The topics a `publish` can go to, as a filter, if they are known; `own` is the filter of the
    /// handler it stands in.
    pub(super) fn published(
        &self,
        facts: &ScriptFacts<'_>,
        expr: &Expr,
        own: Option<&[u8]>,
    ) -> Option<Vec<u8>> {
        if let Some(name) = value(facts.source, expr, self) {
            return check_name(&name).is_ok().then_some(name);
        }
        let part = |expr: &Expr| match unbracketed(expr).kind {
            ExprKind::Special(Special::ThisTopic) => own.map(<[u8]>::to_owned),
            _ => value(facts.source, expr, self).filter(|part| !has_wildcard(part)),
        };
        let expr = unbracketed(expr);
        let pattern = match &expr.kind {
            ExprKind::Chain(chain)
                if chain.rest.iter().all(|link| link.operator == Operator::Join) =>
            {
                let mut joined = part(&chain.first)?;
                for link in &chain.rest {
                    joined.extend(part(&link.operand)?);
                }
                joined
            }
            _ => part(expr)?,
        };
        // Wildcards that joining moved away from whole levels mean nothing.
        check_filter(&pattern).is_ok().then_some(pattern)
    }
}

/// The expression a variable is set to, if it is set only once.
fn only_value<'s>(facts: &ScriptFacts<'s>, sets: &[(Span, usize)]) -> Option<&'s Expr> {
    match sets {
        [(_, step)] => match &facts.steps[*step].action.kind {
            ActionKind::SetVar { value, .. } => Some(value),
            _ => None,
        },
        _ => None,
    }
}

/// Whether some topic name matches both filters. A name counts as a filter that matches itself.
pub fn overlap(a: &[u8], b: &[u8]) -> bool {
    let starts_wild = |filter: &[u8]| matches!(filter.first(), Some(b'#' | b'+'));
    if starts_wild(a) && b.starts_with(b"$") || starts_wild(b) && a.starts_with(b"$") {
        return false;
    }
    let mut a = a.split(|&byte| byte == b'/').peekable();
    let mut b = b.split(|&byte| byte == b'/').peekable();
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(b"#"), _) | (_, Some(b"#")) => return true,
            (Some(x), Some(y)) if x == y || x == b"+" || y == b"+" => {}
            _ => return false,
        }
    }
}

/// The broker as scripts write it.
pub(super) fn side_word(side: Side) -> &'static str {
    match side {
        Side::Local => "local",
        Side::Remote => "remote",
    }
}

/// W0017.
pub(super) fn check(facts: &ScriptFacts<'_>, topics: &Topics<'_>, found: &mut Vec<Diagnostic>) {
    for clause in &facts.handlers {
        if let EventPattern::Topic { filter, .. } = &clause.event {
            check_one(facts, topics, filter, check_filter, found);
        }
    }
    for step in &facts.steps {
        match &step.action.kind {
            ActionKind::Subscribe { filter, .. } | ActionKind::Unsubscribe { filter, .. } => {
                check_one(facts, topics, filter, check_filter, found);
            }
            ActionKind::Publish { topic, .. } => {
                check_one(facts, topics, topic, check_name, found);
                refused_part(facts, topics, topic, found);
            }
            _ => {}
        }
    }
    facts.each_expression(&mut |expr| {
        each_node(expr, &mut |node| {
            if let ExprKind::Call(call) = &node.kind
                && let Call::Unary(FunctionWord::Retained, filter) = &**call
            {
                check_one(facts, topics, filter, check_filter, found);
            }
        });
    });
}

fn check_one(
    facts: &ScriptFacts<'_>,
    topics: &Topics<'_>,
    expr: &Expr,
    allowed: fn(&[u8]) -> Result<(), TopicError>,
    found: &mut Vec<Diagnostic>,
) {
    if is_unquoted_plus(facts, expr) {
        found.push(unquoted_plus(facts, expr));
        return;
    }
    let Some(topic) = value(facts.source, expr, topics) else { return };
    let Err(reason) = allowed(&topic) else { return };
    let shown = match value(facts.source, expr, &Literals) {
        Some(_) => quote(facts.source, expr.span),
        None => format!("{} ({})", quote_bytes(&topic), quote(facts.source, expr.span)),
    };
    found.push(
        Diagnostic::new(
            Code::InvalidTopic,
            expr.span,
            format!("{shown} cannot be used here: {reason}"),
        )
        .help(help(reason)),
    );
}

/// `stat/+/power` without quotes: a `+` outside a string adds, so this is a number, but meant as a
/// topic.
fn is_unquoted_plus(facts: &ScriptFacts<'_>, expr: &Expr) -> bool {
    let ExprKind::Chain(chain) = &expr.kind else { return false };
    let mut operands =
        core::iter::once(&chain.first).chain(chain.rest.iter().map(|link| &link.operand));
    let text = expr.span.of(facts.source);
    chain.rest.iter().all(|link| link.operator == Operator::Add)
        && operands.all(|operand| operand.kind == ExprKind::Text)
        && text.contains(&b'/')
        && !text.iter().any(|byte| byte.is_ascii_whitespace() || *byte == b'"')
}

fn unquoted_plus(facts: &ScriptFacts<'_>, expr: &Expr) -> Diagnostic {
    let quoted = [b"\"", expr.span.of(facts.source), b"\""].concat();
    let message =
        format!("outside quotes `+` adds: {} is a number", quote(facts.source, expr.span));
    Diagnostic::new(Code::InvalidTopic, expr.span, message)
        .help("put quotes around a topic that holds `+`")
        .fix("quote it", vec![Edit { span: expr.span, text: quoted }])
}

/// A wildcard or a control character in a part that is known: such a name is refused whatever the
/// rest is.
fn refused_part(
    facts: &ScriptFacts<'_>,
    topics: &Topics<'_>,
    expr: &Expr,
    found: &mut Vec<Diagnostic>,
) {
    if value(facts.source, expr, topics).is_some() {
        return;
    }
    let ExprKind::Chain(chain) = &unbracketed(expr).kind else { return };
    if chain.rest.iter().any(|link| link.operator != Operator::Join) {
        return;
    }
    let parts = core::iter::once(&chain.first).chain(chain.rest.iter().map(|link| &link.operand));
    for part in parts {
        let reason = match value(facts.source, part, topics) {
            Some(known) if has_wildcard(&known) => TopicError::Wildcard,
            // A character that is cut in two may be whole once all is joined.
            Some(known) => match check_text(&known) {
                Err(why) if why != TextError::NotUtf8 => why.into(),
                _ => continue,
            },
            None => continue,
        };
        found.push(
            Diagnostic::new(
                Code::InvalidTopic,
                part.span,
                format!(
                    "{} cannot be part of this topic: {reason}",
                    quote(facts.source, part.span)
                ),
            )
            .help(help(reason)),
        );
    }
}

fn help(reason: TopicError) -> &'static str {
    match reason {
        TopicError::Empty => "the device refuses it and counts that",
        TopicError::Wildcard => "publish to each topic by its own name",
        TopicError::HashNotLast => "write `#` behind the last `/`, as in `a/b/#`",
        TopicError::PlusNotAlone => "write `+` between two `/`, as in `a/+/b`",
        TopicError::TooLong => "MQTT carries no longer topics",
        _ => "brokers drop connections that send such a topic",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_overlap_if_one_name_matches_both() {
        for (a, b, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a/c", false),
            ("a/+", "+/b", true),
            ("a/#", "a", true),
            ("#", "a/b/c", true),
            ("#", "$SYS/x", false),
            ("$SYS/#", "$SYS/x", true),
            ("a/+/c", "a/b", false),
            ("a/#", "+/x/y", true),
            ("a", "a/b", false),
        ] {
            assert_eq!(overlap(a.as_bytes(), b.as_bytes()), expected, "{a} {b}");
            assert_eq!(overlap(b.as_bytes(), a.as_bytes()), expected, "{b} {a}");
        }
    }
}
