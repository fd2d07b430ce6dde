//! The pass before the compiler's: the values of the constants that a script names, wherever in it
//! they stand.
//!
//! Only where the word `const` is in a piece of the script is that parsed. The values are then
//! computed, each constant's when those it is made of are known; its statement is read again for
//! that, so that no tree waits.

use core::cell::Cell;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use umqtt_vm::Profile;

use crate::ast::{Action, ConfigLine, Constant, EventPattern, Expr, Span};
use crate::budget::{MemoryBudget, StepMemory};
use crate::codegen::ImageBuilder;
use crate::codegen::fold::{Scope, known};
use crate::diagnostic::{Code, Diagnostic};
use crate::named::{NamedConstant, NamedConstants, NamedValue};
use crate::parse::{MAX_DIAGNOSTICS, Sink, StatementReader, shown};
use crate::pieces::{AT_ONCE, Pieces, Source};

/// The constants of a script, and in `made` what is wrong with them; `None` if the source cannot be
/// read.
#[inline(never)]
pub(crate) fn collect(
    source: &mut dyn Source,
    profile: &Profile,
    budget: &MemoryBudget<'_>,
    made: &mut ImageBuilder<'_>,
) -> Option<NamedConstants> {
    let mut pass = Pass { named: NamedConstants::default(), text: Vec::new(), profile, budget };
    if !mentions_constant(source)? {
        return Some(pass.named);
    }
    let mut pieces = Pieces::default();
    while let Some(piece) = pieces.next(source, profile.value)? {
        if piece.has_constant {
            let place = Span::new(piece.read.start, piece.read.end);
            pass.visit(source, place, piece.len, made, &mut Pass::note)?;
        }
    }
    pass.compute(source, made)?;
    pass.report_circles(made);
    budget.take_tokens();
    Some(pass.named)
}

/// Whether the bytes `const` are anywhere in the source: in most scripts they are not, and then it
/// need not be cut into pieces for this.
fn mentions_constant(source: &mut dyn Source) -> Option<bool> {
    const WORD: [u8; 5] = *b"const";
    let mut buffer = [0; AT_ONCE];
    let mut at = 0;
    while at + WORD.len() <= source.len() {
        let len = AT_ONCE.min(source.len() - at);
        let bytes = buffer.get_mut(..len)?;
        if !source.read(at, bytes) {
            return None;
        }
        let mut last = WORD.len() - 1;
        // The last of five bytes says how far on the word can be at the earliest.
        while let Some(byte) = bytes.get(last) {
            last += match byte {
                b'c' => 4,
                b'o' => 3,
                b'n' => 2,
                b's' => 1,
                b't' if bytes.get(..=last).is_some_and(|read| read.ends_with(&WORD)) => {
                    return Some(true);
                }
                _ => WORD.len(),
            };
        }
        at += last + 1 - WORD.len();
    }
    Some(false)
}

struct Pass<'p, 'r> {
    named: NamedConstants,
    text: Vec<u8>,
    profile: &'p Profile,
    budget: &'p MemoryBudget<'r>,
}

/// What is done with a constant of the text at hand, which starts so far into the script.
type Visit<'v, 'p, 'r> =
    &'v mut dyn FnMut(&mut Pass<'p, 'r>, &[u8], u32, Constant, &mut ImageBuilder<'_>);

impl<'p, 'r> Pass<'p, 'r> {
    /// Visits the constants in a part of the script that begin in its first bytes. What is wrong
    /// with other statements, the compiler will tell.
    fn visit(
        &mut self,
        source: &mut dyn Source,
        place: Span,
        len: usize,
        made: &mut ImageBuilder<'_>,
        visit: Visit<'_, 'p, 'r>,
    ) -> Option<()> {
        let budget = self.budget;
        let mut text = core::mem::take(&mut self.text);
        text.clear();
        if budget.grow(&mut text, place.len()) {
            text.resize(place.len(), 0);
            if !source.read(place.start as usize, &mut text) {
                return None;
            }
            let most = MAX_DIAGNOSTICS;
            let mut reader = StatementReader::new(&text, len, self.profile, most, Some(budget));
            loop {
                let mut found = Found(None);
                match reader.next(&mut found, budget, None) {
                    None => break,
                    Some(Err(_)) => {}
                    Some(Ok(())) => {
                        if let Some(constant) = found.0 {
                            visit(self, &text, place.start, constant, made);
                        }
                    }
                }
            }
        }
        self.text = text;
        Some(())
    }

    /// Takes a constant in.
    fn note(&mut self, text: &[u8], base: u32, constant: Constant, made: &mut ImageBuilder<'_>) {
        let name = constant.name.of(text);
        let at = moved(constant.name, base);
        if let Some(first) = self.named.find(name) {
            let first = self.named.entries.get(first).map(|entry| entry.at).unwrap_or_default();
            let message = format!("there is a constant `{}` already", shown(name));
            made.report(|| {
                Diagnostic::new(Code::DefinedTwice, at, message)
                    .hinted(|it| it.related(first, "the other one"))
            });
            return;
        }
        let most = self.profile.variables;
        if self.named.entries.len() >= most {
            if !core::mem::replace(&mut made.too_many_constants, true) {
                let device = self.profile.name;
                made.report(|| {
                    let message =
                        format!("constant number {}, {device} has room for {most}", most + 1);
                    Diagnostic::new(Code::TooManyNames, at, message)
                });
            }
            return;
        }
        let budget = self.budget;
        if budget.grow(&mut self.named.entries, 1) && budget.grow(&mut self.named.bytes, name.len())
        {
            let start = self.named.bytes.len();
            self.named.bytes.extend_from_slice(name);
            let own = self.named.entries.len();
            self.named.entries.push(NamedConstant {
                name: Span::new(start, start + name.len()),
                at,
                statement: moved(constant.span, base),
                value: NamedValue::Waits(own),
            });
        }
    }

    /// Computes the values: where one needs another, that one first. So each is looked at once more
    /// than it names others at most. What comes to a circle waits for ever.
    fn compute(&mut self, source: &mut dyn Source, made: &mut ImageBuilder<'_>) -> Option<()> {
        let mut open: Vec<usize> = Vec::new();
        for first in 0..self.named.entries.len() {
            if !self.is_new(first) || !self.budget.grow(&mut open, 1) {
                continue;
            }
            open.push(first);
            while let Some(&number) = open.last() {
                self.compute_one(number, source, made)?;
                if self.budget.refused().is_some() {
                    return Some(());
                }
                match self.named.entries[number].value {
                    NamedValue::Waits(next) if next != number && self.is_new(next) => {
                        if !self.budget.grow(&mut open, 1) {
                            return Some(());
                        }
                        open.push(next);
                    }
                    // Itself, or one that is open or waits for ever.
                    NamedValue::Waits(_) => open.clear(),
                    _ => _ = open.pop(),
                }
            }
        }
        Some(())
    }

    /// Nobody has looked at it yet, or it waits for itself.
    fn is_new(&self, number: usize) -> bool {
        let value = self.named.entries.get(number).map(|entry| entry.value);
        value == Some(NamedValue::Waits(number))
    }

    /// Reads the statement of a constant again, and computes its value as far as it can be known.
    fn compute_one(
        &mut self,
        number: usize,
        source: &mut dyn Source,
        made: &mut ImageBuilder<'_>,
    ) -> Option<()> {
        let statement = self.named.entries[number].statement;
        self.visit(source, statement, statement.len(), made, &mut |pass, text, base, it, made| {
            let value = pass.value(number, text, base, &it, made);
            if let Some(entry) = pass.named.entries.get_mut(number) {
                entry.value = value;
            }
        })
    }

    /// The value of a constant, as far as it can be known.
    fn value(
        &mut self,
        number: usize,
        text: &[u8],
        base: u32,
        constant: &Constant,
        made: &mut ImageBuilder<'_>,
    ) -> NamedValue {
        let limit = self.profile.value;
        // What computing it may take: a text that is joined, and the one before.
        if !self.budget.has(2 * limit.max(text.len())) {
            return NamedValue::Waits(number);
        }
        let missing = Cell::new(None);
        let scope = Scope { text, named: &self.named, missing: Some(&missing) };
        if let Some(value) = known(scope, &constant.value, limit) {
            let value = value.into_bytes().into_owned();
            let copy = StepMemory::new(value.len(), value.len());
            if !self.budget.grow_beside(&mut self.named.bytes, value.len(), copy) {
                return NamedValue::Waits(number);
            }
            let start = self.named.bytes.len();
            self.named.bytes.extend_from_slice(&value);
            return NamedValue::Known(Span::new(start, start + value.len()));
        }
        let at = missing.get().unwrap_or(constant.value.span);
        if let Some(needed) = missing.get().and_then(|at| self.named.find(at.of(text))) {
            return NamedValue::Waits(needed);
        }
        // Else it may be one of those there is no room for.
        if made.too_many_constants {
            return NamedValue::Wrong;
        }
        made.report(|| {
            let message = format!("`{}` is not known when compiling", shown(at.of(text)));
            Diagnostic::new(Code::BadConstant, moved(at, base), message).hinted(|it| {
                it.help("a constant is made of literals, operators and other constants; `setvar` in `on init` sets a variable")
            })
        });
        NamedValue::Wrong
    }

    /// What waits in the end, waits for itself, or for another one that does.
    fn report_circles(&mut self, made: &mut ImageBuilder<'_>) {
        for number in 0..self.named.entries.len() {
            let NamedValue::Waits(mut next) = self.named.entries[number].value else { continue };
            if self.budget.refused().is_some() {
                return;
            }
            let mut circle = String::new();
            let mut first = number;
            let shown_name = |at| shown(self.named.name(at));
            // Each step leads to another one, or the circle is closed.
            for _ in 0..self.named.entries.len() {
                if !self.budget.has(circle.len() + 256) {
                    return;
                }
                first = first.min(next);
                circle += &format!(" -> `{}`", shown_name(next));
                let NamedValue::Waits(after) = self.named.entries[next].value else { break };
                if next == number {
                    break;
                }
                next = after;
            }
            // Told of once, at the first of it.
            if next == number && first == number {
                let at = self.named.entries[number].at;
                let name = shown_name(number);
                let message = format!("`{name}` needs its own value: `{name}`{circle}");
                made.report(|| Diagnostic::new(Code::ConstantCircle, at, message));
            }
        }
        for entry in &mut self.named.entries {
            if let NamedValue::Waits(_) = entry.value {
                entry.value = NamedValue::Wrong;
            }
        }
    }
}

fn moved(span: Span, by: u32) -> Span {
    Span { start: span.start + by, end: span.end + by }
}

/// The constant of a statement, if it is one.
struct Found(Option<Constant>);

impl Sink for Found {
    fn constant(&mut self, constant: Constant) {
        self.0 = Some(constant);
    }

    fn config(&mut self, _line: ConfigLine) {}
    fn clause(&mut self, _event: EventPattern, _event_span: Span) {}
    fn action(&mut self, _action: Action) {}
    fn open_if(&mut self, _start: u32, _condition: Expr) {}
    fn else_if(&mut self, _condition: Expr) {}
    fn otherwise(&mut self) {}
    fn open_while(&mut self, _start: u32, _condition: Expr) {}
    fn end_block(&mut self, _span: Span) {}
    fn end_clause(&mut self, _span: Span) {}
}
