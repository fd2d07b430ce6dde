//! The words of the script language that name events, their variables, actions and functions: one
//! table each. The
//! parser's keywords, the code generator, the handler records of an image, the listing of one, the
//! trace and the help of `umqttc explain` come from them; what the instructions do stands in
//! [`crate::isa`].

use crate::isa::Op;

/// The words of a table by their last bytes, so that few are compared with a word that is looked
/// for. There are less than 255, none of them empty.
pub struct Index<const N: usize> {
    /// The first word of each last byte, modulo 32.
    heads: [u8; 32],
    /// The next word with the last byte of each.
    next: [u8; N],
}

/// No further word.
const NONE: u8 = u8::MAX;

impl<const N: usize> Index<N> {
    /// That of these words.
    pub const fn of(words: &[&str; N]) -> Index<N> {
        let (mut heads, mut next) = ([NONE; 32], [NONE; N]);
        let mut at = N;
        while at > 0 {
            at -= 1;
            let word = words[at].as_bytes();
            let place = (word[word.len() - 1] & 31) as usize;
            next[at] = heads[place];
            heads[place] = at as u8;
        }
        Index { heads, next }
    }

    /// The place of a word in the table.
    pub fn find(&self, word: &[u8], words: &[&str; N]) -> Option<usize> {
        let mut at = self.heads[usize::from(word.last()? & 31)];
        while let Some(candidate) = words.get(usize::from(at)) {
            if candidate.as_bytes() == word {
                return Some(at.into());
            }
            at = self.next[usize::from(at)];
        }
        None
    }
}

macro_rules! triggers {
    ($(#[doc = $doc:literal] $code:literal $name:ident $keyword:literal $usage:literal $arguments:literal;)*) => {
        /// What wakes a handler: the first byte of its record in an image.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Trigger { $(#[doc = $doc] $name = $code,)* }

        impl Trigger {
            /// Every trigger, in the order of codes, which have no gaps.
            pub const ALL: &'static [Trigger] = &[$(Trigger::$name,)*];
            /// How many there are.
            pub const COUNT: usize = Trigger::ALL.len();

            /// The trigger of that number.
            pub fn from_code(code: u8) -> Option<Trigger> {
                Trigger::ALL.get(usize::from(code)).copied()
            }

            /// How a script writes it, without what may follow: `timer`, `topic local`.
            pub fn keyword(self) -> &'static str {
                const KEYWORDS: &[&str] = &[$($keyword,)*];
                KEYWORDS[self as usize]
            }

            /// The trigger of a word; those of topics are written as two.
            pub fn from_keyword(word: &str) -> Option<Trigger> {
                Trigger::from_bytes(word.as_bytes())
            }

            /// The same of a word that may be no UTF-8.
            pub fn from_bytes(word: &[u8]) -> Option<Trigger> {
                const KEYWORDS: &[&str; Trigger::COUNT] = &[$($keyword,)*];
                const INDEX: Index<{ Trigger::COUNT }> = Index::of(KEYWORDS);
                Trigger::ALL.get(INDEX.find(word, KEYWORDS)?).copied()
            }

            /// What follows the keyword.
            pub fn usage(self) -> &'static str {
                const USAGE: &[&str] = &[$($usage,)*];
                USAGE[self as usize]
            }

            /// How many of the event's arguments its code may ask for.
            pub fn arguments(self) -> u8 {
                const ARGUMENTS: &[u8] = &[$($arguments,)*];
                ARGUMENTS[self as usize]
            }

            /// What it waits for.
            pub fn documentation(self) -> &'static str {
                const DOCUMENTATION: &[&str] = &[$($doc,)*];
                DOCUMENTATION[self as usize].trim_ascii()
            }
        }
    };
}

// Records are sorted by these numbers. The trigger of filters is the one behind that of names. The
// key of a record is the number of a timer or an alarm; of a pin its number, with the filter 1 for
// a pull-up, else 0; the fingerprint of a topic's name, or the kind of a filter; of a sub how many
// calls deep it goes, with the event's arguments it looks at in place of a filter; of `every` and
// `clock` a number of their own, with the filter that is the constant of their time.
triggers! {
    /// The script's `config` lines, once, before `init`.
    0 Config "config" "" 0;
    /// The script starts.
    1 Init "init" "" 0;
    /// The WiFi client got its address.
    2 WifiConnect "wificonnect" "" 0;
    /// The WiFi client lost its network.
    3 WifiDisconnect "wifidisconnect" "" 0;
    /// The remote broker accepted the device.
    4 MqttConnect "mqttconnect" "" 0;
    /// A line came in on the serial port.
    5 Serial "serial" "" 1;
    /// A web server answered, or could not be asked.
    6 HttpResponse "http_response" "" 4;
    /// The timer of that number ran out.
    7 Timer "timer" "N" 0;
    /// The time of day of the alarm of that number came.
    8 Alarm "alarm" "N" 0;
    /// A pin changed and settled.
    9 Gpio "gpio_interrupt" "N pullup|nopullup" 1;
    /// A message on the own broker, on exactly this topic.
    10 LocalName "topic local" "TOPIC" 2;
    /// A message on the own broker, on a topic that the filter matches.
    11 LocalFilter "topic local" "FILTER" 2;
    /// A message on the remote broker, on exactly this topic.
    12 RemoteName "topic remote" "TOPIC" 2;
    /// A message on the remote broker, on a topic that the filter matches.
    13 RemoteFilter "topic remote" "FILTER" 2;

    /// No event: what a script calls by its name.
    14 Sub "sub" "NAME" 0;
    /// Again and again, after each such period: `10s`, `500ms`, `2h`.
    15 Every "every" "DURATION" 0;
    /// Once a day at a time of day, sunrise or sunset.
    16 Clock "clock" "TIME [OFFSET] [DAYS]" 0;
}

macro_rules! specials {
    ($(#[doc = $doc:literal] $name:ident $($keyword:literal)|+ of $event:expr, $source:expr;)*) => {
        /// A variable that the device sets. It stands for itself, or for data of the event whose
        /// handlers it exists in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Special { $(#[doc = $doc] $name,)* }

        impl Special {
            /// Every one, those of an event one after the other.
            pub const ALL: &'static [Special] = &[$(Special::$name,)*];

            /// Its names in a script, with their `$`; the first is the usual one.
            pub fn keywords(self) -> &'static [&'static str] {
                const KEYWORDS: &[&[&str]] = &[$(&[$($keyword),+],)*];
                KEYWORDS[self as usize]
            }

            /// The one of a name.
            pub fn from_keyword(word: &str) -> Option<Special> {
                Special::from_bytes(word.as_bytes())
            }

            /// The same of a word that may be no UTF-8.
            pub fn from_bytes(word: &[u8]) -> Option<Special> {
                const NAMED: &[Special] = &[$($({ const _: &str = $keyword; Special::$name },)+)*];
                const COUNT: usize = NAMED.len();
                const KEYWORDS: &[&str; COUNT] = &[$($($keyword,)+)*];
                const INDEX: Index<COUNT> = Index::of(KEYWORDS);
                NAMED.get(INDEX.find(word, KEYWORDS)?).copied()
            }

            /// The event in whose handlers it exists; `None`: in all.
            pub fn event(self) -> Option<Trigger> {
                const EVENTS: &[Option<Trigger>] = &[$($event,)*];
                EVENTS[self as usize]
            }

            /// Where the machine gets it from.
            pub fn source(self) -> SpecialSource {
                const SOURCES: &[SpecialSource] = &[$($source,)*];
                SOURCES[self as usize]
            }

            /// What it is.
            pub fn documentation(self) -> &'static str {
                const DOCUMENTATION: &[&str] = &[$($doc,)*];
                DOCUMENTATION[self as usize].trim_ascii()
            }
        }
    };
}

/// Where the value of a special variable comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecialSource {
    /// The argument of that number of the event.
    Argument(u8),
    /// An instruction with a result.
    Instruction(Op),
}

impl Trigger {
    /// The trigger that stands in [`Special::event`] for this one: all those of topics are one.
    pub fn of_specials(self) -> Trigger {
        match self {
            Trigger::LocalFilter | Trigger::RemoteName | Trigger::RemoteFilter => {
                Trigger::LocalName
            }
            other => other,
        }
    }

    /// The word of the event alone: `timer`, `topic`.
    pub fn event_word(self) -> &'static str {
        match self.of_specials() {
            Trigger::LocalName => "topic",
            other => other.keyword(),
        }
    }
}

specials! {
    /// The topic of the message.
    ThisTopic "$this_topic" of Some(Trigger::LocalName), SpecialSource::Argument(0);
    /// The payload of the message.
    ThisData "$this_data" | "$this_item" of Some(Trigger::LocalName), SpecialSource::Argument(1);
    /// The new level of the pin, 0 or 1.
    ThisGpio "$this_gpio" of Some(Trigger::Gpio), SpecialSource::Argument(0);
    /// The line, without its end.
    ThisSerial "$this_serial" of Some(Trigger::Serial), SpecialSource::Argument(0);
    /// The status code of the answer, or why there is none.
    ThisHttpCode "$this_http_code" of Some(Trigger::HttpResponse), SpecialSource::Argument(2);
    /// The host of the URL that was asked for.
    ThisHttpHost "$this_http_host" of Some(Trigger::HttpResponse), SpecialSource::Argument(0);
    /// The path of the URL that was asked for.
    ThisHttpPath "$this_http_path" of Some(Trigger::HttpResponse), SpecialSource::Argument(1);
    /// The body of the answer.
    ThisHttpBody "$this_http_body" of Some(Trigger::HttpResponse), SpecialSource::Argument(3);
    /// 1 if the answer was cut, else 0.
    ThisHttpCut "$this_http_cut" of Some(Trigger::HttpResponse), SpecialSource::Instruction(Op::HttpCut);
    /// The time of day as `hh:mm:ss`.
    Timestamp "$timestamp" of None, SpecialSource::Instruction(Op::Timestamp);
    /// The day of the week as `Mon` to `Sun`.
    Weekday "$weekday" of None, SpecialSource::Instruction(Op::Weekday);
    /// The analogue input, 0 to 1023.
    Adc "$adc" of None, SpecialSource::Instruction(Op::Adc);
    /// When the sun rises today, as `hh:mm:ss`; `99:99:99` if it does not.
    Sunrise "$sunrise" of None, SpecialSource::Instruction(Op::Sunrise);
    /// When the sun sets today, as `hh:mm:ss`; `99:99:99` if it does not.
    Sunset "$sunset" of None, SpecialSource::Instruction(Op::Sunset);
    /// The date as `yyyy-mm-dd`.
    Date "$date" of None, SpecialSource::Instruction(Op::Date);
    /// Seconds since 1 January 1970 in UTC; 0 before the clock is set.
    UnixTime "$unixtime" of None, SpecialSource::Instruction(Op::UnixTime);
    /// Seconds since the device started.
    Uptime "$uptime" of None, SpecialSource::Instruction(Op::Uptime);
}

macro_rules! words {
    (
        $(#[doc = $about:literal])* $table:ident,
        $(#[doc = $shape_about:literal])* $shape:ident:
        $(#[doc = $doc:literal] $name:ident $keyword:literal $usage:literal $kind:ident $op:ident;)*
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $table { $(#[doc = $doc] $name,)* }

        impl $table {
            /// Every one, in the order of the table.
            pub const ALL: &'static [$table] = &[$($table::$name,)*];

            /// Its word in a script.
            pub fn keyword(self) -> &'static str {
                const KEYWORDS: &[&str] = &[$($keyword,)*];
                KEYWORDS[self as usize]
            }

            /// The one of a word.
            pub fn from_keyword(word: &str) -> Option<$table> {
                $table::from_bytes(word.as_bytes())
            }

            /// The same of a word that may be no UTF-8.
            pub fn from_bytes(word: &[u8]) -> Option<$table> {
                const COUNT: usize = $table::ALL.len();
                const KEYWORDS: &[&str; COUNT] = &[$($keyword,)*];
                const INDEX: Index<COUNT> = Index::of(KEYWORDS);
                $table::ALL.get(INDEX.find(word, KEYWORDS)?).copied()
            }

            /// What follows the word.
            pub fn usage(self) -> &'static str {
                const USAGE: &[&str] = &[$($usage,)*];
                USAGE[self as usize]
            }

            /// What it does.
            pub fn documentation(self) -> &'static str {
                const DOCUMENTATION: &[&str] = &[$($doc,)*];
                DOCUMENTATION[self as usize].trim_ascii()
            }

            /// The kinds of its operands.
            pub fn operands(self) -> $shape {
                const KINDS: &[$shape] = &[$($shape::$kind,)*];
                KINDS[self as usize]
            }

            /// Its instruction; where several do it, the first of them.
            pub fn op(self) -> Op {
                const OPS: &[Op] = &[$(Op::$op,)*];
                OPS[self as usize]
            }
        }
    };
}

/// What follows the word of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionOperands {
    /// One value.
    Value,
    /// Two values.
    Pair,
    /// A number, of a timer, an alarm or a pin depending on the instruction's
    /// [`crate::isa::Format`], and a value.
    Numbered,
    /// A broker and a filter. The next instruction is that for the remote broker.
    Filter,
    /// A broker, a topic, a payload, and perhaps `retained`.
    Message,
    /// What is set, `=`, and a value.
    Assignment,
    /// A pin and its use.
    PinMode,
    /// The name of a sub.
    Name,
}

words! {
    /// The actions.
    ActionWord,
    ActionOperands:
    /// Publishes a message.
    Publish "publish" "local|remote TOPIC DATA [retained]" Message PublishLocal;
    /// Subscribes to a topic filter: messages that match come as `on topic`.
    Subscribe "subscribe" "local|remote FILTER" Filter SubscribeLocal;
    /// Drops a subscription.
    Unsubscribe "unsubscribe" "local|remote FILTER" Filter UnsubscribeLocal;
    /// Arms a timer to run out once, in so many milliseconds; 0 disarms it.
    SetTimer "settimer" "N MILLISECONDS" Numbered SetTimer;
    /// Sets an alarm to a time of day, for every day; an empty text disarms it.
    SetAlarm "setalarm" "N hh:mm:ss" Numbered SetAlarm;
    /// Sets a variable; flash variables, `@1` and up, survive power cuts.
    SetVar "setvar" "$name = VALUE, or @N = VALUE" Assignment Set;
    /// Prints on consoles and in the log.
    Print "print" "VALUE" Value Print;
    /// Prints a line on consoles and in the log.
    Println "println" "VALUE" Value Println;
    /// Writes to the serial port.
    SerialOut "serial_out" "VALUE" Value SerialOut;
    /// Executes a command of the console, when the handler is over.
    System "system" "COMMAND" Value System;
    /// Asks a web server; the answer comes as `on http_response`.
    HttpGet "http_get" "URL" Value HttpGet;
    /// Sends a body to a web server; the answer comes as `on http_response`.
    HttpPost "http_post" "URL, BODY" Pair HttpPost;
    /// Chooses what a pin is used for.
    PinMode "gpio_pinmode" "PIN input [pullup], or PIN output" PinMode PinMode;
    /// Sets an output pin: high if the value is true.
    PinWrite "gpio_out" "PIN VALUE" Numbered PinWrite;
    /// Has a pin put out pulses, 0 to 1000 per mille of the time high.
    Pwm "gpio_pwm" "PIN DUTY" Numbered Pwm;

    /// Does what the `sub` of that name says, and goes on.
    Call "call" "NAME" Name Call;
}

/// What stands in the brackets of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionOperands {
    /// A value.
    Value,
    /// Two values.
    Pair,
    /// Three values.
    Triple,
    /// A value and a number.
    Index,
    /// A value, a number, and something third: a number or a separator.
    Part,
    /// A pin.
    Pin,
    /// A value, and a variable that no script names, to keep it in.
    Kept,
    /// Names and values by turns.
    Members,
    /// Any number of values.
    List,
}

words! {
    /// The functions.
    FunctionWord,
    FunctionOperands:
    /// 1 if the value is false, else 0.
    Not "not" "value" Value Not;
    /// The first retained message on the own broker whose topic matches; empty if there is none.
    Retained "retained_topic" "filter" Value Retained;
    /// The one byte of that number.
    Binary "binary" "number" Value Binary;
    /// The value without white space.
    EatWhite "eatwhite" "value" Value EatWhite;
    /// The value with ASCII letters lowered.
    Lower "lower" "value" Value Lower;
    /// The value with ASCII letters raised.
    Upper "upper" "value" Value Upper;
    /// The length of the value in bytes.
    Len "len" "value" Value Len;
    /// Where the sought text first stands in the text, from 0; -1 if it does not.
    Find "find" "text, sought" Pair Find;
    /// What a path such as `a.b.1` leads to in a JSON text; empty if that is nothing.
    JsonParse "json_parse" "path, json" Pair JsonParse;
    /// A part of the value; a negative start counts from its end.
    Substr "substr" "value, start, length" Part Substr;
    /// The number of one byte of the value; empty if there is none.
    ByteVal "byte_val" "value, index" Index ByteVal;
    /// One field of the value, from 0; empty if there is none.
    CsvStr "csvstr" "value, index, separator" Part CsvStr;
    /// A random number from 0 to the bound less 1; 0 for a bound of 0 or less.
    Random "random" "bound" Value Random;
    /// 1 if the time of day is from the first time up to before the second, else 0.
    Between "between" "from, to" Pair Between;
    /// The level of a pin, 0 or 1.
    PinRead "gpio_in" "pin" Pin PinRead;

    /// 1 if the value is another than when this place was reached last, and the first time, else 0.
    Changed "changed" "value" Kept Changed;
    /// A JSON object; a value that is JSON, but no string, stands as it is, any other as a string.
    Json "json" "name, value, ..." Members Json;
    /// A JSON array of these elements, which stand as the values of an object do.
    JsonArray "json_array" "value, ..." List JsonArray;
    /// How many elements or members what a path leads to has; empty if it is of another kind.
    JsonLen "json_len" "path, json" Pair JsonLen;
    /// The value, which is a string in an object or array whatever it looks like.
    Text "text" "value" Value Set;

    /// The number rounded to so many decimals, half away from zero.
    Round "round" "number, decimals" Pair Round;
    /// The number as a text with exactly so many decimals.
    Fixed "fixed" "number, decimals" Pair Fixed;
    /// The quotient, rounded to so many decimals; by 0 it is 0.
    Divide "divide" "dividend, divisor, decimals" Triple Divide;
    /// The number without its decimals.
    Int "int" "number" Value Int;
    /// The number without its sign.
    Abs "abs" "number" Value Abs;
    /// The lesser of two numbers.
    Min "min" "number, number" Pair Min;
    /// The greater of two numbers.
    Max "max" "number, number" Pair Max;
}

/// What the values of a function look like, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultKind {
    /// Any text.
    String,
    /// A number's text.
    Number,
    /// An integer's text.
    Integer,
    /// `0` or `1`.
    Bit,
}

impl FunctionWord {
    /// What its values look like.
    pub fn result(self) -> ResultKind {
        match self {
            FunctionWord::Not | FunctionWord::PinRead | FunctionWord::Changed => ResultKind::Bit,
            FunctionWord::Len | FunctionWord::Find | FunctionWord::Random | FunctionWord::Int => {
                ResultKind::Integer
            }
            FunctionWord::Round
            | FunctionWord::Divide
            | FunctionWord::Abs
            | FunctionWord::Min
            | FunctionWord::Max => ResultKind::Number,
            _ => ResultKind::String,
        }
    }

    /// Whether it may give another value for the same operands.
    pub fn is_volatile(self) -> bool {
        matches!(
            self,
            FunctionWord::Retained
                | FunctionWord::PinRead
                | FunctionWord::Random
                | FunctionWord::Changed
        )
    }
}

#[cfg(test)]
mod tests;
