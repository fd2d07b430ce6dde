//! The loop that runs code.

use super::dispatch::record;
use super::probe::Probe;
use super::store::{OutOfMemory, ValueStore};
use super::value::Value;
use crate::image::Trigger;
use crate::isa::{PLAIN, UNARY, code, list_words};
use crate::schedule::{second_of_day, time_text};
use crate::{Event, FLASH_VARIABLE_LEN, Host, PWM_MAX, Supervisor, TrapCode, fuel};
use itoa::Buffer;

pub(super) struct Interpreter<'r> {
    pub(super) store: ValueStore<'r>,
    /// How much room was missing at last.
    pub(super) missing: usize,
    /// Whether more memory can be had by stopping and going on.
    pub(super) growable: bool,
    pub(super) host: &'r mut dyn Host,
    pub(super) supervisor: &'r mut dyn Supervisor,
}

impl Interpreter<'_> {
    /// Runs from a word of the code on until `end` (nothing) or `return` (its value).
    #[inline(never)]
    pub(super) fn run<P: Probe>(&mut self, from: usize, probe: P) -> Result<Value, TrapCode> {
        let (mut at, mut probe) = (from, probe);
        'next: loop {
            probe.before(&mut self.store, &mut *self.host, at);
            let m = &mut self.store;
            let word = m.words.get(at).map_or(u32::MAX, |word| u32::from_le(*word));
            at += 1;
            m.at = at;
            let [op, a, b, c] = word.to_le_bytes();
            // An instruction ends in one of three ways: a number goes to the destination, a jump is
            // taken or not, or a string was made or an action done, for which there may have been
            // no room.
            let holds = 'jump: {
                let number = 'number: {
                    let done = 'done: {
                        if op < UNARY {
                            let (a, b) = (m.get(word << 16), m.get(word << 8));
                            if op < code::JumpGreater {
                                // `eq` and `neq`.
                                let holds = m.equal(a, b) ^ (op & 1 != 0);
                                if op < code::Equal {
                                    break 'jump holds;
                                }
                                break 'number holds.into();
                            }
                            if op < code::StringGreater {
                                let (a, b) = match Value::both_ints(a, b) {
                                    Some(integers) => integers,
                                    None => match m.integers(op, a, b, c) {
                                        Some(integers) => integers,
                                        None => continue 'next,
                                    },
                                };
                                if op < code::Add {
                                    // `gt` and `lte`, or `lt` and `gte`.
                                    let greater = op & 2 == 0;
                                    let holds = if greater { a > b } else { a < b };
                                    let holds = holds ^ (op & 1 != 0);
                                    if op < code::Greater {
                                        break 'jump holds;
                                    }
                                    break 'number holds.into();
                                }
                                break 'number match op {
                                    code::Add => a.wrapping_add(b),
                                    code::Sub => a.wrapping_sub(b),
                                    code::Mul => a.wrapping_mul(b),
                                    code::And => (a != 0 && b != 0).into(),
                                    code::Or => (a != 0 || b != 0).into(),
                                    _ => m.quotient(op, a, b),
                                };
                            }
                            match op {
                                code::StringGreater => {
                                    break 'number (m.order(a, b).is_gt()).into();
                                }
                                code::StringGreaterEqual => {
                                    break 'number (m.order(a, b).is_ge()).into();
                                }
                                code::Find => {
                                    break 'number m.find(a, b);
                                }
                                code::ByteVal | code::JsonParse => {
                                    break 'done self.exec_pair(op, a, b, c);
                                }
                                _ => self.exec_pair_action(op, a, b),
                            }
                            continue 'next;
                        }
                        if op < PLAIN {
                            let a = m.get(word << 16);
                            match op {
                                code::JumpFalse | code::JumpTrue => {
                                    let truth = m.truth(a);
                                    m.end_statement();
                                    if truth ^ (op == code::JumpFalse) {
                                        at += (word >> 16) as usize;
                                    }
                                    continue 'next;
                                }
                                code::Set => break 'done m.put(c, a),
                                code::Not => break 'number (!m.truth(a)).into(),
                                code::PinWrite => {
                                    let level = m.truth(a);
                                    self.host.pin_write(b, level);
                                }
                                code::Pwm => {
                                    let duty = m.int(a).clamp(0, PWM_MAX.into()) as u16;
                                    self.host.pwm(b, duty);
                                }
                                code::SetTimer => {
                                    let ms = m.int(a);
                                    self.supervisor.set_timer(b, ms);
                                }
                                code::StoreVariable => {
                                    let index = m.first_variable + (word >> 16) as usize;
                                    break 'done m.set_variable(index, a);
                                }
                                code::Len => break 'number m.len(a) as i32,
                                code::Binary
                                | code::EatWhite
                                | code::Lower
                                | code::Upper
                                | code::Retained => break 'done self.exec_unary(op, a, c),
                                code::Return => return Ok(a),
                                _ => {
                                    self.exec_action(op, a, b);
                                    continue 'next;
                                }
                            }
                            self.end_action();
                            continue 'next;
                        }
                        match op {
                            code::End => return Ok(Value::EMPTY),
                            code::Jump => at += (word >> 16) as usize,
                            code::Head => {}
                            code::Loop => {
                                let distance = word >> 16;
                                m.fuel -= fuel::WORD * distance as i32;
                                if m.fuel < 0 {
                                    return Err(TrapCode::OutOfFuel);
                                }
                                at = at.saturating_sub(distance as usize);
                            }
                            code::Join => {
                                let from = at;
                                at += usize::from(a.div_ceil(4));
                                break 'done self.exec_join(from, a, c);
                            }
                            code::LoadVariable => {
                                let value = m.slot(m.first_variable + (word >> 16) as usize);
                                break 'done m.put(a, value);
                            }
                            code::LoadConstant => {
                                let value = m.constant((word >> 16) as usize);
                                break 'done m.put(a, value);
                            }
                            code::PinRead => {
                                m.pay(fuel::CALL);
                                break 'number self.host.pin_read(b).into();
                            }
                            code::Adc => {
                                m.pay(fuel::CALL);
                                break 'number self.host.adc().into();
                            }
                            code::HttpCut => {
                                let cut = matches!(m.event, Event::HttpResponse { cut: true, .. });
                                break 'number cut.into();
                            }
                            code::Random => {
                                let bound = m.get(word << 16);
                                break 'number self.exec_random(bound);
                            }
                            code::Round..=code::Max => {
                                let mut third = 0;
                                if op == code::Divide {
                                    third = m.words.get(at).map_or(0, |word| u32::from_le(*word));
                                    at += 1;
                                }
                                let places = [word << 16, word << 8, third << 24];
                                break 'done self.exec_number(op, places, c);
                            }
                            code::PinMode => self.exec_pin_mode(b, c),
                            code::Substr | code::CsvStr => {
                                let third = m.words.get(at).map_or(0, |word| u32::from_le(*word));
                                at += 1;
                                break 'done self.exec_part(
                                    op,
                                    [word << 16, word << 8, third << 24],
                                    c,
                                );
                            }
                            code::Between => {
                                let (from, to) = (m.get(word << 16), m.get(word << 8));
                                break 'number self.exec_between(from, to);
                            }
                            code::Timestamp..=code::Flash | code::Sunrise..=code::Uptime => {
                                break 'done self.exec_query(op, b, c);
                            }
                            code::Changed => {
                                let kept = at;
                                at += 1;
                                break 'done self.exec_changed(word << 16, kept, c);
                            }
                            code::Json | code::JsonArray => {
                                let from = at;
                                at += list_words(a);
                                break 'done self.exec_json(op, from, a, c);
                            }
                            code::Call => {
                                let Some(start) = self.exec_call(word >> 16, at) else {
                                    return Err(self.store.corrupt());
                                };
                                at = start;
                            }
                            code::Leave => {
                                m.fuel -= fuel::WORD * (word >> 16) as i32;
                                if m.fuel < 0 {
                                    return Err(TrapCode::OutOfFuel);
                                }
                                let Some(back) = m.state.calls.pop() else {
                                    return Err(m.corrupt());
                                };
                                at = back;
                            }
                            code::JsonLen => {
                                break 'done self.exec_json_len([word << 16, word << 8], c);
                            }
                            _ => return Err(m.corrupt()),
                        }
                        continue 'next;
                    };
                    if let Err(OutOfMemory(len)) = done {
                        self.make_room(len)?;
                        // Done again.
                        at = self.store.at - 1;
                    } else {
                        self.missing = 0;
                    }
                    continue 'next;
                };
                self.store.put_int(c, number);
                continue 'next;
            };
            let m = &mut self.store;
            let mut distance = usize::from(c);
            if c == 0 {
                distance = m.words.get(at).map_or(0, |word| u32::from_le(*word) as usize);
                at += 1;
            }
            if holds {
                at += distance;
            }
            m.end_statement();
        }
    }

    /// Makes room for an instruction that found none. One that says each time it needs no more than
    /// was made for it finds none.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self, len: usize) -> Result<(), TrapCode> {
        let before = core::mem::replace(&mut self.missing, len);
        if before >= len {
            return Err(TrapCode::OutOfMemory);
        }
        self.store.make_room(len)
    }

    /// Joins values and puts the string where it belongs.
    #[inline(always)]
    fn exec_join(&mut self, from: usize, count: u8, destination: u8) -> Result<(), OutOfMemory> {
        let value = self.store.join(from, count)?;
        let joined = i32::from(count) * fuel::JOINED;
        self.store.pay(joined + fuel::bytes(value.len(), fuel::COPIED));
        if self.store.put(destination, value).is_err() {
            self.store.scratch_end = value.offset();
            return Err(OutOfMemory(2 * value.len()));
        }
        Ok(())
    }

    /// Makes a string and puts it where it belongs. What is left by a try that found no room is
    /// forgotten.
    pub(super) fn make(
        &mut self,
        destination: u8,
        make: impl FnOnce(&mut Self) -> Result<Value, OutOfMemory>,
    ) -> Result<(), OutOfMemory> {
        let start = self.store.scratch_end;
        let made = make(self).and_then(|value| self.store.put(destination, value));
        made.map_err(|OutOfMemory(len)| {
            let made = self.store.scratch_end - start;
            self.store.scratch_end = start;
            OutOfMemory(made + len)
        })
    }

    /// A function of two values that makes a string.
    #[inline(never)]
    fn exec_pair(
        &mut self,
        op: u8,
        a: Value,
        b: Value,
        destination: u8,
    ) -> Result<(), OutOfMemory> {
        self.make(destination, |interpreter| match op {
            code::ByteVal => {
                interpreter.store.pay(fuel::PART);
                let index = interpreter.store.int(b);
                interpreter.store.byte_val(a, index)
            }
            _ => {
                // An escape takes longer to read than what it stands for.
                interpreter.store.pay(fuel::bytes(a.len() + 5 * b.len(), fuel::READ));
                interpreter.store.json_parse(a, b)
            }
        })
    }

    /// A function of one value that makes a string.
    #[inline(never)]
    fn exec_unary(&mut self, op: u8, value: Value, destination: u8) -> Result<(), OutOfMemory> {
        self.make(destination, |interpreter| {
            let m = &mut interpreter.store;
            let keep: fn(u8) -> Option<u8> = match op {
                code::Binary => {
                    m.pay(2 * fuel::TEXT);
                    let byte = m.int(value) as u8;
                    return m.copied(&[byte]);
                }
                code::Retained => return interpreter.exec_retained(value),
                code::Lower => |byte| Some(byte.to_ascii_lowercase()),
                code::Upper => |byte| Some(byte.to_ascii_uppercase()),
                _ => |byte| (!is_white(byte)).then_some(byte),
            };
            m.pay(2 * fuel::TEXT + value.len() as i32);
            m.map(value, keep)
        })
    }

    /// As much of the message as there is room for.
    fn exec_retained(&mut self, filter: Value) -> Result<Value, OutOfMemory> {
        let (m, host) = (&mut self.store, &mut *self.host);
        m.pay(fuel::CALL + fuel::LOOKUP);
        let filter = m.as_string(filter)?;
        let (limit, free) = (m.limit, m.arena.len() - m.scratch_end);
        // As much room as can be had is made first; with less, the message is cut.
        if free < limit && self.missing == 0 {
            return Err(OutOfMemory(if self.growable {
                limit
            } else {
                limit.min(m.free_when_compact())
            }));
        }
        let before = (m.fuel.max(0) / fuel::LOOKUP) as u32;
        let mut lookups = before;
        let message = m.temporary(limit.min(free), |source, room| {
            host.retained(source.string(filter), room, &mut lookups)
        })?;
        m.pay((before - lookups.min(before)) as i32 * fuel::LOOKUP);
        if lookups == 0 {
            m.stop();
        }
        m.pay(fuel::bytes(message.len(), fuel::COPIED));
        Ok(message)
    }

    /// A part of a string.
    #[inline(never)]
    fn exec_part(&mut self, op: u8, places: [u32; 3], destination: u8) -> Result<(), OutOfMemory> {
        let [string, second, third] = places.map(|place| self.store.get(place));
        self.make(destination, |interpreter| {
            let index = interpreter.store.int(second);
            if op == code::Substr {
                let len = interpreter.store.int(third);
                return interpreter.store.substr(string, index, len);
            }
            interpreter.store.pay(string.len() as i32);
            interpreter.store.csvstr(string, index, third)
        })
    }

    /// A random number below a bound. Of 2^32 numbers each stands for as many as every other, but
    /// for one.
    #[inline(never)]
    fn exec_random(&mut self, bound: Value) -> i32 {
        self.store.pay(fuel::CALL);
        let Ok(bound @ 1..) = u32::try_from(self.store.int(bound)) else { return 0 };
        let mut bytes = [0; 4];
        self.host.random(&mut bytes);
        ((u64::from(u32::from_le_bytes(bytes)) * u64::from(bound)) >> 32) as i32
    }

    /// The start of a sub, with `back` to go on at.
    #[inline(never)]
    fn exec_call(&mut self, number: u32, back: usize) -> Option<usize> {
        let m = &mut self.store;
        let sub = usize::from(m.info.starts[Trigger::Sub as usize]) + number as usize;
        let record = record(m.words, m.info, sub)?;
        m.pay(fuel::PART);
        m.state.calls.push(back)?;
        Some(m.info.code + usize::from(record.code))
    }

    /// Whether a value differs from the one kept in the variable whose number is at a word.
    #[inline(never)]
    fn exec_changed(
        &mut self,
        place: u32,
        kept: usize,
        destination: u8,
    ) -> Result<(), OutOfMemory> {
        let m = &mut self.store;
        let number = m.words.get(kept).map_or(0, |word| u32::from_le(*word) as usize);
        let value = m.get(place);
        let changed = m.keep(m.first_variable + number, value)?;
        m.put_int(destination, changed.into());
        Ok(())
    }

    /// A JSON text of the values whose places are in the words from `from` on.
    #[inline(never)]
    fn exec_json(
        &mut self,
        op: u8,
        from: usize,
        count: u8,
        destination: u8,
    ) -> Result<(), OutOfMemory> {
        self.make(destination, |interpreter| interpreter.store.json(op == code::Json, from, count))
    }

    #[inline(never)]
    fn exec_json_len(&mut self, places: [u32; 2], destination: u8) -> Result<(), OutOfMemory> {
        let [path, text] = places.map(|place| self.store.get(place));
        self.make(destination, |interpreter| {
            // The text is read once to find the value, and the value once more to count.
            let read = path.len() + 8 * text.len();
            interpreter.store.pay(fuel::bytes(read, fuel::READ));
            interpreter.store.json_len(path, text)
        })
    }

    /// Whether the time of day is from one time up to before another, over midnight where that is
    /// earlier.
    #[inline(never)]
    fn exec_between(&mut self, from: Value, to: Value) -> i32 {
        self.store.pay(2 * fuel::CALL + fuel::bytes(from.len() + to.len(), fuel::READ));
        let now = second_of_day(&self.supervisor.timestamp());
        let [from, to] = [from, to].map(|time| match time.as_int() {
            Some(hour) => u32::try_from(hour).ok().filter(|hour| *hour <= 24).map(|h| h * 3600),
            None => second_of_day(self.store.string(time)),
        });
        let (Some(now), Some(from), Some(to)) = (now, from, to) else { return 0 };
        let holds = if from <= to { from <= now && now < to } else { from <= now || now < to };
        holds.into()
    }

    /// Something the outside knows as a string.
    #[inline(never)]
    fn exec_query(&mut self, op: u8, number: u8, destination: u8) -> Result<(), OutOfMemory> {
        let mut bytes = [0; FLASH_VARIABLE_LEN];
        self.store.pay(fuel::CALL);
        let len = match op {
            code::Timestamp => {
                let string = self.supervisor.timestamp();
                bytes[..string.len()].copy_from_slice(&string);
                string.len()
            }
            code::Weekday => {
                let string = self.supervisor.weekday();
                bytes[..string.len()].copy_from_slice(&string);
                string.len()
            }
            code::Sunrise..=code::Uptime => self.query_time(op, &mut bytes),
            _ => self.host.flash_read(number, &mut bytes).min(FLASH_VARIABLE_LEN),
        };
        self.make(destination, |interpreter| interpreter.store.copied(&bytes[..len]))
    }
}

impl Interpreter<'_> {
    /// What the calendar knows, as a text; returns how many bytes of it.
    fn query_time(&mut self, op: u8, text: &mut [u8; FLASH_VARIABLE_LEN]) -> usize {
        let mut put = |from: &[u8]| {
            let len = from.len().min(text.len());
            text[..len].copy_from_slice(&from[..len]);
            len
        };
        match op {
            code::Date => put(&self.supervisor.date()),
            code::UnixTime => put(Buffer::new().format(self.host.unix_time()).as_bytes()),
            code::Uptime => put(Buffer::new().format(self.supervisor.uptime()).as_bytes()),
            _ => {
                self.store.pay(fuel::SUN);
                let sun = self.supervisor.day().and_then(|day| self.host.sun(day));
                put(&time_text(sun.map(|sun| sun[usize::from(op - code::Sunrise)])))
            }
        }
    }
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}
