//! What people write who know other languages, and what they are told, exactly as they see it.

#[macro_use]
mod common;

use umqtt_lang::advice::advise;
use umqtt_lang::diagnostic::{Diagnostic, Severity};
use umqtt_lang::{EmitOptions, compile};
use umqtt_vm::Profile;

use common::render;

fn errors(source: &str) -> Vec<Diagnostic> {
    let options = EmitOptions::new();
    let mut found =
        compile(source.as_bytes(), &Profile::ESP8266, options).err().unwrap_or_default();
    advise(source.as_bytes(), &mut found);
    found
}

/// What is told about a script.
fn told(source: &str) -> String {
    let found = errors(source);
    assert!(!found.is_empty(), "nothing is told about {source}");
    render(source, &found)
}

/// A script with its fixes applied, over and over.
fn fixed(source: &str) -> String {
    common::fixed(source, 40, errors)
}

snapshots! {
    assignments: "on init do
    $y = 3
    x = 5
    let z = 1
    let $w = $y
    set $q = 3
    $c++
    $c -= $y + 1
    println $y | $x | $z | $w | $q | $c
    @1 = 7
    set mqtt_host 1.2.3.4
";
    else_if: "on serial do
    if $this_serial = \"a\" then
        println 1
    else if $this_serial = \"b\" then
        println 2
    endif
    println 3
";
    elif: "on serial do
    if $this_serial = \"a\" then
        println 1
    elif $this_serial = \"b\" then
        println 2
    end if
    while len($this_serial) > 5 do
        println 3
    end while
    if $this_serial = \"c\" then
        println 4
    end
end
";
    braces: "on serial do {
    if $this_serial = \"a\" then {
        println 1
    }
    while len($this_serial) > 5 {
        println 2
    }
}
";
    comments: "// blinks
# and more
on init do
    println 1 // one
    # println 2
    /* println 3 */
    println 4
";
    quotes: "on init do
    println 'hello world'
    println \u{201c}guten Tag\u{201d} | 'x'
    println \u{201e}gr\u{fc}n und blau\u{201c}
    println 'it''s so
    println \"a\";
";
    missing_do: "on init
    println 1

on topic local a/b
    while $this_data
        println 2
    done
    if $this_data
        println 3
    endif
";
    not_without_brackets: "on serial do
    if not $this_serial then println 1 endif
    if not $this_serial = 5 then println 2 endif
    println upper \"a\"
";
    events: "on clock 07:00 do
    println 1

on every 10s do
    println 2

on start do
    println 3

on button 4 do
    println 4

on frobnication do
    println 5
";
    actions: "on init do
    delay 100
    for i = 1 to 10
    printf \"hello\"
    digitalWrite 4 1
    frobnicate 5
    return
";
    functions: "on init do
    println sqrt(4)
    println substring(\"abc\", 1, 2)
    println \"a\" sqrt(4)
    println \"a\" len($weekday) \"b\" $adc
    setvar $x = 1 $adc
    println $x
";
    outside: "def blink()
    println 1
setup
when timer 1 do println 2
";
    percent: "on init do
    if $adc % 2 = 0 then
        println 1
    endif
    prinln 3
";
    variables_beside_errors: "on init do
    setvar $counter = 1
    println $conter
    prinln $counter
    setvra $other = 2
    println $other | $this_is_not_set
";
    event_variables: "on topic local a do
    println $thisdata | $this_dat | $this_topc | $data | $payload | $message | $topic | $this_foo
    println $this_seral | $weekdy | $time | $other

on serial do
    println $line | $this_serail

on http_response do
    println $this_http_bdy | $status | $this_code

on gpio_interrupt 4 pullup do
    println $level | $this_gipo

on init do
    println $this_dta
";
    stuck_numbers: "on timer1 do
    settimer1 1000
    gpio_out12 1
    setalarm_2 07:00
    gpio_pwm4 10
    gpio_pinmode5 output

on alarm2 do
    println 1

on gpio_interrupt0 pullup do
    println 2
";
    bare_filter_subscribed: "on init do
    subscribe local temp/+
    println 1
    println 2
";
    bare_filter_handled: "on topic local temp/+ do
    println 1

on topic remote +/temp do
    println 2
";
    brokers_left_out: "on init do
    publish \"a/b\" 1
    publish(local, a/b, 1)
    subscribe a/b
    unsubscribe \"a/b\"

on topic relay/command do
    println 1
";
    pins: "on init do
    gpio_pinmode 12 out
    gpio_out D1 1
    println gpio_in(GPIO4)

on gpio_interrupt 0 do
    println 2
";
    pin_names: "on init do
    gpio_out D1 1
    println gpio_in(GPIO4)
    gpio_pwm TX 5
    gpio_out led 1
";
    missing_data: "on init do
    publish local a/b
    println 1
    println 2
";
    negative_data: "on init do
    publish local a/b -5
    println 1
    http_post a/b -1
";
    setting_behind_config: "config mqtt_host 1.2.3.4
set broker_user x
on init do println 1
";
    action_behind_config: "config mqtt_host 1.2.3.4
println 1
";
    setting_outside: "set broker_user x
";
    missing_quote: "on init do
    println \"a b
    println \"c\"
    println \"d\"
";
    missing_done: "on init do
    while $adc > 5 do
        println 1

on timer 1 do
    while $adc > 5 do
        println 2
";
    several_lines: "on init do
    frobnicate 1
    println 2 3
    setvar $x 4
    gpio_out led 1

on timer 1 do
    blink
    println $x + 
    settimer 1 1000
";
}

/// What is sure is mended until nothing is wrong.
#[test]
fn fixes_mend() {
    for (wrong, right) in [
        ("$y = 3\n", "setvar $y = 3\n"),
        ("x = 5\n", "setvar $x = 5\n"),
        ("let x = 5\n", "setvar $x = 5\n"),
        ("set $q = 3\n", "setvar $q = 3\n"),
        ("$c++\n", "setvar $c = $c + 1\n"),
        ("$c += 2\n", "setvar $c = $c + 2\n"),
        (
            "if $adc then println 1 elif 0 then println 2 endif\n",
            "if $adc then println 1 elseif 0 then println 2 endif\n",
        ),
        ("if $adc then\nprintln 1\nend if\n", "if $adc then\nprintln 1\nendif\n"),
        ("while $adc do\nprintln 1\nend\n", "while $adc do\nprintln 1\ndone\n"),
        ("if $adc then {\nprintln 1\n}\n", "if $adc then\nprintln 1\nendif\n"),
        ("println 1 // one\n", "println 1 % one\n"),
        ("# println 1\n", "%  println 1\n"),
        ("println 'hello world'\n", "println \"hello world\"\n"),
        ("println \u{201c}hello world\u{201d}\n", "println \"hello world\"\n"),
        ("println \"a\";\n", "println \"a\"\n"),
        ("if $adc\nprintln 1\nendif\n", "if $adc then\nprintln 1\nendif\n"),
        ("if not $adc then println 1 endif\n", "if not($adc) then println 1 endif\n"),
        ("printf \"a\"\n", "println \"a\"\n"),
        (
            "if $adc then println 1\nelse if 0 then println 2\nendif\nprintln 3\n",
            "if $adc then println 1\nelseif 0 then println 2\nendif\nprintln 3\n",
        ),
        ("println 1\nend\n", "println 1\n\n"),
    ] {
        let mended = fixed(&format!("on init do\n{wrong}"));
        assert_eq!(mended, format!("on init do\n{}", right.replace("%  p", "% p")), "{wrong}");
        assert_eq!(errors(&mended), [], "{wrong}");
    }
    assert_eq!(fixed("on init\n  println 1\n"), "on init do\n  println 1\n");
    assert_eq!(fixed("on boot do println 1"), "on init do println 1");
    for (wrong, right) in [
        ("on timer1 do println 1", "on timer 1 do println 1"),
        ("on topic a do println $thisdata", "on topic local a do println $this_data"),
        ("on topic remote a/+ do println 1", "on topic remote \"a/+\" do println 1"),
        ("on topic +/b do println 1", "on topic local \"+/b\" do println 1"),
        ("set mqtt_host a", "config mqtt_host a"),
        ("config speed 80\nset mqtt_host a", "config speed 80\nconfig mqtt_host a"),
        ("on init do settimer1 5\ngpio_out12 1", "on init do settimer 1 5\ngpio_out 12 1"),
        (
            "on init do\nsubscribe local a/+\nprintln 1",
            "on init do\nsubscribe local \"a/+\"\nprintln 1",
        ),
        ("on init do\ngpio_pinmode 12 out", "on init do\ngpio_pinmode 12 output"),
    ] {
        assert_eq!(fixed(wrong), right);
        assert_eq!(errors(right), []);
    }
}

#[test]
fn sound_scripts_are_not_looked_at() {
    for script in ["", "on init do println 1", "on init do settimer 99 1"] {
        let found = errors(script);
        assert!(found.iter().all(|told| told.severity() == Severity::Error));
        assert!(found.len() <= 1);
    }
}

/// The longest scripts there can be, made of what is looked at; the test is that it ends, and in
/// few words.
#[test]
fn large_scripts_end() {
    for piece in [
        "x = 5 ",
        "x = 5\n",
        "' ",
        "'a b\n",
        "$x ",
        "println $x % 3\n",
        "println 1 % 3 ",
        "} ",
        "end\n",
        "if ",
        "else if\n",
        "not $x ",
        "// a\n",
        "# ",
        "\"a\" $x ",
        "foo(",
        "elif ",
        "on clock\n",
        "$a++\n",
        "\u{201c}",
        "subscribe local a/+ ",
        "subscribe local a/+/",
        "+/",
        "println $this_dat\n",
        "publish local a\n",
        "on topic a do\n",
        "on timer1\n",
        "gpio_out 1, 2, ",
        "println(1, ",
        "setvar $c++\n",
        "{ } else ",
        "if 1 { ",
        "println f\"{$x}\" ",
        "$adc.$adc ",
        "\"a\" . ",
        "publish local a {\"t\":1}\n",
        "publish local a b true ",
        "digitalWrite(1, ",
        "config a b c ",
        "! $x ",
        "1 and < ",
    ] {
        for before in ["", "on init do ", "on init do println ", "on init do\nif 1 then\n"] {
            let size = Profile::ESP8266.source - before.len();
            let source = format!("{before}{}", piece.repeat(size / piece.len()));
            let found = errors(&source);
            assert!(found.len() <= 2 * umqtt_lang::parse::MAX_DIAGNOSTICS, "{piece}");
        }
    }
}

mod random {
    use proptest::prelude::*;

    use super::*;

    const PIECES: &[&str] = &[
        "on init do",
        "on",
        "\n",
        "\n",
        " ",
        "$x",
        "=",
        "x",
        "let",
        "set",
        "++",
        "-",
        "else",
        "if",
        "then",
        "endif",
        "end",
        "{",
        "}",
        "//",
        "#",
        "'",
        "\u{201c}",
        "\u{201d}",
        "\"",
        "%",
        "3",
        ";",
        "not",
        "(",
        ")",
        "println",
        "delay",
        "while",
        "do",
        "done",
        "\u{fc}",
        "\u{1f4a1}",
        "clock",
        ",",
        "|",
        "\\",
        "elif",
        "/*",
        "subscribe",
        "topic",
        "local",
        "temp/+",
        "+/x",
        "$this_dat",
        "timer1",
        "publish",
        "config",
        "set",
        "D1",
        "gpio_out",
        "setvar",
        "f",
        ".",
        "&",
        "`",
        "'",
        "${x}",
        "$x.$x",
        "$x.len",
        "$x/",
        "!",
        "and",
        "<",
        "publish local",
        "{\"t\":$x}",
        "true",
        "digitalWrite",
        "Serial.print",
        "random",
        ":",
        "seconds",
    ];

    const MISTAKES: &[&str] = &[
        "$y = 3",
        "x = 5",
        "let z = 1",
        "set $q = 3",
        "$c++",
        "$c -= $y",
        "printf \"a\"",
        "println 'a b'",
        "println \"a\";",
        "// why",
        "# why",
        "println 1 // one",
        "println 1",
        "if $y\nprintln 2\nendif",
        "if not $y then println 3 endif",
        "if $y then\nprintln 4\nend if",
        "if $y then {\nprintln 5\n}",
        "while $y do\nprintln 6\nend while",
        "if $y then\nprintln 7\nelif $x then\nprintln 8\nendif",
        "setvar $k 7",
        "println $k",
        "println \"a\" $y \"b\"",
        "if $y == 1 then println 9 endif",
        "println $z || $y",
        "settimer1 1000",
        "gpio_out12 $y",
        "subscribe a/b",
        "publish \"a/b\" 1",
        "gpio_out 12, $y",
        "gpio_out(12, $y);",
        "println \"a\", $y",
        "setvar $c++",
        "setvar $c += $y",
        "println \"a\" . $y",
        "println f\"{$y}\"",
        "publish local a/b \"x\" true",
        "publish local a/b {\"t\":$y}",
        "digitalWrite(12, HIGH);",
        "client.publish(\"a\", $y)",
        "if $y = 1 {\nprintln 10\n} else {\nprintln 11\n}",
        "if $y = 1: println 12 endif",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        /// Mistakes of which each can be mended can be mended together, and each line is told of in
        /// its place.
        #[test]
        fn mistakes_are_mended_together(lines in prop::collection::vec(prop::sample::select(MISTAKES), 1..8)) {
            let sets = "setvar $y = 1\nsetvar $x = 1\nsetvar $z = 1\nsetvar $c = 1\nsetvar $k = 1\n";
            let source = format!("on init do\n{sets}{}\n", lines.join("\n"));
            let mended = fixed(&source);
            prop_assert_eq!(errors(&mended), [], "{}\n{}", source, mended);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever is looked at: spans fit, on character boundaries where there are any, and edits
        /// are in order.
        #[test]
        fn advice_fits_the_source(
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40),
            glue in prop::sample::select(&[" ", ""][..]),
        ) {
            let source = pieces.join(glue);
            for told in errors(&source) {
                prop_assert!(told.span.start <= told.span.end && told.span.end as usize <= source.len());
                for edits in told.fix.iter().map(|fix| &fix.edits) {
                    prop_assert!(edits.is_sorted_by(|a, b| a.span.end <= b.span.start));
                    for edit in edits {
                        prop_assert!(edit.span.start <= edit.span.end && edit.span.end as usize <= source.len());
                        prop_assert!(source.is_char_boundary(edit.span.start as usize));
                        prop_assert!(source.is_char_boundary(edit.span.end as usize));
                    }
                }
            }
        }
    }
}
