//! The loop that runs code.

use super::store::Store;
use super::text::INT_DIGITS;
use super::value::{Kind, Value};
use crate::isa::{INT_SHORT, INT_SHORT_MIN, Op, SET_SHORT, VAR_SHORT, read_varint, unzigzag};
use crate::{FLASH_VARIABLE_LEN, PinMode, Side, Syscalls, Trap, Warnings};

/// Fuel an action or a question to the outside costs, over what a loop costs anyway.
const SYSCALL_FUEL: u32 = 20;
/// Fuel a write to flash costs: it takes milliseconds and wears the chip.
const FLASH_FUEL: u32 = 2_000;
/// Bytes of text made or searched for one unit of fuel.
const TEXT_PER_FUEL: u32 = 8;

pub(super) struct Run<'r, S: ?Sized> {
    pub(super) store: Store<'r>,
    pub(super) code: &'r [u8],
    pub(super) at: usize,
    pub(super) fuel: u32,
    pub(super) warnings: &'r mut Warnings,
    pub(super) sys: &'r mut S,
}

impl<S: Syscalls + ?Sized> Run<'_, S> {
    /// Runs until `end` (nothing) or `result` (its value).
    pub(super) fn run(&mut self) -> Result<Option<Value>, Trap> {
        loop {
            let byte = self.byte()?;
            let op = match byte {
                INT_SHORT.. => {
                    self.store.push(Value::int(i32::from(byte - INT_SHORT) + INT_SHORT_MIN))?;
                    continue;
                }
                SET_SHORT.. => {
                    self.set(usize::from(byte - SET_SHORT))?;
                    continue;
                }
                VAR_SHORT.. => {
                    let value = self.store.variable(usize::from(byte - VAR_SHORT))?;
                    self.store.push(value)?;
                    continue;
                }
                _ => Op::from_code(byte).ok_or(Trap::Corrupt)?,
            };
            match op {
                Op::End => return Ok(None),
                Op::Result => return self.store.pop().map(Some),

                Op::Const => {
                    let value = self.constant()?;
                    self.store.push(value)?;
                }
                Op::Int => {
                    let value = unzigzag(self.varint()?);
                    self.store.push(Value::int(value))?;
                }
                Op::Var => {
                    let number = self.byte()?;
                    let value = self.store.variable(number.into())?;
                    self.store.push(value)?;
                }
                Op::Set => {
                    let number = self.byte()?;
                    self.set(number.into())?;
                }
                Op::Arg => {
                    let index = self.byte()?;
                    let whole = self.store.arguments[usize::from(index & 3)].len();
                    let len = whole.min(self.store.limit);
                    if len < whole {
                        self.count_cut();
                    }
                    self.store.push(Value::text(Kind::Argument, index.into(), 0, len))?;
                }
                Op::Flash => {
                    let number = self.byte()?;
                    let mut bytes = [0; FLASH_VARIABLE_LEN];
                    let len = self.sys.flash_read(number, &mut bytes).min(FLASH_VARIABLE_LEN);
                    let value = self.store.copied(&bytes[..len])?;
                    self.store.push(value)?;
                    self.pay(SYSCALL_FUEL);
                }
                Op::SetFlash => {
                    let number = self.byte()?;
                    let value = self.store.pop()?;
                    let mut digits = itoa::Buffer::new();
                    let bytes = self.store.view().bytes(value, &mut digits);
                    let len = bytes.len().min(FLASH_VARIABLE_LEN);
                    self.sys.flash_write(number, &bytes[..len]);
                    if len < bytes.len() {
                        self.count_cut();
                    }
                    self.pay(FLASH_FUEL);
                    self.store.end_statement();
                }
                Op::Timestamp => {
                    let value = self.store.copied(&self.sys.timestamp())?;
                    self.store.push(value)?;
                }
                Op::Weekday => {
                    let value = self.store.copied(&self.sys.weekday())?;
                    self.store.push(value)?;
                }
                Op::Adc => {
                    let value = Value::int(self.sys.adc().into());
                    self.store.push(value)?;
                    self.pay(SYSCALL_FUEL);
                }
                Op::PinRead => {
                    let pin = self.byte()?;
                    let value = Value::bool(self.sys.pin_read(pin));
                    self.store.push(value)?;
                }

                Op::Jump => self.jump_if(true)?,
                Op::JumpFalse => {
                    let value = self.store.pop()?;
                    let truth = self.store.truth(value);
                    self.store.end_statement();
                    self.jump_if(!truth)?;
                }
                Op::JumpTrue => {
                    let value = self.store.pop()?;
                    let truth = self.store.truth(value);
                    self.store.end_statement();
                    self.jump_if(truth)?;
                }
                Op::JumpNotEqual => {
                    let constant = self.constant()?;
                    let value = self.store.pop()?;
                    let equal = self.store.equal(value, constant);
                    self.store.end_statement();
                    self.jump_if(!equal)?;
                }
                Op::Head => {}
                Op::Loop => {
                    let distance = self.varint()?;
                    self.fuel = self.fuel.checked_sub(distance).ok_or(Trap::OutOfFuel)?;
                    self.at = self.at.checked_sub(distance as usize).ok_or(Trap::Corrupt)?;
                }

                Op::Equal => self.compare(|store, a, b| store.equal(a, b))?,
                Op::NotEqual => self.compare(|store, a, b| !store.equal(a, b))?,
                Op::Greater => self.compare_numbers(|a, b| a > b)?,
                Op::GreaterEqual => self.compare_numbers(|a, b| a >= b)?,
                Op::Less => self.compare_numbers(|a, b| a < b)?,
                Op::LessEqual => self.compare_numbers(|a, b| a <= b)?,
                Op::TextGreater => self.compare_texts(|a, b| a > b)?,
                Op::TextGreaterEqual => self.compare_texts(|a, b| a >= b)?,
                Op::Add => self.arithmetic(i32::wrapping_add)?,
                Op::Sub => self.arithmetic(i32::wrapping_sub)?,
                Op::Mul => self.arithmetic(i32::wrapping_mul)?,
                Op::Div => self.divide(i32::wrapping_div)?,
                Op::Mod => self.divide(i32::wrapping_rem)?,
                Op::And => self.compare(|store, a, b| store.truth(a) && store.truth(b))?,
                Op::Or => self.compare(|store, a, b| store.truth(a) || store.truth(b))?,
                Op::Not => {
                    let value = self.store.pop()?;
                    let value = Value::bool(!self.store.truth(value));
                    self.store.push(value)?;
                }
                Op::Join => {
                    let count = self.byte()?;
                    let before = self.store.scratch_end;
                    if self.store.join(count.into())? {
                        self.count_cut();
                    }
                    self.pay_text(self.store.scratch_end.saturating_sub(before));
                }

                Op::Substr => {
                    self.store.reserve(2 * INT_DIGITS)?;
                    let len = self.number()?;
                    let start = self.number()?;
                    let text = self.store.pop()?;
                    let value = self.store.substr(text, start, len)?;
                    self.store.push(value)?;
                }
                Op::ByteVal => {
                    self.store.reserve(2 * INT_DIGITS)?;
                    let index = self.number()?;
                    let text = self.store.pop()?;
                    let value = self.store.byte_val(text, index)?;
                    self.store.push(value)?;
                }
                Op::Binary => {
                    let byte = self.number()? as u8;
                    let value = self.store.copied(&[byte])?;
                    self.store.push(value)?;
                }
                Op::CsvStr => {
                    self.store.reserve(2 * INT_DIGITS)?;
                    let separator = self.store.pop()?;
                    let index = self.number()?;
                    let text = self.store.pop()?;
                    self.pay_text(text.len());
                    let value = self.store.csvstr(text, index, separator)?;
                    self.store.push(value)?;
                }
                Op::EatWhite => self.map(|byte| {
                    (!matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')).then_some(byte)
                })?,
                Op::Lower => self.map(|byte| Some(byte.to_ascii_lowercase()))?,
                Op::Upper => self.map(|byte| Some(byte.to_ascii_uppercase()))?,
                Op::JsonParse => {
                    self.store.reserve(2 * INT_DIGITS)?;
                    let text = self.store.pop()?;
                    let path = self.store.pop()?;
                    self.pay_text(text.len());
                    let value = self.store.json_parse(path, text)?;
                    self.store.push(value)?;
                }
                Op::Retained => self.retained()?,
                Op::Len => {
                    let value = self.store.pop()?;
                    let len = self.store.view().bytes(value, &mut itoa::Buffer::new()).len();
                    self.store.push(Value::int(len as i32))?;
                }
                Op::Find => {
                    let sought = self.store.pop()?;
                    let text = self.store.pop()?;
                    self.pay_text(text.len());
                    let value = self.store.find(text, sought);
                    self.store.push(value)?;
                }

                Op::PublishLocal => self.action2(|s, t, d| s.publish(Side::Local, t, d, false))?,
                Op::PublishLocalRetained => {
                    self.action2(|s, t, d| s.publish(Side::Local, t, d, true))?
                }
                Op::PublishRemote => {
                    self.action2(|s, t, d| s.publish(Side::Remote, t, d, false))?
                }
                Op::PublishRemoteRetained => {
                    self.action2(|s, t, d| s.publish(Side::Remote, t, d, true))?
                }
                Op::SubscribeLocal => self.action(|s, filter| s.subscribe(Side::Local, filter))?,
                Op::SubscribeRemote => {
                    self.action(|s, filter| s.subscribe(Side::Remote, filter))?
                }
                Op::UnsubscribeLocal => {
                    self.action(|s, filter| s.unsubscribe(Side::Local, filter))?
                }
                Op::UnsubscribeRemote => {
                    self.action(|s, filter| s.unsubscribe(Side::Remote, filter))?
                }
                Op::SetTimer => {
                    let timer = self.byte()?;
                    let ms = self.number()?;
                    self.sys.set_timer(timer, ms);
                    self.end_action();
                }
                Op::SetAlarm => {
                    let alarm = self.byte()?;
                    self.action(|s, time| s.set_alarm(alarm, time))?;
                }
                Op::HttpGet => self.action(|s, url| s.http_get(url))?,
                Op::HttpPost => self.action2(|s, url, body| s.http_post(url, body))?,
                Op::PinMode => {
                    let pin = self.byte()?;
                    let mode = match self.byte()? {
                        0 => PinMode::Input,
                        1 => PinMode::InputPullup,
                        _ => PinMode::Output,
                    };
                    self.sys.pin_mode(pin, mode);
                    self.end_action();
                }
                Op::PinWrite => {
                    let pin = self.byte()?;
                    let value = self.store.pop()?;
                    let level = self.store.truth(value);
                    self.sys.pin_write(pin, level);
                    self.end_action();
                }
                Op::Pwm => {
                    let pin = self.byte()?;
                    let duty = self.number()?;
                    self.sys.pwm(pin, duty);
                    self.end_action();
                }
                Op::SerialOut => self.action(|s, bytes| s.serial_out(bytes))?,
                Op::Print => self.action(|s, text| s.print(text, false))?,
                Op::Println => self.action(|s, text| s.print(text, true))?,
                Op::System => self.action(|s, command| s.system(command))?,
                Op::Config => self.action2(|s, name, value| s.config(name, value))?,
            }
        }
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, Trap> {
        let byte = *self.code.get(self.at).ok_or(Trap::Corrupt)?;
        self.at += 1;
        Ok(byte)
    }

    #[inline]
    fn varint(&mut self) -> Result<u32, Trap> {
        read_varint(self.code, &mut self.at).ok_or(Trap::Corrupt)
    }

    /// A constant operand, as a value; longer than the limit only in images of a larger profile.
    #[inline]
    fn constant(&mut self) -> Result<Value, Trap> {
        let mut offset = self.varint()? as usize;
        let len = read_varint(self.store.constants, &mut offset).ok_or(Trap::Corrupt)? as usize;
        Ok(Value::text(Kind::Constant, 0, offset, len.min(self.store.limit)))
    }

    #[inline]
    fn number(&mut self) -> Result<i32, Trap> {
        let value = self.store.pop()?;
        Ok(self.store.number(value))
    }

    #[inline]
    fn set(&mut self, number: usize) -> Result<(), Trap> {
        let value = self.store.pop()?;
        self.store.set_variable(number, value)
    }

    /// Reads a distance and goes there if `taken`.
    #[inline]
    fn jump_if(&mut self, taken: bool) -> Result<(), Trap> {
        let distance = self.varint()? as usize;
        if taken {
            self.at += distance;
        }
        Ok(())
    }

    #[inline]
    fn pop2(&mut self) -> Result<(Value, Value), Trap> {
        let b = self.store.pop()?;
        Ok((self.store.pop()?, b))
    }

    fn compare(
        &mut self,
        holds: impl FnOnce(&Store<'_>, Value, Value) -> bool,
    ) -> Result<(), Trap> {
        let (a, b) = self.pop2()?;
        let value = Value::bool(holds(&self.store, a, b));
        self.store.push(value)
    }

    fn compare_numbers(&mut self, holds: impl FnOnce(i32, i32) -> bool) -> Result<(), Trap> {
        self.compare(|store, a, b| holds(store.number(a), store.number(b)))
    }

    fn compare_texts(&mut self, holds: impl FnOnce(&[u8], &[u8]) -> bool) -> Result<(), Trap> {
        self.compare(|store, a, b| {
            let (mut a_digits, mut b_digits) = (itoa::Buffer::new(), itoa::Buffer::new());
            let view = store.view();
            holds(view.bytes(a, &mut a_digits), view.bytes(b, &mut b_digits))
        })
    }

    #[inline]
    fn arithmetic(&mut self, compute: impl FnOnce(i32, i32) -> i32) -> Result<(), Trap> {
        let (a, b) = self.pop2()?;
        let (a, b) = (self.store.number(a), self.store.number(b));
        self.store.push(Value::int(compute(a, b)))
    }

    fn divide(&mut self, compute: fn(i32, i32) -> i32) -> Result<(), Trap> {
        let (a, b) = self.pop2()?;
        let (a, b) = (self.store.number(a), self.store.number(b));
        if b == 0 {
            self.warnings.divisions_by_zero = self.warnings.divisions_by_zero.wrapping_add(1);
            self.warnings.last_at = self.at as u16;
        }
        self.store.push(Value::int(if b == 0 { 0 } else { compute(a, b) }))
    }

    fn map(&mut self, keep: impl Fn(u8) -> Option<u8>) -> Result<(), Trap> {
        let text = self.store.pop()?;
        self.pay_text(text.len());
        let value = self.store.map(text, keep)?;
        self.store.push(value)
    }

    fn retained(&mut self) -> Result<(), Trap> {
        // As much room as can be had; with less, the message is cut.
        let _ = self.store.reserve(INT_DIGITS + self.store.limit);
        self.store.reserve(INT_DIGITS)?;
        let filter = self.store.pop()?;
        let filter = self.store.as_text(filter)?;
        let free = self.store.arena.len() - self.store.scratch_end;
        let most = self.store.limit.min(free);
        let sys = &mut *self.sys;
        let value =
            self.store.temporary(most, |view, room| sys.retained(view.text(filter), room))?;
        self.pay(SYSCALL_FUEL);
        self.store.push(value)
    }

    /// An action with one value.
    #[inline]
    fn action(&mut self, act: impl FnOnce(&mut S, &[u8])) -> Result<(), Trap> {
        let value = self.store.pop()?;
        let mut digits = itoa::Buffer::new();
        act(self.sys, self.store.view().bytes(value, &mut digits));
        self.end_action();
        Ok(())
    }

    /// An action with two values.
    #[inline]
    fn action2(&mut self, act: impl FnOnce(&mut S, &[u8], &[u8])) -> Result<(), Trap> {
        let (a, b) = self.pop2()?;
        let (mut a_digits, mut b_digits) = (itoa::Buffer::new(), itoa::Buffer::new());
        let view = self.store.view();
        act(self.sys, view.bytes(a, &mut a_digits), view.bytes(b, &mut b_digits));
        self.end_action();
        Ok(())
    }

    #[inline]
    fn end_action(&mut self) {
        self.pay(SYSCALL_FUEL);
        self.store.end_statement();
    }

    /// Takes fuel; running out is noticed at the next loop.
    #[inline]
    fn pay(&mut self, fuel: u32) {
        self.fuel = self.fuel.saturating_sub(fuel);
    }

    #[inline]
    fn pay_text(&mut self, len: usize) {
        self.pay(len as u32 / TEXT_PER_FUEL);
    }

    fn count_cut(&mut self) {
        self.warnings.values_cut = self.warnings.values_cut.wrapping_add(1);
        self.warnings.last_at = self.at as u16;
    }
}
