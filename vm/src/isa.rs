//! The instruction set: one table from which come the opcodes, the verifier's view of operands and stack,
//! and the disassembler.
//!
//! A stack machine over values. An opcode is one byte; operands follow it. Three ranges hold their operand
//! in the opcode: [`VAR_SHORT`], [`SET_SHORT`] and [`INT_SHORT`]. Wide operands are LEB128 varints: offsets
//! below 128 take one byte, below 16,384 two.
//!
//! Jumps happen only where the stack holds nothing below the condition they pop: expressions have no
//! jumps inside. This is what lets one linear pass verify a handler.

/// First opcode of `VAR 0` to `VAR 31` in one byte.
pub const VAR_SHORT: u8 = 0x80;
/// First opcode of `SET 0` to `SET 31` in one byte.
pub const SET_SHORT: u8 = 0xa0;
/// First opcode of the integers [`INT_SHORT_MIN`] to [`INT_SHORT_MAX`] in one byte.
pub const INT_SHORT: u8 = 0xc0;
/// How many variables have a one-byte `VAR` and `SET`.
pub const SHORT_VARIABLES: u8 = 32;
/// Smallest integer with a one-byte opcode.
pub const INT_SHORT_MIN: i32 = -1;
/// Largest integer with a one-byte opcode.
pub const INT_SHORT_MAX: i32 = 62;

/// What follows an opcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Nothing.
    None,
    /// Varint: offset of a constant in the constants section.
    Const,
    /// Varint, zigzag: an integer.
    Int,
    /// One byte: a variable's number.
    Var,
    /// One byte: which of the event's arguments, 0 to 3.
    Arg,
    /// One byte: a flash variable's number, from 1.
    Flash,
    /// One byte: a pin.
    Pin,
    /// Two bytes: a pin and a [`crate::PinMode`] (0 input, 1 input with pull-up, 2 output).
    PinMode,
    /// One byte: a timer's number, from 1.
    Timer,
    /// One byte: an alarm's number, from 1.
    Alarm,
    /// One byte: how many values to join, from 2.
    Count,
    /// Varint: how far forward, counted from the end of the instruction.
    Jump,
    /// Varint: how far back, counted from the end of the instruction, to the end of a `HEAD`.
    Loop,
    /// A [`Operand::Const`], then a [`Operand::Jump`].
    ConstJump,
}

/// The stack effect of `JOIN`, which pops as many values as its operand says.
pub const POPS_COUNT: u8 = u8::MAX;

macro_rules! instructions {
    ($($(#[$doc:meta])* $code:literal $name:ident $mnemonic:literal $operand:ident $pops:tt -> $pushes:literal;)*) => {
        /// An instruction without its operands.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Op { $($(#[$doc])* $name = $code,)* }

        impl Op {
            /// Every instruction, in the order of opcodes.
            pub const ALL: &'static [Op] = &[$(Op::$name,)*];

            /// The instruction of an opcode below [`VAR_SHORT`].
            #[inline]
            pub fn from_code(code: u8) -> Option<Op> {
                match code { $($code => Some(Op::$name),)* _ => None }
            }

            /// What the disassembler calls it.
            pub fn mnemonic(self) -> &'static str {
                match self { $(Op::$name => $mnemonic,)* }
            }

            /// What follows the opcode.
            #[inline]
            pub fn operand(self) -> Operand {
                match self { $(Op::$name => Operand::$operand,)* }
            }

            /// How many values it takes off the stack; [`POPS_COUNT`]: as many as the operand says.
            #[inline]
            pub fn pops(self) -> u8 {
                match self { $(Op::$name => $pops,)* }
            }

            /// How many values it leaves on the stack.
            #[inline]
            pub fn pushes(self) -> u8 {
                match self { $(Op::$name => $pushes,)* }
            }
        }
    };
}

instructions! {
    /// Ends a handler.
    0x00 End "end" None 0 -> 0;
    /// Ends a filter expression: its value is the result.
    0x01 Result "result" None 1 -> 0;
    /// Pushes a constant.
    0x02 Const "const" Const 0 -> 1;
    /// Pushes an integer.
    0x03 Int "int" Int 0 -> 1;
    /// Pushes a variable.
    0x04 Var "var" Var 0 -> 1;
    /// Pops into a variable.
    0x05 Set "set" Var 1 -> 0;
    /// Pushes one of the event's arguments.
    0x06 Arg "arg" Arg 0 -> 1;
    /// Pushes a flash variable.
    0x07 Flash "flash" Flash 0 -> 1;
    /// Pops into a flash variable.
    0x08 SetFlash "setflash" Flash 1 -> 0;
    /// Pushes the time of day.
    0x09 Timestamp "timestamp" None 0 -> 1;
    /// Pushes the day of the week.
    0x0a Weekday "weekday" None 0 -> 1;
    /// Pushes the analogue input.
    0x0b Adc "adc" None 0 -> 1;
    /// Pushes a pin's level.
    0x0c PinRead "gpio_in" Pin 0 -> 1;

    /// Jumps.
    0x10 Jump "jump" Jump 0 -> 0;
    /// Pops; jumps if false.
    0x11 JumpFalse "jump_false" Jump 1 -> 0;
    /// Pops; jumps if true.
    0x12 JumpTrue "jump_true" Jump 1 -> 0;
    /// Pops; jumps unless equal to the constant.
    0x13 JumpNotEqual "jump_neq" ConstJump 1 -> 0;
    /// Marks the start of a loop; does nothing.
    0x14 Head "head" None 0 -> 0;
    /// Jumps back behind the innermost open `head` and pays fuel for the way.
    0x15 Loop "loop" Loop 0 -> 0;

    /// Bytes equal.
    0x20 Equal "eq" None 2 -> 1;
    /// Bytes differ.
    0x21 NotEqual "neq" None 2 -> 1;
    /// Greater as numbers.
    0x22 Greater "gt" None 2 -> 1;
    /// Greater or equal as numbers.
    0x23 GreaterEqual "gte" None 2 -> 1;
    /// Less as numbers.
    0x24 Less "lt" None 2 -> 1;
    /// Less or equal as numbers.
    0x25 LessEqual "lte" None 2 -> 1;
    /// Greater as bytes.
    0x26 TextGreater "str_gt" None 2 -> 1;
    /// Greater or equal as bytes.
    0x27 TextGreaterEqual "str_gte" None 2 -> 1;
    /// Sum.
    0x28 Add "add" None 2 -> 1;
    /// Difference.
    0x29 Sub "sub" None 2 -> 1;
    /// Product.
    0x2a Mul "mul" None 2 -> 1;
    /// Quotient, rounded towards 0; by 0 it is 0.
    0x2b Div "div" None 2 -> 1;
    /// Remainder with the sign of the dividend; by 0 it is 0.
    0x2c Mod "mod" None 2 -> 1;
    /// Both true.
    0x2d And "and" None 2 -> 1;
    /// Either true.
    0x2e Or "or" None 2 -> 1;
    /// False.
    0x2f Not "not" None 1 -> 1;
    /// Joins the bytes of several values.
    0x30 Join "join" Count POPS_COUNT -> 1;

    /// value, start, length: a part of the value.
    0x38 Substr "substr" None 3 -> 1;
    /// value, index: one byte of the value as a number.
    0x39 ByteVal "byte_val" None 2 -> 1;
    /// The one byte of that number.
    0x3a Binary "binary" None 1 -> 1;
    /// value, index, separator: one field of the value.
    0x3b CsvStr "csvstr" None 3 -> 1;
    /// Without white space, anywhere in it.
    0x3c EatWhite "eatwhite" None 1 -> 1;
    /// path, text: what the path leads to in a JSON text.
    0x3d JsonParse "json_parse" None 2 -> 1;
    /// The first retained message whose topic matches.
    0x3e Retained "retained" None 1 -> 1;
    /// ASCII letters lowered.
    0x3f Lower "lower" None 1 -> 1;
    /// ASCII letters raised.
    0x40 Upper "upper" None 1 -> 1;
    /// Length in bytes.
    0x41 Len "len" None 1 -> 1;
    /// value, sought: index of the first place, or -1.
    0x42 Find "find" None 2 -> 1;

    /// topic, data: publishes locally.
    0x50 PublishLocal "publish_local" None 2 -> 0;
    /// topic, data: publishes locally, retained.
    0x51 PublishLocalRetained "publish_local_retained" None 2 -> 0;
    /// topic, data: publishes remotely.
    0x52 PublishRemote "publish_remote" None 2 -> 0;
    /// topic, data: publishes remotely, retained.
    0x53 PublishRemoteRetained "publish_remote_retained" None 2 -> 0;
    /// Subscribes locally.
    0x54 SubscribeLocal "subscribe_local" None 1 -> 0;
    /// Subscribes remotely.
    0x55 SubscribeRemote "subscribe_remote" None 1 -> 0;
    /// Unsubscribes locally.
    0x56 UnsubscribeLocal "unsubscribe_local" None 1 -> 0;
    /// Unsubscribes remotely.
    0x57 UnsubscribeRemote "unsubscribe_remote" None 1 -> 0;
    /// Pops milliseconds; arms a timer.
    0x58 SetTimer "settimer" Timer 1 -> 0;
    /// Pops a time of day; sets an alarm.
    0x59 SetAlarm "setalarm" Alarm 1 -> 0;
    /// Pops a URL.
    0x5a HttpGet "http_get" None 1 -> 0;
    /// URL, body.
    0x5b HttpPost "http_post" None 2 -> 0;
    /// Sets a pin's direction.
    0x5c PinMode "gpio_pinmode" PinMode 0 -> 0;
    /// Pops a level.
    0x5d PinWrite "gpio_out" Pin 1 -> 0;
    /// Pops a duty.
    0x5e Pwm "gpio_pwm" Pin 1 -> 0;
    /// Pops bytes for the serial port.
    0x5f SerialOut "serial_out" None 1 -> 0;
    /// Prints.
    0x60 Print "print" None 1 -> 0;
    /// Prints a line.
    0x61 Println "println" None 1 -> 0;
    /// Executes a console command.
    0x62 System "system" None 1 -> 0;
    /// name, value: applies a `config` line.
    0x63 Config "config" None 2 -> 0;
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
