//! The syntax tree of one statement. Nodes hold spans, not text: literals and names are read out of
//! the source when they are needed, so the tree of a statement is small enough for the chip.
//!
//! Chains of operators are flat lists, not nested pairs: they group from the right whatever the
//! operators are (language reference, section 2), joins are flattened easily, and no recursion
//! follows their length. Recursion follows brackets, function calls, `if` and `while` only, whose
//! nesting the parser has limited.

use alloc::boxed::Box;
use alloc::vec::Vec;

pub use umqtt_vm::schedule::ClockTime;
pub use umqtt_vm::words::{ActionWord, FunctionWord, ResultKind, Special, Trigger};

/// Where something stands in the source: byte offsets, end exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// Behind the last byte.
    pub end: u32,
}

impl Span {
    /// From offsets.
    pub fn new(start: usize, end: usize) -> Span {
        Span { start: start as u32, end: end as u32 }
    }

    /// The bytes of the source it covers; empty if it does not fit.
    pub fn of(self, source: &[u8]) -> &[u8] {
        source.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// How many bytes it covers.
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    /// Covers nothing.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// From the start of this to the end of `other`.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start, end: other.end }
    }
}

/// `on ...`, `config ...` or `const ...`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Statement {
    /// `on event do actions`
    On(OnClause),
    /// `config name value`
    Config(ConfigLine),
    /// `const $name = value`
    Constant(Constant),
}

impl Statement {
    /// All of it.
    pub fn span(&self) -> Span {
        match self {
            Statement::On(clause) => clause.span,
            Statement::Config(line) => line.span,
            Statement::Constant(constant) => constant.span,
        }
    }
}

/// `on event do actions`, or `sub NAME do actions`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnClause {
    /// From `on` or `sub` to the end of the last action.
    pub span: Span,
    /// What it waits for.
    pub event: EventPattern,
    /// The span of the event's words, without `on` and `do`; the name of a sub.
    pub event_span: Span,
    /// What it does.
    pub actions: Vec<Action>,
}

/// `config name value`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigLine {
    /// The whole line.
    pub span: Span,
    /// The parameter's name.
    pub name: Span,
    /// Its value.
    pub value: ConfigValue,
}

/// `const $name = value`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant {
    /// All of it.
    pub span: Span,
    /// `$name`, the span with its `$`.
    pub name: Span,
    /// Its value.
    pub value: Expr,
}

/// The value of a `config` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigValue {
    /// One raw word, or one string with its quotes; [`crate::literal::unescape`] gives its bytes.
    Text(Span),
    /// `@N`
    Flash(Number),
}

/// A small number as it stands in the source, perhaps quoted: a timer, a pin, an index. `value` is
/// what it reads as, with the device's rules; ranges are checked later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// The word, with quotes or `@` if it has them.
    pub span: Span,
    /// What it reads as.
    pub value: i32,
}

/// Local or remote broker, and the word's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broker {
    /// The word.
    pub span: Span,
    /// Which.
    pub side: umqtt_vm::Side,
}

/// What a handler waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventPattern {
    /// One of a single word, such as `init`.
    Simple(Trigger),
    /// `timer N`
    Timer(Number),
    /// `alarm N`
    Alarm(Number),
    /// `every 10s`: milliseconds, and the words
    Every(u32, Span),
    /// `clock 06:30 weekdays`, `clock sunset -30m`
    Clock(ClockTime, Span),
    /// `topic local|remote filter`
    Topic {
        /// Where.
        broker: Broker,
        /// The filter.
        filter: Expr,
    },
    /// Nothing: it is a `sub`, which is called by this name.
    Sub(Span),
    /// `gpio_interrupt N pullup|nopullup`
    GpioInterrupt {
        /// The pin.
        pin: Number,
        /// With pull-up.
        pullup: bool,
    },
}

/// One action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// From its first word to the end of its last.
    pub span: Span,
    /// What it does.
    pub kind: ActionKind,
}

/// What an action does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActionKind {
    /// `publish local|remote topic data [retained]`
    Publish {
        /// Where.
        broker: Broker,
        /// To which topic.
        topic: Expr,
        /// What.
        data: Expr,
        /// With `retained`.
        retained: bool,
    },
    /// `subscribe local|remote filter`
    Subscribe {
        /// Where.
        broker: Broker,
        /// To what.
        filter: Expr,
    },
    /// `unsubscribe local|remote filter`
    Unsubscribe {
        /// Where.
        broker: Broker,
        /// From what.
        filter: Expr,
    },
    /// `settimer N e`, `gpio_out N e`, ...
    Numbered {
        /// Which action.
        word: ActionWord,
        /// The timer, alarm or pin.
        number: Number,
        /// Milliseconds, time of day, level or duty.
        value: Expr,
    },
    /// `print e`, `http_get e`, ...
    Unary {
        /// Which action.
        word: ActionWord,
        /// Its operand.
        value: Expr,
    },
    /// `http_post e [,] e`
    Pair {
        /// Which action.
        word: ActionWord,
        /// Its first operand.
        first: Expr,
        /// Its second operand.
        second: Expr,
    },
    /// `setvar target = value`
    SetVar {
        /// Into what.
        target: Target,
        /// What.
        value: Expr,
    },
    /// `gpio_pinmode N input [pullup] | output`
    PinMode {
        /// The pin.
        pin: Number,
        /// Its use.
        mode: umqtt_vm::PinMode,
    },
    /// `call NAME`; the name
    Call(Span),
    /// `if e then ... elseif e then ... else ... endif`
    If {
        /// Condition and actions of `if` and each `elseif`; at least one.
        branches: Vec<Branch>,
        /// The actions of `else`; `None` without `else`.
        otherwise: Option<Vec<Action>>,
    },
    /// `while e do ... done`
    While(Box<Branch>),
}

/// A condition and what it guards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// The condition.
    pub condition: Expr,
    /// The actions.
    pub actions: Vec<Action>,
}

/// What `setvar` sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// `$name`, the span with its `$`.
    Variable(Span),
    /// `@N`
    Flash(Number),
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// From its first byte to its last, brackets included.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExprKind {
    /// A quoted string or a bare word: [`crate::literal::unescape`] of the span gives its bytes.
    Text,
    /// `#0d0a`: the span with its `#`.
    Hex,
    /// `$name`: the span with its `$`.
    Variable,
    /// `@N`
    Flash(Number),
    /// `$this_data`, `$timestamp`, ...
    Special(Special),
    /// `( e )`
    Bracketed(Box<Expr>),
    /// A function's value.
    Call(Box<Call>),
    /// `a op b op c`: at least two operands.
    Chain(Box<Chain<Operator>>),
    /// `a and b or c`: at least two operands, left to right.
    Logic(Box<Chain<Logic>>),
}

/// Operands with operators between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain<O> {
    /// The first operand.
    pub first: Expr,
    /// Operator, its place, and the operand behind it; at least one.
    pub rest: Vec<ChainLink<O>>,
}

/// An operator and the operand behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainLink<O> {
    /// The operator.
    pub operator: O,
    /// Where it stands.
    pub operator_span: Span,
    /// What follows it.
    pub operand: Expr,
}

/// Operators of a chain. All group from the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operator {
    /// `=`
    Equal,
    /// `neq`
    NotEqual,
    /// `>`
    Greater,
    /// `gte`
    GreaterEqual,
    /// `lt`
    Less,
    /// `lte`
    LessEqual,
    /// `str_gt`
    StringGreater,
    /// `str_gte`
    StringGreaterEqual,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `div`
    Div,
    /// `mod`
    Mod,
    /// `|`
    Join,
}

/// Operators between chains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logic {
    /// `and`
    And,
    /// `or`
    Or,
}

/// A function and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Call {
    /// `not(e)`, `lower(e)`, ...
    Unary(FunctionWord, Expr),
    /// `find(text, sought)`, `json_parse(path, json)`
    Pair(FunctionWord, Expr, Expr),
    /// `divide(a, b, n)`
    Triple(FunctionWord, Expr, Expr, Expr),
    /// `json(name, value, ...)`: any number of values, at least one
    List(FunctionWord, Vec<Expr>),
    /// `substr(e, start, length)`
    Substr(Expr, Number, Number),
    /// `byte_val(e, index)`
    ByteVal(Expr, Number),
    /// `csvstr(e, index, separator)`; the span of the separator, one character perhaps quoted
    CsvStr(Expr, Number, Span),
    /// `gpio_in(N)`
    PinRead(Number),
}

impl Call {
    /// Which function.
    pub fn function(&self) -> FunctionWord {
        match self {
            Call::Unary(word, _)
            | Call::Pair(word, ..)
            | Call::Triple(word, ..)
            | Call::List(word, _) => *word,
            Call::Substr(..) => FunctionWord::Substr,
            Call::ByteVal(..) => FunctionWord::ByteVal,
            Call::CsvStr(..) => FunctionWord::CsvStr,
            Call::PinRead(_) => FunctionWord::PinRead,
        }
    }
}
