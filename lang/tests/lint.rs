//! The warnings: for each a script that triggers it and ones that come near and do not, and what
//! users read.

#[path = "lint/common.rs"]
mod common;
#[path = "lint/fixes.rs"]
mod fixes;
#[path = "lint/messages.rs"]
mod messages;
#[path = "lint/pages.rs"]
mod pages;
#[path = "lint/quiet.rs"]
mod quiet;
#[path = "lint/random.rs"]
mod random;
#[path = "common/mod.rs"]
mod shared;
#[path = "lint/typos.rs"]
mod typos;
#[path = "lint/wiring.rs"]
mod wiring;

use common::codes;
use umqtt_lang::diagnostic::Diagnostic;

/// Checks the codes of each script; none for a quiet one.
#[track_caller]
fn expect(cases: &[(&str, &[&str])]) {
    for (script, expected) in cases {
        assert_eq!(codes(script), *expected, "\n{script}");
    }
}

#[test]
fn w0001_grouping() {
    expect(&[
        ("on init do println 10 - $adc - 2", &["W0001"]),
        ("on init do println 2 * $adc + 4", &["W0001"]),
        ("on init do println $adc * 1 | \"%\"", &["W0001"]),
        ("on serial do println $this_serial | \"x\" = \"ax\"", &["W0001"]),
        ("on serial do println ($adc - 1 - 2) * 3", &["W0001"]),
        ("on init do println $adc + 1 + 2 - 3", &[]),
        ("on init do println \"a\" | $adc | \"b\" | $adc + 1", &[]),
        ("on init do println 10 - ($adc - 2)", &[]),
        ("on serial do println $this_serial = \"a\" | \"b\"", &[]),
        ("on serial do println $this_serial = \"a\" or $this_serial = \"b\" and $adc > 1", &[]),
        ("on init do println 2 * 3 + 0", &[]),
        ("on init do println 7 - 3 - 2", &["W0001"]),
    ]);
}

#[test]
fn w0002_never_read() {
    expect(&[
        ("on init do setvar $x = 1", &["W0002"]),
        ("on serial do setvar $x = $x + 1", &["W0002"]),
        ("on init do setvar $x = 1 on serial do setvar $x = $x + 1 setvar $x = 2", &["W0002"]),
        ("on init do setvar $x = 1 on serial do print $x", &[]),
        ("on init do setvar $f = a subscribe local a on topic local $f do print 1", &[]),
        ("on init do setvar $x = 1 on serial do if $x then print 1 endif", &[]),
    ]);
}

#[test]
fn w0003_read_before_set() {
    expect(&[
        ("on init do print $x setvar $x = 1", &["W0003"]),
        ("on init do print $x on serial do setvar $x = $this_serial", &["W0003"]),
        ("on init do setvar $n = $n + 1 print $n", &["W0003"]),
        ("on init do setvar $x = 1 on init do print $x", &[]),
        ("on serial do print $x setvar $x = 1", &[]),
        ("on wificonnect do print $x on serial do setvar $x = 1", &[]),
        ("on init do while gpio_in(1) do if $adc then print $x endif setvar $x = $adc done", &[]),
        ("on init do if $adc then setvar $x = 1 endif print $x", &[]),
    ]);
}

#[test]
fn w0010_never_equal() {
    expect(&[
        ("on init do if ($adc + 1) = \"on\" then print 1 endif", &["W0010"]),
        ("on init do if \"on\" neq len($weekday) then print 1 endif", &["W0010"]),
        ("on init do if $adc = \"007\" then print 1 endif", &["W0010"]),
        ("on init do if gpio_in(1) = 2 then print 1 endif", &["W0010"]),
        ("on init do if $weekday = \"Monday\" then print 1 endif", &["W0010"]),
        ("on init do if $timestamp = \"7:00\" then print 1 endif", &["W0010"]),
        ("on serial do if lower($this_serial) = \"On\" then print 1 endif", &["W0010"]),
        ("on serial do setvar $n = $n + 1 if $n = many then print 1 endif", &["W0010"]),
        ("on serial do setvar $n = $n + 1 if $n = \"\" then print 1 endif", &[]),
        ("on init do setvar $mode = 0 on serial do if $mode = auto then print 1 endif", &[]),
        ("on init do if $adc = 512 then print 1 endif", &[]),
        ("on init do if $timestamp = 07:00:00 then print 1 endif", &[]),
        ("on serial do if $this_serial = off then print 1 endif", &[]),
        ("on http_response do if not ($this_http_code = 200) then print 1 endif", &[]),
        ("on init do if byte_val($weekday, 9) = \"\" then print 1 endif", &[]),
    ]);
}

#[test]
fn w0011_loop_never_changes() {
    expect(&[
        ("on init do setvar $i = 0 while $i lt 9 do print $i done", &["W0011"]),
        (
            "on init do setvar $i = 0 setvar $j = 0 while $i lt 9 do setvar $j = $j + 1 done print $j",
            &["W0011"],
        ),
        ("on serial do while $this_serial do print 1 done", &["W0011"]),
        ("on init do setvar $i = 0 while $i lt 9 do setvar $i = $i + 1 done", &[]),
        (
            "on init do setvar $i = 0 while $i lt 9 do if $adc then setvar $i = $i + 1 endif done",
            &[],
        ),
        ("on init do while gpio_in(1) do print 1 done", &[]),
        ("on init do while $timestamp = 99:99:99 do print 1 done", &[]),
        ("on init do while retained_topic(a) = \"\" do print 1 done", &[]),
    ]);
}

#[test]
fn w0012_constant_condition() {
    expect(&[
        ("on init do if 1 then print 1 endif", &["W0012"]),
        ("on init do if 1 > 2 then print 1 endif", &["W0012"]),
        ("on init do if on_x then print 1 endif", &["W0012"]),
        ("on init do while 1 do print 1 done", &["W0012"]),
        ("on init do if $adc and 0 then print 1 endif", &["W0012"]),
        ("on serial do if $this_serial = \"a\" or \"b\" then print 1 endif", &["W0012"]),
        ("on serial do if $adc then print 1 elseif not(0) then print 2 endif", &["W0012"]),
        ("on serial do if $adc then print 1 endif", &[]),
        ("on init do setvar $debug = 0 if $debug then print 1 endif", &[]),
        ("on serial do if $this_serial neq \"a\" or \"b\" then print 1 endif", &["W0012"]),
        ("on serial do gpio_out 4 $this_serial = a or b", &["W0012"]),
        ("on serial do setvar $ok = not($this_serial = a or b) print $ok", &["W0012"]),
        ("on serial do gpio_out 4 $this_serial = a or $this_serial = b", &[]),
    ]);
}

#[test]
fn w0013_and_w0018_config() {
    expect(&[
        ("config mqtt_hots x", &["W0013"]),
        ("config colour red", &["W0013"]),
        ("config speed 100", &["W0018"]),
        ("config mqtt_ssl 1", &["W0018"]),
        ("config mqtt_ssl 0", &[]),
        ("config speed 160 config mqtt_host \"a.b\" config speed @1", &[]),
    ]);
}

#[test]
fn w0014_division_by_zero() {
    expect(&[
        ("on init do print $adc div 0", &["W0014"]),
        ("on init do print $adc mod \"x\"", &["W0014"]),
        ("on init do print ($adc mod (3 - 3)) + 1", &["W0014"]),
        ("on init do print $adc div 2", &[]),
        ("on init do setvar $n = 0 print $adc div $n", &[]),
    ]);
}

#[test]
fn w0015_pin_used_twice() {
    expect(&[
        ("on init do gpio_pinmode 4 input gpio_pwm 4 10", &["W0015"]),
        ("on init do gpio_pwm 4 10 if gpio_in(4) then print 1 endif", &["W0015"]),
        ("on gpio_interrupt 4 pullup do gpio_pwm 4 10", &["W0015"]),
        ("on init do gpio_pinmode 4 output gpio_pwm 4 10 gpio_pinmode 5 input", &[]),
        ("on init do gpio_out 4 not(gpio_in(4))", &[]),
    ]);
}

#[test]
fn w0016_similar_names() {
    expect(&[
        (
            "on init do setvar $temperature_inside = 1 setvar $temperature_insight = 2
             print $temperature_inside | $temperature_insight",
            &["W0016"],
        ),
        (
            "on init do setvar $temperature_in = 1 setvar $temperature_out = 2 print $temperature_in | $temperature_out",
            &[],
        ),
        // 13 equal characters and the 14th different.
        (
            "on init do setvar $abcdefghijklmn = 1 setvar $abcdefghijklmm = 2 print $abcdefghijklmn | $abcdefghijklmm",
            &[],
        ),
    ]);
}

#[test]
fn w0017_invalid_topic() {
    expect(&[
        ("on init do publish local \"\" 1", &["W0017"]),
        ("on init do publish local \"a/#\" 1", &["W0017"]),
        ("on init do publish local \"a/+/\" | $weekday 1", &["W0017"]),
        ("on mqttconnect do setvar $t = \"a/+\" publish remote $t 1", &["W0017"]),
        ("on init do unsubscribe local \"a/#/b\"", &["W0017"]),
        ("on init do subscribe local \"a+\"", &["W0017"]),
        ("on init do subscribe local a/+/b on topic local a/c/b do print 1", &["W0017"]),
        ("on init do print retained_topic(\"a#\")", &["W0017"]),
        ("on init do print retained_topic(\"a/#\") publish local a/b 1", &[]),
        ("on init do publish local #610d 1", &["W0017"]),
        ("on init do publish local #61efbfbf 1", &["W0017"]),
        ("on init do publish local #610062 1", &["W0017"]),
        ("on init do publish local a | #0a | $weekday 1", &["W0017"]),
        ("on mqttconnect do unsubscribe remote #61c280", &["W0017"]),
        (
            "on init do subscribe local \"a\u{7f}\" on topic local \"a\u{7f}\" do print 1",
            &["W0017", "W0017"],
        ),
        ("on init do print retained_topic(\"a\u{fdd0}\")", &["W0017"]),
        ("on init do publish local \"\u{feff}a b/\u{1f600}\" 1", &[]),
    ]);
}

#[test]
fn w0019_invalid_url() {
    expect(&[
        ("on init do http_get \"https://a/\"", &["W0019"]),
        ("on init do http_get \"a.b/c\"", &["W0019"]),
        ("on init do http_get \"\"", &["W0019"]),
        ("on init do http_get \"http://a/x y\"", &["W0019"]),
        ("on init do http_post \"http://me:pw@a/\", \"x y\"", &["W0019"]),
        ("on init do http_get \"http://a:65536/\"", &["W0019"]),
        ("on init do http_get \"http://a/\" | #0d0a", &["W0019"]),
        ("on init do setvar $u = \"https://a/\" http_get $u", &["W0019"]),
        ("on init do http_get \"https://a/\" | $adc", &["W0019"]),
        ("on init do http_get \"http://a/?x=\" | $adc | \" &y=1\"", &["W0019"]),
        ("on init do http_get \"http://a/\" | $adc | \"x\" | #0a", &["W0019"]),
        ("on init do http_get \"http:/\" | \"/a:0/\" | $adc", &["W0019"]),
        ("on init do http_get $timestamp | \"://\"", &[]),
        ("on init do http_get \"http://a:\" | $adc", &[]),
        ("on init do http_get \"http://\" | @1 | \"/x\"", &[]),
        ("on init do http_get @1", &[]),
        ("on init do http_post \"http://a:8000/b?c=%20\", \"x y\"", &[]),
    ]);
}

#[test]
fn w0025_flash_pin() {
    expect(&[
        ("on init do gpio_out 6 1", &["W0025"]),
        ("on init do gpio_pinmode 11 input", &["W0025"]),
        ("on init do gpio_pwm 9 500 gpio_out 9 0", &["W0025"]),
        ("on init do println gpio_in(7)", &["W0025"]),
        ("on gpio_interrupt 8 pullup do print 1", &["W0025"]),
        ("on init do gpio_out 5 1 gpio_out 12 1", &[]),
    ]);
    let script = b"on init do gpio_out 6 1";
    let statements = umqtt_lang::parse(script, &umqtt_vm::Profile::ESP32).statements;
    let found = umqtt_lang::lint::lint(
        script,
        &statements,
        &umqtt_vm::Profile::ESP32,
        &umqtt_lang::lint::NoConfig,
    );
    assert_eq!(found, []);
}

#[test]
fn w0026_serial_is_console() {
    use common::{SerialTable, warnings_with};
    for (script, expected) in [
        ("on serial do println 1", &["W0026"][..]),
        ("config speed 80 on serial do println 1 on serial do println 2", &["W0026"]),
        ("config system_output 2 on serial do println 1", &["W0026"]),
        ("config system_output 0 config system_output 1 on serial do println 1", &["W0026"]),
        ("config system_output 1 config system_output 0 on serial do println 1", &[]),
        ("config system_output 0 on serial do println 1", &[]),
        ("on serial do println 1 config system_output \"0\"", &[]),
        ("config system_output @1 on serial do println 1", &[]),
        ("config system_output 2 on init do println 1", &[]),
    ] {
        let found = warnings_with(script.as_bytes(), &SerialTable);
        let codes: Vec<_> = found.iter().map(|warning| warning.code.as_str()).collect();
        assert_eq!(codes, expected, "{script}");
    }
    // Whoever does not know of a console does not warn of one.
    expect(&[("on serial do println 1", &[])]);
}

#[test]
fn w0027_empty_script() {
    expect(&[
        ("", &["W0027"]),
        (" \t\r\n\n", &["W0027"]),
        ("\0", &["W0027"]),
        ("% a comment", &["W0027"]),
        ("% one\n% two\n", &["W0027"]),
        ("config speed 80", &[]),
        ("on init do", &[]),
    ]);
}

#[test]
fn w0032_not_connected_yet() {
    let handler = "on topic remote \"a/b\" do print $this_data";
    let on = |event: &str| format!("on {event} do subscribe remote \"a/b\" {handler}");
    expect(&[
        (&on("init"), &["W0032"]),
        (&on("wificonnect"), &["W0032"]),
        (&on("mqttconnect"), &[]),
        ("on init do publish remote \"a\" 1", &["W0032"]),
        ("on init do if $adc > 5 then publish remote \"a\" 1 endif", &["W0032"]),
        ("on init do settimer 1 5000 on timer 1 do publish remote \"a\" 1", &[]),
        // Subscribed to later as well, or perhaps.
        (&format!("on mqttconnect do subscribe remote \"a/+\" {}", on("init")), &[]),
        (
            &format!(
                "on topic local \"t\" do subscribe remote $this_data {handler} on init do subscribe remote \"a/b\" subscribe local \"t\""
            ),
            &[],
        ),
    ]);
}

#[test]
fn w0033_decimal_compared_as_a_text() {
    let codes = |condition: &str| {
        codes(&format!(
            "on init do setvar $t = $adc * 0.1 subscribe local a
            on topic local a do if {condition} then print $t endif"
        ))
    };
    for by_bytes in [
        "$this_data = 21.5",
        "$this_data neq (21.5)",
        "-0.5 = $this_data",
        "21.5 = $this_data | \"0\"",
        "$this_data = 1.5 or $adc",
    ] {
        assert_eq!(codes(by_bytes), ["W0034"], "{by_bytes}");
    }
    for right in [
        "$this_data = \"21.5\"",
        "$this_data gte 21.5",
        "$this_data = 21",
        "$this_data = 1.2.3",
        "$t = 21.5",
        "round($this_data, 1) = 21.5",
        "($this_data - 21.5) = 0",
    ] {
        assert_eq!(codes(right), [""; 0], "{right}");
    }
    // A number that was computed has no such text.
    for never in ["$t = 21.50", "round($this_data, 1) neq 1.0", "len($this_data) = 1.5"] {
        assert_eq!(codes(never), ["W0010"], "{never}");
    }
}

#[test]
fn w0040_no_place() {
    let config = "config latitude 52 config longitude 13 ";
    expect(&[
        ("on clock sunset do print 1", &["W0040"]),
        ("on clock sunrise +30m mon do print 1", &["W0040"]),
        ("on init do print $sunset", &["W0040"]),
        ("const $when = sunset on clock $when do print 1", &["W0040"]),
        // Once, and for what is missing.
        ("on clock sunset do print $sunrise on clock sunrise do print 1", &["W0040"]),
        ("config latitude 52 on clock sunset do print 1", &["W0040"]),
        (&format!("{config}on clock sunset do print $sunrise"), &[]),
        (&format!("on clock sunset do print 1 {config}"), &[]),
        ("on clock 07:00 do print 1", &[]),
        ("on init do print \"$date\" | $date", &["W0028"]),
        ("on init do print sunset", &[]),
    ]);
}

#[test]
fn w0041_short_period() {
    expect(&[
        ("on every 1ms do print 1", &["W0041"]),
        ("on every 9ms do print 1", &["W0041"]),
        ("on every 0.009s do print 1", &["W0041"]),
        ("const $p = 5ms on every $p do print 1", &["W0041"]),
        ("on every 10ms do print 1", &[]),
        ("on every 1s do print 1", &[]),
        ("on init do settimer 1 5 on timer 1 do print 1", &[]),
    ]);
}

/// What is told only if it is asked for.
fn hints(script: &str) -> Vec<Diagnostic> {
    let parsed = umqtt_lang::parse(script.as_bytes(), &umqtt_vm::Profile::ESP8266);
    assert!(parsed.errors.is_empty(), "{script}");
    umqtt_lang::lint::pedantic(script.as_bytes(), &parsed.statements)
}

/// The script with the fix of a diagnostic, if there is one.
fn mended(script: &str, diagnostic: &Diagnostic) -> String {
    let mut text = script.to_string();
    for edit in diagnostic.fix.iter().flat_map(|fix| fix.edits.iter().rev()) {
        let place = edit.span.start as usize..edit.span.end as usize;
        text.replace_range(place, &String::from_utf8_lossy(&edit.text));
    }
    text
}

#[test]
fn w0042_timer_as_period() {
    for (script, right) in [
        (
            "on init do\n    settimer 1 10000\n\non timer 1 do\n    print 1\n    settimer 1 10000\n",
            Some("\non every 10s do\n    print 1\n"),
        ),
        (
            "on timer 2 do settimer 2 90000 print 1\non init do\n    print 2\n    settimer 2 \"90000\"\n",
            Some("on every 90s do print 1\non init do\n    print 2\n"),
        ),
        (
            "const $t = 3 on init do settimer $t 5 on timer $t do print 1 settimer 3 5",
            Some("const $t = 3 on every 5ms do print 1 "),
        ),
        (
            "on init do\n    % first\n    settimer 1 5\non timer 1 do\n    print 1\n    settimer 1 5",
            Some("on init do\n    % first\non every 5ms do\n    print 1\n"),
        ),
        (
            "const $ms = 9 on init do settimer 1 $ms on timer 1 do print 1 settimer 1 $ms",
            Some("const $ms = 9 on every 9ms do print 1 "),
        ),
        // The first time is another.
        ("on init do settimer 1 1 on timer 1 do print 1 settimer 1 5", None),
    ] {
        let found = hints(script);
        assert_eq!(found.iter().map(|it| it.code.as_str()).collect::<Vec<_>>(), ["W0042"]);
        let text = mended(script, &found[0]);
        assert_eq!(text, right.unwrap_or(script));
        assert!(hints(&text).is_empty() || right.is_none(), "{text}");
    }
    for quiet in [
        "on init do settimer 1 5 on timer 1 do print 1",
        "on init do settimer 1 5 on timer 1 do settimer 1 5",
        "on init do settimer 1 5 on timer 1 do print 1 if $adc then settimer 1 5 endif",
        "on init do settimer 1 5 on timer 1 do print 1 settimer 1 $adc",
        "on init do settimer 1 5 on timer 1 do print 1 settimer 1 5 on serial do settimer 1 0",
        "on init do settimer 1 5 on timer 1 do print 1 settimer 1 5 on serial do settimer 1 5",
        "on serial do settimer 1 5 on timer 1 do print 1 settimer 1 5",
        "on init do settimer 1 5 call s on timer 1 do print 1 call s sub s do settimer 1 5",
        "on init do settimer 1 5 on timer 1 do print 1 settimer 1 5 on timer 1 do print 2",
        "on init do settimer 1 5 settimer 2 5 on timer 1 do print 1 settimer 2 5 on timer 2 do print 1 settimer 1 5",
        "on init do settimer 1 90000000 on timer 1 do print 1 settimer 1 90000000",
    ] {
        assert!(hints(quiet).is_empty(), "{quiet}");
    }
}

#[test]
fn w0043_variable_that_never_changes() {
    for (script, right) in [
        (
            "on init do\n    setvar $a = 5 * 2\n    println $a\n",
            "const $a = 5 * 2\non init do\n    println $a\n",
        ),
        ("on init do setvar $a = x\non serial do print $a", "const $a = x\non serial do print $a"),
        (
            "on init do print 1 setvar $a = \"b/#\" on topic local $a do print 1",
            "const $a = \"b/#\"\non init do print 1 on topic local $a do print 1",
        ),
        // A comment stays.
        (
            "on init do % why\n    setvar $a = 1\non serial do print $a",
            "const $a = 1\non init do % why\non serial do print $a",
        ),
        (
            "on init do setvar $a = 1 call s sub s do print $a",
            "const $a = 1\non init do call s sub s do print $a",
        ),
    ] {
        let found = hints(script);
        assert_eq!(found.iter().map(|it| it.code.as_str()).collect::<Vec<_>>(), ["W0043"]);
        let text = mended(script, &found[0]);
        assert_eq!(text, right);
        assert!(hints(&text).is_empty(), "{text}");
        let profile = umqtt_vm::Profile::ESP8266;
        let options = umqtt_lang::EmitOptions::new();
        umqtt_lang::compile(text.as_bytes(), &profile, options).unwrap();
    }
    for quiet in [
        // Nobody reads it, or it is read before.
        "on init do setvar $a = 5",
        "on init do print $a setvar $a = 5",
        "on init do call s setvar $a = 5 sub s do print $a",
        // It changes, or may.
        "on init do setvar $a = 5 on serial do setvar $a = 6 print $a",
        "on init do if $adc then setvar $a = 5 endif print $a",
        "on init do setvar $a = $adc print $a",
        "on init do setvar $a = @1 print $a",
        "on init do setvar $a = 5 on init do print $a",
        "on init do call s print $a sub s do setvar $a = 5",
        "on serial do setvar $a = 5 print $a",
        "on init do setvar @1 = 5 print @1",
    ] {
        assert!(hints(quiet).is_empty(), "{quiet}");
    }
}

#[test]
fn w0044_tenths_made_of_digits() {
    let tenths = "setvar $t = csvstr($this_data, 0, \".\") * 10";
    let digit = "substr(csvstr($this_data, 1, \".\"), 0, 1)";
    for (actions, right) in [
        (
            format!("{tenths} setvar $n = $t + {digit} print $n"),
            "setvar $n = int($this_data * 10) print $n",
        ),
        // What helps is needed elsewhere.
        (
            format!("{tenths} setvar $n = $t + {digit} print $n | $t"),
            "setvar $t = csvstr($this_data, 0, \".\") * 10 setvar $n = int($this_data * 10) print $n | $t",
        ),
        (
            format!("setvar $n = (csvstr($this_data, 0, .) * 10) + {digit} print $n"),
            "setvar $n = int($this_data * 10) print $n",
        ),
        (
            format!(
                "{tenths} setvar $d = {digit} if substr($this_data, 0, 1) = \"-\" then \
                 setvar $n = $t - $d else setvar $n = $t + $d endif print $n"
            ),
            "setvar $n = int($this_data * 10) print $n",
        ),
    ] {
        let script = format!("on topic local a do {actions}");
        let found = hints(&script);
        let codes: Vec<_> = found.iter().map(|it| it.code.as_str()).collect();
        assert_eq!(codes, ["W0044"], "{script}");
        let text = mended(&script, &found[0]);
        assert_eq!(text, format!("on topic local a do {right}"));
        assert!(hints(&text).is_empty(), "{text}");
    }
    for quiet in [
        // Other digits, another number, another sign, or what is read may be another.
        format!("{tenths} setvar $n = $t - {digit} print $n"),
        "setvar $t = csvstr($this_data, 0, \".\") * 100 setvar $n = $t + substr(csvstr($this_data, 1, \".\"), 0, 2) print $n".to_owned(),
        format!("{tenths} setvar $t = 1 setvar $n = $t + {digit} print $n"),
        format!("{tenths} if $adc then setvar $t = 1 endif setvar $n = $t + {digit} print $n"),
        "setvar $t = csvstr($a, 0, \".\") * 10 setvar $a = 2 setvar $n = $t + substr(csvstr($a, 1, \".\"), 0, 1) print $n".to_owned(),
        "setvar $n = (csvstr($adc, 0, \".\") * 10) + substr(csvstr($adc, 1, \".\"), 0, 1) print $n".to_owned(),
        "setvar $n = (csvstr($this_data, 0, \",\") * 10) + substr(csvstr($this_data, 1, \",\"), 0, 1) print $n".to_owned(),
    ] {
        assert!(hints(&format!("on topic local a do {quiet}")).is_empty(), "{quiet}");
    }
}
