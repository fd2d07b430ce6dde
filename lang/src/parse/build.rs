//! What the grammar's actions need to build the tree: the source to read numbers from, the limits,
//! and a list for the mistakes that do not keep the rest of the statement from being understood.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use umqtt_vm::PinMode;
use umqtt_vm::words::{ActionOperands, FunctionOperands};

use super::named::NamedWord;
use super::quote::{meant_as_text, shown};
use super::sink::Sink;
use crate::ast::{
    Action, ActionKind, ActionWord, Call, Chain, ChainLink, ConfigLine, ConfigValue, Constant,
    EventPattern, Expr, ExprKind, FunctionWord, Logic, Number, Operator, Span, Special, Target,
    Trigger,
};
use crate::budget::{MemoryBudget, TOKEN};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::literal;
use crate::named::NamedConstants;

/// Bytes a diagnostic takes, with its texts and the list it goes to.
pub(crate) const DIAGNOSTIC: usize = 1024;
/// Bytes of a chain of two operands.
const SHORTEST_CHAIN: usize = size_of::<Chain<Operator>>() + size_of::<ChainLink<Operator>>();
const _: () = assert!(SHORTEST_CHAIN <= TOKEN);

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

/// `$name = value`
struct Assignment {
    /// What is set.
    target: Atom,
    /// Where that stands.
    span: Span,
    /// The value.
    value: Expr,
}

/// A function whose bracket is open, and its values so far: at least one.
struct OpenCall {
    function: FunctionWord,
    /// Where its name stands.
    name: Span,
    values: Vec<Expr>,
}

/// Built anew for each statement.
pub(crate) struct Builder<'k, 's> {
    pub(super) source: &'s [u8],
    /// Takes what is complete; `None` behind an error.
    sink: Option<&'k mut dyn Sink>,
    pub(super) budget: &'k MemoryBudget<'k>,
    /// The constants that the script names; `None` while they are being collected.
    pub(super) named: Option<&'k NamedConstants>,
    /// Most operands in one chain.
    longest_chain: usize,
    /// The assignment that was just read.
    assignment: Option<Assignment>,
    /// The functions whose brackets are open, the innermost last.
    calls: Vec<OpenCall>,
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
        named: Option<&'k NamedConstants>,
    ) -> Builder<'k, 's> {
        Builder {
            source,
            sink,
            budget,
            named,
            longest_chain,
            assignment: None,
            calls: Vec::new(),
            found: Vec::new(),
            most,
        }
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

    /// `$name = value`, to be taken by what it belongs to.
    pub(crate) fn assignment(&mut self, target: Atom, span: Span, value: Expr) {
        self.assignment = Some(Assignment { target, span, value });
    }

    /// `const $name = value`
    pub(crate) fn constant(&mut self, start: u32, end: u32) {
        let Some(Assignment { target, span: name, value }) = self.assignment.take() else { return };
        if let Target::Flash(_) = self.target(target, name) {
            self.tell(|source| {
                let word = shown(name.of(source));
                let message = format!("unexpected `{word}`, expected the name of a constant");
                Diagnostic::new(Code::UnexpectedWord, name, message)
                    .hinted(|it| it.help("the name of a constant starts with `$`"))
            });
        }
        self.put(|sink| sink.constant(Constant { span: Span { start, end }, name, value }));
    }

    /// `setvar target = value`
    pub(crate) fn set(&mut self, start: u32, end: u32) {
        let Some(Assignment { target, span, value }) = self.assignment.take() else { return };
        let target = self.target(target, span);
        self.action(start, end, ActionKind::SetVar { target, value });
    }

    /// `print e`, `call name`
    pub(crate) fn unary(&mut self, start: u32, end: u32, word: ActionWord, value: Expr) {
        if word.operands() != ActionOperands::Name {
            return self.action(start, end, ActionKind::Unary { word, value });
        }
        let name = value.span;
        if value.kind != ExprKind::Text || name.of(self.source).first() == Some(&b'"') {
            self.tell(|source| {
                let text = shown(name.of(source));
                let message = format!("unexpected `{text}`, expected the name of a sub");
                Diagnostic::new(Code::UnexpectedWord, name, message)
                    .hinted(|it| it.help("`sub NAME do ...` says what `call NAME` does"))
            });
        }
        self.action(start, end, ActionKind::Call(name));
    }

    /// The event of a handler, from `start` to `end`.
    pub(crate) fn clause(&mut self, start: u32, end: u32, event: EventPattern) {
        let span = Span { start, end };
        let event = match event {
            EventPattern::Simple(Trigger::Sub) => EventPattern::Sub(span),
            event => event,
        };
        self.put(|sink| sink.clause(event, span));
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
    pub(super) fn tell(&mut self, make: impl FnOnce(&'s [u8]) -> Diagnostic) {
        if self.found.len() < self.most
            && self.budget.grow(&mut self.found, 1)
            && self.budget.has(DIAGNOSTIC)
        {
            self.found.push(make(self.source));
        }
    }

    /// Where a number must stand: digits, or a constant that is some. What is none reads as 0, as
    /// on the device, but is an error.
    pub(crate) fn number(&mut self, span: Span) -> Number {
        let raw = span.of(self.source);
        let value = literal::number(raw).unwrap_or_else(|| self.named_number(span));
        Number { span, value }
    }

    /// The number that a constant is, by its name.
    #[inline(never)]
    fn named_number(&mut self, name: Span) -> i32 {
        let word = name.of(self.source);
        let number = match NamedWord::of(word, self.named) {
            NamedWord::Value(value) => literal::number_of(value),
            // Every kind of number has this one.
            NamedWord::Unknown => Some(1),
            _ => None,
        };
        number.unwrap_or_else(|| {
            if !self.tell_named(Code::BadNumber, name, "a number in digits", "") {
                let message = format!("`{}` is not a number", shown(word));
                self.tell(|_| Diagnostic::new(Code::BadNumber, name, message));
            }
            0
        })
    }

    /// Tells that the constant or variable of that name is not what has to stand there; false if it
    /// is no such name.
    #[cold]
    #[inline(never)]
    pub(super) fn tell_named(&mut self, code: Code, name: Span, what: &str, right: &str) -> bool {
        let word = name.of(self.source);
        let named = NamedWord::of(word, self.named);
        let message = match named {
            NamedWord::Unnamed => return false,
            NamedWord::Unknown => return true,
            NamedWord::Value(value) => {
                format!("`{}` is `{}`, not {what}", shown(word), shown(value))
            }
            NamedWord::NoConstant => {
                format!("`{}` is no constant, so not {what}", shown(word))
            }
        };
        self.tell(|_| {
            Diagnostic::new(code, name, message).hinted(|it| match named {
                NamedWord::Value(_) if right.is_empty() => it,
                NamedWord::Value(_) => it.help(right),
                _ => it.help(
                    "what stands here is known when compiling: `const $name = ...`; what depends on a variable takes an \
                     `if` for each value",
                ),
            })
        });
        true
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
        let name = Span { start: span.start + 1, end: span.end };
        let value = literal::number(name.of(self.source)).unwrap_or_else(|| {
            if name.of(self.source).first() == Some(&b'$') {
                return self.named_number(name);
            }
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
    ) -> EventPattern {
        let message = match (event, pullup) {
            (Trigger::Timer, None) => return EventPattern::Timer(number),
            (Trigger::Alarm, None) => return EventPattern::Alarm(number),
            (Trigger::Gpio, Some(pullup)) => {
                return EventPattern::GpioInterrupt { pin: number, pullup };
            }
            (Trigger::Gpio, None) => {
                "`gpio_interrupt` takes a pin and `pullup` or `nopullup`".into()
            }
            _ => format!("unexpected `{}`, expected `do`", shown(at.of(self.source))),
        };
        self.tell(|_| Diagnostic::new(Code::UnexpectedWord, at, message));
        EventPattern::Simple(Trigger::Init)
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

    /// `not(e`, `find(a`: what is in brackets behind a function begins.
    pub(crate) fn open_call(&mut self, function: FunctionWord, name: Span, first: Expr) {
        if self.budget.grow(&mut self.calls, 1) {
            self.calls.push(OpenCall { function, name, values: Vec::new() });
            self.add_value(first);
        }
    }

    /// `find(a, b`
    pub(crate) fn add_value(&mut self, value: Expr) {
        if let Some(OpenCall { mut values, function, name }) = self.calls.pop() {
            self.push_value(&mut values, value);
            self.calls.push(OpenCall { function, name, values });
        }
    }

    /// `find(a, b)`, `divide(a, b, n)`
    pub(crate) fn called(&mut self) -> ExprKind {
        // None only where there was no room. A call is larger than what a token may add, and two
        // chains may end with it, one of comparisons and one of `and` and `or`: what a token may
        // add is room for one of them.
        let Some(OpenCall { function, name, mut values }) =
            self.calls.pop().filter(|_| self.budget.has(size_of::<Call>() + SHORTEST_CHAIN))
        else {
            return ExprKind::Text;
        };
        let takes = match function.operands() {
            FunctionOperands::Triple => 3,
            FunctionOperands::Pair => 2,
            FunctionOperands::List => values.len(),
            FunctionOperands::Members => values.len().next_multiple_of(2),
            _ => 1,
        };
        let wrong = values.get(takes).or(values.last().filter(|_| values.len() < takes));
        if let Some(wrong) = wrong.map(|value| value.span) {
            self.miscalled(name, wrong, function);
            values.truncate(1);
        }
        if let FunctionOperands::List | FunctionOperands::Members = function.operands() {
            return ExprKind::Call(Box::new(Call::List(function, values)));
        }
        let third = if values.len() > 2 { values.pop() } else { None };
        let second = if values.len() > 1 { values.pop() } else { None };
        let Some(first) = values.pop() else { return ExprKind::Text }; // there is always one
        let call = match (function.operands(), second, third) {
            (FunctionOperands::Pin, ..) => Call::PinRead(self.number(first.span)),
            (_, Some(second), Some(third)) => Call::Triple(function, first, second, third),
            (_, Some(second), None) => Call::Pair(function, first, second),
            (_, None, _) => Call::Unary(function, first),
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
        third: Option<Expr>,
    ) -> ExprKind {
        let third = third.map(|third| third.span);
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
    pub(crate) fn chain(&mut self, mut expr: Expr, link: ChainLink<Operator>) -> Expr {
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
    pub(crate) fn logic(&mut self, mut expr: Expr, link: ChainLink<Logic>) -> Expr {
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

    /// Adds a value to those of a function, as long as there are not too many. What does not fit is
    /// reported once and left out.
    fn push_value(&mut self, values: &mut Vec<Expr>, value: Expr) {
        if values.len() >= self.longest_chain {
            self.too_long(value.span);
        } else if self.budget.grow(values, 1) {
            values.push(value);
        }
    }

    /// Adds to a chain, as long as it is not too long. What does not fit is reported once and left
    /// out.
    fn link<O>(&mut self, links: &mut Vec<ChainLink<O>>, link: ChainLink<O>) {
        // The first operand is not in the list, so the last link that fits makes it one shorter.
        if links.len() + 1 < self.longest_chain {
            if self.budget.grow(links, 1) {
                links.push(link);
            }
        } else {
            self.too_long(link.operand.span);
        }
    }

    /// A value more than are held at once.
    fn too_long(&mut self, span: Span) {
        if self.found.last().is_none_or(|last| last.code != Code::ChainTooLong) {
            let most = self.longest_chain;
            self.tell(|_| {
                Diagnostic::new(
                    Code::ChainTooLong,
                    span,
                    format!("expression of more than {most} values"),
                )
                .hinted(|it| it.help("compute it in steps, with `setvar`"))
            });
        }
    }
}
