//! The instruction set: one table from which come the opcodes, the verifier's view of operands and stack,
//! and the disassembler.
//!
//! Code is 32-bit words: on the chip, constants in flash can be read only so, and one load brings an instruction with its operands.
//!
//! ```text
//! bits 0-7    opcode
//! bits 8-15   A    bits 16-23   B    bits 24-31   C
//! ```
//!
//! What A, B and C hold says the instruction's [`Format`]. A value operand is a byte, a *source* ([`source`]): a variable, a constant, a
//! small integer, one of the event's arguments, or the value on top of the stack. So most instructions need no stack at
//! all. Wide sources take their number from an extension word behind the instruction. Operands are fetched from the last to the
//! first, and extension words stand in that order.
//!
//! Jumps happen only where the stack holds nothing but what they pop: expressions have no jumps inside. This is what
//! lets one linear pass verify a handler.

/// Source bytes: where an operand comes from.
pub mod source {
    /// Off the stack.
    pub const POP: u8 = 0;
    /// Argument 0 of the event; up to [`ARGUMENTS`] of them follow.
    pub const ARGUMENT: u8 = 1;
    /// How many arguments an event has at most.
    pub const ARGUMENTS: u8 = 4;
    /// The integer in an extension word.
    pub const WIDE_INT: u8 = 5;
    /// The variable whose number is in an extension word.
    pub const WIDE_VARIABLE: u8 = 6;
    /// The constant whose number is in an extension word.
    pub const WIDE_CONSTANT: u8 = 7;
    /// The first of the integers [`INT_MIN`] to [`INT_MAX`].
    pub const INT: u8 = 0x10;
    /// The first of the variables 0 to [`VARIABLES`].
    pub const VARIABLE: u8 = 0x40;
    /// The first of the constants 0 to [`CONSTANTS`].
    pub const CONSTANT: u8 = 0x80;

    /// Smallest integer that needs no extension word.
    pub const INT_MIN: i32 = -1;
    /// Largest integer that needs no extension word.
    pub const INT_MAX: i32 = INT_MIN + (VARIABLE - INT - 1) as i32;
    /// So many variables need no extension word.
    pub const VARIABLES: u16 = (CONSTANT - VARIABLE) as u16;
    /// So many constants need no extension word.
    pub const CONSTANTS: u16 = 0x100 - CONSTANT as u16;
}

/// The destination that means the stack; any other is a variable's number. The one variable with this number is set by `SET`.
pub const PUSH: u8 = 0xff;
/// Most values joined at once.
pub const JOIN_MAX: u8 = 16;
/// A comparing jump holds distances up to this itself; for 0 the distance is in an extension word.
pub const NEAR: u32 = 0xff;

/// What the bytes A, B and C of an instruction hold. Value operands come first, in A, B, C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Nothing but value operands.
    Values,
    /// C: the destination of the result.
    Result,
    /// B: a variable's number.
    Variable,
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
    /// C: how many words forward; for 0 the extension word behind those of the operands says it.
    NearJump,
    /// B and C, little-endian: how many words back, counted from the end of the instruction, to the end of a `HEAD`.
    Loop,
    /// A: how many values to join, 2 to [`JOIN_MAX`]; B: how many of them come off the stack, in the order they were pushed; C: the
    /// destination. Their sources follow, four in a word, then their extension words; both first to last.
    Join,
}

macro_rules! instructions {
    ($($(#[$doc:meta])* $code:literal $name:ident $mnemonic:literal $values:literal $format:ident;)*) => {
        /// An instruction without its operands.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Op { $($(#[$doc])* $name = $code,)* }

        /// The opcodes as numbers, to match on.
        #[allow(non_upper_case_globals)]
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
    /// Ends a handler.
    0 End "end" 0 Values;
    /// Ends a filter expression: the value is the result.
    1 Return "return" 1 Values;
    /// Sets a variable.
    2 Set "set" 1 Variable;
    /// A flash variable.
    3 Flash "flash" 0 FlashResult;
    /// Sets a flash variable.
    4 SetFlash "setflash" 1 Flash;
    /// The time of day.
    5 Timestamp "timestamp" 0 Result;
    /// The day of the week.
    6 Weekday "weekday" 0 Result;
    /// The analogue input.
    7 Adc "adc" 0 Result;
    /// A pin's level.
    8 PinRead "gpio_in" 0 PinResult;

    /// Jumps.
    9 Jump "jump" 0 Jump;
    /// Jumps if false.
    10 JumpFalse "jump_false" 1 Jump;
    /// Jumps if true.
    11 JumpTrue "jump_true" 1 Jump;
    /// Jumps if the bytes are equal.
    12 JumpEqual "jump_eq" 2 NearJump;
    /// Jumps if the bytes differ.
    13 JumpNotEqual "jump_neq" 2 NearJump;
    /// Jumps if greater as numbers.
    14 JumpGreater "jump_gt" 2 NearJump;
    /// Jumps if greater or equal as numbers.
    15 JumpGreaterEqual "jump_gte" 2 NearJump;
    /// Jumps if less as numbers.
    16 JumpLess "jump_lt" 2 NearJump;
    /// Jumps if less or equal as numbers.
    17 JumpLessEqual "jump_lte" 2 NearJump;
    /// Marks the start of a loop; does nothing.
    18 Head "head" 0 Values;
    /// Jumps back behind the innermost open `head` and pays fuel for the way.
    19 Loop "loop" 0 Loop;

    /// Bytes equal.
    20 Equal "eq" 2 Result;
    /// Bytes differ.
    21 NotEqual "neq" 2 Result;
    /// Greater as numbers.
    22 Greater "gt" 2 Result;
    /// Greater or equal as numbers.
    23 GreaterEqual "gte" 2 Result;
    /// Less as numbers.
    24 Less "lt" 2 Result;
    /// Less or equal as numbers.
    25 LessEqual "lte" 2 Result;
    /// Greater as bytes.
    26 TextGreater "str_gt" 2 Result;
    /// Greater or equal as bytes.
    27 TextGreaterEqual "str_gte" 2 Result;
    /// Sum.
    28 Add "add" 2 Result;
    /// Difference.
    29 Sub "sub" 2 Result;
    /// Product.
    30 Mul "mul" 2 Result;
    /// Quotient, rounded towards 0; by 0 it is 0.
    31 Div "div" 2 Result;
    /// Remainder with the sign of the dividend; by 0 it is 0.
    32 Mod "mod" 2 Result;
    /// Both true.
    33 And "and" 2 Result;
    /// Either true.
    34 Or "or" 2 Result;
    /// False.
    35 Not "not" 1 Result;
    /// Joins the bytes of several values.
    36 Join "join" 0 Join;

    /// value, start, length: a part of the value, onto the stack.
    37 Substr "substr" 3 Values;
    /// value, index: one byte of the value as a number.
    38 ByteVal "byte_val" 2 Result;
    /// The one byte of that number.
    39 Binary "binary" 1 Result;
    /// value, index, separator: one field of the value, onto the stack.
    40 CsvStr "csvstr" 3 Values;
    /// Without white space, anywhere in it.
    41 EatWhite "eatwhite" 1 Result;
    /// path, text: what the path leads to in a JSON text.
    42 JsonParse "json_parse" 2 Result;
    /// The first retained message whose topic matches.
    43 Retained "retained" 1 Result;
    /// ASCII letters lowered.
    44 Lower "lower" 1 Result;
    /// ASCII letters raised.
    45 Upper "upper" 1 Result;
    /// Length in bytes.
    46 Len "len" 1 Result;
    /// value, sought: index of the first place, or -1.
    47 Find "find" 2 Result;

    /// topic, data: publishes locally.
    48 PublishLocal "publish_local" 2 Values;
    /// topic, data: publishes locally, retained.
    49 PublishLocalRetained "publish_local_retained" 2 Values;
    /// topic, data: publishes remotely.
    50 PublishRemote "publish_remote" 2 Values;
    /// topic, data: publishes remotely, retained.
    51 PublishRemoteRetained "publish_remote_retained" 2 Values;
    /// Subscribes locally.
    52 SubscribeLocal "subscribe_local" 1 Values;
    /// Subscribes remotely.
    53 SubscribeRemote "subscribe_remote" 1 Values;
    /// Unsubscribes locally.
    54 UnsubscribeLocal "unsubscribe_local" 1 Values;
    /// Unsubscribes remotely.
    55 UnsubscribeRemote "unsubscribe_remote" 1 Values;
    /// milliseconds: arms a timer.
    56 SetTimer "settimer" 1 Timer;
    /// time of day: sets an alarm.
    57 SetAlarm "setalarm" 1 Alarm;
    /// URL.
    58 HttpGet "http_get" 1 Values;
    /// URL, body.
    59 HttpPost "http_post" 2 Values;
    /// Sets a pin's direction.
    60 PinMode "gpio_pinmode" 0 PinMode;
    /// level: sets a pin.
    61 PinWrite "gpio_out" 1 Pin;
    /// duty: sets a pin's PWM.
    62 Pwm "gpio_pwm" 1 Pin;
    /// Bytes for the serial port.
    63 SerialOut "serial_out" 1 Values;
    /// Prints.
    64 Print "print" 1 Values;
    /// Prints a line.
    65 Println "println" 1 Values;
    /// Executes a console command.
    66 System "system" 1 Values;
    /// name, value: applies a `config` line.
    67 Config "config" 2 Values;
}

impl Op {
    /// Whether it leaves a value on the stack, or in a variable if it has a destination that says so.
    #[inline]
    pub fn has_result(self) -> bool {
        matches!(
            self.format(),
            Format::Result | Format::FlashResult | Format::PinResult | Format::Join
        ) || matches!(self, Op::Substr | Op::CsvStr)
    }
}

/// Reads a varint of at most five bytes; advances `at`. `None` at the end of `bytes`, or if it does not
/// fit 32 bits.
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
