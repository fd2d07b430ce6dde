//! Subs and their calls: their code is called. Which there are and who calls whom is known in the
//! end only; then each gets its depth, so that none can call itself, and its number.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use umqtt_vm::decode::instructions;
use umqtt_vm::image::Trigger;
use umqtt_vm::isa::{MAX_CALL_DEPTH, Op, Operand, TEMPORARIES};

use super::Compiler;
use super::builder::ImageBuilder;
use super::subs::{Caller, CallingHandler, Look, NO_SUB, Sub, SubCall};
use crate::ast::{Span, Special};
use crate::diagnostic::{Code, Diagnostic, HINTS};
use crate::parse::{DIAGNOSTIC, shown};
use crate::suggest::nearest;

impl Compiler<'_, '_, '_> {
    /// `sub NAME`: its number.
    #[inline(never)]
    pub(super) fn define_sub(&mut self, name: Span) -> u16 {
        let (text, base) = (name.of(self.source), self.base);
        let at = Span { start: name.start + base, end: name.end + base };
        let number = self.sub_number(name, at);
        let made = &mut *self.made;
        let Some(entry) = made.subs.entries.get_mut(usize::from(number)) else { return number };
        let first = entry.at;
        if core::mem::replace(&mut entry.defined, true) {
            let text = shown(text);
            self.report(|| {
                let message = format!("there is a sub `{text}` already");
                // It will be moved by the base, as all that is found here.
                let back = |offset: u32| offset.wrapping_sub(base);
                let first = Span { start: back(first.start), end: back(first.end) };
                Diagnostic::new(Code::DefinedTwice, name, message)
                    .hinted(|it| it.related(first, "the other one"))
            });
        } else {
            entry.at = at;
        }
        number
    }

    /// `call NAME`
    #[inline(never)]
    pub(super) fn call_sub(&mut self, name: Span) {
        let base = self.base;
        let at = Span { start: name.start + base, end: name.end + base };
        let to = self.sub_number(name, at);
        let made = &mut *self.made;
        if made.caller == Caller::Handler(None) {
            let (trigger, key, _) = made.clause;
            let at = made.clause_at;
            made.caller = Caller::Handler(Some(made.subs.handlers.len() as u16));
            made.subs.handlers.push(CallingHandler { trigger, key, at });
        }
        made.subs.calls.push(SubCall { from: made.caller, to, at });
        made.function.call(to);
    }

    /// The number of the sub of that name, which may be new.
    fn sub_number(&mut self, name: Span, at: Span) -> u16 {
        let (text, most) = (name.of(self.source), self.profile.variables);
        let number = self.subs.number(text, at, most);
        if number == NO_SUB && !core::mem::replace(&mut self.subs.too_many, true) {
            let device = self.profile.name;
            self.report(|| {
                let message = format!("sub number {}, {device} has room for {most}", most + 1);
                Diagnostic::new(Code::TooManyNames, name, message)
            });
        }
        number
    }

    /// A sub looks at data of an event.
    pub(super) fn look(&mut self, sub: u16, special: Special, at: Span) {
        let base = self.base;
        let at = Span { start: at.start + base, end: at.end + base };
        let made = &mut *self.made;
        let known = |look: &Look| (look.sub, look.special.event()) == (sub, special.event());
        if !made.subs.looks.iter().any(known)
            && made.budget.grow_beside(&mut made.subs.looks, 1, made.step)
        {
            made.subs.looks.push(Look { sub, special, at });
        }
    }

    /// The end of a sub, whose code is complete but for that.
    pub(super) fn end_sub(&mut self, number: u16) {
        self.function.op(Op::Leave, &[]);
        let made = &mut *self.made;
        let code = made.finish_function();
        let Some(words) = made.code.get_mut(usize::from(code)..) else { return };
        let mut arguments = 0;
        for (_, instruction) in instructions(words) {
            for operand in instruction.operands(TEMPORARIES) {
                if let Operand::Argument(argument) = operand {
                    arguments |= 1 << argument;
                }
            }
        }
        let len = words.len() as u32;
        if let Some(last) = words.last_mut() {
            *last |= len << 16;
        }
        if let Some(entry) = made.subs.entries.get_mut(usize::from(number)) {
            (entry.code, entry.arguments) = (code, arguments);
        }
    }
}

impl ImageBuilder<'_> {
    /// Reports what is wrong with subs, all of which are known now.
    pub(super) fn finish_subs(&mut self) {
        if self.subs.entries.is_empty() {
            return;
        }
        for number in 0..self.subs.entries.len() {
            let Sub { at, defined, .. } = self.subs.entries[number];
            if defined || !self.budget.has(2 * DIAGNOSTIC) {
                continue;
            }
            let name = self.subs.name(number as u16);
            let message = format!("there is no sub `{}`", shown(name));
            let others = self.subs.entries.iter().filter(|entry| entry.defined);
            let near = HINTS
                .then(|| nearest(name, others.map(|entry| entry.name.of(&self.subs.names))))
                .flatten()
                .map(shown);
            self.report(|| {
                Diagnostic::new(Code::UnknownSub, at, message).hinted(|it| match near {
                    Some(near) => it.help(format!("did you mean `{near}`?")),
                    None => it.help("`sub NAME do ...` says what `call NAME` does"),
                })
            });
        }
        self.subs.follow();
        let count = self.subs.entries.len();
        let mut list: Vec<u16> = Vec::new();
        if !self.budget.grow(&mut list, count + 1) {
            return;
        }
        if let Some(endless) =
            self.subs.entries.iter().position(|sub| usize::from(sub.depth) > count)
        {
            return self.report_circle(endless as u16, list);
        }
        for number in 0..count {
            let Sub { at, depth, .. } = self.subs.entries[number];
            if depth > MAX_CALL_DEPTH.into() {
                let name = shown(self.subs.name(number as u16));
                let message =
                    format!("`{name}` goes {depth} calls deep, {MAX_CALL_DEPTH} are allowed");
                return self.report(|| Diagnostic::new(Code::CallsTooDeep, at, message));
            }
        }
        for first in 0..self.subs.looks.len() {
            let (before, rest) = self.subs.looks.split_at(first);
            let Some(event) = rest.first().and_then(|look| look.special.event()) else { continue };
            if before.iter().any(|look| look.special.event() == Some(event)) {
                continue;
            }
            self.subs.reach(event);
            for look in first..self.subs.looks.len() {
                if self.subs.looks[look].special.event() == Some(event) {
                    self.check_look(look);
                }
            }
        }
    }

    /// Every handler that comes to a sub must have the data it looks at.
    fn check_look(&mut self, look: usize) {
        let Look { sub, special, at } = self.subs.looks[look];
        let reached_by = self.subs.entries.get(usize::from(sub)).and_then(|sub| sub.reached_by);
        let without = reached_by.and_then(|handler| self.subs.handlers.get(usize::from(handler)));
        let Some(&CallingHandler { trigger, key, at: handler }) = without else { return };
        let word = trigger.keyword();
        let event = match trigger {
            Trigger::Timer | Trigger::Alarm | Trigger::Gpio => format!("on {word} {key}"),
            _ => format!("on {word}"),
        };
        let name = shown(self.subs.name(sub));
        let data = special.keywords()[0];
        let clause = special.event().map_or("", Trigger::event_word);
        self.report(|| {
            let message =
                format!("{data} exists only in `on {clause}`, but `{event}` calls `{name}`");
            Diagnostic::new(Code::SpecialOutsideClause, at, message).hinted(|it| {
                it.related(handler, "this handler does not have it").help(
                    "save it with setvar in the handlers that have it, and use that variable here",
                )
            })
        });
    }

    /// Reports the circle that calls from this sub come to.
    fn report_circle(&mut self, start: u16, mut list: Vec<u16>) {
        let count = self.subs.entries.len();
        let endless = |call: &&SubCall| {
            self.subs
                .entries
                .get(usize::from(call.to))
                .is_some_and(|to| usize::from(to.depth) > count)
        };
        let mut at = start;
        // Each of these calls leads to another that does not end; after as many as there are subs
        // it is in a circle.
        for _ in 0..count {
            at = self.subs.calls_of(at).find(endless).map_or(at, |call| call.to);
        }
        let (first, mut place) = (at, Span::default());
        loop {
            list.push(at);
            let Some(call) = self.subs.calls_of(at).find(endless) else { break };
            place = call.at;
            at = call.to;
            if at == first || list.len() > count {
                break;
            }
        }
        if !self.budget.has(list.len() * 256) {
            return;
        }
        let mut way = String::new();
        for number in list.iter().chain([&first]) {
            way += if way.is_empty() { "" } else { " -> " };
            way += &format!("`{}`", shown(self.subs.name(*number)));
        }
        let name = shown(self.subs.name(first));
        let message = format!("`{name}` calls itself: {way}");
        self.report(|| {
            Diagnostic::new(Code::Recursion, place, message).hinted(|it| {
                it.help("to do something again, use `while`, or a timer that calls it")
            })
        });
    }
}
