use super::*;

fn number(text: &str) -> Number {
    Number::parse(text.as_bytes()).unwrap_or_else(|TooLarge(number)| number)
}

fn text(number: Number) -> std::string::String {
    let mut room = NumberText::new();
    let text = std::str::from_utf8(number.text(&mut room)).unwrap();
    assert_eq!(text.len(), number.text_len(), "{text}");
    text.into()
}

#[test]
fn integers_read_like_atoi() {
    for (text, value) in [
        ("", 0),
        ("12", 12),
        ("  -12abc", -12),
        ("+7", 7),
        ("- 7", 0),
        ("on", 0),
        ("007", 7),
        ("5.", 5),
        ("5.x", 5),
        ("2147483648", i32::MIN),
        ("-2147483648", i32::MIN),
        ("4294967297", 1),
        ("\t\n5", 5),
    ] {
        assert_eq!(number(text), Number::int(value), "{text:?}");
        assert_eq!(parse_number(text.as_bytes()), value, "{text:?}");
    }
}

#[test]
fn decimals_are_read_and_written_in_one_way() {
    for (read, written) in [
        ("21.5", "21.5"),
        ("21.50", "21.5"),
        ("-0.25C", "-0.25"),
        (" +.5", "0.5"),
        ("1.2.3", "1.2"),
        ("007.70", "7.7"),
        ("3.0", "3"),
        ("-0.0", "0"),
        ("123456789.5", "123456790"),
        ("12345678.95", "12345679"),
        ("-12345678.94", "-12345678.9"),
        ("0.1234567895", "0.12345679"),
        ("0.0000000004999999999999999999999999", "0"),
        ("0.0000000005", "0.000000001"),
        ("999999999.49", "999999999"),
        ("2147483646.5", "2147483647"),
        ("00000000000000000000000000000000000000001.5", "1.5"),
    ] {
        assert_eq!(text(number(read)), written, "{read:?}");
        assert_eq!(number(written), number(read));
    }
    for (large, greatest) in [
        ("2147483647.5", i32::MAX),
        ("4294967297.0", i32::MAX),
        ("-2147483648.5", i32::MIN),
        ("99999999999999999999999999999999.9", i32::MAX),
    ] {
        assert_eq!(Number::parse(large.as_bytes()), Err(TooLarge(Number::int(greatest))));
    }
    assert_eq!(text(number("-2147483648.4")), "-2147483648");
}

#[test]
fn integers_wrap_and_decimals_stop() {
    let (most, half) = (Number::int(i32::MAX), number("0.5"));
    assert_eq!(most.plus(Number::int(1)), Ok(Number::int(i32::MIN)));
    assert_eq!(most.times(Number::int(2)), Ok(Number::int(-2)));
    assert_eq!(most.plus(half), Err(TooLarge(most)));
    assert_eq!(Number::int(i32::MIN).minus(half), Err(TooLarge(Number::int(i32::MIN))));
    assert_eq!(most.minus(half), Ok(most));
    assert_eq!(text(Number::int(1_234_567_891).minus(number("0.6")).unwrap()), "1234567890");
    assert_eq!(Number::int(i32::MIN).over(Number::int(-1), 3), Some(Err(TooLarge(most))));
    assert_eq!(Number::int(i32::MIN).abs(), Number::int(i32::MIN));
}

#[test]
fn results_without_decimals_are_integers_again() {
    assert_eq!(number("21.5").plus(number("0.5")), Ok(Number::int(22)));
    assert_eq!(number("2.5").times(number("0.4")), Ok(Number::int(1)));
    assert_eq!(number("0.1").plus(number("0.2")), Ok(number("0.3")));
    assert_eq!(number("-1.5").minus(number("-1.5")), Ok(Number::int(0)));
}

#[test]
fn quotients_have_the_digits_asked_for() {
    for (a, b, decimals, quotient) in [
        ("1", "3", 2, "0.33"),
        ("2", "3", 2, "0.67"),
        ("-1", "8", 2, "-0.13"),
        ("1", "3", 9, "0.333333333"),
        ("1000000", "3", 6, "333333.333"),
        ("2147483647", "2", 9, "1073741824"),
        ("0.000000001", "3", 9, "0"),
        ("3", "0.000000002", 9, "1500000000"),
        ("22.5", "5", 0, "5"),
        ("21.6", "0.9", 3, "24"),
        ("1", "3", 200, "0.333333333"),
    ] {
        let found = number(a).over(number(b), decimals).unwrap().unwrap();
        assert_eq!(text(found), quotient, "{a} / {b}");
    }
    assert_eq!(number("1.5").over(Number::int(0), 2), None);
}

#[test]
fn fixed_texts_have_their_digits() {
    for (value, decimals, fixed) in [
        ("21.5", 2, "21.50"),
        ("21.55", 1, "21.6"),
        ("-0.04", 1, "0.0"),
        ("7", 0, "7"),
        ("7", 3, "7.000"),
        ("-2147483648", 200, "-2147483648.000000000"),
    ] {
        let mut room = NumberText::new();
        assert_eq!(number(value).fixed(decimals, &mut room), fixed.as_bytes(), "{value}");
    }
}

#[test]
fn the_last_digit_is_split_off_without_a_division() {
    let mut numbers: std::vec::Vec<u32> = (0..100_000).collect();
    numbers.extend((0..1_000_000u32).map(|n| n.wrapping_mul(0x9e37_79b9)));
    for exponent in 0..10 {
        for times in 1..=9u32 {
            let near = 10u32.pow(exponent).saturating_mul(times);
            numbers.extend([near.saturating_sub(1), near, near.saturating_add(1)]);
        }
    }
    numbers.extend([i32::MIN.unsigned_abs(), u32::MAX - 5, u32::MAX]);
    for number in numbers {
        assert_eq!(text::split_last(number), (number / 10, (number % 10) as u8), "{number}");
    }
}

/// Two numbers are compared by their parts in place of their texts. This holds: the text says how
/// many digits are behind the point, and which digits all of them are, so it says both parts.
#[test]
fn no_two_numbers_have_the_same_text() {
    let mantissas = (-1100..=1100).chain([i32::MIN, i32::MAX, 999_999_999, -999_999_999]);
    let mut of_text = std::collections::BTreeMap::new();
    for mantissa in mantissas {
        for scale in 0..=DIGITS {
            let is_one = scale == 0 || (mantissa % 10 != 0 && mantissa.unsigned_abs() < 1 << 30);
            if !is_one {
                continue;
            }
            let number = Number::from_parts(mantissa, scale);
            let written = text(number);
            assert_eq!(Number::parse(written.as_bytes()), Ok(number), "{written}");
            assert_eq!(of_text.insert(written, number), None);
        }
    }
}
