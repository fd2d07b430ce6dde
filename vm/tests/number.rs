//! Arithmetic on numbers against fractions of integers of any size, which are exact.
//!
//! `UMQTT_NUMBER_CASES=5000000 cargo test --release -p umqtt-vm --test number` tries so many.
#![allow(clippy::unwrap_used)]

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Pow, Signed, Zero};
use umqtt_vm::number::{DECIMAL_DIGITS, Number, NumberText, TooLarge};

/// Pairs of numbers that each property is tried with.
fn cases() -> u64 {
    let given = std::env::var("UMQTT_NUMBER_CASES").ok().and_then(|cases| cases.parse().ok());
    given.unwrap_or(2_000)
}

/// xorshift64*
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Digits, often such that something just fits, is rounded up to more digits, or ends in zeros.
    fn digits(&mut self, most: u64) -> String {
        let len = self.below(most + 1);
        match self.below(6) {
            0 => "9".repeat(len as usize),
            1 => "0".repeat(len as usize),
            2 => (0..len).map(|at| if at + 1 == len { '5' } else { '0' }).collect(),
            3 => (0..len).map(|at| if at + 1 == len { '5' } else { '9' }).collect(),
            _ => (0..len).map(|_| char::from(b'0' + self.below(10) as u8)).collect(),
        }
    }

    /// The text of a number: sign, digits, perhaps a point and more digits.
    fn number_text(&mut self) -> String {
        let sign = ["", "-", "+"][self.below(3) as usize];
        let mut text = format!("{sign}{}", self.digits(11));
        if self.below(4) > 0 {
            text.push('.');
            text += &self.digits(13);
        }
        text
    }

    fn number(&mut self) -> Number {
        match self.below(8) {
            0 => Number::int([i32::MIN, i32::MAX, -1, 0][self.below(4) as usize]),
            _ => clamped(Number::parse(self.number_text().as_bytes())),
        }
    }
}

fn clamped(result: Result<Number, TooLarge>) -> Number {
    result.unwrap_or_else(|TooLarge(number)| number)
}

fn text(number: Number) -> String {
    String::from_utf8(number.text(&mut NumberText::new()).to_vec()).unwrap()
}

fn power(exponent: u32) -> BigRational {
    BigRational::from_integer(BigInt::from(10).pow(exponent))
}

/// The exact value of a text of digits.
fn exact_text(text: &str) -> BigRational {
    let (whole, behind) = text.split_once('.').unwrap_or((text, ""));
    let digits: BigInt = format!("{whole}{behind}0").parse().unwrap();
    BigRational::from_integer(digits) / power(behind.len() as u32 + 1)
}

fn exact(number: Number) -> BigRational {
    assert!(number.scale() <= DECIMAL_DIGITS);
    if number.scale() > 0 {
        assert!(number.mantissa() % 10 != 0 && number.mantissa().abs() < 1_000_000_000);
    }
    BigRational::from_integer(number.mantissa().into()) / power(number.scale().into())
}

/// What stands for an exact value: rounded once, half away from zero, to as many digits behind the
/// point as leave 9 in all.
fn nearest(value: &BigRational, most: u32) -> Result<BigRational, BigRational> {
    let (least, greatest) = (i32::MIN, i32::MAX);
    let rounded = (0..=most).rev().map(|decimals| (decimals, (value * power(decimals)).round()));
    for (decimals, digits) in rounded {
        if decimals == 0 || digits.abs() < power(9) {
            let whole = |value: i32| BigRational::from_integer(value.into());
            return match digits / power(decimals) {
                found if found > whole(greatest) => Err(whole(greatest)),
                found if found < whole(least) => Err(whole(least)),
                found => Ok(found),
            };
        }
    }
    unreachable!("0 is among the numbers of decimals");
}

fn check(found: Result<Number, TooLarge>, value: &BigRational, most: u32, what: &str) {
    let found = found.map(exact).map_err(|TooLarge(number)| exact(number));
    assert_eq!(found, nearest(value, most), "{what}");
}

fn wrapped(value: &BigRational) -> Number {
    let modulus = BigInt::from(1u64 << 32);
    let low = (value.to_integer() % &modulus + &modulus) % &modulus;
    Number::int(u32::try_from(low).unwrap() as i32)
}

#[test]
fn arithmetic_is_that_of_fractions() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..cases() {
        let (a, b) = (random.number(), random.number());
        let what = format!("{} and {}", text(a), text(b));
        let (x, y) = (exact(a), exact(b));
        for (found, value) in [(a.plus(b), &x + &y), (a.minus(b), &x - &y), (a.times(b), &x * &y)] {
            if a.scale() == 0 && b.scale() == 0 {
                assert_eq!(found, Ok(wrapped(&value)), "{what}");
            } else {
                check(found, &value, 9, &what);
            }
        }
        assert_eq!(a.cmp(&b), x.cmp(&y), "{what}");
        assert_eq!(a == b, x == y, "{what}");
        let decimals = random.below(12) as u8;
        let most = u32::from(decimals.min(9));
        match a.over(b, decimals) {
            Some(quotient) => check(quotient, &(&x / &y), most, &what),
            None => assert!(y.is_zero(), "{what}"),
        }
        check(Ok(a.round(decimals)), &x, most, &what);
        assert_eq!(a.cut(), i32::try_from(x.trunc().to_integer()).unwrap(), "{what}");
        assert_eq!(a.is_zero(), x.is_zero());
        if a != Number::int(i32::MIN) {
            assert_eq!(exact(a.abs()), x.abs(), "{what}");
        }
    }
}

#[test]
fn texts_are_read_and_written() {
    let mut random = Random(0x0123_4567_89ab_cdef);
    for _ in 0..cases() {
        let read = random.number_text();
        let found = Number::parse(read.as_bytes());
        match read.split_once('.') {
            Some((_, behind)) if !behind.is_empty() => check(found, &exact_text(&read), 9, &read),
            _ => assert_eq!(found, Ok(wrapped(&exact_text(&read))), "{read}"),
        }
        let number = clamped(found);
        let written = text(number);
        assert_eq!(Number::parse(written.as_bytes()), Ok(number), "{written}");
        assert_eq!((exact_text(&written), written.len()), (exact(number), number.text_len()));
        assert!(number.scale() == 0 || !written.ends_with('0'), "{written}");
        // Whatever follows the digits is not read.
        let followed = format!(" \t{read}. x{}", random.next());
        if read.contains('.') {
            assert_eq!(Number::parse(followed.as_bytes()), found, "{followed}");
        }
        let decimals = random.below(12) as u8;
        let mut room = NumberText::new();
        let fixed = std::str::from_utf8(number.fixed(decimals, &mut room)).unwrap();
        let behind = fixed.split_once('.').map_or(0, |(_, behind)| behind.len());
        assert_eq!(behind, usize::from(decimals.min(9)), "{fixed}");
        assert_eq!(exact_text(fixed), exact(number.round(decimals)), "{fixed}");
    }
}

#[test]
fn any_bytes_are_a_number() {
    let mut random = Random(7);
    for _ in 0..cases() {
        let bytes: Vec<u8> =
            (0..random.below(30)).map(|_| b" \t+-.0159x\xff"[random.below(11) as usize]).collect();
        let number = clamped(Number::parse(&bytes));
        assert_eq!(Number::parse(text(number).as_bytes()), Ok(number), "{bytes:?}");
        // What is read as a whole number is what stands before the point, wrapped.
        let whole = umqtt_vm::parse_number(&bytes);
        if number.scale() == 0 && !bytes.contains(&b'.') {
            assert_eq!(number, Number::int(whole), "{bytes:?}");
        }
    }
}
