//! What the grammar sees: its terminals, the keyword table, and which terminal a word is.
//!
//! Keywords of the same shape share one terminal that carries which of them it is: the number of terminals
//! decides the size of the parser's tables.

#[cfg(test)]
mod reference;

use crate::ast::{Logic, Operator, Output, Special, Unary};
use crate::lexer::next_byte;
use umqtt_vm::Side;

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
    Plain(Plain),
    /// An event with a number.
    Numbered(Numbered),
    /// `topic`
    Topic,
    /// `local`, `remote`
    Side(Side),
    /// `publish`
    Publish,
    /// `subscribe` is true, `unsubscribe` false
    Subscribe(bool),
    /// An action that sets what has a number.
    Set(Setting),
    /// `setvar`
    SetVar,
    /// An action with one expression.
    Tell(Tell),
    /// `http_post`
    HttpPost,
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
    Function(Function),
    /// A function of an expression and numbers, its bracket following.
    Indexed(Indexed),
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

/// Events that are told by one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plain {
    /// `init`
    Init,
    /// `wificonnect`
    WifiConnect,
    /// `wifidisconnect`
    WifiDisconnect,
    /// `mqttconnect`
    MqttConnect,
    /// `serial`
    Serial,
    /// `http_response`
    HttpResponse,
}

/// Events with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbered {
    /// `timer`
    Timer,
    /// `alarm`
    Alarm,
    /// `gpio_interrupt`
    Interrupt,
}

/// Actions that have a number and an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// `settimer`
    Timer,
    /// `setalarm`
    Alarm,
    /// `gpio_out`
    Level,
    /// `gpio_pwm`
    Duty,
}

/// Functions of expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    /// One expression.
    Unary(Unary),
    /// `find`
    Find,
    /// `json_parse`
    JsonParse,
}

/// Functions of an expression, a number, and perhaps something third.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Indexed {
    /// `substr`
    Substr,
    /// `byte_val`
    ByteVal,
    /// `csvstr`
    CsvStr,
}

/// Actions that have one expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tell {
    /// `serial_out`, `print`, `println`, `system`
    Output(Output),
    /// `http_get`
    HttpGet,
}

macro_rules! words {
    ($table:ident, $of:ident, $about:literal, $($text:literal => $token:expr,)*) => {
        #[doc = $about]
        pub(crate) const $table: &[(&str, Token)] = &[$(($text, $token),)*];

        fn $of(word: &str) -> Option<Token> {
            Some(match word {
                $($text => $token,)*
                _ => return None,
            })
        }
    };
}

words! { KEYWORDS, keyword, "The keywords.",
    "on" => Token::On,
    "config" => Token::Config,
    "do" => Token::Do,
    "then" => Token::Then,
    "elseif" => Token::ElseIf,
    "else" => Token::Else,
    "endif" => Token::EndIf,
    "if" => Token::If,
    "while" => Token::While,
    "done" => Token::Done,
    "init" => Token::Plain(Plain::Init),
    "wificonnect" => Token::Plain(Plain::WifiConnect),
    "wifidisconnect" => Token::Plain(Plain::WifiDisconnect),
    "mqttconnect" => Token::Plain(Plain::MqttConnect),
    "serial" => Token::Plain(Plain::Serial),
    "http_response" => Token::Plain(Plain::HttpResponse),
    "timer" => Token::Numbered(Numbered::Timer),
    "alarm" => Token::Numbered(Numbered::Alarm),
    "topic" => Token::Topic,
    "gpio_interrupt" => Token::Numbered(Numbered::Interrupt),
    "local" => Token::Side(Side::Local),
    "remote" => Token::Side(Side::Remote),
    "publish" => Token::Publish,
    "subscribe" => Token::Subscribe(true),
    "unsubscribe" => Token::Subscribe(false),
    "settimer" => Token::Set(Setting::Timer),
    "setalarm" => Token::Set(Setting::Alarm),
    "setvar" => Token::SetVar,
    "print" => Token::Tell(Tell::Output(Output::Print)),
    "println" => Token::Tell(Tell::Output(Output::Println)),
    "serial_out" => Token::Tell(Tell::Output(Output::SerialOut)),
    "system" => Token::Tell(Tell::Output(Output::System)),
    "http_get" => Token::Tell(Tell::HttpGet),
    "http_post" => Token::HttpPost,
    "gpio_pinmode" => Token::PinMode,
    "gpio_out" => Token::Set(Setting::Level),
    "gpio_pwm" => Token::Set(Setting::Duty),
    "pullup" => Token::Pull(true),
    "nopullup" => Token::Pull(false),
    "input" => Token::Mode(false),
    "output" => Token::Mode(true),
    "retained" => Token::Retained,
    "gte" => Token::OperatorWord(Operator::GreaterEqual),
    "str_gt" => Token::OperatorWord(Operator::TextGreater),
    "str_gte" => Token::OperatorWord(Operator::TextGreaterEqual),
    "div" => Token::OperatorWord(Operator::Div),
    "neq" => Token::OperatorWord(Operator::NotEqual),
    "lt" => Token::OperatorWord(Operator::Less),
    "lte" => Token::OperatorWord(Operator::LessEqual),
    "mod" => Token::OperatorWord(Operator::Mod),
    "and" => Token::Logic(Logic::And),
    "or" => Token::Logic(Logic::Or),
}

words! { FUNCTIONS, function, "The functions, which are words like any other unless a bracket follows.",
    "not" => Token::Function(Function::Unary(Unary::Not)),
    "retained_topic" => Token::Function(Function::Unary(Unary::Retained)),
    "binary" => Token::Function(Function::Unary(Unary::Binary)),
    "eatwhite" => Token::Function(Function::Unary(Unary::EatWhite)),
    "lower" => Token::Function(Function::Unary(Unary::Lower)),
    "upper" => Token::Function(Function::Unary(Unary::Upper)),
    "len" => Token::Function(Function::Unary(Unary::Len)),
    "find" => Token::Function(Function::Find),
    "json_parse" => Token::Function(Function::JsonParse),
    "substr" => Token::Indexed(Indexed::Substr),
    "byte_val" => Token::Indexed(Indexed::ByteVal),
    "csvstr" => Token::Indexed(Indexed::CsvStr),
    "gpio_in" => Token::PinRead,
}

macro_rules! specials {
    ($($text:literal => $special:expr,)*) => {
        /// The variables the device sets, in the order of the table.
        #[cfg(test)]
        const SPECIALS: &[&str] = &[$($text,)*];

        /// The variables the device sets.
        fn special(word: &str) -> Option<Special> {
            Some(match word {
                $($text => $special,)*
                _ => return None,
            })
        }
    };
}

specials! {
    "$this_topic" => Special::ThisTopic,
    "$this_data" => Special::ThisData,
    "$this_item" => Special::ThisData,
    "$this_gpio" => Special::ThisGpio,
    "$this_serial" => Special::ThisSerial,
    "$this_http_host" => Special::ThisHttpHost,
    "$this_http_path" => Special::ThisHttpPath,
    "$this_http_code" => Special::ThisHttpCode,
    "$this_http_body" => Special::ThisHttpBody,
    "$this_http_cut" => Special::ThisHttpCut,
    "$timestamp" => Special::Timestamp,
    "$weekday" => Special::Weekday,
    "$adc" => Special::Adc,
}

/// Which terminal a word is. `rest` is the source behind it: functions are told from words by the bracket.
pub(crate) fn of_word(word: &[u8], rest: &[u8]) -> Token {
    let text = || core::str::from_utf8(word).unwrap_or_default();
    match word {
        [b'$', _, ..] => Token::Variable(special(text())),
        [b'@', _, ..] => Token::Flash,
        [b'#', ..] => Token::Hex,
        [b'a'..=b'z', ..] if word.len() <= LONGEST => {
            let text = text();
            keyword(text)
                .or_else(|| function(text).filter(|_| next_byte(rest) == Some(b'(')))
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
                | Token::Set(_)
                | Token::SetVar
                | Token::Tell(_)
                | Token::HttpPost
                | Token::PinMode
                | Token::If
                | Token::While
        )
    }

    /// Stands where an action may have been meant, if it begins a line: a word that is nothing else, or a variable.
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
            || matches!(self, Token::Tell(_) | Token::HttpPost | Token::Side(_) | Token::Comma)
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
        matches!(self, Token::Plain(_) | Token::Numbered(_) | Token::Topic)
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

    /// The terminal's name in the grammar, by which the parser says what it expected.
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
            Token::Plain(_) => "PLAIN",
            Token::Numbered(_) => "NUMBERED",
            Token::Topic => "TOPIC",
            Token::Side(_) => "SIDE",
            Token::Publish => "PUBLISH",
            Token::Subscribe(_) => "SUBSCRIBE",
            Token::Set(_) => "SET",
            Token::SetVar => "SETVAR",
            Token::Tell(_) => "TELL",
            Token::HttpPost => "HTTP_POST",
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
    use super::{FUNCTIONS, KEYWORDS, LONGEST, Token, of_punctuation, of_word};

    #[test]
    fn the_longest_word_is_known() {
        let longest = KEYWORDS.iter().chain(FUNCTIONS).map(|(word, _)| word.len()).max();
        assert_eq!(longest, Some(LONGEST));
    }

    #[test]
    fn words_are_what_the_tables_say() {
        for &(word, token) in KEYWORDS {
            assert_eq!(of_word(word.as_bytes(), b" ("), token, "{word}");
        }
        for &(word, token) in FUNCTIONS {
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

    /// What the parser says it expected is understood by these names.
    #[test]
    fn terminals_are_named_as_in_the_grammar() {
        let grammar = include_str!("parse/grammar.lalrpop");
        let signs = b"()=-+,".map(of_punctuation);
        let other = [Token::String, Token::Word, Token::Raw, Token::Hex, Token::Flash];
        let words = KEYWORDS.iter().chain(FUNCTIONS).map(|&(_, token)| token);
        for token in words.chain(signs).chain(other).chain([Token::Variable(None)]) {
            let kind = alloc::format!("{token:?}");
            let kind = kind.split('(').next().unwrap_or_default();
            let line = alloc::format!("        {} => Token::{kind}", token.terminal());
            assert!(grammar.contains(&line), "{line}");
        }
    }
}
