//! Scripts that are wrong, and what is told about them, exactly as a user sees it.

#[macro_use]
mod common;

use umqtt_lang::diagnostic::Code;
use umqtt_lang::parse;
use umqtt_lang::parse::MAX_DIAGNOSTICS;
use umqtt_vm::Profile;

use common::render;

/// What is told about a script.
fn told(source: &str) -> String {
    let umqtt_lang::Parsed { errors: diagnostics, .. } =
        parse(source.as_bytes(), &Profile::DESKTOP);
    assert!(!diagnostics.is_empty(), "nothing is told about {source}");
    render(source, &diagnostics)
}

/// The codes of what is told about a script.
fn codes(source: &str, profile: &Profile) -> Vec<&'static str> {
    parse(source.as_bytes(), profile).errors.iter().map(|told| told.code.as_str()).collect()
}

snapshots! {
    misspelt_action: "on init do\n  prinltn \"a\"\n  setvar $x = 1\n  publsih local a b\n";
    misspelt_event: "on topik local a do print b";
    misspelt_operator: "on init do if $x geq 5 then print 1 endif print $x dvi 5 publish local a b retaind";
    unknown_function: "on init do setvar $x = substring($y, 1, 2)";
    function_without_brackets: "on init do if not $x then print 1 endif";
    missing_data: "on init do\n  publish local a/b\n  println \"sent\"\n  println \"again\"";
    missing_then: "on init do\n  if $x = 1\n    print 1\n  endif\n  print 2";
    missing_endif: "on init do\n  if $x = 1 then print 1\n  else\n    print 1\non timer 1 do\n  print 2";
    missing_data_and_endif: "on init do\n  if $x = 1 then\n    publish local a\non timer 1 do\n  print 2";
    missing_endif_at_end: "on init do\n  while $x do\n  if $x = 1 then\n    print 1";
    missing_do: "on init\n  print 1\non timer 2 do print";
    stray_endif: "on init do\n  if $x then print 1 endif\n  endif\n  print 2 | ";
    crossed_blocks: "on init do while $x do if $y then print 1 done print 2";
    second_else: "on init do if 1 then print 1 else print 2 else print 3 endif";
    reserved_values: "on init do\n  publish local a/b on\n  print if\n  setvar $x = done\n  println endif";
    reserved_in_place_of_value: "on init do\n  if $x = then print 1 endif\n  while do print 2 done";
    reserved_config_value: "config automesh on\nconfig ap_on\nconfig speed 160 80\non init do print 1";
    not_an_event: "on Init do print 1\non timer do print 2\non do print 3";
    action_outside: "println \"hello\"\nconfig speed 160";
    foreign_operators: "on init do
  if $x == 1 then print 1 endif
  if $x >= 1 then print 1 endif
  if $x<=1 then print 1 endif
  if $x != 1 then print 1 endif
  if $x < 1 && $y then print 1 endif
  if $x || $y then print 1 endif
  print $x / 2";
    negative_number: "on init do setvar $x = - 5 settimer 1 - print 1";
    commas: "on init do\n  println \"x\", $x\n  println \"x\" $x";
    numbers: "on timer x do settimer abc 5 print substr(a, b, -c) setvar @x = 1 gpio_out @1 1 print @two";
    hex: "on init do print #0 print #xy print # publish local # a";
    unclosed_string: "on init do\n  print \"a\n  print \"b\"\n  print c\n";
    unclosed_after_error: "on init do\n  print b c = \"a\n";
    unclosed_bracket: "on init do\n  print (1 + (2 * 3)\n  print 4)\n  print not(5";
    arguments: "on init do print substr($x) print find(a) print csvstr(a, 1, ) print gpio_in($x)";
    arity: "on init do print substr(a, 1) print byte_val(a, 1, 2) print csvstr(a, 1) print not(a, b) print find(a)
  print json_parse(a, b, c) print substr(a, 1, x) print substr(a, 1, -2)";
    events_with_numbers: "on timer 1 pullup do on gpio_interrupt 1 do on alarm do";
    resistors: "on init do gpio_pinmode 1 output pullup gpio_pinmode 2 input nopullup";
    broker_missing: "on topic a/b do publish a b subscribe c unsubscribe locale d";
    setvar_mistakes: "on init do setvar x = 1 setvar $y 1 setvar $z == 2 setvar @1 = 3";
    pins: "on gpio_interrupt 3 do gpio_pinmode 1 in gpio_pinmode 2 input pulup gpio_out 3";
    misspelt_if: "on init do\n  fi $x then print 1 else print 2 endif\n  wihle $x do print 3 done print 4 5";
    else_if_mistaken: "on init do\n  if 1 then print 1\n  elsif 2 then print 2\n  else print 3 endif";
    unknown_actions: "on init do
  delay 100
  $y = 3
  if $y then
    blink 5
    println \"a\" \"b\" |
      more | $y
    println 1 +
  endif
  sleep 3 println 2 3
  println 4
    5
on timer 1 do
  wait
  print )
";
    several_statements: "on init do print\non timer 1 do print 1 +\nconfig\non alarm x do print (\n";
    not_utf8_is_shown: "on init do print a caf\u{e9}";
    control_characters_are_hidden: "on init do print a b\u{7f}\u{9b}31m";
}

/// A profile that lets long sources through.
fn roomy() -> Profile {
    Profile::DESKTOP.source(4 << 20)
}

#[test]
fn nesting_is_limited() {
    let depth = |n: usize| format!("on init do print {}1{}", "(".repeat(n), ")".repeat(n));
    assert_eq!(codes(&depth(32), &roomy()), [""; 0]);
    assert_eq!(codes(&depth(33), &roomy()), ["E0008"]);
    let calls = |n: usize| format!("on init do print {}1{}", "not(".repeat(n), ")".repeat(n));
    assert_eq!(codes(&calls(32), &roomy()), [""; 0]);
    assert_eq!(codes(&calls(33), &roomy()), ["E0008"]);
    let ifs = |n: usize| format!("on init do {}{}", "if 1 then ".repeat(n), "endif ".repeat(n));
    assert_eq!(codes(&ifs(32), &roomy()), [""; 0]);
    assert_eq!(codes(&ifs(33), &roomy()), ["E0008"]);
    let both =
        format!("on init do {} print ((1)) {}", "while 1 do ".repeat(31), "done ".repeat(31));
    assert_eq!(codes(&both, &roomy()), ["E0008"]);
    let else_ifs = format!("on init do if 1 then {} endif", "elseif 2 then print 2 ".repeat(500));
    assert_eq!(codes(&else_ifs, &roomy()), [""; 0]);
}

#[test]
fn what_is_too_deep_hides_nothing_else() {
    let script = format!("on init do print {}1\nprint 1 2\non timer x do", "(".repeat(40));
    assert_eq!(codes(&script, &roomy()), ["E0008", "E0001", "E0006"]);
    let script = format!("on init do {}\nprint 1 2\non timer x do", "if 1 then ".repeat(40));
    assert_eq!(codes(&script, &roomy()), ["E0008", "E0006"]);
}

#[test]
fn chains_are_limited() {
    let chain = |n: usize, op: &str| format!("on init do print 1{}", op.repeat(n - 1));
    let longest = Profile::DESKTOP.temporaries;
    for op in [" | 1", " and 1", " - 1", " or (1)"] {
        assert_eq!(codes(&chain(longest, op), &roomy()), [""; 0]);
        assert_eq!(codes(&chain(longest + 1, op), &roomy()), ["E0009"]);
        assert_eq!(codes(&chain(5_000, op), &roomy()), ["E0009"]);
    }
    let twice =
        format!("{} println {}", chain(100, "+1"), chain(100, "*1").replace("on init do", ""));
    assert_eq!(codes(&twice, &roomy()).len(), 2);
}

#[test]
fn length_is_limited() {
    let script = " ".repeat(Profile::ESP8266.source);
    assert_eq!(codes(&script, &Profile::ESP8266), [""; 0]);
    let umqtt_lang::Parsed { statements, errors: told } =
        parse(format!("{script}\"").as_bytes(), &Profile::ESP8266);
    assert!(statements.is_empty());
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].code, Code::ScriptTooLong);
    assert_eq!(told[0].message, "the script has 16385 bytes, esp8266 takes 16384");
}

#[test]
fn the_number_of_diagnostics_is_limited() {
    for junk in ["on ", "on init do print ", "config ", "on init do print #x ", "on timer x do\n"] {
        let source = junk.repeat(1000);
        let found = parse(source.as_bytes(), &roomy()).errors.len();
        assert!((1..=MAX_DIAGNOSTICS).contains(&found), "{junk}: {found}");
    }
    let source = format!("on init do {}", "print a b ".repeat(1000));
    assert_eq!(parse(source.as_bytes(), &roomy()).errors.len(), MAX_DIAGNOSTICS);
}

#[test]
fn right_statements_are_kept_beside_wrong_ones() {
    let umqtt_lang::Parsed { statements, errors: told } =
        parse(b"config a 1 on init do print on timer 1 do print 1 config", &Profile::DESKTOP);
    assert_eq!(statements.len(), 2);
    assert_eq!(told.len(), 2);
}
