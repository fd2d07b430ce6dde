//! Handlers that feed themselves (W0008): a message whose handler publishes a message that wakes it
//! again, at once and for ever, perhaps through other handlers and the remote broker.
//!
//! The nodes of the graph are the `publish` actions in `on topic` handlers; an arrow leads from one
//! to another if the first's message certainly makes the device come to the second. A publish under
//! a condition counts if the condition is certainly true for the message (`if $this_data = "on"`
//! and data `"on"`), or, where a publish wakes itself, if nothing the condition looks at changes
//! from one time to the next. Any other condition is taken for what ends the loop.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use umqtt_vm::Side;

use super::facts::{Guard, ScriptFacts, Step, each_node, unbracketed, variable_name};
use super::fold::{KnownValues, truth, value};
use super::quote;
use super::topics::{Topics, overlap};
use crate::ast::*;
use crate::diagnostic::{Code, Diagnostic};

/// Most work, roughly in bytes of source looked at: scripts that would take more are not looked at
/// further.
const MAX_WORK: usize = 4_000_000;
/// Most places named in one warning.
const MAX_RELATED: usize = 4;

/// An `on topic` handler that messages can reach.
struct Handler {
    index: usize,
    side: Side,
    filter: Vec<u8>,
    /// The subscriptions that bring it messages.
    subscriptions: Vec<Vec<u8>>,
}

/// A `publish` in such a handler.
struct Sender<'s> {
    step: usize,
    /// Which of the handlers it stands in.
    handler: usize,
    side: Side,
    topic: &'s Expr,
    data: &'s Expr,
    /// The topics it can go to, as a filter.
    published: Vec<u8>,
}

/// What is known of a message when its handler runs.
struct Message<'t> {
    topics: &'t Topics<'t>,
    facts: &'t ScriptFacts<'t>,
    topic: Option<Vec<u8>>,
    data: Option<Vec<u8>>,
}

impl KnownValues for Message<'_> {
    /// Only variables set in `init` are sure to have their value when a message comes.
    fn variable(&self, name: &[u8]) -> Option<Vec<u8>> {
        let variable = self.facts.variables.get(name)?;
        if variable.constant.is_some() {
            return self.topics.variable(name);
        }
        let &[(_, step)] = variable.sets.as_slice() else { return None };
        let set = &self.facts.steps[step];
        match self.facts.event(set) {
            EventPattern::Simple(Trigger::Init) if set.guard.is_none() => {
                self.topics.variable(name)
            }
            _ => None,
        }
    }

    fn special(&self, special: Special) -> Option<Vec<u8>> {
        match special {
            Special::ThisTopic => self.topic.clone(),
            Special::ThisData => self.data.clone(),
            _ => None,
        }
    }
}

/// W0008, once for each set of publishes that feed each other.
pub(super) fn check(facts: &ScriptFacts<'_>, topics: &Topics<'_>, found: &mut Vec<Diagnostic>) {
    let mut work = MAX_WORK;
    let Some(handlers) = handlers(facts, topics, &mut work) else { return };
    let senders = senders(facts, topics, &handlers);
    let Some(graph) = arrows(facts, topics, &handlers, &senders, &mut work) else { return };
    let mut diagnostic = vec![false; senders.len()];
    let components = components(&graph);
    for start in 0..senders.len() {
        if diagnostic[start] {
            continue;
        }
        let Some(path) = way_back(&graph, &components, start) else { continue };
        for other in start..senders.len() {
            diagnostic[other] |= components[other] == components[start];
        }
        found.push(tell(facts, &handlers, &senders, &path));
    }
}

/// `None` when out of work.
fn handlers(
    facts: &ScriptFacts<'_>,
    topics: &Topics<'_>,
    work: &mut usize,
) -> Option<Vec<Handler>> {
    let mut subscriptions = Vec::new();
    for step in &facts.steps {
        if let ActionKind::Subscribe { broker, filter } = &step.action.kind {
            subscriptions.extend(topics.filter(facts, filter).map(|known| (broker.side, known)));
        }
    }
    let mut handlers = Vec::new();
    for (index, clause) in facts.handlers.iter().enumerate() {
        let EventPattern::Topic { broker, filter } = &clause.event else { continue };
        let Some(filter) = topics.filter(facts, filter) else { continue };
        *work = work.checked_sub(filter.len() * subscriptions.len())?;
        let subscriptions: Vec<_> = subscriptions
            .iter()
            .filter(|(side, subscribed)| *side == broker.side && overlap(subscribed, &filter))
            .map(|(_, subscribed)| subscribed.clone())
            .collect();
        *work = work.checked_sub(subscriptions.iter().map(Vec::len).sum())?;
        if !subscriptions.is_empty() {
            handlers.push(Handler { index, side: broker.side, filter, subscriptions });
        }
    }
    Some(handlers)
}

fn senders<'s>(
    facts: &ScriptFacts<'s>,
    topics: &Topics<'_>,
    handlers: &[Handler],
) -> Vec<Sender<'s>> {
    let mut senders = Vec::new();
    for (at, step) in facts.steps.iter().enumerate() {
        let ActionKind::Publish { broker, topic, data, .. } = &step.action.kind else { continue };
        let own = handlers.binary_search_by_key(&step.handler, |handler| handler.index);
        let Ok(handler) = own else { continue };
        let own = Some(handlers[handler].filter.as_slice());
        let Some(published) = topics.published(facts, topic, own) else { continue };
        senders.push(Sender { step: at, handler, side: broker.side, topic, data, published });
    }
    senders
}

/// For each sender the senders its message leads to; `None` when out of work.
fn arrows<'s>(
    facts: &ScriptFacts<'s>,
    topics: &Topics<'_>,
    handlers: &[Handler],
    senders: &[Sender<'s>],
    work: &mut usize,
) -> Option<Vec<Vec<usize>>> {
    let mut in_handler = vec![Vec::new(); handlers.len()];
    for (at, sender) in senders.iter().enumerate() {
        in_handler[sender.handler].push(at);
    }
    let mut graph = Vec::with_capacity(senders.len());
    for (from, sender) in senders.iter().enumerate() {
        let mut message = Message { topics, facts, topic: None, data: None };
        message.data = value(facts.source, sender.data, &message);
        if !umqtt_topic::has_wildcard(&sender.published) {
            message.topic = Some(sender.published.clone());
        }
        let mut to = Vec::new();
        for (at, handler) in handlers.iter().enumerate() {
            *work = work.checked_sub(sender.published.len())?;
            if handler.side != sender.side || !overlap(&sender.published, &handler.filter) {
                continue;
            }
            *work = work.checked_sub(handler.subscriptions.iter().map(Vec::len).sum())?;
            if !handler.subscriptions.iter().any(|known| overlap(known, &sender.published)) {
                continue;
            }
            for &next in &in_handler[at] {
                *work = work.checked_sub(1)?;
                if reaches(
                    facts,
                    &message,
                    sender,
                    &facts.steps[senders[next].step],
                    from == next,
                    work,
                )? {
                    to.push(next);
                }
            }
        }
        graph.push(to);
    }
    Some(graph)
}

/// Whether a message makes its handler come to `step`; `None` when out of work.
fn reaches(
    facts: &ScriptFacts<'_>,
    message: &Message<'_>,
    sender: &Sender<'_>,
    step: &Step<'_>,
    is_itself: bool,
    work: &mut usize,
) -> Option<bool> {
    for guard in facts.guards_of(step) {
        let guard = &facts.guards[guard];
        let span = guard.condition.span;
        *work = work.checked_sub((span.end - span.start) as usize)?;
        let holds = match truth(facts.source, guard.condition, message) {
            Some(known) => known == guard.expected,
            None => is_itself && stays(facts, message, sender, step, guard),
        };
        if !holds {
            return Some(false);
        }
    }
    Some(true)
}

/// Whether a condition a publish stands under has the same value when its own message comes back.
fn stays(
    facts: &ScriptFacts<'_>,
    message: &Message<'_>,
    sender: &Sender<'_>,
    step: &Step<'_>,
    guard: &Guard<'_>,
) -> bool {
    if guard.is_loop {
        return false;
    }
    let same = |expr: &Expr, special| unbracketed(expr).kind == ExprKind::Special(special);
    let topic_stays = message.topic.is_some() || same(sender.topic, Special::ThisTopic);
    let data_stays = message.data.is_some() || same(sender.data, Special::ThisData);
    let set_here = |name: &[u8]| {
        let sets = facts.variables.get(name).map_or(&[][..], |variable| &variable.sets);
        sets.iter().any(|&(_, set)| facts.steps[set].handler == step.handler)
    };
    let mut stays = true;
    each_node(guard.condition, &mut |node| {
        stays &= match &node.kind {
            ExprKind::Variable => !set_here(&variable_name(facts.source, node.span)),
            ExprKind::Flash(_) => false,
            ExprKind::Special(Special::ThisTopic) => topic_stays,
            ExprKind::Special(Special::ThisData) => data_stays,
            ExprKind::Special(_) => false,
            ExprKind::Call(call) => !call.function().is_volatile(),
            _ => true,
        };
    });
    stays
}

/// For each node the number of its strongly connected component (Tarjan's algorithm, without
/// recursion).
fn components(graph: &[Vec<usize>]) -> Vec<usize> {
    const NONE: usize = usize::MAX;
    let mut order = vec![NONE; graph.len()];
    let mut low = vec![0; graph.len()];
    let mut component = vec![NONE; graph.len()];
    let (mut visited, mut count) = (0, 0);
    let mut open = Vec::new();
    for root in 0..graph.len() {
        if order[root] != NONE {
            continue;
        }
        // A node and how many of its arrows were followed.
        let mut path = vec![(root, 0)];
        while let Some((node, followed)) = path.pop() {
            if followed == 0 {
                order[node] = visited;
                low[node] = visited;
                visited += 1;
                open.push(node);
            }
            if let Some(&next) = graph[node].get(followed) {
                path.push((node, followed + 1));
                if order[next] == NONE {
                    path.push((next, 0));
                } else if component[next] == NONE {
                    low[node] = low[node].min(order[next]);
                }
                continue;
            }
            if low[node] == order[node] {
                while let Some(member) = open.pop() {
                    component[member] = count;
                    if member == node {
                        break;
                    }
                }
                count += 1;
            }
            if let Some(&(parent, _)) = path.last() {
                low[parent] = low[parent].min(low[node]);
            }
        }
    }
    component
}

/// The shortest way from a node back to itself, the node first; `None` if there is none.
fn way_back(graph: &[Vec<usize>], components: &[usize], start: usize) -> Option<Vec<usize>> {
    let mut before = vec![None; graph.len()];
    let mut waiting = VecDeque::from([start]);
    while let Some(node) = waiting.pop_front() {
        for &next in &graph[node] {
            if next == start {
                let mut path = vec![node];
                while let Some(previous) = before[path[path.len() - 1]] {
                    path.push(previous);
                }
                path.reverse();
                return Some(path);
            }
            if components[next] == components[start] && before[next].is_none() {
                before[next] = Some(node);
                waiting.push_back(next);
            }
        }
    }
    None
}

fn tell(
    facts: &ScriptFacts<'_>,
    handlers: &[Handler],
    senders: &[Sender<'_>],
    path: &[usize],
) -> Diagnostic {
    let first = &senders[path[0]];
    let message = match path.len() {
        1 => "this message wakes the handler that publishes it, again and again".into(),
        2 => "this message comes back to its handler through one other, again and again".into(),
        n => format!(
            "this message comes back to its handler through {} others, again and again",
            n - 1
        ),
    };
    let mut warning = Diagnostic::new(Code::FeedbackLoop, facts.steps[first.step].action.span, message)
        .help(
            "publish only under a condition that ends it, such as `if $this_data neq $last then`, or to a topic none \
             of these handlers waits for",
        );
    let wakes = |from: usize, to: usize| {
        let clause = facts.handlers[handlers[senders[to].handler].index];
        (senders[from].step, format!("wakes `on {}`", words(facts, clause)))
    };
    for (at, &from) in path.iter().enumerate().take(MAX_RELATED) {
        let to = path.get(at + 1).copied().unwrap_or(path[0]);
        let (step, words) = wakes(from, to);
        if path.len() > 1 {
            warning = warning.related(facts.steps[step].action.span, words);
        }
    }
    warning
}

/// The words of an event.
fn words(facts: &ScriptFacts<'_>, clause: &OnClause) -> String {
    let quoted = quote(facts.source, clause.event_span);
    quoted.trim_matches('`').into()
}
