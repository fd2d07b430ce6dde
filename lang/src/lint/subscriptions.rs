//! `on topic` without a subscription that could wake it (W0004), and subscriptions that wake
//! nothing (W0005).
//!
//! Brokers are distinguished: `subscribe local` does nothing for `on topic remote`. A broker with
//! one subscription whose filter is not known has no W0004, one with such a handler no W0005.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use umqtt_vm::Side;

use super::facts::ScriptFacts;
use super::topics::{Topics, overlap, side_word};
use super::{MAX_WARNINGS, quote, quote_bytes};
use crate::ast::*;
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::suggest::nearest;

/// Most comparisons of a handler with a subscription; a script with more of both is not looked at
/// further.
pub(super) const MAX_PAIRS: usize = 1_000_000;

/// A filter of a handler or of a subscription.
struct Wish<'s> {
    expr: &'s Expr,
    /// `on topic local x`, `subscribe local x`
    span: Span,
    side: Side,
    filter: Option<Vec<u8>>,
}

/// W0004 and W0005.
pub(super) fn check(facts: &ScriptFacts<'_>, topics: &Topics<'_>, found: &mut Vec<Diagnostic>) {
    let mut handlers = Vec::new();
    for clause in &facts.handlers {
        if let EventPattern::Topic { broker, filter: expr } = &clause.event {
            let filter = topics.filter(facts, expr);
            handlers.push(Wish { expr, span: clause.event_span, side: broker.side, filter });
        }
    }
    let mut subscriptions = Vec::new();
    for step in &facts.steps {
        if let ActionKind::Subscribe { broker, filter: expr } = &step.action.kind {
            let filter = topics.filter(facts, expr);
            subscriptions.push(Wish { expr, span: step.action.span, side: broker.side, filter });
        }
    }
    if handlers.len().saturating_mul(subscriptions.len()) > MAX_PAIRS {
        return;
    }
    for handler in lonely(&handlers, &subscriptions) {
        found.push(no_subscription(facts, handler, &subscriptions));
    }
    for subscription in lonely(&subscriptions, &handlers) {
        found.push(no_handler(facts, subscription, &handlers));
    }
}

/// Those whose filter is known and overlaps no other's of the same broker, if all others' are
/// known.
fn lonely<'w, 's>(wishes: &'w [Wish<'s>], others: &'w [Wish<'s>]) -> Vec<&'w Wish<'s>> {
    let all_known = |side| others.iter().all(|other| other.side != side || other.filter.is_some());
    let (local, remote) = (all_known(Side::Local), all_known(Side::Remote));
    let candidates = wishes.iter().filter(|wish| match wish.side {
        Side::Local => local,
        Side::Remote => remote,
    });
    candidates
        .filter(|wish| {
            let Some(filter) = &wish.filter else { return false };
            !others.iter().any(|other| {
                other.side == wish.side
                    && other.filter.as_ref().is_some_and(|known| overlap(filter, known))
            })
        })
        // They are in the order of the source, and no more are reported; each is compared with all
        // others for slips.
        .take(MAX_WARNINGS)
        .collect()
}

fn no_subscription(
    facts: &ScriptFacts<'_>,
    handler: &Wish<'_>,
    subscriptions: &[Wish<'_>],
) -> Diagnostic {
    let side = side_word(handler.side);
    let filter = quote(facts.source, handler.expr.span);
    let warning = Diagnostic::new(
        Code::NoSubscription,
        handler.span,
        format!("nothing subscribes to {filter} at the {side} broker, so this handler never runs"),
    );
    let warning = point_at_near(warning, handler, subscriptions);
    let (event, when) = match handler.side {
        Side::Local => (EventPattern::Simple(Trigger::Init), "init"),
        Side::Remote => (EventPattern::Simple(Trigger::MqttConnect), "mqttconnect"),
    };
    let order = subscribe_text(facts, handler);
    let help = format!("subscribe in `on {when}`: {}", quote_bytes(&order));
    let edit = order_in(facts, &event, when, &order, handler.span);
    let title = format!("subscribe in `on {when}`");
    // The likely mend of a misspelt filter is another: offer this one only if nothing comes near.
    match warning.help {
        Some(_) => warning,
        None => warning.help(help).fix(title, vec![edit]),
    }
}

/// Puts an order into the handler of an event, or that handler before another one's event.
pub(super) fn order_in(
    facts: &ScriptFacts<'_>,
    event: &EventPattern,
    when: &str,
    order: &[u8],
    before: Span,
) -> Edit {
    let clause = facts.handlers.iter().find(|clause| clause.event == *event);
    match clause.map(|clause| (clause, clause.actions.last())) {
        // Behind the last action: variables the filter is made of are set by then.
        Some((clause, Some(last))) => {
            let mut text = Vec::from(b"\n".as_slice());
            text.extend(indentation(facts.source, clause.actions[0].span.start as usize));
            text.extend(order);
            Edit { span: Span { start: last.span.end, end: last.span.end }, text }
        }
        Some((clause, None)) => {
            let mut text = Vec::from(b" ".as_slice());
            text.extend(order);
            Edit { span: Span { start: clause.span.end, end: clause.span.end }, text }
        }
        None => {
            let clause = facts
                .handlers
                .iter()
                .find(|clause| clause.event_span == before)
                .map_or(before, |clause| clause.span);
            let text = [format!("on {when} do\n    ").as_bytes(), order, b"\n\n"].concat();
            Edit { span: Span { start: clause.start, end: clause.start }, text }
        }
    }
}

fn no_handler(
    facts: &ScriptFacts<'_>,
    subscription: &Wish<'_>,
    handlers: &[Wish<'_>],
) -> Diagnostic {
    let side = side_word(subscription.side);
    let filter = quote(facts.source, subscription.expr.span);
    let warning = Diagnostic::new(
        Code::NoHandler,
        subscription.span,
        format!("no `on topic {side}` takes what {filter} subscribes to"),
    );
    let warning = point_at_near(warning, subscription, handlers);
    match warning.help {
        Some(_) => warning,
        None => warning.help(format!(
            "add a handler, `on topic {side} {} do ...`, or leave out the subscription",
            String::from_utf8_lossy(subscription.expr.span.of(facts.source))
        )),
    }
}

/// The same filter at the other broker, or one that differs by a slip.
fn point_at_near(warning: Diagnostic, wish: &Wish<'_>, others: &[Wish<'_>]) -> Diagnostic {
    let Some(filter) = &wish.filter else { return warning };
    let known = |other: &&Wish<'_>| other.filter.is_some();
    let crossed = others.iter().filter(known).find(|other| {
        other.side != wish.side && other.filter.as_ref().is_some_and(|known| overlap(filter, known))
    });
    if let Some(crossed) = crossed {
        let (here, there) = (side_word(wish.side), side_word(crossed.side));
        return warning
            .related(crossed.span, format!("this is about the {there} broker"))
            .help(format!("write `{here}` or `{there}` in both places"));
    }
    let same_side = || others.iter().filter(known).filter(|other| other.side == wish.side);
    let candidates = same_side().filter_map(|other| other.filter.as_deref());
    let Some(near) = nearest(filter, candidates) else { return warning };
    match same_side().find(|other| other.filter.as_deref() == Some(near)) {
        Some(other) => warning
            .related(other.span, "this comes near, but is another topic")
            .help(format!("did you mean {}?", quote_bytes(near))),
        None => warning,
    }
}

fn subscribe_text(facts: &ScriptFacts<'_>, handler: &Wish<'_>) -> Vec<u8> {
    let mut text = format!("subscribe {} ", side_word(handler.side)).into_bytes();
    text.extend(handler.expr.span.of(facts.source));
    text
}

/// The blanks at the start of the line an offset is on, if nothing else stands before it; else
/// none.
fn indentation(source: &[u8], offset: usize) -> &[u8] {
    let before = source.get(..offset).unwrap_or_default();
    let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let line = &before[start..];
    if line.iter().all(|byte| matches!(byte, b' ' | b'\t')) { line } else { b"    " }
}
