//! What the grammar's actions need to build the tree: the source to read numbers from, the limits,
//! and a list for the mistakes that do not keep the rest of the statement from being understood.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use umqtt_vm::PinMode;
use umqtt_vm::words::FunctionOperands;

use super::sink::Sink;
use crate::ast::{
    Action, ActionKind, Call, Chain, ConfigLine, ConfigValue, Event, Expr, ExprKind, FunctionWord,
    Link, Logic, Number, Operator, Span, Special, Target, Trigger,
};
use crate::budget::MemoryBudget;
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::literal;

/// Bytes a diagnostic takes, with its texts and the list it goes to.
pub(crate) const DIAGNOSTIC: usize = 1024;

/// A value of one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Atom {
    /// A string or a bare word.
    Text,
    /// `#0d0a`
    Hex,
    /// `$name`
    Variable(Option<Special>),
    /// `@1`
    Flash,
}

/// Built anew for each statement.
pub(crate) struct Builder<'k, 's> {
    source: &'s [u8],
    /// Takes what is complete; `None` behind an error.
    sink: Option<&'k mut dyn Sink>,
    pub(super) budget: &'k MemoryBudget<'k>,
    /// Most operands in one chain.
    longest_chain: usize,
    /// Mistakes inside words, in the order of the source, no more than `most`.
    pub(crate) found: Vec<Diagnostic>,
    most: usize,
}

impl<'k, 's> Builder<'k, 's> {
    pub(crate) fn new(
        source: &'s [u8],
        longest_chain: usize,
        most: usize,
        sink: Option<&'k mut dyn Sink>,
        budget: &'k MemoryBudget<'k>,
    ) -> Builder<'k, 's> {
        Builder { source, sink, budget, longest_chain, found: Vec::new(), most }
    }

    /// Gives something to the sink, unless there was an error: what is made of it then would count
    /// for nothing.
    fn put(&mut self, put: impl FnOnce(&mut dyn Sink)) {
        if self.found.is_empty()
            && self.budget.refused().is_none()
            && let Some(sink) = &mut self.sink
        {
            put(*sink);
        }
    }

    /// A `config` line.
    pub(crate) fn config(&mut self, line: ConfigLine) {
        self.put(|sink| sink.config(line));
    }

    /// The event of a handler, from `start` to `end`.
    pub(crate) fn clause(&mut self, start: u32, end: u32, event: Event) {
        self.put(|sink| sink.clause(event, Span { start, end }));
    }

    /// An action that is not a block, from `start` to `end`.
    pub(crate) fn action(&mut self, start: u32, end: u32, kind: ActionKind) {
        self.put(|sink| sink.action(Action { span: Span { start, end }, kind }));
    }

    /// `if condition then`
    pub(crate) fn open_if(&mut self, start: u32, condition: Expr) {
        self.put(|sink| sink.open_if(start, condition));
    }

    /// `elseif condition then`
    pub(crate) fn else_if(&mut self, condition: Expr) {
        self.put(|sink| sink.else_if(condition));
    }

    /// `else`
    pub(crate) fn otherwise(&mut self) {
        self.put(|sink| sink.otherwise());
    }

    /// `while condition do`
    pub(crate) fn open_while(&mut self, start: u32, condition: Expr) {
        self.put(|sink| sink.open_while(start, condition));
    }

    /// `endif`, `done`
    pub(crate) fn end_block(&mut self, span: Span) {
        self.put(|sink| sink.end_block(span));
    }

    /// The end of a handler.
    pub(crate) fn end_clause(&mut self, span: Span) {
        self.put(|sink| sink.end_clause(span));
    }

    /// Keeps a diagnostic; they are made only where there is room for them.
    fn tell(&mut self, make: impl FnOnce(&'s [u8]) -> Diagnostic) {
        if self.found.len() < self.most && self.budget.has(DIAGNOSTIC) {
            self.found.push(make(self.source));
        }
    }

    /// Where a number must stand. What is none reads as 0, as on the device, but is an error.
    pub(crate) fn number(&mut self, span: Span) -> Number {
        let raw = span.of(self.source);
        let value = literal::number(raw).unwrap_or_else(|| {
            self.tell(|_| {
                Diagnostic::new(Code::BadNumber, span, format!("`{}` is not a number", shown(raw)))
            });
            0
        });
        Number { span, value }
    }

    /// `-2`, which is two words; `start` is where the sign stands.
    pub(crate) fn negative(&mut self, start: u32, digits: Span) -> Number {
        let number = self.number(digits);
        Number { span: Span { start, end: digits.end }, value: number.value.saturating_neg() }
    }

    /// The `$name` a `setvar` sets. What the device sets itself is read as a variable all the same.
    fn variable(&mut self, span: Span, special: Option<Special>) -> Target {
        if special.is_some() {
            self.tell(|source| {
                let name = shown(span.of(source));
                let message = format!("`{name}` is what the device knows, it cannot be set");
                Diagnostic::new(Code::SetSpecial, span, message)
                    .hinted(|it| it.help("give the variable a name of its own"))
            });
        }
        Target::Variable(span)
    }

    /// `@N`
    pub(crate) fn flash(&mut self, span: Span) -> Number {
        let value = literal::number(&span.of(self.source)[1..]).unwrap_or_else(|| {
            self.tell(|source| {
                let word = shown(span.of(source));
                Diagnostic::new(
                    Code::BadNumber,
                    span,
                    format!("`{word}` is not a flash variable, which are `@1`, `@2`, ..."),
                )
                .hinted(|it| meant_as_text(it, source, span))
            });
            0
        });
        Number { span, value }
    }

    /// A value of one word.
    pub(crate) fn atom(&mut self, atom: Atom, span: Span) -> Expr {
        let kind = match atom {
            Atom::Text => ExprKind::Text,
            Atom::Hex => self.hex(span),
            Atom::Variable(special) => special.map_or(ExprKind::Variable, ExprKind::Special),
            Atom::Flash => ExprKind::Flash(self.flash(span)),
        };
        Expr { span, kind }
    }

    /// `#0d0a`
    fn hex(&mut self, span: Span) -> ExprKind {
        if literal::unhex(span.of(self.source)).is_none() {
            self.tell(|source| {
                let word = shown(span.of(source));
                Diagnostic::new(
                    Code::BadHex,
                    span,
                    format!("`{word}` is not a hex value: `#` and two hex digits for each byte"),
                )
                .hinted(|it| meant_as_text(it, source, span))
            });
        }
        ExprKind::Hex
    }

    /// What `setvar` sets.
    pub(crate) fn target(&mut self, atom: Atom, span: Span) -> Target {
        match atom {
            Atom::Variable(special) => return self.variable(span, special),
            Atom::Flash => return Target::Flash(self.flash(span)),
            Atom::Text | Atom::Hex => {}
        }
        self.tell(|source| {
            let word = span.of(source);
            let message = format!("unexpected `{}`, expected a variable", shown(word));
            Diagnostic::new(Code::UnexpectedWord, span, message).hinted(|it| {
                let it = it.help("the name of a variable starts with `$`");
                if !word.first().is_some_and(u8::is_ascii_alphabetic) {
                    return it;
                }
                let at = Span { start: span.start, end: span.start };
                it.fix("add `$`", vec![Edit { span: at, text: b"$".to_vec() }])
            })
        });
        Target::Variable(span)
    }

    /// An event with a number; `at` is the word that is too much, or else the event.
    pub(crate) fn numbered(
        &mut self,
        event: Trigger,
        number: Number,
        pullup: Option<bool>,
        at: Span,
    ) -> Event {
        let message = match (event, pullup) {
            (Trigger::Timer, None) => return Event::Timer(number),
            (Trigger::Alarm, None) => return Event::Alarm(number),
            (Trigger::Gpio, Some(pullup)) => {
                return Event::GpioInterrupt { pin: number, pullup };
            }
            (Trigger::Gpio, None) => {
                "`gpio_interrupt` takes a pin and `pullup` or `nopullup`".into()
            }
            _ => format!("unexpected `{}`, expected `do`", shown(at.of(self.source))),
        };
        self.tell(|_| Diagnostic::new(Code::UnexpectedWord, at, message));
        Event::Simple(Trigger::Init)
    }

    /// A pin without a word about its resistor.
    pub(crate) fn floating(output: bool) -> PinMode {
        if output { PinMode::Output } else { PinMode::Input }
    }

    /// A pin with one.
    pub(crate) fn pulled(&mut self, output: bool, pullup: bool, span: Span) -> PinMode {
        if output {
            self.tell(|source| {
                let word = shown(span.of(source));
                let message = format!("`{word}` is for inputs only");
                Diagnostic::new(Code::UnexpectedWord, span, message)
            });
        }
        if pullup { PinMode::InputPullup } else { PinMode::Input }
    }

    /// `not(e)`, `find(a, b)`
    pub(crate) fn call(
        &mut self,
        function: FunctionWord,
        name: Span,
        first: Expr,
        second: Option<Expr>,
    ) -> ExprKind {
        let pair = function.operands() == FunctionOperands::Pair;
        let call = match second {
            None if pair => {
                self.miscalled(name, first.span, function);
                Call::Unary(FunctionWord::Len, first)
            }
            Some(second) if pair => Call::Pair(function, first, second),
            second => {
                if let Some(surplus) = second {
                    self.miscalled(name, surplus.span, function);
                }
                Call::Unary(function, first)
            }
        };
        ExprKind::Call(Box::new(call))
    }

    /// `substr(e, start, length)`, `byte_val(e, index)`, `csvstr(e, index, separator)`
    pub(crate) fn indexed(
        &mut self,
        function: FunctionWord,
        name: Span,
        first: Expr,
        index: Number,
        third: Option<Span>,
    ) -> ExprKind {
        let call = match (function, third) {
            (FunctionWord::Substr, Some(length)) => Call::Substr(first, index, self.number(length)),
            (FunctionWord::CsvStr, Some(separator)) => Call::CsvStr(first, index, separator),
            (_, third) => {
                if function.operands() != FunctionOperands::Index || third.is_some() {
                    self.miscalled(name, third.unwrap_or(index.span), function);
                }
                Call::ByteVal(first, index)
            }
        };
        ExprKind::Call(Box::new(call))
    }

    /// Too few or too many arguments; `last` is the last one that is right or the first that is
    /// not.
    fn miscalled(&mut self, name: Span, last: Span, word: FunctionWord) {
        self.tell(|source| {
            let (function, arguments) = (shown(name.of(source)), word.usage());
            Diagnostic::new(
                Code::UnexpectedWord,
                last,
                format!("`{function}` takes other values: `{function}({arguments})`"),
            )
        });
    }

    /// The value of a `config` line.
    pub(crate) fn config_value(&mut self, span: Span) -> ConfigValue {
        match span.of(self.source) {
            [b'@', ..] => ConfigValue::Flash(self.flash(span)),
            _ => ConfigValue::Text(span),
        }
    }

    /// `a op b op c`: adds to a chain, or makes one.
    pub(crate) fn chain(&mut self, mut expr: Expr, link: Link<Operator>) -> Expr {
        let span = expr.span.to(link.operand.span);
        match &mut expr.kind {
            ExprKind::Chain(chain) => self.link(&mut chain.rest, link),
            _ => {
                let chain = Chain { first: expr, rest: vec![link] };
                return Expr { span, kind: ExprKind::Chain(Box::new(chain)) };
            }
        }
        Expr { span, kind: expr.kind }
    }

    /// `a and b or c`: the same.
    pub(crate) fn logic(&mut self, mut expr: Expr, link: Link<Logic>) -> Expr {
        let span = expr.span.to(link.operand.span);
        match &mut expr.kind {
            ExprKind::Logic(chain) => self.link(&mut chain.rest, link),
            _ => {
                let chain = Chain { first: expr, rest: vec![link] };
                return Expr { span, kind: ExprKind::Logic(Box::new(chain)) };
            }
        }
        Expr { span, kind: expr.kind }
    }

    /// Adds to a chain, as long as it is not too long. What does not fit is reported once and left
    /// out.
    fn link<O>(&mut self, links: &mut Vec<Link<O>>, link: Link<O>) {
        // The first operand is not in the list, so the last link that fits makes it one shorter.
        if links.len() + 1 < self.longest_chain {
            if self.budget.grow(links, 1) {
                links.push(link);
            }
        } else if self.found.last().is_none_or(|last| last.code != Code::ChainTooLong) {
            let most = self.longest_chain;
            self.tell(|_| {
                Diagnostic::new(
                    Code::ChainTooLong,
                    link.operand.span,
                    format!("expression of more than {most} values"),
                )
                .hinted(|it| it.help("compute it in steps, with `setvar`"))
            });
        }
    }
}

/// Help for a word that is a text in quotes only.
fn meant_as_text(diagnostic: Diagnostic, source: &[u8], span: Span) -> Diagnostic {
    let word = shown(span.of(source));
    diagnostic
        .help(format!("put quotes around it if it is meant as text: `\"{word}\"`"))
        .fix("quote it", quote(source, span))
}

/// The edits that put quotes around a word.
pub(crate) fn quote(source: &[u8], span: Span) -> Vec<Edit> {
    let mut text = Vec::with_capacity(span.of(source).len() + 2);
    text.push(b'"');
    text.extend_from_slice(span.of(source));
    text.push(b'"');
    vec![Edit { span, text }]
}

/// A piece of source as a message shows it: one line, not too long, no control characters.
pub(crate) fn shown(raw: &[u8]) -> String {
    const MOST: usize = 32;
    let line = raw.split(|&byte| byte == b'\n' || byte == b'\r').next().unwrap_or_default();
    let cut = &line[..line.len().min(MOST)];
    let mut text: String = String::from_utf8_lossy(cut)
        .chars()
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if cut.len() < raw.len() {
        text.push_str("...");
    }
    text
}
