//! What the grammar sees: its terminals, and which terminal a word is. The words of events, actions
//! and functions are those of [`umqtt_vm::words`].
//!
//! Keywords of the same shape share one terminal that carries which of them it is: the number of
//! terminals decides the size of the parser's tables.

#[cfg(test)]
mod reference;

use umqtt_vm::Side;
use umqtt_vm::words::{ActionOperands, ActionWord, FunctionOperands, FunctionWord, Trigger};

use crate::ast::{Logic, Operator, Special};
use crate::lexer::next_byte;

/// A terminal of the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// `on`
    On,
    /// `config`
    Config,
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
    /// A function of one or two expressions, its bracket following.
    Function(FunctionWord),
    /// A function of an expression and numbers, its bracket following.
    Indexed(FunctionWord),
    /// `gpio_in`, its bracket following
    PinRead,
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

/// The terminal of a trigger that one word names.
fn event(trigger: Trigger) -> Option<Token> {
    match trigger {
        Trigger::Timer | Trigger::Alarm | Trigger::Gpio => Some(Token::NumberedEvent(trigger)),
        Trigger::Config
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
        ActionOperands::Value => Token::UnaryAction(word),
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
        FunctionOperands::Value | FunctionOperands::Pair => Token::Function(word),
        FunctionOperands::Index | FunctionOperands::Part => Token::Indexed(word),
        FunctionOperands::Pin => Token::PinRead,
    }
}

fn keyword(word: &str) -> Option<Token> {
    token_of(SYNTAX, word)
        .or_else(|| ActionWord::from_keyword(word).map(action))
        .or_else(|| Trigger::from_keyword(word).and_then(event))
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
    core::str::from_utf8(word).is_ok_and(|word| FunctionWord::from_keyword(word).is_some())
}

/// The names of the variables the device sets.
#[cfg(test)]
pub(crate) fn specials() -> impl Iterator<Item = &'static str> {
    Special::ALL.iter().flat_map(|special| special.keywords()).copied()
}

/// What a table has for a word.
fn token_of<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table.iter().find(|(text, _)| *text == word).map(|(_, token)| *token)
}

/// Which terminal a word is. `rest` is the source behind it: functions differ from words by the
/// bracket.
pub(crate) fn of_word(word: &[u8], rest: &[u8]) -> Token {
    let text = || core::str::from_utf8(word).unwrap_or_default();
    match word {
        [b'$', _, ..] => Token::Variable(Special::from_keyword(text())),
        [b'@', _, ..] => Token::Flash,
        [b'#', ..] => Token::Hex,
        [b'a'..=b'z', ..] if word.len() <= LONGEST => {
            let text = text();
            keyword(text)
                .or_else(|| {
                    let word = FunctionWord::from_keyword(text);
                    word.filter(|_| next_byte(rest) == Some(b'(')).map(function)
                })
                .unwrap_or(Token::Word)
        }
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
                | Token::Hex
                | Token::Variable(_)
                | Token::Flash
                | Token::Open
                | Token::Function(_)
                | Token::Indexed(_)
                | Token::PinRead
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
            Token::Minus => "MINUS",
            Token::Sign(_) => "SIGN",
            Token::OperatorWord(_) => "OPERATOR",
            Token::Logic(_) => "LOGIC",
            Token::Open => "OPEN",
            Token::Close => "CLOSE",
            Token::Comma => "COMMA",
            Token::Function(_) => "FUNCTION",
            Token::Indexed(_) => "INDEXED",
            Token::PinRead => "PIN_READ",
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
mod tests {
    use super::{LONGEST, Token, functions, keywords, of_punctuation, of_word};

    #[test]
    fn the_longest_word_is_known() {
        let longest = keywords().chain(functions()).map(|(word, _)| word.len()).max();
        assert_eq!(longest, Some(LONGEST));
    }

    #[test]
    fn words_are_what_the_tables_say() {
        for (word, token) in keywords() {
            assert_eq!(of_word(word.as_bytes(), b" ("), token, "{word}");
        }
        for (word, token) in functions() {
            assert_eq!(of_word(word.as_bytes(), b" % why\n ("), token, "{word}");
            assert_eq!(of_word(word.as_bytes(), b" x("), Token::Word, "{word}");
        }
        for word in ["$", "@", "On", "\\on", "printlnprintlnprintln", ""] {
            assert_eq!(of_word(word.as_bytes(), b""), Token::Word, "{word}");
        }
        assert_eq!(of_word(b"#", b""), Token::Hex);
        assert_eq!(of_word(b"@x", b""), Token::Flash);
        assert_eq!(of_word(b"$this_datum", b""), Token::Variable(None));
    }

    /// The names by which the parser reports what it expected.
    #[test]
    fn terminals_are_named_as_in_the_grammar() {
        let grammar = include_str!("parse/grammar.lalrpop");
        let signs = b"()=-+,".map(of_punctuation);
        let other = [Token::String, Token::Word, Token::Raw, Token::Hex, Token::Flash];
        let words = keywords().chain(functions()).map(|(_, token)| token);
        for token in words.chain(signs).chain(other).chain([Token::Variable(None)]) {
            let kind = alloc::format!("{token:?}");
            let kind = kind.split('(').next().unwrap_or_default();
            let line = alloc::format!("        {} => Token::{kind}", token.terminal());
            assert!(grammar.contains(&line), "{line}");
        }
    }
}
