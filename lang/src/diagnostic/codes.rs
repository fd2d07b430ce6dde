//! Every diagnostic's code, in one table. Codes are stable: one that is given up is never given out
//! again.

use super::Severity;

macro_rules! codes {
    ($($name:ident = $text:literal, $title:literal;)*) => {
        /// The stable code of a diagnostic. Each has a page in `lang/docs/diagnostics.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code { $(#[doc = $title] $name,)* }

        impl Code {
            /// Every code, errors first.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// As users read it: `E0001`, `W0001`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            /// A few words that name it.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)* }
            }
        }
    };
}

codes! {
    UnexpectedWord = "E0001", "unexpected word";
    UnexpectedEnd = "E0002", "the script ends in the middle of a statement";
    UnclosedString = "E0003", "string without its closing quote";
    ReservedWord = "E0004", "reserved word used as a value";
    BadHex = "E0005", "malformed hex value";
    BadNumber = "E0006", "not a number";
    OutOfRange = "E0007", "number out of range";
    NestedTooDeep = "E0008", "nested too deep";
    ChainTooLong = "E0009", "expression too long";
    ScriptTooLong = "E0010", "script too long";
    UndeclaredVariable = "E0011", "variable that nothing sets";
    TooManyVariables = "E0012", "too many variables";
    SpecialOutsideClause = "E0013", "event data used outside its event";
    ValueTooLong = "E0014", "value too long";
    TooManyPins = "E0015", "too many pins of a kind";
    ImageTooLarge = "E0016", "compiled script too large";
    BadSeparator = "E0017", "separator that is not one character";
    SetSpecial = "E0018", "special variable cannot be set";
    BadConstant = "E0019", "constant that is not known when compiling";
    ConstantCircle = "E0020", "constants that need each other";
    SetConstant = "E0021", "constant cannot be set";
    DefinedTwice = "E0022", "name that is there twice";
    UnknownSub = "E0023", "call of a sub that there is not";
    Recursion = "E0024", "sub that calls itself";
    CallsTooDeep = "E0025", "calls nested too deep";
    TooManyNames = "E0026", "too many constants or subs";
    BadTime = "E0030", "not a time, a duration or a day";
    TooManyTimed = "E0031", "too many handlers that time wakes";

    Grouping = "W0001", "chain groups from the right";
    NeverRead = "W0002", "variable set but never read";
    ReadBeforeSet = "W0003", "variable read before any handler can have set it";
    NoSubscription = "W0004", "topic handler without a subscription";
    NoHandler = "W0005", "subscription without a handler";
    TimerNeverArmed = "W0006", "timer or alarm handler that nothing arms";
    TimerWithoutHandler = "W0007", "timer or alarm armed without a handler";
    FeedbackLoop = "W0008", "handlers that feed themselves";
    FlashWear = "W0009", "flash written in a hot place";
    NeverEqual = "W0010", "comparison that can never be equal";
    LoopNeverChanges = "W0011", "loop whose condition cannot change";
    ConstantCondition = "W0012", "condition always true or always false";
    UnknownConfig = "W0013", "unknown config parameter";
    DivisionByZero = "W0014", "division by zero";
    PinUsedTwice = "W0015", "pin used both as PWM and as input";
    SimilarNames = "W0016", "names equal in their first 14 characters";
    InvalidTopic = "W0017", "topic MQTT does not allow";
    BadConfigValue = "W0018", "config value out of range";
    InvalidUrl = "W0019", "URL the device cannot ask for";
    OperatorAsText = "W0020", "operator read as a text";
    UnbalancedEndif = "W0021", "missing or stray `endif`";
    MisreadValue = "W0022", "value that is not read as it is written";
    SwallowedByComment = "W0023", "comment that swallows a part of the line";
    StrayPunctuation = "W0024", "punctuation that goes with the value";
    FlashPin = "W0025", "pin that the flash chip is wired to";
    SerialIsConsole = "W0026", "serial handler while the serial port is a console";
    EmptyScript = "W0027", "script without a statement";
    VariableInText = "W0028", "variable inside a text";
    ConstantRandom = "W0029", "random number that is always the same";
    LetterEscape = "W0030", "escape that is a letter";
    BadCommand = "W0031", "command the console does not take";
    NotConnectedYet = "W0032", "remote broker spoken to before it is connected";
    UnusedConstant = "W0033", "constant never used";
    DecimalAsText = "W0034", "decimal compared as a text";
    NeverCalled = "W0035", "sub that nothing calls";
    NoPlace = "W0040", "sunrise and sunset without a place";
    ShortPeriod = "W0041", "period that is hardly longer than its handler";
    TimerAsPeriod = "W0042", "timer that is a period";
    VariableAsConstant = "W0043", "variable that never changes";
    DigitsPicked = "W0044", "tenths made of digits";
}

impl Code {
    /// Error or warning.
    pub fn severity(self) -> Severity {
        if self < Code::Grouping { Severity::Error } else { Severity::Warning }
    }

    /// The code users write, in any case: `e0001`.
    pub fn parse(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text))
    }
}

impl core::fmt::Display for Code {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}
