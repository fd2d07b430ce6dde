//! Fixes: applying one takes its warning away and brings no other.

use super::common::{SerialTable, Table, warnings_with};
use umqtt_lang::lint::ConfigTable;

/// Applies the fix of the first warning that has one.
fn fixed(script: &str, table: &dyn ConfigTable) -> String {
    let found = warnings_with(script.as_bytes(), table);
    let fix = found.iter().find_map(|warning| warning.fix.clone()).expect("a fix");
    let mut out = script.as_bytes().to_vec();
    for edit in fix.edits.iter().rev() {
        out.splice(edit.span.start as usize..edit.span.end as usize, edit.text.iter().copied());
    }
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn fixes_mend() {
    for (script, expected) in [
        ("on init do println 10 - $adc - 2", "on init do println 10 - ($adc - 2)"),
        (
            "on init do println ($adc - 1 - 2 - 3) * 3",
            "on init do println ($adc - (1 - (2 - 3))) * 3",
        ),
        (
            "on init do println $adc | \"a\" | $adc + 1 | \"b\"",
            "on init do println $adc | \"a\" | $adc + (1 | \"b\")",
        ),
        ("config mqtt_hots x", "config mqtt_host x"),
        ("config latitude -52,5", "config latitude -52.5"),
        (
            "on init do if $adc = \"007\" then print 1 endif",
            "on init do if $adc = \"7\" then print 1 endif",
        ),
        (
            "on init do if $weekday = monday then print 1 endif",
            "on init do if $weekday = Mon then print 1 endif",
        ),
        (
            "on init do\n\tprint 1\n\non topic local a/b do print 2",
            "on init do\n\tprint 1\n\tsubscribe local a/b\n\non topic local a/b do print 2",
        ),
        (
            "on topic remote a/b do print 2",
            "on mqttconnect do\n    subscribe remote a/b\n\non topic remote a/b do print 2",
        ),
        (
            "on init do on topic local a do print 2",
            "on init do subscribe local a on topic local a do print 2",
        ),
        ("on init do println **start:|@8", "on init do println \"**start:\"|@8"),
        ("on init do println -", "on init do println \"-\""),
        ("on init do if $adc==-1 then print 1 endif", "on init do if $adc = -1 then print 1 endif"),
        (
            "on init do subscribe local a on topic local a do if $this_data neq (2.5) then print 1 endif",
            "on init do subscribe local a on topic local a do if ($this_data - (2.5)) neq 0 then print 1 endif",
        ),
        (
            "on init do\n\tif $adc then\n\t\tprint 1\n\non serial do print 2",
            "on init do\n\tif $adc then\n\t\tprint 1\n\tendif\n\non serial do print 2",
        ),
        (
            "on init do if $adc then print 1\nelse if gpio_in(1) then print 2\nendif",
            "on init do if $adc then print 1\nelseif gpio_in(1) then print 2\nendif",
        ),
        ("on init do if $adc then print 1", "on init do if $adc then print 1 endif"),
        (
            "on init do if $adc then print 1 endif else print 2 endif",
            "on init do if $adc then print 1 else print 2 endif",
        ),
        (
            "on init do if $adc then endif else print 2 endif",
            "on init do if $adc then else print 2 endif",
        ),
        ("on init do\n\tprint 1\n\tendif\n", "on init do\n\tprint 1\n"),
        (
            "on init do print 1 endif on serial do print 2",
            "on init do print 1 on serial do print 2",
        ),
        ("on init do gpio_out 2 \"on\"", "on init do gpio_out 2 \"1\""),
        ("on init do gpio_out 2 LOW", "on init do gpio_out 2 0"),
        (
            "on init do settimer 1 1.5min on timer 1 do print 1",
            "on init do settimer 1 90000 on timer 1 do print 1",
        ),
        (
            "on init do setalarm 1 7:00 on alarm 1 do print 1",
            "on init do setalarm 1 07:00 on alarm 1 do print 1",
        ),
        ("on init do print $adc % 3", "on init do print $adc mod 3"),
        ("on init do print 1 + $adc%3 + 2", "on init do print 1 + ($adc mod 3) + 2"),
        ("on init do print 50%", "on init do print \"50%\""),
        ("on init do gpio_pwm 4 50%", "on init do gpio_pwm 4 500"),
        ("on init do print 'hi'", "on init do print \"hi\""),
        ("on init do print \u{201e}hi\u{201c}", "on init do print \"hi\""),
        ("on init do publish local a/b one;", "on init do publish local a/b one"),
        ("on init do publish local a/b on;", "on init do publish local a/b \"on\""),
        (
            "on serial do if $this_serial neq a or b then print 1 endif",
            "on serial do if $this_serial neq a and $this_serial neq b then print 1 endif",
        ),
        (
            "on serial do print $this_serial = a or b or c",
            "on serial do print $this_serial = a or $this_serial = b or c",
        ),
    ] {
        if script.contains("b or c") {
            assert_eq!(
                fixed(&fixed(script, &Table), &Table),
                format!("{}$this_serial = c", &expected[..expected.len() - 1])
            );
            continue;
        }
        let result = fixed(script, &Table);
        assert_eq!(result, expected);
        assert_eq!(warnings_with(result.as_bytes(), &Table), [], "{result}");
    }
}

#[test]
fn the_serial_port_is_given_to_the_script() {
    for (script, expected) in [
        (
            "% A gateway\non serial do print 1",
            "% A gateway\nconfig system_output 0\n\non serial do print 1",
        ),
        ("on serial do print 1", "config system_output 0\n\non serial do print 1"),
        (
            "on init do print 1 on serial do print 1",
            "on init do print 1 config system_output 0 on serial do print 1",
        ),
        (
            "on serial do print 1\nconfig system_output 2\n",
            "on serial do print 1\nconfig system_output 0\n",
        ),
    ] {
        let result = fixed(script, &SerialTable);
        assert_eq!(result, expected);
        assert_eq!(warnings_with(result.as_bytes(), &SerialTable), [], "{result}");
    }
}
