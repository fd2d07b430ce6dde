//! Words that are not what they look like.

use super::common::codes;
use super::expect;

#[test]
fn w0020_operator_as_text() {
    expect(&[
        ("on init do println **start:|@8", &["W0020"]),
        ("on init do println -", &["W0020"]),
        ("on init do println ($adc = -) | a", &["W0020"]),
        ("on init do if $adc == - 1 then print 1 endif", &["W0020"]),
        ("on init do println lt", &["W0020"]),
        ("on init do println not(*)", &["W0020"]),
        ("on init do println $adc and or", &["W0012", "W0020"]),
        ("on init do println csvstr($weekday, 1, -)", &[]),
        ("on init do println \"-\" | \\- | \"lt\"", &[]),
    ]);
}

#[test]
fn w0021_unbalanced_endif() {
    expect(&[
        ("on init do if $adc then println 1", &["W0021"]),
        ("on init do if $adc then println 1 on timer 1 do println 2", &["W0021", "W0006"]),
        ("on init do if $adc then if gpio_in(1) then println 1 endif", &["W0021"]),
        ("on init do if $adc then if gpio_in(1) then println 1", &["W0021", "W0021"]),
        ("on init do if $adc then", &["W0021"]),
        ("on init do if $adc then println 1 else if gpio_in(1) then println 2 endif", &["W0021"]),
        ("on init do if $adc then println 1 endif % endif\n endif", &["W0021"]),
        ("on init do endif config speed 160", &["W0021"]),
        ("on init do if $adc then println 1 endif else println 2 endif", &["W0021"]),
        ("on init do if $adc then if gpio_in(1) then println 1 endif else println 2 endif", &[]),
        ("on init do if $adc then println 1 endif", &[]),
        ("on init do if $adc then endif", &[]),
        ("on init do println 1 % endif", &[]),
    ]);
}

#[test]
fn w0022_misread_value() {
    let handlers = "on timer 1 do print 1 on alarm 1 do print 1";
    let codes = |actions: &str| {
        codes(&format!("on init do settimer 1 9 setalarm 1 07:00 {actions} {handlers}"))
    };
    for misread in [
        "gpio_out 2 high",
        "gpio_out 2 \"on\"",
        "gpio_out 2 true",
        "settimer 1 10s",
        "settimer 1 1.5",
        "settimer 1 soon",
        "setalarm 1 7:00",
        "setalarm 1 25:00",
        "setalarm 1 noon",
        "setalarm 1 07:5",
        "gpio_pwm 4 2000",
        "gpio_pwm 4 half",
        "print $adc div 2.5",
        "print 21.5 mod $adc",
        "print $adc div (1.5)",
        "print \"adc: \" + $adc",
        "print $adc + \" mV\"",
    ] {
        let found = codes(misread);
        assert!(
            !found.is_empty() && found.iter().all(|code| *code == "W0022"),
            "{misread}: {found:?}"
        );
    }
    for right in [
        "gpio_out 2 1",
        "gpio_out 2 \"0\"",
        "gpio_out 2 $adc",
        "settimer 1 0",
        "setalarm 1 \"07:00\"",
        "setalarm 1 23:59:59",
        "setalarm 1 \"\"",
        "setalarm 1 99:99:99",
        "gpio_pwm 4 1000",
        "print 21.5 | $adc",
        "print 21.5 > 21.2",
        "print $adc * (1.5)",
        "print divide($adc, 2.5, 1)",
        "print 1.2.3.4 | a.5",
        "print \"1\" + $adc",
    ] {
        assert_eq!(codes(right), [""; 0], "{right}");
    }
}

#[test]
fn w0023_swallowed_by_comment() {
    expect(&[
        ("on init do println $adc % 3", &["W0023"]),
        ("on init do println $adc %3", &["W0023"]),
        ("on init do println $adc%3", &["W0023"]),
        ("on init do println 10 % $adc + 1", &["W0023"]),
        ("on init do println 50%", &["W0023"]),
        ("on init do println $adc | 50% | x", &["W0023"]),
        ("on init do println $adc % 3 is the least", &[]),
        ("on init do settimer 1 500 % 500 ms\non timer 1 do print 1", &[]),
        ("on init do println $adc % in per mille", &[]),
        ("on init do println $adc % (see above)", &[]),
        ("on init do println \"50%\"", &[]),
        ("on init do println $adc\n% 3\n", &[]),
        ("% 3 % 4", &["W0027"]),
    ]);
}

#[test]
fn w0024_stray_punctuation() {
    expect(&[
        ("on init do println 'hi'", &["W0024"]),
        ("on init do println \u{201c}hi\u{201d}", &["W0024"]),
        ("on init do println `hi`", &["W0024"]),
        ("on init do setvar $x = 1; println $x", &["W0024"]),
        ("on init do publish local a/b on;", &["W0024"]),
        ("on init do settimer 1 10; on timer 1 do print 1", &["W0024"]),
        ("on init do println it's | \"'hi';\" | a;b", &[]),
        ("on init do println a\\;", &[]),
    ]);
}
