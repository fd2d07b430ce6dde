//! Compiled scripts run and mean what the language reference says: source text in, what the outside
//! saw out.
#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;

use umqtt_lang::{EmitOptions, compile};
use umqtt_vm::{
    Console, Event, FLASH_VARIABLE_LEN, FlashVariables, Gpio, HandlerCursor, Http, Machine, Mqtt,
    PinMode, Profile, Program, Random, Serial, Side, Slot, Supervisor, Syscalls, Timekeeping,
    TopicError, TrapCode,
};

const ALL: EmitOptions = EmitOptions::new().debug(true);

/// Writes down whatever a script does; its clones write to the same place.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<String>>);

impl Log {
    fn line(&mut self, words: &str, bytes: &[&[u8]]) {
        let mut text = self.0.borrow_mut();
        text.push_str(words);
        for bytes in bytes {
            write!(text, " {}", bytes.escape_ascii()).unwrap();
        }
        text.push('\n');
    }
}

impl Mqtt for Log {
    fn publish(
        &mut self,
        side: Side,
        topic: &[u8],
        data: &[u8],
        retained: bool,
    ) -> Result<u32, TopicError> {
        self.line(
            &format!("publish {side:?}{}", if retained { " retained" } else { "" }),
            &[topic, data],
        );
        Ok(0)
    }
    fn subscribe(&mut self, side: Side, filter: &[u8]) -> u32 {
        self.line(&format!("subscribe {side:?}"), &[filter]);
        0
    }
    fn unsubscribe(&mut self, side: Side, filter: &[u8]) -> u32 {
        self.line(&format!("unsubscribe {side:?}"), &[filter]);
        0
    }
    fn retained(&mut self, filter: &[u8], out: &mut [u8], _: &mut u32) -> usize {
        let text = [b"kept:", filter].concat();
        let len = text.len().min(out.len());
        out[..len].copy_from_slice(&text[..len]);
        len
    }
}

impl Http for Log {
    fn http_get(&mut self, url: &[u8]) {
        self.line("get", &[url]);
    }
    fn http_post(&mut self, url: &[u8], body: &[u8]) {
        self.line("post", &[url, body]);
    }
}

impl Gpio for Log {
    fn pin_mode(&mut self, pin: u8, mode: PinMode) {
        self.line(&format!("mode {pin} {mode:?}"), &[]);
    }
    fn pin_write(&mut self, pin: u8, level: bool) {
        self.line(&format!("out {pin} {level}"), &[]);
    }
    fn pin_read(&mut self, pin: u8) -> bool {
        pin % 2 == 1
    }
    fn pwm(&mut self, pin: u8, duty: u16) {
        self.line(&format!("pwm {pin} {duty}"), &[]);
    }
    fn adc(&mut self) -> u16 {
        512
    }
}

impl Serial for Log {
    fn serial_write(&mut self, bytes: &[u8]) {
        self.line("serial", &[bytes]);
    }
}

impl Console for Log {
    fn print(&mut self, text: &[u8], newline: bool) {
        self.line(if newline { "println" } else { "print" }, &[text]);
    }
    fn system(&mut self, command: &[u8]) {
        self.line("system", &[command]);
    }
    fn config(&mut self, name: &[u8], value: &[u8]) {
        self.line("config", &[name, value]);
    }
}

impl Random for Log {}

impl umqtt_vm::Tracing for Log {}
impl umqtt_vm::Almanac for Log {}

impl FlashVariables for Log {
    fn flash_read(&mut self, n: u8, out: &mut [u8; FLASH_VARIABLE_LEN]) -> usize {
        let text = format!("flash{n}");
        out[..text.len()].copy_from_slice(text.as_bytes());
        text.len()
    }
    fn flash_write(&mut self, n: u8, value: &[u8]) {
        self.line(&format!("flash {n}"), &[value]);
    }
}

impl Timekeeping for Log {
    fn set_timer(&mut self, n: u8, ms: i32) {
        self.line(&format!("timer {n} {ms}"), &[]);
    }
    fn set_alarm(&mut self, n: u8, time: &[u8]) {
        self.line(&format!("alarm {n}"), &[time]);
    }
    fn timestamp(&mut self) -> [u8; 8] {
        *b"12:34:56"
    }
    fn weekday(&mut self) -> [u8; 3] {
        *b"Sun"
    }
}

impl Supervisor for Log {}

struct Device {
    machine: Machine<Vec<u8>, (Vec<Slot>, Vec<u8>)>,
    log: Log,
    trap: Option<(TrapCode, Option<u32>)>,
}

impl Device {
    fn new(source: &str) -> Device {
        Device::with(source, 8 * 1024, 1024)
    }

    fn with(source: &str, texts: usize, limit: usize) -> Device {
        let image = compile(source.as_bytes(), &Profile::ESP8266, ALL)
            .unwrap_or_else(|wrong| panic!("{source}\n{wrong:#?}"));
        let program = Program::verify(image, &Profile::ESP8266).unwrap();
        let slots = vec![[0; 2]; program.requirements().slots];
        let machine = {
            let profile = Profile::ESP8266.value(limit);
            Machine::new(program, (slots, vec![0; texts]), &profile).unwrap()
        };
        Device { machine, log: Log::default(), trap: None }
    }

    fn event(&mut self, event: Event<'_>) -> String {
        let mut handlers = HandlerCursor::default();
        let mut clock = self.log.clone();
        let mut syscalls = Syscalls { host: &mut self.log, supervisor: &mut clock };
        while let Some(handler) =
            self.machine.next(&mut handlers, &event, &mut 100_000, &mut syscalls)
        {
            if let Err(trap) = self.machine.run(handler, &event, &mut 100_000, &mut syscalls) {
                self.trap = Some((trap.code, self.machine.program().line(trap.at)));
            }
        }
        self.log.0.take()
    }

    fn topic(&mut self, topic: &str, data: &str) -> String {
        let (topic, data) = (topic.as_bytes(), data.as_bytes());
        self.event(Event::Topic { side: Side::Local, topic, data })
    }
}

/// The value of an expression, through the machine; nothing in it can be folded away that holds
/// `$v`.
fn value(expr: &str) -> String {
    let source = format!(
        "on init do setvar $v = \"\" setvar $one = 1 setvar $seven = 7 setvar $ab = \"ab\" print {expr}"
    );
    let printed = Device::new(&source).event(Event::Init);
    printed.strip_prefix("print ").unwrap().strip_suffix('\n').unwrap().to_owned()
}

#[test]
fn chains_group_from_the_right() {
    assert_eq!(value("10 - 3 - 2"), "9");
    assert_eq!(value("$seven - 3 - 2"), "6");
    assert_eq!(value("2 * 3 + 4"), "14");
    assert_eq!(value("2 * $seven + 1"), "16");
    assert_eq!(value("(2 * $seven) + 1"), "15");
    assert_eq!(value("$ab | \"c\" = \"abc\""), "ab0");
    assert_eq!(value("$ab = \"a\" | \"b\""), "1");
    assert_eq!(value("1 + $seven | 2"), "73");
}

#[test]
fn numbers_and_texts() {
    assert_eq!(value("007"), "007");
    assert_eq!(value("007 + 0"), "7");
    assert_eq!(value("$v + 2147483647 + 1"), "-2147483648");
    assert_eq!(value("2147483647 + 1"), "-2147483648");
    assert_eq!(value("\"-10\" + $seven"), "-3");
    assert_eq!(value("$seven div 2"), "3");
    assert_eq!(value("$seven div 0"), "0");
    assert_eq!(value("1 div 0"), "0");
    assert_eq!(value("$seven mod 4"), "3");
    assert_eq!(value("$seven = \"7\""), "1");
    assert_eq!(value("$seven = \"07\""), "0");
    assert_eq!(value("$seven neq 7"), "0");
    assert_eq!(value("$seven > 6"), "1");
    assert_eq!(value("$seven gte 8"), "0");
    assert_eq!(value("$seven lt 8"), "1");
    assert_eq!(value("$seven lte 6"), "0");
    assert_eq!(value("$ab str_gt \"aa\""), "1");
    assert_eq!(value("$ab str_gte \"ac\""), "0");
    assert_eq!(value("not($ab)"), "1");
    assert_eq!(value("not($seven)"), "0");
    assert_eq!(value("#0d0a41"), "\\r\\nA");
}

#[test]
fn decimals() {
    // `$one` is not known when compiling, so the machine computes; with 1 in its place the compiler
    // does.
    for (expression, result) in [
        ("21.5 + ONE", "22.5"),
        ("21.50", "21.50"),
        ("21.50 * ONE", "21.5"),
        ("0.1 + 0.2 * ONE", "0.3"),
        ("21.5 + (0.5 * ONE)", "22"),
        ("-0.25 - ONE", "-1.25"),
        ("ONE - -0.25", "1.25"),
        ("ONE * -5", "-5"),
        ("(ONE * 1.5) = 1.5", "1"),
        ("(ONE * 1.5) neq 1.50", "1"),
        ("(ONE * 1.5) = (3 * 0.5)", "1"),
        ("(ONE * 1.5) > 1.25", "1"),
        ("(ONE * 1.5) gte 1.50", "1"),
        ("(ONE * 1.5) lt 2", "1"),
        ("(ONE * -1.5) lte -1.5001", "0"),
        ("(ONE * 1.5) str_gt \"1.4\"", "1"),
        ("(ONE * 7.9) div 2.9", "3"),
        ("(ONE * -7.9) mod 2.9", "-1"),
        ("(ONE * 0.5) and 0.5", "1"),
        ("not(ONE * 0.5)", "0"),
        ("(ONE * 0.5) | \"C\"", "0.5C"),
        ("len(ONE * -0.5)", "4"),
        ("substr(ONE * 21.5, 2, 2)", ".5"),
        ("find(ONE * 21.5, \".\")", "2"),
        ("binary(ONE * 65.9)", "A"),
        ("12345678.9 + (ONE * 0.05)", "12345679"),
        ("1234567891 + (ONE * 0.6)", "1234567892"),
        ("round(ONE * 21.449, 1)", "21.4"),
        ("round(ONE * 21.449, ONE)", "21.4"),
        ("fixed(ONE * 7, 2)", "7.00"),
        ("fixed(ONE * 7, -3)", "7"),
        ("divide(ONE, 3, 4)", "0.3333"),
        ("divide(ONE * 22.5, 4.5, 0)", "5"),
        ("int(ONE * -1.9)", "-1"),
        ("int(\"1.9999999999\" | ONE)", "1"),
        ("abs(ONE * -1.9)", "1.9"),
        ("min(ONE, \"0.50\")", "0.5"),
        ("max(ONE, -2.5)", "1"),
        ("min | ONE | \"max\" | int", "min1maxint"),
        ("json_array(ONE * 0.5, 21.50)", "[0.5,21.50]"),
        ("len(json_array(text(ONE * -0.5)))", "8"),
    ] {
        assert_eq!(value(&expression.replace("ONE", "$one")), result, "{expression}");
        assert_eq!(value(&expression.replace("ONE", "1")), result, "{expression}");
    }
    assert_eq!(value("2147483647 + 0.5"), "2147483647");
    assert_eq!(value("divide($seven, 0, 2) | divide(7, 0.0, 2)"), "00");
}

#[test]
fn a_decimal_is_kept_in_variables_of_all_kinds() {
    let sets: String = (0..60).map(|n| format!("setvar $v{n} = $d + {n} ")).collect();
    let mut device = Device::new(&format!(
        "on init do setvar $d = 21.5 + 0.25 setvar $n = 0 {sets} setvar $d = $v59 print $d | \" \" | $v3
        while $d > 80.7 do setvar $d = $d - 0.01 done print $d
        while $n lt 4 do setvar $n = $n + 1 print changed(min($n, 2) * 0.5) done
        if $d then print yes endif if $d = 80.7 then print same endif"
    ));
    assert_eq!(
        device.event(Event::Init),
        "print 80.75 24.75\nprint 80.7\nprint 1\nprint 1\nprint 0\nprint 0\nprint yes\nprint same\n"
    );
}

#[test]
fn functions() {
    assert_eq!(value("substr(\"hello\" | $v, 1, 3)"), "ell");
    assert_eq!(value("substr(\"hello\" | $v, -2, 9)"), "lo");
    assert_eq!(value("substr(\"hello\" | $v, \"-2\", 1)"), "l");
    assert_eq!(value("substr(\"hello\" | $v, 9, 1)"), "");
    assert_eq!(value("substr($seven * 100, 1, 1)"), "0");
    assert_eq!(value("byte_val($ab, 1)"), "98");
    assert_eq!(value("byte_val($ab, 2)"), "");
    assert_eq!(value("binary(65 + $v)"), "A");
    assert_eq!(value("csvstr(\"one,two,three\" | $v, 1, \",\")"), "two");
    assert_eq!(value("csvstr(\"system/test/1\", 0, /)"), "system");
    assert_eq!(value("csvstr(\"a,b\" | $v, 7, \",\")"), "");
    assert_eq!(value("eatwhite(\" a b\" | $v)"), "ab");
    assert_eq!(value("lower(\"AbC\" | $v) | upper(\"xYz\" | $v)"), "abcXYZ");
    assert_eq!(value("len($ab) | len($seven * 10)"), "22");
    assert_eq!(value("find(\"hello\" | $v, \"l\")"), "2");
    assert_eq!(value("find($ab, \"x\")"), "-1");
    assert_eq!(
        value("json_parse(\"a.b.1\", \"{\\\"a\\\":{\\\"b\\\":[1,\\\"x\\\\\\ty\\\"]}}\")"),
        "x\\ty"
    );
    assert_eq!(value("retained_topic(\"a/\" | $ab)"), "kept:a/ab");
    assert_eq!(value("$timestamp | \" \" | $weekday | $adc | gpio_in(3)"), "12:34:56 Sun5121");
    assert_eq!(value("@3 | \"!\""), "flash3!");
}

#[test]
fn conditions_short_and_long() {
    for (condition, holds) in [
        ("$seven = 7 and $ab = \"ab\"", true),
        ("$seven = 7 and $ab = \"x\"", false),
        ("$seven = 8 or $ab = \"ab\"", true),
        ("$seven = 8 or $ab = \"x\"", false),
        ("$seven = 8 and $seven = 7 or $seven = 7", true),
        ("$seven = 7 or $seven = 7 and $seven = 8", false),
        ("$seven = 7 or $seven = 8 and $seven = 7", true),
        ("$seven = 8 or ($seven = 7 and not($ab = \"x\"))", true),
        ("not($seven = 7 or $seven = 8)", false),
        ("not($seven = 8 and $seven = 7) and 1", true),
        ("\"ab\" = $ab", true),
        ("$v", false),
        ("1", true),
        ("0 or $seven", true),
    ] {
        let source = format!(
            "on init do setvar $v = \"\" setvar $seven = 7 setvar $ab = \"ab\"
             if {condition} then print yes else print no endif
             print ({condition})"
        );
        let expected = if holds { "print yes\nprint 1\n" } else { "print no\nprint 0\n" };
        let found = Device::new(&source).event(Event::Init);
        // A bare value keeps its text: only its truth counts here.
        let found = found.replace("print 7\n", "print 1\n").replace("print \n", "print 0\n");
        assert_eq!(found, expected, "{condition}");
    }
}

#[test]
fn control_flow() {
    let mut device = Device::new(
        "on init do setvar $i = 0
         while $i lt 5 do
           setvar $i = $i + 1
           if $i = 1 then print one elseif $i = 2 then print two elseif $i = 3 then
             if $i > 2 then print three endif
           else print many endif
         done
         while 0 do print never done
         if 0 then print never elseif 1 then print always else print never endif
         println \"end \" | $i",
    );
    assert_eq!(
        device.event(Event::Init),
        "print one\nprint two\nprint three\nprint many\nprint many\nprint always\nprintln end 5\n"
    );
}

#[test]
fn actions_reach_the_outside() {
    let mut device = Device::new(
        "config speed 160 config mqtt_id @1
         on init do
           publish local a/b $adc retained publish remote \"c\" | \"d\" 1
           subscribe local \"#\" unsubscribe remote \"x/+\" settimer 2 500 setalarm 1 07:30
           http_get \"http://h/\" http_post \"http://h/p\", \"body\" gpio_pinmode 4 input pullup
           gpio_pinmode 5 output gpio_out 5 1 gpio_pwm 2 250 serial_out #00ff system \"save\"
           setvar @2 = \"kept\" print serial",
    );
    assert_eq!(device.event(Event::Config), "config speed 160\nconfig mqtt_id flash1\n");
    assert_eq!(
        device.event(Event::Init),
        "publish Local retained a/b 512\npublish Remote cd 1\nsubscribe Local #\nunsubscribe Remote x/+\n\
         timer 2 500\nalarm 1 07:30\nget http://h/\npost http://h/p body\nmode 4 InputPullup\nmode 5 Output\n\
         out 5 true\npwm 2 250\nserial \\x00\\xff\nsystem save\nflash 2 kept\nprint serial\n"
    );
}

#[test]
fn a_config_line_may_set_a_flash_variable() {
    let mut device = Device::new("config @3 kitchen config speed 160 config @4 @1");
    assert_eq!(device.event(Event::Config), "flash 3 kitchen\nconfig speed 160\nflash 4 flash1\n");
    let wrong = compile(b"config @17 x", &Profile::ESP8266, ALL).unwrap_err();
    assert_eq!(wrong[0].code.as_str(), "E0007");
    let wrong = compile(b"config @x y", &Profile::ESP8266, ALL).unwrap_err();
    assert_eq!(wrong[0].code.as_str(), "E0007");
}

#[test]
fn handlers_are_found_in_script_order() {
    let mut device = Device::new(
        "on init do setvar $t = \"a/b\"
         on topic local $t do print variable setvar $u = $this_topic
         on topic local a/b do print name
         on topic local \"a/+\" do print plus
         on topic local x/y do print other
         on topic local \"a/\" | lower($t2) do print expression
         on topic local a/b do print again setvar $t2 = \"B\"
         on topic local \"#\" do print hash
         on topic local $u do print set_just_now
         on topic remote \"#\" do print remote
         on timer 3 do print three on timer 2 do print two on timer 3 do print drei",
    );
    assert_eq!(device.topic("a/b", ""), "print name\nprint plus\nprint again\nprint hash\n");
    device.event(Event::Init);
    assert_eq!(
        device.topic("a/b", ""),
        "print variable\nprint name\nprint plus\nprint expression\nprint again\nprint hash\nprint set_just_now\n"
    );
    assert_eq!(device.topic("x/y", ""), "print other\nprint hash\n");
    assert_eq!(device.topic("$SYS/x", ""), "");
    assert_eq!(device.event(Event::Timer(3)), "print three\nprint drei\n");
    assert_eq!(device.event(Event::Timer(2)), "print two\n");
    assert_eq!(device.event(Event::Timer(1)), "");
}

#[test]
fn event_data() {
    let mut device = Device::new(
        "on topic local \"#\" do print $this_topic | \"=\" | $this_item
         on serial do print $this_serial
         on gpio_interrupt 0 pullup do print $this_gpio
         on http_response do print $this_http_host | $this_http_path | $this_http_code | $this_http_body | $this_http_cut",
    );
    assert_eq!(device.topic("a", "b"), "print a=b\n");
    assert_eq!(device.event(Event::Serial { line: b"hi" }), "print hi\n");
    assert_eq!(device.event(Event::GpioInterrupt { pin: 0, level: true }), "print 1\n");
    assert_eq!(device.event(Event::GpioInterrupt { pin: 1, level: true }), "");
    let response = |cut| {
        let (host, path, body) = (&b"h"[..], &b"/p"[..], &b"ok"[..]);
        Event::HttpResponse { host, path, code: *b"200", body, cut }
    };
    assert_eq!(device.event(response(false)), "print h/p200ok0\n");
    assert_eq!(device.event(response(true)), "print h/p200ok1\n");
}

#[test]
fn a_loop_without_end_is_stopped_and_its_line_named() {
    let mut device = Device::new(
        "on init do\n  print before\n  while 1 do\n    setvar $x = $x + 1\n  done\n  print after",
    );
    assert_eq!(device.event(Event::Init), "print before\n");
    let (trap, line) = device.trap.unwrap();
    assert_eq!(trap, TrapCode::OutOfFuel);
    assert!(matches!(line, Some(3..=5)), "{line:?}");
}

#[test]
fn values_grow_to_the_limit_and_no_further() {
    let mut device = Device::with(
        "on init do setvar $a = \"0123456789\" on timer 1 do setvar $a = $a | $a print len($a)",
        4096,
        64,
    );
    device.event(Event::Init);
    assert_eq!(device.event(Event::Timer(1)), "print 20\n");
    assert_eq!(device.event(Event::Timer(1)), "print 40\n");
    assert_eq!(device.event(Event::Timer(1)), "print 64\n");
    assert_eq!(device.event(Event::Timer(1)), "print 64\n");
    assert_eq!(device.machine.warnings().values_cut, 2);
}

#[test]
fn memory_runs_out_without_losing_what_is_there() {
    let mut device = Device::with(
        "on init do setvar $a = \"aaaaaaaaaaaaaaaa\"
         on timer 1 do setvar $b = $a | $a | $a setvar $c = $b | $b | $b | $b print never
         on timer 2 do print $a | $b | $c",
        150,
        1024,
    );
    device.event(Event::Init);
    device.event(Event::Timer(1));
    assert_eq!(device.trap.unwrap().0, TrapCode::OutOfMemory);
    let (a, b) = ("a".repeat(16), "a".repeat(48));
    assert_eq!(device.event(Event::Timer(2)), format!("print {a}{b}\n"));
}

#[test]
fn stored_texts_survive_moving_together() {
    // Variables of changing lengths in a small buffer: they are moved together many times.
    let mut device = Device::with(
        "on topic local a do setvar $a = $this_data | \"\" setvar $b = $a | $c setvar $c = substr($b, 1, 20)
         on topic local show do print $a | \"/\" | $b | \"/\" | $c | \"/\" | upper($a) | \"/\" | $b",
        180,
        64,
    );
    let (mut a, mut b, mut c) = (String::new(), String::new(), String::new());
    for round in 0..200 {
        a = "abcdefghijklmnopqrstuvwxyz"[..round % 23].to_owned();
        device.topic("a", &a);
        b = format!("{a}{c}");
        c = b.chars().skip(1).take(20).collect();
    }
    let expected = format!("{a}/{b}/{c}/{}/{b}", a.to_uppercase());
    let expected = &expected[..expected.len().min(64)];
    assert_eq!(device.topic("show", ""), format!("print {expected}\n"));
    assert_eq!(device.trap, None);
}

#[test]
fn long_chains_and_far_jumps() {
    let long = (0..60).map(|n| format!("$v{}", n % 3)).collect::<Vec<_>>().join(" | ");
    let many = "print $v0 print \"some text that takes room\" ".repeat(80);
    let source = format!(
        "on init do setvar $v0 = a setvar $v1 = b setvar $v2 = c print {long}
         if $v0 = \"a\" then while $v0 = \"a\" do setvar $v0 = x {many} done else {many} endif print done_"
    );
    let output = Device::new(&source).event(Event::Init);
    assert!(output.starts_with(&format!("print {}\n", "abc".repeat(20))), "{output}");
    assert_eq!(output.lines().count(), 1 + 160 + 1);
    assert!(output.ends_with("print done_\n"));
}

#[test]
fn more_variables_and_constants_than_have_a_place_in_an_instruction() {
    // Each is the one before, plus a number of its own, as a text and back.
    let sets: String = (1..250)
        .map(|n| format!("setvar $v{n} = $v{} | \"\" setvar $v{n} = $v{n} + {} ", n - 1, 1000 + n))
        .collect();
    let source = format!(
        "on init do setvar $v0 = 1 {sets} if $v200 > $v100 and $v249 neq $v248 then print substr($v249, 0, 2) | \"/\" | $v249 endif"
    );
    let image = compile(source.as_bytes(), &Profile::DESKTOP, ALL).unwrap();
    let program = Program::verify(image, &Profile::DESKTOP).unwrap();
    let memory = (vec![[0; 2]; program.requirements().slots], vec![0; 8 * 1024]);
    let machine = Machine::new(program, memory, &Profile::ESP8266).unwrap();
    let mut device = Device { machine, log: Log::default(), trap: None };
    let last = 1 + (1..250).map(|n| 1000 + n).sum::<i32>();
    assert_eq!(device.event(Event::Init), format!("print {}/{last}\n", &last.to_string()[..2]));
    assert_eq!(device.trap, None);
}

#[test]
fn a_byte_order_mark_means_nothing() {
    let plain = b"on init do print 1";
    let marked = [b"\xef\xbb\xbf", &plain[..]].concat();
    let image = compile(plain, &Profile::ESP8266, ALL).unwrap();
    assert_eq!(compile(&marked, &Profile::ESP8266, ALL).unwrap(), image);
    let formatted = umqtt_lang::format(&marked, &Profile::ESP8266).unwrap();
    assert_eq!(
        compile(&formatted, &Profile::ESP8266, EmitOptions::new()).unwrap(),
        compile(plain, &Profile::ESP8266, EmitOptions::new()).unwrap()
    );
    assert_eq!(umqtt_lang::format(&formatted, &Profile::ESP8266).unwrap(), formatted);
}

#[test]
fn the_same_source_gives_the_same_image() {
    let source =
        b"on init do setvar $a = \"x\" publish local a/b $a | \"y\" on timer 1 do print $a";
    let images = [0; 3].map(|_| compile(source, &Profile::DESKTOP, ALL).unwrap());
    assert_eq!(images[0], images[1]);
    assert_eq!(images[1], images[2]);
}
