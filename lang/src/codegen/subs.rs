//! Subs, as far as they are known: their names, who calls whom, and what of events they look at.

use alloc::vec::Vec;

use umqtt_vm::image::{Record, Trigger};

use crate::ast::{Span, Special};
use crate::budget::MemoryBudget;

/// Those of a script, as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Subs {
    /// In the order in which they were first named.
    pub(super) entries: Vec<Sub>,
    pub(super) names: Vec<u8>,
    pub(super) calls: Vec<SubCall>,
    /// Data of events that subs look at, once for each sub and event.
    pub(super) looks: Vec<Look>,
    /// What wakes the handlers that call some.
    pub(super) handlers: Vec<CallingHandler>,
    /// There are more than the device has room for, which was reported.
    pub(super) too_many: bool,
}

#[derive(Debug)]
pub(super) struct Sub {
    /// Where its name is in the names.
    pub(super) name: Span,
    /// Where in the script it is named: by its `sub`, if that is known.
    pub(super) at: Span,
    pub(super) defined: bool,
    /// Where its code is.
    pub(super) code: u16,
    /// The event's arguments that it and those it calls look at: bit n is argument n.
    pub(super) arguments: u8,
    /// How many calls deep it goes, its own included.
    pub(super) depth: u16,
    /// See [`Subs::reach`].
    pub(super) reached_by: Option<u16>,
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// A handler, by its number among those that call, if it has one yet.
    Handler(Option<u16>),
    /// A sub.
    Sub(u16),
}

#[derive(Debug)]
pub(super) struct SubCall {
    pub(super) from: Caller,
    pub(super) to: u16,
    /// Where in the script.
    pub(super) at: Span,
}

#[derive(Debug)]
pub(super) struct Look {
    pub(super) sub: u16,
    pub(super) special: Special,
    /// Where in the script.
    pub(super) at: Span,
}

#[derive(Debug)]
pub(super) struct CallingHandler {
    pub(super) trigger: Trigger,
    pub(super) key: u8,
    /// Where its event stands in the script.
    pub(super) at: Span,
}

/// No sub: there are too many.
pub(super) const NO_SUB: u16 = u16::MAX;

/// How much there was before a statement.
#[derive(Clone, Copy)]
pub(super) struct SubsSavepoint([usize; 5]);

impl Subs {
    pub(super) fn savepoint(&self) -> SubsSavepoint {
        let Subs { entries, names, calls, looks, handlers, too_many: _ } = self;
        SubsSavepoint([entries.len(), names.len(), calls.len(), looks.len(), handlers.len()])
    }

    pub(super) fn roll_back(&mut self, before: SubsSavepoint) {
        let SubsSavepoint([entries, names, calls, looks, handlers]) = before;
        self.entries.truncate(entries);
        self.names.truncate(names);
        self.calls.truncate(calls);
        self.looks.truncate(looks);
        self.handlers.truncate(handlers);
    }

    /// Makes room for what an action can add, with names of so many bytes.
    pub(super) fn reserve(&mut self, budget: &MemoryBudget<'_>, bytes: usize) -> bool {
        budget.grow(&mut self.entries, 1)
            && budget.grow(&mut self.names, bytes)
            && budget.grow(&mut self.calls, 1)
            && budget.grow(&mut self.looks, 1)
            && budget.grow(&mut self.handlers, 1)
    }

    pub(super) fn name(&self, number: u16) -> &[u8] {
        self.entries.get(usize::from(number)).map_or(b"", |entry| entry.name.of(&self.names))
    }

    /// The number of the sub of that name, a new one if the name is new; [`NO_SUB`] if there are
    /// `most` already.
    pub(super) fn number(&mut self, name: &[u8], at: Span, most: usize) -> u16 {
        let known = self.entries.iter().position(|entry| entry.name.of(&self.names) == name);
        if let Some(number) = known {
            return number as u16;
        }
        if self.entries.len() >= most.min(NO_SUB.into()) {
            return NO_SUB;
        }
        let start = self.names.len();
        self.names.extend_from_slice(name);
        self.entries.push(Sub {
            name: Span::new(start, self.names.len()),
            at,
            defined: false,
            code: 0,
            arguments: 0,
            depth: 1,
            reached_by: None,
        });
        (self.entries.len() - 1) as u16
    }

    /// The number that code has for a sub: its place among the records.
    pub(super) fn final_number(&self, number: u16) -> u16 {
        let order = |entry: &Sub| (entry.depth, entry.code);
        let own = self.entries.get(usize::from(number)).map(order);
        self.entries.iter().filter(|entry| Some(order(entry)) < own).count() as u16
    }

    /// The records of all, in no order.
    pub(super) fn records(&self) -> impl ExactSizeIterator<Item = Record> {
        self.entries.iter().map(|entry| Record {
            trigger: Trigger::Sub,
            key: entry.depth as u8,
            code: entry.code,
            filter: entry.arguments.into(),
        })
    }

    /// The calls of a sub.
    pub(super) fn calls_of(&self, number: u16) -> impl Iterator<Item = &SubCall> {
        self.calls.iter().filter(move |call| call.from == Caller::Sub(number))
    }

    /// Follows the calls until nothing changes any more: how deep each sub goes, and what it looks
    /// at. A sub that calls itself, on whatever way, goes deeper than there are subs.
    pub(super) fn follow(&mut self) {
        let deepest = self.entries.len() as u16 + 1;
        let mut settled = false;
        while !core::mem::replace(&mut settled, true) {
            for call in &self.calls {
                let (Caller::Sub(from), to) = (call.from, usize::from(call.to)) else { continue };
                let Some((depth, arguments)) =
                    self.entries.get(to).map(|entry| (entry.depth, entry.arguments))
                else {
                    continue;
                };
                let Some(entry) = self.entries.get_mut(usize::from(from)) else { continue };
                let (before, had) = (entry.depth, entry.arguments);
                entry.depth = before.max((depth + 1).min(deepest));
                entry.arguments |= arguments;
                settled &= (entry.depth, entry.arguments) == (before, had);
            }
        }
    }

    /// Notes at each sub a handler of another event than this one that comes to it, if there is
    /// one. Follows the calls as often as they go deep.
    pub(super) fn reach(&mut self, event: Trigger) {
        self.entries.iter_mut().for_each(|entry| entry.reached_by = None);
        let mut settled = false;
        while !core::mem::replace(&mut settled, true) {
            for call in &self.calls {
                let by = match call.from {
                    Caller::Handler(handler) => handler.filter(|handler| {
                        let handler = self.handlers.get(usize::from(*handler));
                        handler.is_some_and(|it| it.trigger.of_specials() != event)
                    }),
                    Caller::Sub(from) => {
                        self.entries.get(usize::from(from)).and_then(|from| from.reached_by)
                    }
                };
                if let Some(entry) = self.entries.get_mut(usize::from(call.to))
                    && entry.reached_by.is_none()
                    && by.is_some()
                {
                    entry.reached_by = by;
                    settled = false;
                }
            }
        }
    }
}
