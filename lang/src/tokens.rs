//! What the grammar sees: its terminals, and which terminal a word is. The words of events, actions
//! and functions are those of [`umqtt_vm::words`].
//!
//! Keywords of the same shape share one terminal that carries which of them it is: the number of
//! terminals decides the size of the parser's tables.

#[cfg(test)]
mod reference;

use umqtt_vm::Side;
use umqtt_vm::words::{ActionOperands, ActionWord, FunctionOperands, FunctionWord, Index, Trigger};

use crate::ast::{Logic, Operator, Special};
use crate::lexer::next_byte;

/// A terminal of the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// `on`; `sub`, where it starts a statement: to the grammar its name is an event
    On,
    /// `config`
    Config,
    /// `const`, where it starts a statement
    Const,
    /// `do`
    Do,
    /// `then`
    Then,
    /// `elseif`
    ElseIf,
    /// `else`
    Else,
    /// `endif`
    EndIf,
    /// `if`
    If,
    /// `while`
    While,
    /// `done`
    Done,
    /// An event of one word.
    SimpleEvent(Trigger),
    /// An event with a number.
    NumberedEvent(Trigger),
    /// `topic`
    Topic,
    /// `local`, `remote`
    Side(Side),
    /// `publish`
    Publish,
    /// `subscribe` is true, `unsubscribe` false
    Subscribe(bool),
    /// An action with a number and an expression.
    NumberedAction(ActionWord),
    /// `setvar`
    SetVar,
    /// An action with one expression.
    UnaryAction(ActionWord),
    /// An action with two expressions.
    PairAction(ActionWord),
    /// `gpio_pinmode`
    PinMode,
    /// `pullup` is true, `nopullup` false
    Pull(bool),
    /// `output` is true, `input` false
    Mode(bool),
    /// `retained`
    Retained,
    /// `=`
    Equal,
    /// `-`
    Minus,
    /// `-5`, which the parser takes as a literal or, where that is right, as `-` and `5`.
    Negative,
    /// `> + * |`
    Sign(Operator),
    /// `gte`, `div`, ...
    OperatorWord(Operator),
    /// `and`, `or`
    Logic(Logic),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// A function of expressions, or of a pin, its bracket following.
    Function(FunctionWord),
    /// A function of an expression and numbers, its bracket following.
    Indexed(FunctionWord),
    /// `"..."`
    String,
    /// A word that is nothing else.
    Word,
    /// The raw value of a `config` line.
    Raw,
    /// `#0d0a`
    Hex,
    /// `$name`, or a special variable.
    Variable(Option<Special>),
    /// `@N`
    Flash,
}

/// The keywords that name no event, action or function.
const SYNTAX: &[(&str, Token)] = &[
    ("on", Token::On),
    ("config", Token::Config),
    ("do", Token::Do),
    ("then", Token::Then),
    ("elseif", Token::ElseIf),
    ("else", Token::Else),
    ("endif", Token::EndIf),
    ("if", Token::If),
    ("while", Token::While),
    ("done", Token::Done),
    ("topic", Token::Topic),
    ("local", Token::Side(Side::Local)),
    ("remote", Token::Side(Side::Remote)),
    ("pullup", Token::Pull(true)),
    ("nopullup", Token::Pull(false)),
    ("input", Token::Mode(false)),
    ("output", Token::Mode(true)),
    ("retained", Token::Retained),
    ("gte", Token::OperatorWord(Operator::GreaterEqual)),
    ("str_gt", Token::OperatorWord(Operator::StringGreater)),
    ("str_gte", Token::OperatorWord(Operator::StringGreaterEqual)),
    ("div", Token::OperatorWord(Operator::Div)),
    ("neq", Token::OperatorWord(Operator::NotEqual)),
    ("lt", Token::OperatorWord(Operator::Less)),
    ("lte", Token::OperatorWord(Operator::LessEqual)),
    ("mod", Token::OperatorWord(Operator::Mod)),
    ("and", Token::Logic(Logic::And)),
    ("or", Token::Logic(Logic::Or)),
];

/// Their words.
const SYNTAX_WORDS: [&str; SYNTAX.len()] = {
    let mut words = [""; SYNTAX.len()];
    let mut at = 0;
    while at < words.len() {
        words[at] = SYNTAX[at].0;
        at += 1;
    }
    words
};

static SYNTAX_INDEX: Index<{ SYNTAX.len() }> = Index::of(&SYNTAX_WORDS);

/// The terminal of a trigger that one word names.
fn event(trigger: Trigger) -> Option<Token> {
    match trigger {
        Trigger::Timer | Trigger::Alarm | Trigger::Gpio => Some(Token::NumberedEvent(trigger)),
        Trigger::Config
        | Trigger::Sub
        | Trigger::LocalName
        | Trigger::LocalFilter
        | Trigger::RemoteName
        | Trigger::RemoteFilter => None,
        _ => Some(Token::SimpleEvent(trigger)),
    }
}

/// The terminal of an action.
fn action(word: ActionWord) -> Token {
    match word.operands() {
        ActionOperands::Value | ActionOperands::Name => Token::UnaryAction(word),
        ActionOperands::Pair => Token::PairAction(word),
        ActionOperands::Numbered => Token::NumberedAction(word),
        ActionOperands::Filter => Token::Subscribe(word == ActionWord::Subscribe),
        ActionOperands::Message => Token::Publish,
        ActionOperands::Assignment => Token::SetVar,
        ActionOperands::PinMode => Token::PinMode,
    }
}

/// The terminal of a function.
fn function(word: FunctionWord) -> Token {
    match word.operands() {
        FunctionOperands::Value
        | FunctionOperands::Pair
        | FunctionOperands::Triple
        | FunctionOperands::Pin
        | FunctionOperands::Kept
        | FunctionOperands::Members
        | FunctionOperands::List => Token::Function(word),
        FunctionOperands::Index | FunctionOperands::Part => Token::Indexed(word),
    }
}

fn keyword(word: &[u8]) -> Option<Token> {
    let syntax = SYNTAX_INDEX.find(word, &SYNTAX_WORDS).and_then(|at| SYNTAX.get(at));
    syntax
        .map(|(_, token)| *token)
        .or_else(|| ActionWord::from_bytes(word).map(action))
        .or_else(|| Trigger::from_bytes(word).and_then(event))
}

/// The keywords, with the terminal of each.
pub(crate) fn keywords() -> impl Iterator<Item = (&'static str, Token)> + Clone {
    let events = Trigger::ALL
        .iter()
        .filter_map(|trigger| event(*trigger).map(|token| (trigger.keyword(), token)));
    let actions = ActionWord::ALL.iter().map(|word| (word.keyword(), action(*word)));
    SYNTAX.iter().copied().chain(events).chain(actions)
}

/// The functions, which are words like any other unless a bracket follows.
pub(crate) fn functions() -> impl Iterator<Item = (&'static str, Token)> + Clone {
    FunctionWord::ALL.iter().map(|word| (word.keyword(), function(*word)))
}

/// Whether a word is the name of a function.
pub(crate) fn is_function(word: &[u8]) -> bool {
    FunctionWord::from_bytes(word).is_some()
}

/// The names of the variables the device sets.
#[cfg(test)]
pub(crate) fn specials() -> impl Iterator<Item = &'static str> {
    Special::ALL.iter().flat_map(|special| special.keywords()).copied()
}

/// Which terminal a word is. `rest` is the source behind it: functions differ from words by the
/// bracket.
pub(crate) fn of_word(word: &[u8], rest: &[u8]) -> Token {
    match word {
        [b'$', _, ..] => Token::Variable(Special::from_bytes(word)),
        [b'@', _, ..] => Token::Flash,
        [b'#', ..] => Token::Hex,
        [b'a'..=b'z', ..] if word.len() <= LONGEST => keyword(word)
            .or_else(|| {
                // Few words are functions, and fewer have a bracket behind them.
                let word = FunctionWord::from_bytes(word)?;
                (next_byte(rest) == Some(b'(')).then(|| function(word))
            })
            .unwrap_or(Token::Word),
        _ => Token::Word,
    }
}

/// Which terminal a byte of punctuation is.
pub(crate) fn of_punctuation(byte: u8) -> Token {
    match byte {
        b'(' => Token::Open,
        b')' => Token::Close,
        b',' => Token::Comma,
        b'=' => Token::Equal,
        b'-' => Token::Minus,
        b'>' => Token::Sign(Operator::Greater),
        b'+' => Token::Sign(Operator::Add),
        b'*' => Token::Sign(Operator::Mul),
        _ => Token::Sign(Operator::Join),
    }
}

/// Length of the longest keyword or function: nothing longer need be looked up.
const LONGEST: usize = 14;

impl Token {
    /// Starts an action.
    pub(crate) fn starts_action(self) -> bool {
        matches!(
            self,
            Token::Publish
                | Token::Subscribe(_)
                | Token::NumberedAction(_)
                | Token::SetVar
                | Token::UnaryAction(_)
                | Token::PairAction(_)
                | Token::PinMode
                | Token::If
                | Token::While
        )
    }

    /// Stands where an action may have been meant, if it begins a line: a word that is nothing
    /// else, or a variable.
    pub(crate) fn may_be_meant_as_action(self) -> bool {
        matches!(
            self,
            Token::Word | Token::Hex | Token::Variable(_) | Token::Flash | Token::Function(_)
        ) || self.starts_event()
    }

    /// Stands between values.
    pub(crate) fn is_operator(self) -> bool {
        matches!(
            self,
            Token::Sign(_) | Token::Equal | Token::Minus | Token::OperatorWord(_) | Token::Logic(_)
        )
    }

    /// A value follows.
    pub(crate) fn wants_value(self) -> bool {
        self.is_operator()
            || matches!(
                self,
                Token::UnaryAction(_) | Token::PairAction(_) | Token::Side(_) | Token::Comma
            )
    }

    /// Is a value or begins one, wherever one is due.
    pub(crate) fn starts_value(self) -> bool {
        matches!(
            self,
            Token::String
                | Token::Word
                | Token::Negative
                | Token::Hex
                | Token::Variable(_)
                | Token::Flash
                | Token::Open
                | Token::Function(_)
                | Token::Indexed(_)
        )
    }

    /// Can be the name of a sub: a word, as long as it is not reserved.
    pub(crate) fn is_name(self) -> bool {
        matches!(
            self,
            Token::Word
                | Token::SimpleEvent(_)
                | Token::NumberedEvent(_)
                | Token::Topic
                | Token::Side(_)
                | Token::UnaryAction(_)
                | Token::PairAction(_)
                | Token::NumberedAction(_)
                | Token::Publish
                | Token::Subscribe(_)
                | Token::SetVar
                | Token::PinMode
                | Token::Mode(_)
                | Token::Pull(_)
                | Token::Retained
        )
    }

    /// A broker and a topic follow.
    pub(crate) fn takes_topic(self) -> bool {
        matches!(self, Token::Publish | Token::Subscribe(_) | Token::Topic)
    }

    /// Names an event.
    pub(crate) fn starts_event(self) -> bool {
        matches!(self, Token::SimpleEvent(_) | Token::NumberedEvent(_) | Token::Topic)
    }

    /// Starts a statement.
    pub(crate) fn starts_statement(self) -> bool {
        matches!(self, Token::On | Token::Config | Token::Const)
    }

    /// Cannot be a value.
    pub(crate) fn is_reserved(self) -> bool {
        matches!(
            self,
            Token::On
                | Token::Config
                | Token::Do
                | Token::Then
                | Token::ElseIf
                | Token::Else
                | Token::EndIf
                | Token::If
                | Token::While
                | Token::Done
        )
    }

    /// The terminal's name in the grammar, by which the parser names what it expected.
    pub(crate) fn terminal(self) -> &'static str {
        match self {
            Token::On => "ON",
            Token::Config => "CONFIG",
            Token::Const => "CONST",
            Token::Do => "DO",
            Token::Then => "THEN",
            Token::ElseIf => "ELSEIF",
            Token::Else => "ELSE",
            Token::EndIf => "ENDIF",
            Token::If => "IF",
            Token::While => "WHILE",
            Token::Done => "DONE",
            Token::SimpleEvent(_) => "SIMPLE_EVENT",
            Token::NumberedEvent(_) => "NUMBERED_EVENT",
            Token::Topic => "TOPIC",
            Token::Side(_) => "SIDE",
            Token::Publish => "PUBLISH",
            Token::Subscribe(_) => "SUBSCRIBE",
            Token::NumberedAction(_) => "NUMBERED_ACTION",
            Token::SetVar => "SETVAR",
            Token::UnaryAction(_) => "UNARY_ACTION",
            Token::PairAction(_) => "PAIR_ACTION",
            Token::PinMode => "PINMODE",
            Token::Pull(_) => "PULL",
            Token::Mode(_) => "MODE",
            Token::Retained => "RETAINED",
            Token::Equal => "EQUAL",
            // What the parser is given in its place where it is a literal.
            Token::Negative => "WORD",
            Token::Minus => "MINUS",
            Token::Sign(_) => "SIGN",
            Token::OperatorWord(_) => "OPERATOR",
            Token::Logic(_) => "LOGIC",
            Token::Open => "OPEN",
            Token::Close => "CLOSE",
            Token::Comma => "COMMA",
            Token::Function(_) => "FUNCTION",
            Token::Indexed(_) => "INDEXED",
            Token::String => "STRING",
            Token::Word => "WORD",
            Token::Raw => "RAW",
            Token::Hex => "HEX",
            Token::Variable(_) => "VARIABLE",
            Token::Flash => "FLASH",
        }
    }
}

#[cfg(test)]
mod tests;
