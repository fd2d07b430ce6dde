//! Every operation of a script at its worst, in a loop that only the end of the fuel ends: for the
//! tests in `fuel.rs` and for the bench that counts their instructions, `cargo bench -p
//! umqtt-device --bench fuel`.

use umqtt_mqtt::QoS;

use crate::world::{World, connect_packet, publish_packet};

/// Retained topics.
pub(crate) const RETAINED: usize = 20_000;
/// Clients that subscribe to `many`.
const SUBSCRIBERS: usize = 300;
/// Subscriptions of the script, of which one is looked for among the others.
const OWN: usize = 2_000;

/// Texts of the greatest length: `a` and another like it, one that differs at its end and half of
/// that, digits, blanks; JSON of escapes, of nested arrays, and of many members; a path of many
/// steps, and a topic and a filter of many levels. `$y` and `$z` are decimals, which the compiler
/// would make texts of if it knew them.
const TEXTS: &str = r##"
    setvar $a = "aaaaaaaa" setvar $d = "11111111" setvar $w = "        " setvar $e = #5c75303034315c7530303431
    setvar $n = "[[[[[[[[" setvar $m = #2261223a312c setvar $p = "a.a.a.a." setvar $l = "a/a/a/a/" setvar $c = ",,,,,,,,"
    while len($a) lt 4096 do
        setvar $a = $a | $a setvar $d = $d | $d setvar $w = $w | $w setvar $e = $e | $e setvar $n = $n | $n
        setvar $m = $m | $m setvar $p = $p | $p setvar $l = $l | $l setvar $c = $c | $c
    done
    setvar $b = substr($a, 0, 4095) | "b" setvar $s = substr($a, 0, 2047) | "b" setvar $a2 = $a
    setvar $e = #22 | substr($e, 0, 4086) | #22 setvar $m = "{" | substr($m, 0, 4086) | #227a223a307d
    setvar $l = substr($l, 0, 250) | "x" setvar $t = substr($a, 0, 4000) setvar $k = substr($a, 0, 63)
    setvar $one = 1
    setvar $y = $one * 1234567.25 setvar $z = $one * -9876.54321 setvar $q = "0." | substr($d, 0, 4000)"##;

/// A case: what it is called, and the statements in the loop; `$i` counts its rounds.
pub(crate) const CASES: &[(&str, &str)] = &[
    ("nothing", ""),
    ("count", "setvar $x = $i + 1 setvar $x = $i - 1 setvar $x = $i * 3"),
    ("copy", "setvar $x = $a setvar $x = $b"),
    ("=", "if $a = $a2 then setvar $x = 1 endif setvar $x = $a = $a2"),
    ("neq", "if $a neq $b then setvar $x = 1 endif setvar $x = $a neq $b"),
    (">", "if $d > $w then setvar $x = 1 endif setvar $x = $w > $d"),
    ("gte", "if $d gte $w then setvar $x = 1 endif setvar $x = $w gte $d"),
    ("lt", "if $d lt $w then setvar $x = 1 endif setvar $x = $w lt $d"),
    ("lte", "if $d lte $w then setvar $x = 1 endif setvar $x = $w lte $d"),
    ("+ - *", "setvar $x = $d + $d setvar $x = $w - $d setvar $x = $d * $w"),
    ("decimals", "setvar $x = $y + 0.000000001 setvar $x = $z - 99999999.5 setvar $x = $z * $z"),
    ("decimals of texts", "setvar $x = \"12345678.9\" + $q setvar $x = $q > $q"),
    ("divide", "setvar $x = divide(0.000000001, $z, 9) setvar $x = divide($y, 0.000000007, 9)"),
    ("round fixed", "setvar $x = round($z, 1) setvar $x = fixed($z, 9) setvar $x = int($q)"),
    ("abs min max", "setvar $x = abs($q) setvar $x = min($q, $z) setvar $x = max($q, $z)"),
    ("div mod", "setvar $x = $d div $d setvar $x = $d mod $w"),
    ("and or not", "setvar $x = $d and $d setvar $x = $w or $w setvar $x = not($w)"),
    ("if text", "if $w then setvar $x = 1 endif if not($d) then setvar $x = 1 endif"),
    ("str_gt", "setvar $x = $a str_gt $b setvar $x = $b str_gte $a"),
    ("|", "setvar $x = $a | \"x\" setvar $x = $s | $i | $s"),
    ("substr", "setvar $x = substr($a, 1, 4000)"),
    ("csvstr", "setvar $x = csvstr($c, 5000, \",\")"),
    ("csvstr of nothing", "setvar $x = csvstr($a, 1, \"b\")"),
    ("find", "setvar $x = find($a, $s)"),
    ("find of a few", "setvar $x = find($a, \"ab\")"),
    ("find at the end", "setvar $x = find($a, $b)"),
    ("len", "setvar $x = len($a)"),
    ("lower", "setvar $x = lower($a)"),
    ("upper", "setvar $x = upper($a)"),
    ("eatwhite", "setvar $x = eatwhite($w)"),
    ("byte_val", "setvar $x = byte_val($a, 4000)"),
    ("binary", "setvar $x = binary($d)"),
    ("random", "setvar $x = random($d)"),
    ("json_parse of escapes", "setvar $x = json_parse(\"\", $e)"),
    ("json_parse of arrays", "setvar $x = json_parse(\"a\", $n)"),
    ("json_parse of members", "setvar $x = json_parse(\"z\", $m)"),
    ("json_parse of a path", "setvar $x = json_parse($p, $m)"),
    ("json of a text", "setvar $x = json(\"a\", $s)"),
    ("json of what is cut", "setvar $x = json(\"a\", $w, \"b\", $e)"),
    ("json of arrays", "setvar $x = json_array(1, $n, 2, 3, 4)"),
    ("json of members", "setvar $x = json(\"a\", $m, \"b\", 1)"),
    (
        "json_array of many",
        "setvar $x = json_array(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, $i)",
    ),
    ("json_len", "setvar $x = json_len(\"\", $m)"),
    ("json_len of a path", "setvar $x = json_len($p, $m)"),
    ("changed", "setvar $x = changed($a) setvar $x = changed($i | $k)"),
    ("call", "call outer call inner"),
    ("retained_topic of none", "setvar $x = retained_topic(\"+/+/zz\")"),
    ("retained_topic", "setvar $x = retained_topic(\"long\")"),
    ("retained_topic by name", "setvar $x = retained_topic(\"r/77\")"),
    ("gpio_in adc", "setvar $x = gpio_in(4) setvar $x = $adc"),
    ("$sunrise", "setvar $x = $sunrise"),
    ("$sunset", "setvar $x = $sunset"),
    ("$date $unixtime $uptime", "setvar $x = $date setvar $x = $unixtime setvar $x = $uptime"),
    ("between", "setvar $x = between($w, \"24:00\")"),
    ("$timestamp $weekday", "setvar $x = $timestamp setvar $x = $weekday"),
    ("publish local", "publish local \"none\" \"x\""),
    ("publish local of 4 KB", "publish local $l $a"),
    ("publish local to a topic of 4 KB", "publish local $t \"x\""),
    ("publish local retained", "publish local \"kept\" $i retained"),
    ("publish local retained anew", "publish local \"new/\" | $i \"x\" retained"),
    ("publish local to many", "publish local \"many\" $i"),
    ("publish local to itself", "publish local \"own\" $a"),
    ("publish local to a bad topic", "publish local $a | \"#\" \"x\""),
    ("publish remote", "publish remote $t $a publish remote \"x\" \"y\" retained"),
    ("subscribe local", "subscribe local \"sub/\" | $i"),
    ("subscribe local again", "subscribe local $l unsubscribe local $l"),
    ("subscribe local to all", "subscribe local \"+/+/zz\" unsubscribe local \"+/+/zz\""),
    ("subscribe local too long", "subscribe local $t | \"/#\""),
    ("subscribe remote", "subscribe remote $l unsubscribe remote $l"),
    ("settimer", "settimer 1 $d settimer 2 1000"),
    ("setalarm", "setalarm 1 $w"),
    ("gpio_out", "gpio_out 4 $i"),
    ("gpio_pwm", "gpio_pwm 4 $i"),
    ("gpio_pinmode", "gpio_pinmode 4 output"),
    ("print", "print $a"),
    ("print of nothing", "println \"\""),
    ("serial_out", "serial_out $a"),
    ("system", "system \"show mqtt\""),
    ("http_get", "http_get \"http://127.0.0.1/\" | $i"),
    ("http_post", "http_post \"http://127.0.0.1/\", $a"),
    ("setvar @", "setvar @1 = $i setvar @2 = $k"),
    ("@", "setvar $x = @1"),
];

/// A world in which scripts have much to look at, with this script in it, and this fuel for an
/// event.
pub(crate) fn world(statements: &str, fuel: u32) -> World {
    let mut world = World::with_fuel(fuel);
    let broker = world.broker();
    let looks = ["retained", "subscribe"].iter().any(|word| statements.contains(word));
    for n in 0..if looks { RETAINED } else { 100 } {
        broker.retain(format!("r/{n}").as_bytes(), b"x", QoS::AtMostOnce).unwrap();
    }
    broker.retain(b"long", &[b'x'; 4096], QoS::AtMostOnce).unwrap();
    if statements.contains("many") {
        for n in 0..SUBSCRIBERS {
            world.client(&format!("c{n}"), "many");
        }
    }
    world.install(&script(statements));
    let client = world.connect(1883);
    world.send(client, connect_packet("starter"));
    world.send_quietly(client, publish_packet("go", ""));
    world
}

/// The script of some statements, in a loop that only the end of the fuel ends.
pub(crate) fn script(statements: &str) -> String {
    format!("{}\non topic local go do {}", start(), repeat(statements, "1"))
}

/// The start of every script: its texts, and subscriptions of its own, one more every millisecond.
pub(crate) fn start() -> String {
    format!(
        "on init do subscribe local go subscribe local own {TEXTS} settimer 3 1
on timer 3 do setvar $j = $j + 1 subscribe local \"mine/\" | $j
    if $j lt {OWN} then settimer 3 1 endif
sub outer do call inner call inner
sub inner do setvar $x = $i"
    )
}

/// Some statements in a loop, as long as a condition holds.
pub(crate) fn repeat(statements: &str, condition: &str) -> String {
    format!(
        "setvar $i = 0
    while {condition} do
    setvar $i = $i + 1
    {statements}
    done"
    )
}
