//! Constants where a number, a duration or a time is written out: the image is the one that its
//! digits give, the lints see the number, and what is no such number is told of by name and value.
#![allow(clippy::unwrap_used)]

mod common;

use common::render;
use umqtt_lang::lint::NoConfig;
use umqtt_lang::{Analysis, EmitOptions, compile, compile_pieces, format};
use umqtt_vm::Profile;

/// Every place, as `{}`, and what may stand there.
const PLACES: &[(&str, &[&str])] = &[
    ("on init do gpio_out {} 1", &["0", "12", "16", "\"12\"", "\"+4\"", "007"]),
    ("on init do gpio_pwm {} 500", &["4", "15"]),
    ("on init do gpio_pinmode {} output", &["2", "5"]),
    ("on init do gpio_pinmode {} input pullup", &["2"]),
    ("on gpio_interrupt {} pullup do print $this_gpio", &["0", "14"]),
    ("on gpio_interrupt {} nopullup do print $this_gpio", &["0"]),
    ("on init do settimer {} 500", &["1", "16"]),
    ("on timer {} do print 1", &["1", "16"]),
    ("on init do setalarm {} 07:00", &["1", "16"]),
    ("on alarm {} do print 1", &["1", "16"]),
    ("on init do setvar @{} = 5", &["1", "16"]),
    ("on init do print @{}", &["1", "16"]),
    ("config mqtt_host @{} on init do print 1", &["1", "16"]),
    ("on init do print gpio_in({})", &["0", "16"]),
    ("on init do print substr($adc, {}, 2)", &["0", "-2", "\"-2\"", "3000000000"]),
    ("on init do print substr($adc, 1, {})", &["2", "-1"]),
    ("on init do print byte_val($adc, {})", &["0", "3"]),
    ("on init do print csvstr($adc, {}, 2)", &["0", "3"]),
    ("on init do print csvstr($adc, 0, {})", &["\",\"", "\";\"", "x"]),
    ("on every {} do print 1", &["10s", "1.5h", "250ms", "24h"]),
    ("on clock {} do print 1", &["07:00", "23:59:59", "sunset", "sunrise"]),
    ("on clock {} weekdays do print 1", &["07:00", "sunset"]),
    ("on clock sunset + {} do print 1", &["30m", "24h"]),
    ("on clock 07:00 - {} sat sun do print 1", &["1.5h"]),
    ("on clock 07:00 {} do print 1", &["weekdays", "mon"]),
    ("on init do if 1 then while $adc do settimer {} 5 done endif", &["3"]),
    ("sub s do gpio_out {} 0\non init do call s", &["3"]),
];

fn image(source: &str) -> Vec<u8> {
    compile(source.as_bytes(), &Profile::ESP8266, EmitOptions::new())
        .unwrap_or_else(|errors| panic!("{}", render(source, &errors)))
}

/// Compiled as a chip does.
fn image_of_pieces(source: &str) -> Vec<u8> {
    let mut image = Vec::new();
    let mut out = |bytes: &[u8]| {
        image.extend_from_slice(bytes);
        true
    };
    let room = |_, _| true;
    compile_pieces(&mut source.as_bytes(), &Profile::ESP8266, false, &room, &mut out).unwrap();
    image
}

/// Errors, else warnings.
fn told(source: &str) -> String {
    let analysis = Analysis::new(source.as_bytes(), &Profile::ESP8266, EmitOptions::new());
    let warnings = analysis.warnings(&NoConfig);
    render(source, &[analysis.errors(), &warnings].concat())
}

#[test]
fn a_constant_stands_for_its_digits() {
    for (place, values) in PLACES {
        for value in *values {
            let plain = image(&place.replace("{}", value));
            for named in [
                format!("const $it = {value}\n{}", place.replace("{}", "$it")),
                format!(
                    "{}\nconst $it = $other\nconst $other = ({value})",
                    place.replace("{}", "$it")
                ),
            ] {
                assert_eq!(image(&named), plain, "{named}");
                assert_eq!(image_of_pieces(&named), plain, "{named}");
            }
        }
    }
    assert_eq!(image("const $n = 2 * 3 on timer $n do print 1"), image("on timer 6 do print 1"));
}

/// So no warning is there for a constant, and none is missing.
#[test]
fn the_lints_see_the_number() {
    for (place, values) in PLACES {
        let codes = |source: &str| -> Vec<_> {
            let analysis = Analysis::new(source.as_bytes(), &Profile::ESP8266, EmitOptions::new());
            assert!(analysis.errors().is_empty(), "{source}");
            analysis.warnings(&NoConfig).iter().map(|warning| warning.code).collect()
        };
        let plain = codes(&place.replace("{}", values[0]));
        let named = format!("const $it = {}\n{}", values[0], place.replace("{}", "$it"));
        assert_eq!(codes(&named), plain, "{named}");
    }
    for (script, code) in [
        ("const $pin = 7 on init do gpio_out $pin 1", "W0025"),
        ("const $pin = 4 on init do gpio_pwm $pin 1 print gpio_in(4)", "W0015"),
        ("const $t = 1 on init do settimer $t 5 on timer 2 do print 1", "W0006"),
        ("const $p = 1ms on every $p do print 1", "W0041"),
        ("const $t = 5s on init do settimer 1 $t on timer 1 do print 1", "W0022"),
        ("const $off = 0 on init do settimer 1 $off on timer 1 do print 1", "W0006"),
        ("const $until = 25:00 on init do print between(8, $until)", "W0022"),
        ("const $p = 10s on every 5s do print p", "W0033"),
    ] {
        assert!(told(script).contains(code), "{}", told(script));
    }
}

#[test]
fn what_is_no_number_is_told_of_by_name_and_value() {
    let wrong = [
        "const $lamp = D1\non init do gpio_out $lamp 1",
        "const $lamp = 12.5\non init do gpio_out $lamp 1",
        "const $lamp = 99\non init do gpio_out $lamp 1",
        "const $t = 0\non timer $t do print 1",
        "const $slot = x\non init do print @$slot",
        "const $slot = 77\non init do setvar @$slot = 1",
        "const $sep = \", \"\non init do print csvstr($adc, 0, $sep)",
        "const $period = 10\non every $period do print 1",
        "const $wake = noon\non clock $wake do print 1",
        "const $late = -30m\non clock sunset + $late do print 1",
        "const $late = 30\non clock sunset + $late do print 1",
        "const $days = monday\non clock 07:00 $days do print 1",
        // Variables, and what is none.
        "on init do setvar $lamp = 12 gpio_out $lamp 1",
        "on init do print gpio_in($lamp)",
        "on init do settimer $adc 1",
        "on timer $this_data do print 1",
        "on every $period do print 1",
        "on clock $sunset do print 1",
        "on clock sunset - $late do print 1",
        // One error, where the constant is wrong.
        "const $lamp = $adc\non init do gpio_out $lamp 1",
        "const $a = $b\nconst $b = $a\non timer $a do print 1",
        "const $a = $now\non every $a do print 1",
    ];
    let told: String = wrong.iter().map(|source| told(source) + "\n----\n").collect();
    insta::assert_snapshot!(told);
}

#[test]
fn the_formatter_leaves_them() {
    let source = "const $t=5 const $p=10s const $s=2\non timer  $t do settimer   $t 5 setvar @$s = substr(x,$t,-$t)\non every $p do\nprint 1\non clock sunset - $p mon do print 1";
    let wanted = "const $t = 5\nconst $p = 10s\nconst $s = 2\non timer $t do\n    settimer $t 5\n";
    let formatted = format(source.replace(",-$t", ", 1").as_bytes(), &Profile::ESP8266).unwrap();
    let formatted = String::from_utf8(formatted).unwrap();
    assert!(formatted.starts_with(wanted), "{formatted}");
    assert!(formatted.contains("on clock sunset -$p mon do"), "{formatted}");
    let again = format(formatted.as_bytes(), &Profile::ESP8266).unwrap();
    assert_eq!(again, formatted.as_bytes());
}
