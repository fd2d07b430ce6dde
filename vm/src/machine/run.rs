//! The loop that runs code.

use super::store::{NoRoom, Store};
use super::value::Value;
use crate::isa::code;
use crate::{FLASH_VARIABLE_LEN, PinMode, Side, Syscalls, Trap};

/// Fuel an action or a question to the outside costs, over what a loop costs anyway.
const SYSCALL_FUEL: i32 = 20;
/// Fuel a write to flash costs: it takes milliseconds and wears the chip.
const FLASH_FUEL: i32 = 2_000;
/// Bytes of text made or searched for one unit of fuel.
const TEXT_PER_FUEL: usize = 8;
/// Fuel of a word of code passed by a loop.
const WORD_FUEL: i32 = 2;

pub(super) struct Run<'r> {
    pub(super) store: Store<'r>,
    /// What is left; below 0 the next loop ends the handler. Between two loops lie 65,535 instructions at most, so it cannot
    /// wrap.
    pub(super) fuel: i32,
    pub(super) sys: &'r mut dyn Syscalls,
}

impl Run<'_> {
    /// Runs until `end` (nothing) or `return` (its value).
    #[inline(never)]
    pub(super) fn run(&mut self) -> Result<Value, Trap> {
        'next: loop {
            let word = self.store.word();
            let [op, a, b, c] = word.to_le_bytes();
            let m = &mut self.store;
            // Most instructions end in one of two ways: a number goes to the destination, or a jump is taken or not.
            let taken = 'jump: {
                let number = 'number: {
                    match op {
                        code::End => return Ok(Value::EMPTY),
                        code::Return => return Ok(m.value(a)),

                        code::Set => m.with_room(|m| {
                            let value = m.value(a);
                            m.set_variable(b.into(), value)
                        })?,
                        code::Flash => self.flash(b, c)?,
                        code::SetFlash => self.set_flash(a, b),
                        code::Timestamp => {
                            let text = self.sys.timestamp();
                            m.with_room(|m| m.copied(&text).and_then(|value| m.put(c, value)))?;
                        }
                        code::Weekday => {
                            let text = self.sys.weekday();
                            m.with_room(|m| m.copied(&text).and_then(|value| m.put(c, value)))?;
                        }
                        code::Adc => {
                            self.fuel -= SYSCALL_FUEL;
                            break 'number self.sys.adc().into();
                        }
                        code::PinRead => break 'number self.sys.pin_read(b).into(),

                        code::Jump => m.at += usize::from(u16::from_le_bytes([b, c])),
                        code::JumpFalse | code::JumpTrue => {
                            let truth = m.number(a) != 0;
                            m.end_statement();
                            if truth == (op == code::JumpTrue) {
                                m.at += usize::from(u16::from_le_bytes([b, c]));
                            }
                        }
                        code::JumpEqual => break 'jump Self::equal(m, a, b),
                        code::JumpNotEqual => break 'jump !Self::equal(m, a, b),
                        code::JumpGreater => break 'jump Self::compare(m, a, b, |a, b| a > b),
                        code::JumpGreaterEqual => {
                            break 'jump Self::compare(m, a, b, |a, b| a >= b);
                        }
                        code::JumpLess => break 'jump Self::compare(m, a, b, |a, b| a < b),
                        code::JumpLessEqual => break 'jump Self::compare(m, a, b, |a, b| a <= b),
                        code::Head => {}
                        code::Loop => {
                            let distance = u16::from_le_bytes([b, c]);
                            self.fuel -= WORD_FUEL * i32::from(distance);
                            if self.fuel < 0 {
                                return Err(Trap::OutOfFuel);
                            }
                            m.at = m.at.saturating_sub(distance.into());
                        }

                        code::Equal => break 'number Self::equal(m, a, b).into(),
                        code::NotEqual => break 'number (!Self::equal(m, a, b)).into(),
                        code::Greater => break 'number Self::compare(m, a, b, |a, b| a > b).into(),
                        code::GreaterEqual => {
                            break 'number Self::compare(m, a, b, |a, b| a >= b).into();
                        }
                        code::Less => break 'number Self::compare(m, a, b, |a, b| a < b).into(),
                        code::LessEqual => {
                            break 'number Self::compare(m, a, b, |a, b| a <= b).into();
                        }
                        code::TextGreater => break 'number (Self::order(m, a, b).is_gt()).into(),
                        code::TextGreaterEqual => {
                            break 'number (Self::order(m, a, b).is_ge()).into();
                        }
                        code::Add => {
                            let b = m.number(b);
                            break 'number m.number(a).wrapping_add(b);
                        }
                        code::Sub => {
                            let b = m.number(b);
                            break 'number m.number(a).wrapping_sub(b);
                        }
                        code::Mul => {
                            let b = m.number(b);
                            break 'number m.number(a).wrapping_mul(b);
                        }
                        code::Div | code::Mod => {
                            let (b, a) = (m.number(b), m.number(a));
                            break 'number if b == 0 {
                                m.count_division();
                                0
                            } else if op == code::Div {
                                a.wrapping_div(b)
                            } else {
                                a.wrapping_rem(b)
                            };
                        }
                        code::And => {
                            let b = m.number(b) != 0;
                            break 'number (m.number(a) != 0 && b).into();
                        }
                        code::Or => {
                            let b = m.number(b) != 0;
                            break 'number (m.number(a) != 0 || b).into();
                        }
                        code::Not => break 'number (m.number(a) == 0).into(),
                        code::Join => {
                            let mut len = 0;
                            m.with_room(|m| {
                                let value = m.join(a, b)?;
                                len = value.len();
                                m.put(c, value)
                            })?;
                            self.pay_text(len);
                        }

                        code::Substr => m.with_room(|m| {
                            let (len, start) = (m.number(c), m.number(b));
                            let text = m.value(a);
                            let value = m.substr(text, start, len)?;
                            m.push(value);
                            Ok(())
                        })?,
                        code::ByteVal => m.with_room(|m| {
                            let index = m.number(b);
                            let text = m.value(a);
                            let value = m.byte_val(text, index)?;
                            m.put(c, value)
                        })?,
                        code::Binary => m.with_room(|m| {
                            let byte = m.number(a) as u8;
                            let value = m.copied(&[byte])?;
                            m.put(c, value)
                        })?,
                        code::CsvStr => self.search(|m| {
                            let (separator, index, text) = (m.value(c), m.number(b), m.value(a));
                            let value = m.csvstr(text, index, separator)?;
                            m.push(value);
                            Ok(text.len())
                        })?,
                        code::EatWhite | code::Lower | code::Upper => {
                            let keep: fn(u8) -> Option<u8> = match op {
                                code::Lower => |byte| Some(byte.to_ascii_lowercase()),
                                code::Upper => |byte| Some(byte.to_ascii_uppercase()),
                                _ => |byte| (!is_white(byte)).then_some(byte),
                            };
                            self.search(|m| {
                                let text = m.value(a);
                                let value = m.map(text, keep)?;
                                m.put(c, value).map(|()| text.len())
                            })?;
                        }
                        code::JsonParse => self.search(|m| {
                            let (text, path) = (m.value(b), m.value(a));
                            let value = m.json_parse(path, text)?;
                            m.put(c, value).map(|()| text.len())
                        })?,
                        code::Retained => self.retained(a, c)?,
                        code::Len => {
                            let value = m.value(a);
                            break 'number m.len(value) as i32;
                        }
                        code::Find => {
                            let (sought, text) = (m.value(b), m.value(a));
                            let at = m.find(text, sought);
                            self.pay_text(text.len());
                            break 'number at;
                        }

                        code::PublishLocal => self.publish(a, b, Side::Local, false),
                        code::PublishLocalRetained => self.publish(a, b, Side::Local, true),
                        code::PublishRemote => self.publish(a, b, Side::Remote, false),
                        code::PublishRemoteRetained => self.publish(a, b, Side::Remote, true),
                        code::SubscribeLocal => self.action(a, |s, t| s.subscribe(Side::Local, t)),
                        code::SubscribeRemote => {
                            self.action(a, |s, t| s.subscribe(Side::Remote, t));
                        }
                        code::UnsubscribeLocal => {
                            self.action(a, |s, t| s.unsubscribe(Side::Local, t));
                        }
                        code::UnsubscribeRemote => {
                            self.action(a, |s, t| s.unsubscribe(Side::Remote, t));
                        }
                        code::SetTimer => {
                            let ms = m.number(a);
                            self.sys.set_timer(b, ms);
                            self.end_action();
                        }
                        code::SetAlarm => self.set_alarm(a, b),
                        code::HttpGet => self.action(a, |s, url| s.http_get(url)),
                        code::HttpPost => self.action2(a, b, |s, url, body| s.http_post(url, body)),
                        code::PinMode => {
                            let mode = match c {
                                0 => PinMode::Input,
                                1 => PinMode::InputPullup,
                                _ => PinMode::Output,
                            };
                            self.sys.pin_mode(b, mode);
                            self.end_action();
                        }
                        code::PinWrite => {
                            let level = m.number(a) != 0;
                            self.sys.pin_write(b, level);
                            self.end_action();
                        }
                        code::Pwm => {
                            let duty = m.number(a);
                            self.sys.pwm(b, duty);
                            self.end_action();
                        }
                        code::SerialOut => self.action(a, |s, bytes| s.serial_out(bytes)),
                        code::Print => self.action(a, |s, text| s.print(text, false)),
                        code::Println => self.action(a, |s, text| s.print(text, true)),
                        code::System => self.action(a, |s, command| s.system(command)),
                        code::Config => self.action2(a, b, |s, name, value| s.config(name, value)),
                        _ => return Err(Trap::Corrupt),
                    }
                    continue 'next;
                };
                self.store.put_int(c, number);
                continue 'next;
            };
            let m = &mut self.store;
            let distance = if c == 0 { m.word() } else { c.into() };
            if taken {
                m.at += distance as usize;
            }
            m.end_statement();
        }
    }

    #[inline(always)]
    fn equal(m: &mut Store<'_>, a: u8, b: u8) -> bool {
        let b = m.value(b);
        let a = m.value(a);
        m.equal(a, b)
    }

    #[inline(always)]
    fn compare(m: &mut Store<'_>, a: u8, b: u8, holds: impl FnOnce(i32, i32) -> bool) -> bool {
        let b = m.number(b);
        holds(m.number(a), b)
    }

    #[inline(never)]
    fn order(m: &mut Store<'_>, a: u8, b: u8) -> core::cmp::Ordering {
        let (b, a) = (m.value(b), m.value(a));
        let (mut a_digits, mut b_digits) = (itoa::Buffer::new(), itoa::Buffer::new());
        m.bytes(a, &mut a_digits).cmp(m.bytes(b, &mut b_digits))
    }

    #[inline(never)]
    fn flash(&mut self, number: u8, destination: u8) -> Result<(), Trap> {
        let mut bytes = [0; FLASH_VARIABLE_LEN];
        let len = self.sys.flash_read(number, &mut bytes).min(FLASH_VARIABLE_LEN);
        self.fuel -= SYSCALL_FUEL;
        self.store.with_room(|m| {
            let value = m.copied(&bytes[..len])?;
            m.put(destination, value)
        })
    }

    #[inline(never)]
    fn set_flash(&mut self, value: u8, number: u8) {
        let value = self.store.value(value);
        let mut digits = itoa::Buffer::new();
        let bytes = self.store.bytes(value, &mut digits);
        let len = bytes.len();
        self.sys.flash_write(number, &bytes[..len.min(FLASH_VARIABLE_LEN)]);
        if len > FLASH_VARIABLE_LEN {
            self.store.count_cut();
        }
        self.fuel -= FLASH_FUEL;
        self.store.end_statement();
    }

    /// A function that looks at as much text as it says.
    #[inline(always)]
    fn search(
        &mut self,
        mut act: impl FnMut(&mut Store<'_>) -> Result<usize, NoRoom>,
    ) -> Result<(), Trap> {
        let mut len = 0;
        self.store.with_room(|m| act(m).map(|searched| len = searched))?;
        self.pay_text(len);
        Ok(())
    }

    #[inline(never)]
    fn retained(&mut self, filter: u8, destination: u8) -> Result<(), Trap> {
        let (m, sys) = (&mut self.store, &mut *self.sys);
        // As much room as can be had; with less, the message is cut.
        if m.scratch_end + m.limit > m.arena.len()
            && let Err(trap) = m.make_room(m.limit)
            && m.growable
        {
            return Err(trap);
        }
        m.with_room(|m| {
            let filter = m.value(filter);
            let filter = m.as_text(filter)?;
            let most = m.limit.min(m.arena.len() - m.scratch_end);
            let value = m.temporary(most, |view, room| sys.retained(view.text(filter), room))?;
            m.put(destination, value)
        })?;
        self.fuel -= SYSCALL_FUEL;
        Ok(())
    }

    #[inline(never)]
    fn set_alarm(&mut self, time: u8, alarm: u8) {
        let time = self.store.value(time);
        let mut digits = itoa::Buffer::new();
        self.sys.set_alarm(alarm, self.store.bytes(time, &mut digits));
        self.end_action();
    }

    #[inline(never)]
    fn publish(&mut self, topic: u8, data: u8, side: Side, retained: bool) {
        self.action2(topic, data, |s, topic, data| s.publish(side, topic, data, retained));
    }

    /// An action with one value.
    #[inline(never)]
    fn action(&mut self, value: u8, act: fn(&mut dyn Syscalls, &[u8])) {
        let value = self.store.value(value);
        let mut digits = itoa::Buffer::new();
        act(self.sys, self.store.bytes(value, &mut digits));
        self.end_action();
    }

    /// An action with two values.
    #[inline(never)]
    fn action2(&mut self, a: u8, b: u8, act: impl FnOnce(&mut dyn Syscalls, &[u8], &[u8])) {
        let b = self.store.value(b);
        let a = self.store.value(a);
        let (mut a_digits, mut b_digits) = (itoa::Buffer::new(), itoa::Buffer::new());
        act(self.sys, self.store.bytes(a, &mut a_digits), self.store.bytes(b, &mut b_digits));
        self.end_action();
    }

    #[inline(always)]
    fn end_action(&mut self) {
        self.fuel -= SYSCALL_FUEL;
        self.store.end_statement();
    }

    fn pay_text(&mut self, len: usize) {
        self.fuel -= (len / TEXT_PER_FUEL) as i32;
    }
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}
