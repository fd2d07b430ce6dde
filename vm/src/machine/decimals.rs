//! Computing with numbers that may have decimals: operators where not both operands are integers,
//! and functions.

use super::interpreter::Interpreter;
use super::store::{OutOfMemory, ValueStore};
use super::value::Value;
use crate::fuel;
use crate::isa::code;
use crate::number::{Number, NumberText, decimals};

impl ValueStore<'_> {
    /// Both as integers to go on with, if both read as such; else what [`ValueStore::compute`]
    /// gives.
    #[inline(never)]
    pub(super) fn integers(
        &mut self,
        op: u8,
        a: Value,
        b: Value,
        destination: u8,
    ) -> Option<(i32, i32)> {
        let (a, b) = (self.number(a), self.number(b));
        match (a.as_int(), b.as_int()) {
            (Some(a), Some(b)) => Some((a, b)),
            _ => self.compute(op, a, b, destination),
        }
    }

    /// Computes a sum, a difference or a product and puts it where it belongs. For everything else
    /// it gives integers to go on with: they compare as the numbers do, are as true, or are what
    /// `div` and `mod` make of them.
    #[cold]
    #[inline(never)]
    fn compute(&mut self, op: u8, a: Number, b: Number, destination: u8) -> Option<(i32, i32)> {
        self.pay(fuel::DECIMAL);
        let computed = match op {
            code::Add => a.plus(b),
            code::Sub => a.minus(b),
            code::Mul => a.times(b),
            code::And | code::Or => return Some(((!a.is_zero()).into(), (!b.is_zero()).into())),
            code::Div | code::Mod => return Some((a.cut(), b.cut())),
            _ => return Some((a.cmp(&b) as i32, 0)),
        };
        let number = self.in_range(computed);
        self.put_number(destination, number);
        None
    }

    /// What `div` or `mod` makes of two integers.
    #[inline(never)]
    pub(super) fn quotient(&mut self, op: u8, a: i32, b: i32) -> i32 {
        self.pay(fuel::QUOTIENT);
        if b == 0 {
            self.count_division();
            return 0;
        }
        if op == code::Div { a.wrapping_div(b) } else { a.wrapping_rem(b) }
    }

    /// The value as a number: the functions of numbers share it.
    #[inline(never)]
    fn read(&mut self, value: Value) -> Number {
        self.number(value)
    }

    /// A number of decimals that is asked for.
    #[inline(never)]
    fn decimals(&mut self, value: Value) -> u8 {
        decimals(self.int(value))
    }
}

impl Interpreter<'_> {
    /// A function of numbers; its operands are at these places.
    #[inline(never)]
    pub(super) fn exec_number(
        &mut self,
        op: u8,
        places: [u32; 3],
        destination: u8,
    ) -> Result<(), OutOfMemory> {
        let [first, second, third] = places.map(|place| self.store.get(place));
        let m = &mut self.store;
        m.pay(fuel::DECIMAL);
        let number = match op {
            code::Int => Number::int(m.int(first)),
            code::Abs => m.read(first).abs(),
            code::Min => m.read(first).min(m.read(second)),
            code::Max => m.read(first).max(m.read(second)),
            code::Divide => {
                m.pay(fuel::DIVISION);
                let (dividend, divisor) = (m.read(first), m.read(second));
                let decimals = m.decimals(third);
                match dividend.over(divisor, decimals) {
                    Some(quotient) => m.in_range(quotient),
                    None => {
                        m.count_division();
                        Number::int(0)
                    }
                }
            }
            _ => {
                let (number, decimals) = (m.read(first), m.decimals(second));
                if op == code::Fixed {
                    let mut room = NumberText::new();
                    let text = number.fixed(decimals, &mut room);
                    return self.make(destination, |interpreter| interpreter.store.copied(text));
                }
                number.round(decimals)
            }
        };
        self.store.put_number(destination, number);
        Ok(())
    }
}
