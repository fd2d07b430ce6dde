//! Any bytes as two numbers, and what is computed with them.

use umqtt_vm::number::{DECIMAL_DIGITS, Number, NumberText, TooLarge, parse_number};

/// Units of the last digit a decimal can have, in 1.
const ONE: i128 = 1_000_000_000;

/// Runs the target: each line is a number.
pub fn run(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (first, second) = input.split_at(end);
    let (a, b) = (read(first), read(second));
    let (x, y) = (exact(a), exact(b));
    assert_eq!((a.cmp(&b), a == b), (x.cmp(&y), x == y));
    let decimal = a.scale() > 0 || b.scale() > 0;
    for (found, value) in
        [(a.plus(b), x * ONE + y * ONE), (a.minus(b), x * ONE - y * ONE), (a.times(b), x * y)]
    {
        if decimal {
            near(found, value);
        } else {
            assert!(found.is_ok_and(|number| number.scale() == 0));
        }
    }
    let decimals = umqtt_vm::number::decimals(b.cut());
    sound(a.abs());
    sound(a.round(decimals));
    assert!((exact(a.round(decimals)) - x).abs() <= ONE / 2);
    if let Some(quotient) = a.over(b, decimals) {
        sound(quotient.unwrap_or_else(|TooLarge(number)| number));
    } else {
        assert!(b.is_zero());
    }
    let mut room = NumberText::new();
    let fixed = a.fixed(decimals, &mut room);
    assert_eq!(Number::parse(fixed), Ok(a.round(decimals)));
}

fn read(text: &[u8]) -> Number {
    let number = Number::parse(text).unwrap_or_else(|TooLarge(number)| number);
    if !text.contains(&b'.') {
        assert_eq!(number, Number::int(parse_number(text)));
    }
    sound(number);
    number
}

/// It is written as one number alone is.
fn sound(number: Number) {
    if number.scale() > 0 {
        assert!(number.scale() <= DECIMAL_DIGITS && number.mantissa() % 10 != 0);
        assert!(i128::from(number.mantissa()).abs() < ONE);
    }
    let mut room = NumberText::new();
    let text = number.text(&mut room);
    assert_eq!(text.len(), number.text_len());
    assert_eq!(Number::parse(text), Ok(number));
}

/// The number in units of the last digit.
fn exact(number: Number) -> i128 {
    i128::from(number.mantissa()) * 10i128.pow((DECIMAL_DIGITS - number.scale()).into())
}

/// No number with 9 digits is nearer to a value, which is in units of 10^-18, than what was found.
fn near(found: Result<Number, TooLarge>, value: i128) {
    let number = match found {
        Ok(number) => number,
        Err(TooLarge(number)) => {
            assert!(exact(number).abs() * ONE <= value.abs());
            return;
        }
    };
    sound(number);
    let mut unit = ONE;
    while unit < ONE * ONE && value.abs() / unit >= ONE {
        unit *= 10;
    }
    assert!(2 * (exact(number) * ONE - value).abs() <= unit, "{number:?} for {value}");
}
