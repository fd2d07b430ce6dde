//! What users read: source and message, as they are.

use super::common::{SerialTable, Table, warnings_with};
use umqtt_lang::diagnostic::position;
use umqtt_lang::lint::ConfigTable;

/// A script and its warnings with everything they hold.
fn told(script: &str, table: &dyn ConfigTable) -> String {
    let mut out = format!("{script}\n----\n");
    let at = |offset: u32| {
        let (line, column) = position(script.as_bytes(), offset as usize);
        format!("{line}:{column}")
    };
    for warning in warnings_with(script.as_bytes(), table) {
        let span = warning.span;
        out +=
            &format!("{} {}-{}: {}\n", warning.code, at(span.start), at(span.end), warning.message);
        for (span, words) in &warning.related {
            out += &format!("  {}-{}: {words}\n", at(span.start), at(span.end));
        }
        if let Some(help) = &warning.help {
            out += &format!("  help: {help}\n");
        }
        if let Some(fix) = &warning.fix {
            out += &format!("  fix: {}\n", fix.title);
            for edit in &fix.edits {
                let text = String::from_utf8_lossy(&edit.text);
                out += &format!("    {}-{} {text:?}\n", at(edit.span.start), at(edit.span.end));
            }
        }
    }
    out
}

#[test]
fn messages() {
    for (name, script) in [
        ("no_place", "on init do\n    println $sunset\n\non clock sunset -30m do\n    println 1"),
        ("short_period", "on every 5ms do\n    println 1"),
        ("grouping", "on init do println 100 - $adc - 20 | \" percent\""),
        ("never_read", "on init do\n    setvar $blink = 0\n    setvar $blink = 1"),
        ("read_before_set", "on init do\n    println $delay\n    setvar $delay = 5"),
        (
            "crossed_brokers",
            "on init do\n    subscribe local \"stat/+\"\n\non topic remote stat/a do\n    println $this_data",
        ),
        (
            "misspelt_topic",
            "on init do\n    subscribe local stat/kitchn\n\non topic local stat/kitchen do\n    println 1",
        ),
        ("no_subscription", "on topic local stat/a do\n    println $this_data"),
        (
            "timers",
            "on init do\n    settimer 1 0\n    setalarm 2 07:00\n\non timer 1 do\n    println 1",
        ),
        (
            "feedback",
            "on init do\n    subscribe local a/#\n\non mqttconnect do\n    subscribe remote \"#\"\n\n\
             on topic local a/# do\n    publish remote $this_topic $this_data\n\n\
             on topic remote a/b do\n    publish local $this_topic $this_data",
        ),
        (
            "never_equal",
            "on init do\n    if $weekday = \"Sunday\" then println 1 endif\n    if 1 + gpio_in(4) neq running then println 2 endif",
        ),
        (
            "loops",
            "on init do\n    setvar $i = 3\n    while $i do println 1 done\n    while 1 do println 2 done",
        ),
        (
            "conditions",
            "on serial do\n    if $this_serial = start or stop then println 1 endif\n    if on1 then println 2 endif",
        ),
        (
            "timers_in_circles",
            "on timer 1 do\n    settimer 1 1000\n\non timer 2 do\n    settimer 3 5\n\non timer 3 do\n    settimer 2 5",
        ),
        (
            "flash_in_a_timer",
            "on init do\n    settimer 1 1000\n\non timer 1 do\n    if @1 > 0 then setvar @1 = @1 - 1 endif\n    \
             setvar @2 = $timestamp | \" now\"\n    setvar @3 = 1\n    settimer 1 1000",
        ),
        (
            "flash_with_messages",
            "on init do\n    subscribe local a\n\non topic local a do\n    setvar @1 = $this_data\n    \
             if $this_data > 5 then setvar @2 = $this_data endif",
        ),
        (
            "operators_as_texts",
            "on init do\n    println **start:|@8\n    if $adc == - 1 then println - endif\n    println or",
        ),
        (
            "endifs",
            "on init do\n    if $adc > 5 then\n        println 1\n\non mqttconnect do\n    if $adc then println 1\n\n\
             on serial do\n    println 1\n    endif\n",
        ),
        (
            "misread_values",
            "on init do\n    gpio_out 2 high\n    gpio_out 2 \"on\"\n    gpio_out 2 true\n    gpio_out 2 hot\n    \
             settimer 1 10s\n    settimer 1 1.5\n    settimer 1 soon\n    setalarm 1 7:00\n    setalarm 1 25:00\n    \
             setalarm 1 noon\n    gpio_pwm 4 2000\n    gpio_pwm 4 half\n    println $adc div 2.5\n    println $adc mod 2.5\n    println \"adc: \" + $adc\n\non timer 1 do\n    \
             println 1\n\non alarm 1 do\n    println 1",
        ),
        (
            "decimals",
            "on init do\n    subscribe local a\n\non topic local a do\n    if $this_data = 21.5 then\n        println 1\n    \
             elseif 1.5 neq $this_data | \"0\" then\n        println 2\n    elseif round($this_data, 1) = 1.50 then\n        \
             println divide($adc, 0.0, 1)\n    endif",
        ),
        (
            "comments",
            "on init do\n    println $adc % 3\n    println 1 + $adc%10 + 2\n    println 50%\n    gpio_pwm 4 50%",
        ),
        (
            "punctuation",
            "on serial do\n    println 'hi'\n    println \u{201e}gr\u{fc}n\u{201c}\n    setvar $x = 1;\n    publish local a/b on;\n    \
             println $x | 'it",
        ),
        ("flash_pins", "on init do\n    gpio_out 6 1\n    println gpio_in(11)"),
        (
            "one_of_several",
            "on serial do\n    if $this_serial neq \"a\" or \"b\" then println 1 endif\n    \
             gpio_out 4 $this_serial = a or b",
        ),
        ("encryption", "config mqtt_ssl 1"),
        ("config", "config mqtt_prot 1883\nconfig volume 11\nconfig speed 100"),
        ("division", "on init do\n    println $adc div \"\"\n    println $adc mod 3 * 0"),
        ("pins", "on init do\n    gpio_pinmode 4 input pullup\n    gpio_pwm 4 500"),
        (
            "names",
            "on init do\n    setvar $living_room_lamp = 1\n    setvar $living_room_lamps = 2\n    \
             println $living_room_lamp | $living_room_lamps",
        ),
        (
            "topics",
            "on init do\n    setvar $t = \"a/#\"\n    publish local $t 1\n    publish local \"\" 1\n    publish local \"+/\" | $adc 1\n    \
             unsubscribe local a#\n    subscribe local stat/+/a",
        ),
        (
            "urls",
            "on init do\n    setvar $u = \"https://a/\"\n    http_get $u\n    http_get \"http://a/x y?v=\" | $adc\n    \
             http_post \"me:pw@a/\", x\n    http_get \"http://me:pw@a/\"",
        ),
        (
            "characters",
            "on init do\n    publish local \"a\u{7}b\" 1\n    publish local a | #0d | $adc 1",
        ),
    ] {
        insta::assert_snapshot!(name, told(script, &Table));
    }
    for (name, script) in [
        ("serial_console", "% A gateway\n\non serial do\n    println $this_serial"),
        ("serial_console_set", "config system_output 2\n\non serial do\n    println $this_serial"),
        ("empty", ""),
        ("comments_only", "% on init do\n%   println 1"),
    ] {
        insta::assert_snapshot!(name, told(script, &SerialTable));
    }
}
