//! The instruction set: one table from which come the opcodes, the verifier's view of operands, and
//! the disassembler.
//!
//! Code is 32-bit words: on the chip, constants in flash can be read only so, and one load brings
//! an instruction with its operands.
//!
//! ```text
//! bits 0-7    opcode
//! bits 8-15   A    bits 16-23   B    bits 24-31   C
//! ```
//!
//! The instruction's [`Format`] defines what A, B and C hold. A value operand is a byte, an
//! [`Operand`]: one of the event's arguments, a temporary, a variable or a constant. There is no
//! stack: where values have to wait, the compiler gives them temporaries. What a byte cannot name
//! is brought into a temporary first.
//!
//! Opcodes are in classes, so that the machine fetches the operands of a whole class at one point:
//! those with two values come first, then those with one, then all others. Within the comparisons,
//! the lowest bit of the opcode turns the result round.

/// Arguments of an event at most.
pub const ARGUMENTS: u8 = 4;
/// Temporaries at most.
pub const TEMPORARIES: u8 = 60;
/// So many variables have a place, however many temporaries there are; others are loaded and
/// stored.
pub const VARIABLES: u8 = CONSTANT - ARGUMENTS - TEMPORARIES;
/// So many constants have a place; others are loaded.
pub const CONSTANTS: u8 = (0x100 - CONSTANT as u16) as u8;
/// The byte of constant 0. Below it are the arguments, behind them the program's temporaries,
/// behind them its variables.
pub(crate) const CONSTANT: u8 = 0x80;

/// Where a value is, as a byte of an instruction encodes it. How the bytes are shared out depends
/// on how many temporaries the program has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// One of the event's arguments.
    Argument(u8),
    /// A temporary.
    Temporary(u8),
    /// A variable.
    Variable(u8),
    /// A constant.
    Constant(u8),
}

impl Operand {
    /// The place a byte means; every byte means one, though the program may not have it.
    #[inline]
    pub fn from_byte(byte: u8, temporaries: u8) -> Operand {
        let first_variable = ARGUMENTS + temporaries.min(TEMPORARIES);
        if byte >= CONSTANT {
            Operand::Constant(byte - CONSTANT)
        } else if byte >= first_variable {
            Operand::Variable(byte - first_variable)
        } else if byte >= ARGUMENTS {
            Operand::Temporary(byte - ARGUMENTS)
        } else {
            Operand::Argument(byte)
        }
    }

    /// The byte that means it; for a number that is too large, that of another place.
    pub fn byte(self, temporaries: u8) -> u8 {
        let byte = match self {
            Operand::Argument(number) => number,
            Operand::Temporary(number) => ARGUMENTS + number % TEMPORARIES,
            Operand::Variable(number) => {
                ARGUMENTS + temporaries.min(TEMPORARIES) + number % VARIABLES
            }
            Operand::Constant(number) => return CONSTANT | number,
        };
        byte % CONSTANT
    }
}

/// Most values joined at once.
pub const JOIN_MAX: u8 = 16;
/// Most values in a list: as many as can wait at once.
pub const LIST_MAX: u8 = TEMPORARIES;
/// Most subs that run at once, each called by the one before.
pub const MAX_CALL_DEPTH: u8 = 8;
/// A comparing jump holds distances up to this itself; for 0 the distance is in the next word.
pub const NEAR: u32 = 0xff;

/// What the bytes A, B and C of an instruction hold. Value operands come first, in A and B.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Nothing but value operands.
    Values,
    /// C: the destination of the result, a temporary or variable.
    Result,
    /// C: the destination; the next word's lowest byte: one more value operand.
    LongResult,
    /// A: the destination; B and C, little-endian: a variable's number.
    LoadVariable,
    /// A: the destination; B and C, little-endian: a constant's number.
    LoadConstant,
    /// B and C, little-endian: the number of the variable that is set.
    StoreVariable,
    /// B: a flash variable's number, from 1.
    Flash,
    /// B: a flash variable's number, from 1; C: the destination.
    FlashResult,
    /// B: a pin.
    Pin,
    /// B: a pin; C: the destination.
    PinResult,
    /// B: a pin; C: a [`crate::PinMode`] (0 input, 1 input with pull-up, 2 output).
    PinMode,
    /// B: a timer's number, from 1.
    Timer,
    /// B: an alarm's number, from 1.
    Alarm,
    /// B and C, little-endian: how many words forward, counted from the end of the instruction.
    Jump,
    /// C: how many words forward; for 0 the next word holds the distance.
    NearJump,
    /// B and C, little-endian: how many words back, counted from the end of the instruction, to the
    /// end of a `HEAD`, or to the start of a sub.
    Loop,
    /// A: how many values to join, 2 to [`JOIN_MAX`]; C: the destination. Their places follow, four
    /// in a word, first to last.
    Join,
    /// A: how many values, 1 to [`LIST_MAX`]; C: the destination. Their places follow as those of a
    /// join, then a bit for each, 32 in a word, the first the lowest: whether it is a text whatever
    /// it looks like.
    List,
    /// C: the destination; the next word: the number of the variable that keeps the value.
    Kept,
    /// B and C, little-endian: a sub's number, its place among the subs' records.
    Call,
}

macro_rules! instructions {
    ($($(#[$doc:meta])* $code:literal $name:ident $mnemonic:literal $values:literal $format:ident;)*) => {
        /// An instruction without its operands.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Op { $($(#[$doc])* $name = $code,)* }

        /// The opcodes as numbers, to match on.
        // Those of a class are told apart by their bits.
        #[allow(non_upper_case_globals, dead_code)]
        pub(crate) mod code { $(pub(crate) const $name: u8 = $code;)* }

        impl Op {
            /// Every instruction, in the order of opcodes, which have no gaps.
            pub const ALL: &'static [Op] = &[$(Op::$name,)*];

            /// The instruction of an opcode.
            #[inline]
            pub fn from_code(code: u8) -> Option<Op> {
                Op::ALL.get(usize::from(code)).copied()
            }

            /// What the disassembler calls it.
            pub fn mnemonic(self) -> &'static str {
                [$($mnemonic,)*][self as usize]
            }

            /// How many value operands it has, not counting those of a join.
            #[inline]
            pub fn values(self) -> u8 {
                const VALUES: &[u8] = &[$($values,)*];
                VALUES[self as usize]
            }

            /// What its other bytes hold.
            #[inline]
            pub fn format(self) -> Format {
                const FORMATS: &[Format] = &[$(Format::$format,)*];
                FORMATS[self as usize]
            }
        }
    };
}

instructions! {
    /// Jumps if the bytes are equal.
    0 JumpEqual "jump_eq" 2 NearJump;
    /// Jumps if the bytes differ.
    1 JumpNotEqual "jump_neq" 2 NearJump;
    /// Bytes equal.
    2 Equal "eq" 2 Result;
    /// Bytes differ.
    3 NotEqual "neq" 2 Result;

    /// Jumps if greater as numbers.
    4 JumpGreater "jump_gt" 2 NearJump;
    /// Jumps if less or equal as numbers.
    5 JumpLessEqual "jump_lte" 2 NearJump;
    /// Jumps if less as numbers.
    6 JumpLess "jump_lt" 2 NearJump;
    /// Jumps if greater or equal as numbers.
    7 JumpGreaterEqual "jump_gte" 2 NearJump;
    /// Greater as numbers.
    8 Greater "gt" 2 Result;
    /// Less or equal as numbers.
    9 LessEqual "lte" 2 Result;
    /// Less as numbers.
    10 Less "lt" 2 Result;
    /// Greater or equal as numbers.
    11 GreaterEqual "gte" 2 Result;
    /// Sum.
    12 Add "add" 2 Result;
    /// Difference.
    13 Sub "sub" 2 Result;
    /// Product.
    14 Mul "mul" 2 Result;
    /// Quotient, rounded towards 0; by 0 it is 0.
    15 Div "div" 2 Result;
    /// Remainder with the sign of the dividend; by 0 it is 0.
    16 Mod "mod" 2 Result;
    /// Both true.
    17 And "and" 2 Result;
    /// Either true.
    18 Or "or" 2 Result;

    /// Greater as bytes.
    19 StringGreater "str_gt" 2 Result;
    /// Greater or equal as bytes.
    20 StringGreaterEqual "str_gte" 2 Result;
    /// value, index: one byte of the value as a number.
    21 ByteVal "byte_val" 2 Result;
    /// value, sought: index of the first place, or -1.
    22 Find "find" 2 Result;
    /// path, text: what the path leads to in a JSON text.
    23 JsonParse "json_parse" 2 Result;
    /// topic, data: publishes locally.
    24 PublishLocal "publish_local" 2 Values;
    /// topic, data: publishes locally, retained.
    25 PublishLocalRetained "publish_local_retained" 2 Values;
    /// topic, data: publishes remotely.
    26 PublishRemote "publish_remote" 2 Values;
    /// topic, data: publishes remotely, retained.
    27 PublishRemoteRetained "publish_remote_retained" 2 Values;
    /// URL, body.
    28 HttpPost "http_post" 2 Values;
    /// name, value: applies a `config` line.
    29 Config "config" 2 Values;

    /// Jumps if false.
    30 JumpFalse "jump_false" 1 Jump;
    /// Jumps if true.
    31 JumpTrue "jump_true" 1 Jump;
    /// Copies a value.
    32 Set "set" 1 Result;
    /// False.
    33 Not "not" 1 Result;
    /// Sets a pin.
    34 PinWrite "gpio_out" 1 Pin;
    /// duty: sets a pin's PWM.
    35 Pwm "gpio_pwm" 1 Pin;
    /// milliseconds: arms a timer.
    36 SetTimer "settimer" 1 Timer;
    /// Prints.
    37 Print "print" 1 Values;
    /// Prints a line.
    38 Println "println" 1 Values;
    /// Subscribes locally.
    39 SubscribeLocal "subscribe_local" 1 Values;
    /// Subscribes remotely.
    40 SubscribeRemote "subscribe_remote" 1 Values;
    /// Unsubscribes locally.
    41 UnsubscribeLocal "unsubscribe_local" 1 Values;
    /// Unsubscribes remotely.
    42 UnsubscribeRemote "unsubscribe_remote" 1 Values;
    /// Bytes for the serial port.
    43 SerialOut "serial_out" 1 Values;
    /// Executes a console command.
    44 System "system" 1 Values;
    /// URL.
    45 HttpGet "http_get" 1 Values;
    /// time of day: sets an alarm.
    46 SetAlarm "setalarm" 1 Alarm;
    /// Sets a flash variable.
    47 SetFlash "setflash" 1 Flash;
    /// Sets a variable that has no place.
    48 StoreVariable "store" 1 StoreVariable;
    /// The one byte of that number.
    49 Binary "binary" 1 Result;
    /// Without white space, anywhere in it.
    50 EatWhite "eatwhite" 1 Result;
    /// ASCII letters lowered.
    51 Lower "lower" 1 Result;
    /// ASCII letters raised.
    52 Upper "upper" 1 Result;
    /// Length in bytes.
    53 Len "len" 1 Result;
    /// The first retained message whose topic matches.
    54 Retained "retained" 1 Result;
    /// Ends a filter expression: the value is the result.
    55 Return "return" 1 Values;

    /// Ends a handler.
    56 End "end" 0 Values;
    /// Jumps.
    57 Jump "jump" 0 Jump;
    /// Marks the start of a loop; does nothing.
    58 Head "head" 0 Values;
    /// Jumps back behind the innermost open `head` and pays fuel for the way.
    59 Loop "loop" 0 Loop;
    /// Joins the bytes of several values.
    60 Join "join" 0 Join;
    /// A variable that has no place.
    61 LoadVariable "load" 0 LoadVariable;
    /// A constant that has no place.
    62 LoadConstant "load" 0 LoadConstant;
    /// A pin's level.
    63 PinRead "gpio_in" 0 PinResult;
    /// Sets a pin's direction.
    64 PinMode "gpio_pinmode" 0 PinMode;
    /// The analogue input.
    65 Adc "adc" 0 Result;
    /// The time of day.
    66 Timestamp "timestamp" 0 Result;
    /// The day of the week.
    67 Weekday "weekday" 0 Result;
    /// A flash variable.
    68 Flash "flash" 0 FlashResult;
    /// value, start, length: a part of the value.
    69 Substr "substr" 2 LongResult;
    /// value, index, separator: one field of the value.
    70 CsvStr "csvstr" 2 LongResult;
    /// Whether the answer of an HTTP request was cut.
    71 HttpCut "http_cut" 0 Result;
    /// A random number from 0 to the value less 1; 0 if that is below 0.
    72 Random "random" 1 Result;

    /// Whether the value differs from the one kept, which it becomes; so it does the first time.
    73 Changed "changed" 1 Kept;
    /// Names and values by turns: a JSON object.
    74 Json "json" 0 List;
    /// A JSON array.
    75 JsonArray "json_array" 0 List;
    /// path, text: how many elements or members what the path leads to has in a JSON text.
    76 JsonLen "json_len" 2 Result;

    /// number, decimals: rounded to so many.
    77 Round "round" 2 Result;
    /// number, decimals: as a text with exactly so many.
    78 Fixed "fixed" 2 Result;
    /// dividend, divisor, decimals: the quotient, rounded to so many; by 0 it is 0.
    79 Divide "divide" 2 LongResult;
    /// A number without its decimals.
    80 Int "int" 1 Result;
    /// A number without its sign.
    81 Abs "abs" 1 Result;
    /// The lesser number.
    82 Min "min" 2 Result;
    /// The greater number.
    83 Max "max" 2 Result;

    /// Goes to a sub.
    84 Call "call" 0 Call;
    /// Ends a sub: goes on behind its call, and pays fuel for the way from its start.
    85 Leave "leave" 0 Loop;
    /// When the sun rises today.
    86 Sunrise "sunrise" 0 Result;
    /// When the sun sets today.
    87 Sunset "sunset" 0 Result;
    /// The date.
    88 Date "date" 0 Result;
    /// Seconds since 1970 in UTC.
    89 UnixTime "unixtime" 0 Result;
    /// Seconds since the start.
    90 Uptime "uptime" 0 Result;
    /// from, to: whether the time of day is between them.
    91 Between "between" 2 Result;
}

/// The first with one value operand.
pub(crate) const UNARY: u8 = Op::JumpFalse as u8;
/// The first that fetches its operands itself.
pub(crate) const PLAIN: u8 = Op::End as u8;

/// Words behind the first of a list of so many values.
pub(crate) const fn list_words(count: u8) -> usize {
    count.div_ceil(4) as usize + count.div_ceil(32) as usize
}

/// Reads a varint of at most five bytes; advances `at`. `None` at the end of `bytes`, or if it does
/// not fit 32 bits.
#[inline]
pub fn read_varint(bytes: &[u8], at: &mut usize) -> Option<u32> {
    let mut value = 0u32;
    for shift in [0, 7, 14, 21, 28] {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if shift == 28 && byte > 0x0f {
            return None;
        }
        value |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Writes a varint; returns the bytes and how many of them count.
pub fn write_varint(mut value: u32) -> ([u8; 5], usize) {
    let mut out = [0; 5];
    let mut len = 0;
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        out[len] = if value == 0 { low } else { low | 0x80 };
        len += 1;
        if value == 0 {
            return (out, len);
        }
    }
}

/// Folds a signed integer so that small magnitudes make short varints.
#[inline]
pub fn zigzag(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)) as u32
}

/// Undoes [`zigzag`].
#[inline]
pub fn unzigzag(value: u32) -> i32 {
    ((value >> 1) as i32) ^ -((value & 1) as i32)
}
