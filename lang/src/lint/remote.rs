//! What is said to the remote broker before it can be connected (W0032): a subscription or a
//! message in `on init` or `on wificonnect` is lost whenever the device starts.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use umqtt_vm::Side;

use super::facts::ScriptFacts;
use super::quote;
use super::subscriptions::{MAX_PAIRS, order_in};
use super::topics::{Topics, overlap};
use crate::ast::*;
use crate::diagnostic::{Code, Diagnostic};

/// Whether an event comes before any connection to the remote broker.
fn is_before(event: &EventPattern) -> bool {
    matches!(event, EventPattern::Simple(Trigger::Init | Trigger::WifiConnect))
}

/// W0032. What is subscribed to later as well is heard of in any case.
pub(super) fn check(facts: &ScriptFacts<'_>, topics: &Topics<'_>, found: &mut Vec<Diagnostic>) {
    let is_remote = |broker: &Broker| broker.side == Side::Remote;
    let mut later = vec![];
    for step in facts.steps.iter().filter(|step| !is_before(facts.event(step))) {
        if let ActionKind::Subscribe { broker, filter } = &step.action.kind
            && is_remote(broker)
        {
            later.push(topics.filter(facts, filter));
        }
    }
    if later.len().saturating_mul(facts.steps.len()) > MAX_PAIRS {
        return;
    }
    for step in facts.steps.iter().filter(|step| is_before(facts.event(step))) {
        let what = match &step.action.kind {
            ActionKind::Subscribe { broker, filter } if is_remote(broker) => {
                let wish = topics.filter(facts, filter);
                let is_again = |other: &Option<Vec<u8>>| match (&wish, other) {
                    (Some(wish), Some(other)) => overlap(wish, other),
                    _ => true,
                };
                if later.iter().any(is_again) {
                    continue;
                }
                "subscription"
            }
            ActionKind::Publish { broker, .. } if is_remote(broker) => "message",
            _ => continue,
        };
        let clause = facts.handlers[step.handler];
        let message =
            format!("the remote broker is not connected yet at a start, so this {what} is lost");
        let warning = Diagnostic::new(Code::NotConnectedYet, step.action.span, message);
        let order = step.action.span.of(facts.source);
        let warning = warning.help(format!(
            "`on mqttconnect do` comes with every connection: {}",
            quote(facts.source, step.action.span)
        ));
        // A message is sent there in place of here; a subscription is wanted there in any case.
        let connected = EventPattern::Simple(Trigger::MqttConnect);
        found.push(match what {
            "subscription" => {
                let edit = order_in(facts, &connected, "mqttconnect", order, clause.event_span);
                warning.fix("subscribe in `on mqttconnect` too", vec![edit])
            }
            _ => warning,
        });
    }
}
