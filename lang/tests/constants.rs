//! Constants by their names: what they are known to be, what is wrong with them, and what `const`
//! stays where it is a value.
#![allow(clippy::unwrap_used)]

mod common;

use common::render;
use umqtt_lang::ast::{ActionKind, Statement};
use umqtt_lang::{EmitOptions, compile, compile_pieces, format, lint, parse};
use umqtt_vm::Profile;

fn image(source: &str) -> Vec<u8> {
    compile(source.as_bytes(), &Profile::ESP8266, EmitOptions::new())
        .unwrap_or_else(|errors| panic!("{}", render(source, &errors)))
}

fn told(source: &str) -> String {
    match compile(source.as_bytes(), &Profile::ESP8266, EmitOptions::new()) {
        Err(errors) => render(source, &errors),
        Ok(_) => {
            let parsed = parse(source.as_bytes(), &Profile::ESP8266);
            let found = lint::lint(
                source.as_bytes(),
                &parsed.statements,
                &Profile::ESP8266,
                &lint::NoConfig,
            );
            render(source, &found)
        }
    }
}

/// The source is read in parts, and the word that says there are constants may lie in two of them.
#[test]
fn a_constant_is_found_wherever_it_stands() {
    for before in 0..260 {
        let source = format!("%{}\nconst $x = 7\non init do print $x", "c".repeat(before));
        assert_eq!(image(&source), image("on init do print 7"), "{before}");
    }
}

/// A constant is its value, wherever it stands: no variable, no memory, no code.
#[test]
fn a_constant_is_what_it_stands_for() {
    for (named, plain) in [
        ("const $led = 12\non init do gpio_out 4 $led", "on init do gpio_out 4 12"),
        ("on init do print $x | \"!\"\nconst $x = \"a\" | 1 + 2", "on init do print \"a3!\""),
        (
            "const $all = $base | \"/#\"\nconst $base = \"house/\" | $floor\nconst $floor = 1\non topic local $all do print 1",
            "on topic local \"house/1/#\" do print 1",
        ),
        ("const $debug = 0 on init do if $debug then print 1 endif print 2", "on init do print 2"),
        (
            "config a b const $t = 5 on init do settimer 1 $t * 1000",
            "config a b on init do settimer 1 5000",
        ),
        (
            "const $a = ((1)) const $b = not($a) const $c = upper(\"x\") on init do print $b | $c",
            "on init do print \"0X\"",
        ),
        (
            "on init do\n println const\nconst $x = const\non timer 1 do print $x",
            "on init do\n println const\non timer 1 do print const",
        ),
        (
            "on init do if $adc then print 1\nconst $x = 2\non timer 1 do print $x",
            "on init do if $adc then print 1\non timer 1 do print 2",
        ),
    ] {
        assert_eq!(image(named), image(plain), "{named}");
    }
}

#[test]
fn the_word_stays_a_value_where_it_was_one() {
    for source in [
        "on init do publish local const sub",
        "on init do publish local const $this = 3 setvar $this = 1",
        "on init do publish local\nconst $x = 3 setvar $x = 1",
        "on init do http_post const $x = 3 setvar $x = 1",
        "on init do print const | sub | call | json | text | changed",
        "on topic local const do print sub",
        "config const sub on init do print 1",
        "config sub const on init do print 1",
        "on init do setvar $const = const if const = sub then print call endif",
    ] {
        image(source);
        let parsed = parse(source.as_bytes(), &Profile::ESP8266);
        let is_constant = |statement: &Statement| matches!(statement, Statement::Constant(_));
        assert!(!parsed.statements.iter().any(is_constant), "{source}");
    }
    let parsed = parse(b"on init do http_post const $x = 3", &Profile::ESP8266);
    let Statement::On(clause) = &parsed.statements[0] else { panic!("{parsed:?}") };
    assert!(matches!(clause.actions[0].kind, ActionKind::Pair { .. }));
}

#[test]
fn what_is_wrong_with_constants() {
    let wrong = [
        "const $now = \"at \" | $timestamp\non init do print $now",
        "const $a = $b | 1\non init do setvar $b = 1 print $a",
        "const $a = $b + 1\nconst $b = $c * 2\nconst $c = $a\nconst $d = $a\non init do print $d",
        "const $a = $a\non init do print $a",
        "const $a = 1\nconst $a = 2\non init do print $a",
        "on init do setvar $a = 2\nconst $a = 1\non timer 1 do print $a",
        "const $timestamp = 1\non init do print 1",
        "const @1 = 1\non init do print 1",
        "const a = 1\non init do print 1",
        "const $a\non init do print 1",
        "const $a = 1 div 0\non init do print $a",
        "const $a = 1 print 2\non init do print $a",
        "on init do print $a const = 3",
        "const $unused = 1\non init do print 1",
        "const $x = 1\non init do print \"a $x\" setvar $y = 1",
    ];
    let told: String = wrong.iter().map(|source| told(source) + "\n----\n").collect();
    insta::assert_snapshot!(told);
}

#[test]
fn pieces_give_the_same() {
    let mut scripts: Vec<String> = vec![
        "on init do print $a\n% const\nconst $a = $b | $b\non timer 1 do print $c\nconst $b = \"x\" const $c = $a".into(),
        "const $a = $b\non init do print 1\nconst $b = $a".into(),
        "const $a = 1\non init do setvar $a = 1\nconst $a = 3\non timer 1 do print $z".into(),
    ];
    let chain = |n: i32| format!("const $v{n} = $v{} | \"{n}\"\n", n + 1);
    scripts.push((0..30).map(chain).collect::<String>() + "const $v30 = 1\non init do print $v0");
    for source in scripts {
        let whole = compile(source.as_bytes(), &Profile::ESP8266, EmitOptions::new());
        let mut image = Vec::new();
        let pieces = compile_pieces(
            &mut source.as_bytes(),
            &Profile::ESP8266,
            false,
            &|_, _| true,
            &mut |bytes| {
                image.extend_from_slice(bytes);
                true
            },
        );
        match (whole, pieces) {
            (Ok(whole), Ok(())) => assert_eq!(whole, image, "{source}"),
            (Err(whole), Err(umqtt_lang::CompileError::Script(pieces))) => {
                assert_eq!(whole, pieces, "{source}");
            }
            other => panic!("{source}: {other:?}"),
        }
    }
}

#[test]
fn constants_are_laid_out_as_statements() {
    let source = "config a b const  $x=1+2 % three\nconst $y = 4\non init do print const print $x | $y\nconst $z = 1";
    let expected = "config a b\nconst $x = 1 + 2 % three\nconst $y = 4\non init do\n    print const\n    print $x | $y\nconst $z = 1\n";
    let formatted = format(source.as_bytes(), &Profile::ESP8266).unwrap();
    assert_eq!(String::from_utf8(formatted).unwrap(), expected);
}

/// A source that counts how often it is read.
struct Counting<'s> {
    text: &'s [u8],
    reads: usize,
}

impl umqtt_lang::Source for Counting<'_> {
    fn len(&self) -> usize {
        self.text.len()
    }

    fn read(&mut self, at: usize, into: &mut [u8]) -> bool {
        self.reads += 1;
        self.text.read(at, into)
    }
}

/// However they need each other, each is read again for as many as it names at most: not all for
/// each.
#[test]
fn constants_in_the_worst_order_are_each_read_a_few_times() {
    let most = Profile::DESKTOP.variables;
    let last = most - 1;
    let links = |link: &dyn Fn(usize) -> usize| -> String {
        (0..last).map(|n| format!("const $c{n} = $c{} + $c{last}\n", link(n))).collect()
    };
    for (way, valid) in [
        (links(&|n| n + 1), true),
        (links(&|n| n.saturating_sub(1)), false),
        (links(&|n| (n + 1) % last), false),
        (links(&|n| (n + 7) % last), false),
        (links(&|n| (n * 5 + 3) % last), false),
    ] {
        let source = format!("{way}const $c{last} = 1\non init do print $c0");
        let mut counting = Counting { text: source.as_bytes(), reads: 0 };
        let profile = &Profile::DESKTOP;
        let compiled = compile_pieces(&mut counting, profile, false, &|_, _| true, &mut |_| true);
        assert_eq!(compiled.is_ok(), valid, "{source}");
        let statements = 2 * most;
        assert!(counting.reads < 6 * statements, "{} reads: {source}", counting.reads);
    }
}

#[test]
fn there_are_as_many_as_the_device_has_room_for() {
    let most = Profile::ESP8266.variables;
    let lines = |count: usize| -> String {
        let uses: String = (0..count).map(|n| format!(" print $c{n}")).collect();
        let named: String = (0..count).map(|n| format!("const $c{n} = {n}\n")).collect();
        format!("{named}on init do{uses}")
    };
    image(&lines(most));
    let said = told(&lines(most + 5));
    assert!(said.contains("error[E0026]: constant number 65, esp8266 has room for 64"), "{said}");
    assert_eq!(said.matches("error").count(), 1, "{said}");
}
