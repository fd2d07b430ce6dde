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

use common::codes;

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
fn w0004_no_subscription() {
    expect(&[
        ("on topic local a/b do print 1", &["W0004"]),
        ("on init do subscribe local a/c on topic local \"a/+\" do print 1", &[]),
        ("on init do subscribe local \"$share/g/a/c\" on topic local a/c do print 1", &[]),
        (
            "on init do subscribe local \"#\" on topic local \"$SYS/x\" do print 1",
            &["W0005", "W0004"],
        ),
        ("on init do subscribe local $weekday on topic local a do print 1", &[]),
        ("on init do setvar $t = a subscribe local $t | \"/b\" on topic local a/b do print 1", &[]),
        ("on mqttconnect do subscribe remote a on topic local a do print 1", &["W0005", "W0004"]),
        ("on mqttconnect do subscribe remote a on topic remote a do print 1", &[]),
    ]);
}

#[test]
fn w0005_no_handler() {
    expect(&[
        ("on init do subscribe local a", &["W0005"]),
        ("on init do subscribe local \"a/#\" on topic local a do print 1", &[]),
        ("on init do subscribe local a on topic local $weekday do print 1", &[]),
        ("on init do subscribe local a unsubscribe local b on topic local \"+\" do print 1", &[]),
    ]);
}

#[test]
fn w0006_timer_never_armed() {
    expect(&[
        ("on timer 1 do print 1", &["W0006"]),
        ("on alarm 2 do print 1", &["W0006"]),
        ("on init do settimer 1 0 on timer 1 do print 1", &["W0006"]),
        ("on init do settimer 1 10 on timer 1 do print 1", &[]),
        ("on init do setalarm 1 \"07:00\" on alarm 1 do print 1", &[]),
        ("on timer 1 do settimer 1 10", &["W0006"]),
        ("on timer 1 do settimer 2 10 on timer 2 do settimer 1 10", &["W0006", "W0006"]),
        ("on init do settimer 1 5 on timer 1 do settimer 2 10 on timer 2 do settimer 1 10", &[]),
        ("on alarm 1 do setalarm 1 08:00", &["W0006"]),
        ("on gpio_interrupt 4 pullup do settimer 1 50 on timer 1 do settimer 1 10", &[]),
    ]);
}

#[test]
fn w0007_timer_without_handler() {
    expect(&[
        ("on init do settimer 1 10 settimer 1 20", &["W0007"]),
        ("on init do setalarm 1 07:00", &["W0007"]),
        ("on init do settimer 1 0", &[]),
        ("on init do settimer 1 10 setalarm 1 07:00 on timer 1 do print 1", &["W0007"]),
    ]);
}

#[test]
fn w0008_feedback() {
    let subscribed = |script: &str| {
        format!(
            "on init do subscribe local \"#\" on mqttconnect do subscribe remote \"#\" {script}"
        )
    };
    for (handlers, expected) in [
        ("on topic local a do publish local a 1", 1),
        ("on topic local \"a/#\" do publish local a/b $this_data", 1),
        ("on topic local \"#\" do publish local log/ | $this_topic $this_data", 1),
        ("on topic local \"log/+\" do publish local log/ | $this_topic $this_data", 0),
        ("on topic local a do publish local b 1 on topic local b do publish local a 1", 1),
        (
            "on topic local a do publish local b 1 on topic local b do publish local c 1
             on topic local c do publish local a 1 publish local d 1 on topic local d do print 1",
            1,
        ),
        (
            "on topic local \"#\" do publish remote $this_topic $this_data
             on topic remote \"#\" do publish local $this_topic $this_data",
            1,
        ),
        (
            "on topic local \"cmnd/#\" do publish remote $this_topic $this_data
             on topic remote \"stat/#\" do publish local $this_topic $this_data",
            0,
        ),
        ("on topic local a do publish remote a 1", 0),
        ("on topic local a do publish local b 1 on topic local b do print 1", 0),
        ("on topic local a do if $this_data = 1 then publish local a 1 endif", 1),
        ("on topic local a do if $this_data = toggle then publish local a off endif", 0),
        ("on topic local a do if $this_data = x then print 1 else publish local a y endif", 1),
        ("on topic local a do if $this_data = x then print 1 else publish local a x endif", 0),
        (
            "on topic local \"#\" do if $this_topic = \"a\" then publish local b 1 elseif $this_topic = \"b\" then
             publish local a 1 endif",
            1,
        ),
        ("on topic local a do if $this_data > 5 then publish local a $this_data endif", 1),
        ("on topic local a do if $this_data > 5 then publish local a $this_data - 1 endif", 0),
        (
            "on topic local \"#\" do if not ($sent = $this_topic) then publish remote $this_topic $this_data
             else setvar $sent = \"\" endif
             on topic remote \"#\" do setvar $sent = $this_topic publish local $this_topic $this_data",
            0,
        ),
        (
            "on topic local a do if $last neq $this_data then setvar $last = $this_data
             publish local a $this_data endif",
            0,
        ),
        ("on topic local a do if gpio_in(1) then publish local a 1 endif", 0),
        ("on topic local $weekday do publish local $weekday 1", 0),
    ] {
        let script = subscribed(handlers);
        let found = codes(&script).iter().filter(|code| **code == "W0008").count();
        assert_eq!(found, expected, "\n{script}");
    }
    // Without a subscription no message comes back.
    expect(&[("on topic local a do publish local a 1", &["W0004"])]);
}

#[test]
fn w0009_flash_wear() {
    let every = |ms: &str, actions: &str| {
        format!(
            "on init do setvar $ms = {ms} settimer 1 $ms on timer 1 do {actions} settimer 1 $ms"
        )
    };
    let second = |actions: &str| codes(&every("1000", actions));
    for hot in [
        "setvar @1 = @1 + 1",
        "if @1 > 0 then setvar @1 = @1 - 1 endif",
        "setvar @1 = $timestamp",
        "setvar @1 = not(@1)",
        "if @1 then setvar @1 = 0 else setvar @1 = 1 endif",
        "if @1 neq $adc then setvar @1 = $adc endif",
        "setvar $n = $n + 1 setvar @1 = \"n: \" | $n",
        "setvar @1 = 1 gpio_out 4 1 setvar @1 = 0",
    ] {
        assert!(second(hot).contains(&"W0009"), "{hot}");
    }
    for harmless in [
        "setvar @1 = 1",
        "if gpio_in(4) then setvar @1 = 1 else setvar @1 = 0 endif",
        "if $adc > 5 then setvar @1 = $adc endif",
        "setvar $n = $n + 1 if ($n mod 60) = 0 then setvar @1 = $n endif",
        "setvar @1 = gpio_in(4)",
        "setvar @1 = @2",
    ] {
        assert_eq!(second(harmless), [""; 0], "{harmless}");
    }
    // Ten seconds and a number: the flash lasts for fifty years.
    assert_eq!(codes(&every("10000", "setvar @1 = @1 + 1")), [""; 0]);
    assert_eq!(codes(&every("5000", "while @1 lt 9 do setvar @1 = @1 + 1 done")), ["W0009"]);
    let topic = |actions: &str| {
        codes(&format!("on init do subscribe local a on topic local a do {actions}"))
    };
    assert_eq!(topic("setvar @2 = $this_data"), ["W0009"]);
    assert_eq!(topic("setvar @2 = @2 + 1"), ["W0009"]);
    assert_eq!(topic("if @2 neq $this_data then setvar @2 = $this_data endif"), [""; 0]);
    assert_eq!(topic("if $this_data > 20 then setvar @2 = $this_data endif"), [""; 0]);
    assert_eq!(topic("setvar @2 = 1"), [""; 0]);
    assert_eq!(
        topic("if $this_data = \"on\" then setvar @2 = 1 else setvar @2 = 0 endif"),
        [""; 0]
    );
    expect(&[
        ("on init do setvar @1 = @1 + 1", &[]),
        ("on init do settimer 1 9 on timer 1 do setvar @1 = @1 + 1", &[]),
        ("on init do while @1 lt 9 do setvar @1 = @1 + 1 done", &[]),
        ("on gpio_interrupt 1 pullup do setvar @1 = @1 + 1", &[]),
        // Two timers in turn.
        (
            "on init do settimer 1 9 on timer 1 do settimer 2 500 on timer 2 do setvar @1 = @1 + 1 settimer 1 500",
            &["W0009"],
        ),
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
        ("on init do setvar $t = \"a/+\" publish remote $t 1", &["W0017"]),
        ("on init do unsubscribe local \"a/#/b\"", &["W0017"]),
        ("on init do subscribe local \"a+\"", &["W0017"]),
        ("on init do subscribe local a/+/b on topic local a/c/b do print 1", &["W0017"]),
        ("on init do print retained_topic(\"a#\")", &["W0017"]),
        ("on init do print retained_topic(\"a/#\") publish local a/b 1", &[]),
        ("on init do publish local #610d 1", &["W0017"]),
        ("on init do publish local #61efbfbf 1", &["W0017"]),
        ("on init do publish local #610062 1", &["W0017"]),
        ("on init do publish local a | #0a | $weekday 1", &["W0017"]),
        ("on init do unsubscribe remote #61c280", &["W0017"]),
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
        "print 21.5 > 21.2",
        "print $adc > 21.5",
        "print $adc * (1.5)",
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
    let statements = umqtt_lang::parse(script, &umqtt_vm::Profile::ESP32).0;
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
