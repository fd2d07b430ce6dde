//! Subs: what they do when they are called, and what is wrong with them.
#![allow(clippy::unwrap_used)]

mod common;

use common::render;
use umqtt_lang::ast::{EventPattern, Statement};
use umqtt_lang::{CompileError, EmitOptions, compile, compile_pieces, format, lint, parse};
use umqtt_vm::image::{FIRST_VERSION, MAGIC, VERSION};
use umqtt_vm::{Image, Listing, Profile, Program};

fn image(source: &str) -> Vec<u8> {
    let image = compile(source.as_bytes(), &Profile::ESP8266, EmitOptions::new())
        .unwrap_or_else(|errors| panic!("{}", render(source, &errors)));
    Program::verify(&image[..], &Profile::ESP8266).unwrap_or_else(|why| panic!("{source}: {why}"));
    image
}

fn told(source: &str) -> String {
    match compile(source.as_bytes(), &Profile::ESP8266, EmitOptions::new()) {
        Err(errors) => render(source, &errors),
        Ok(_) => {
            let parsed = parse(source.as_bytes(), &Profile::ESP8266);
            let (profile, config) = (Profile::ESP8266, lint::NoConfig);
            let found = lint::lint(source.as_bytes(), &parsed.statements, &profile, &config);
            render(source, &found)
        }
    }
}

fn told_of_all(scripts: &[&str]) -> String {
    scripts.iter().map(|source| told(source) + "\n----\n").collect()
}

#[test]
fn what_is_wrong_with_subs() {
    insta::assert_snapshot!(told_of_all(&[
        "on init do call blink",
        "sub blink do print 1\non init do call blnk call blink",
        "sub a do call a\non init do call a",
        "on init do call a\nsub a do print 1 call b\nsub b do if $adc then call c endif\nsub c do call a\nsub d do call a",
        "sub a do print 1\nsub a do print 2\non init do call a",
        "sub a do print $this_data\non topic local b do call a\non timer 3 do call a\non init do subscribe local b settimer 3 1",
        "sub a do call b\nsub b do print $this_serial\non serial do call a\non gpio_interrupt 4 pullup do call a",
        "sub a do print $nothing\non init do call a",
        "sub do print 1",
        "sub 7\n print 1",
        "sub $x do print 1",
        "sub \"x\" do print 1",
        "sub if do print 1",
        "sub a print 1\non init do call a",
        "on init do call \"a\"\nsub a do print 1",
        "on init do call $a",
        "on init do call a b\nsub a do print 1",
        "on init do call\nsub a do print 1",
    ]));
}

#[test]
fn what_is_told_of_subs() {
    insta::assert_snapshot!(told_of_all(&[
        "sub a do print 1\non init do print 2",
        "sub a do call b\nsub b do print 1\non init do print 2",
        // A feedback loop through a sub.
        "sub answer do publish local a \"x\"\non topic local a do call answer\non init do subscribe local a",
        // Flash in a hot place.
        "sub count do setvar @1 = @1 + 1\non timer 1 do call count settimer 1 100\non init do settimer 1 100",
        // A loop that a sub does not end, and one that it does.
        "sub a do print $x\non init do setvar $x = 1 while $x do call a done",
        "sub a do setvar $x = $x - 1\non init do setvar $x = 1 while $x do call a done",
        // Armed, set and read in subs.
        "sub start do settimer 1 100 setvar $x = 1 subscribe local a\nsub show do print $x\non init do call start call show\non timer 1 do call show\non topic local a do call start",
        "sub show do print $x\non init do call show setvar $x = 1",
        // Told once, though it is called twice.
        "sub a do setvar $x = 2 * 3 + $adc print $x\non init do call a call a\non timer 1 do call a settimer 1 9",
    ]));
}

#[test]
fn data_of_an_event_is_there_where_every_handler_has_it() {
    image(
        "sub a do print $this_data | $this_topic\non topic local b do call a\non topic remote c do call a",
    );
    image(
        "sub a do call b\nsub b do print $this_http_code | $this_http_cut\non http_response do call a",
    );
    // Nothing calls it.
    image("sub a do print $this_data\non init do print 1");
    image("sub a do print $this_gpio | $adc | $timestamp\non gpio_interrupt 4 pullup do call a");
}

#[test]
fn calls_go_so_deep_and_no_deeper() {
    let chain = |depth: usize| {
        let subs = (1..depth).map(|n| format!("sub s{n} do call s{} call s{}\n", n + 1, n + 1));
        subs.collect::<String>() + &format!("sub s{depth} do print 1\non init do call s1")
    };
    image(&chain(8));
    let errors = compile(chain(9).as_bytes(), &Profile::ESP8266, EmitOptions::new()).unwrap_err();
    assert_eq!(errors[0].message, "`s1` goes 9 calls deep, 8 are allowed");
    assert_eq!(errors[0].code.as_str(), "E0025");
}

#[test]
fn old_scripts_become_what_they_became() {
    let version = |source: &str| image(source)[MAGIC.len()];
    assert_eq!(version("on init do println call | sub publish local sub call"), FIRST_VERSION);
    assert_eq!(version("on init do call a\nsub a do print 1"), VERSION);
    assert_eq!(version("on init do print json_array(1)"), VERSION);
    assert_eq!(version("const $x = 1 on init do print $x"), FIRST_VERSION);
}

#[test]
fn the_words_stay_values_where_they_were() {
    for source in [
        "on init do print sub print call if call = sub then print 1 endif",
        "on init do publish local sub call publish local call sub",
        "on init do publish local\nsub call",
        "on init do while sub do print 1 done",
        "on topic local sub do print 1",
        "on topic local call do print 1",
        "config sub call on init do print 1",
        "on init do http_post sub call",
        "on init do setvar $sub = call print $sub",
    ] {
        let parsed = parse(source.as_bytes(), &Profile::ESP8266);
        assert!(parsed.errors.is_empty(), "{source}: {:?}", parsed.errors);
        let is_sub = |statement: &Statement| match statement {
            Statement::On(clause) => matches!(clause.event, EventPattern::Sub(_)),
            _ => false,
        };
        assert!(!parsed.statements.iter().any(is_sub), "{source}");
        image(source);
    }
    for name in [
        "blink", "every", "clock", "local", "init", "timer", "print", "a/b", "call", "const",
        "topic", "é",
    ] {
        image(&format!("on init do print 1 call {name}\nsub {name} do print sub\nconfig a b"));
        image(&format!("on init do print sub sub {name} do print call call a sub a do print 2"));
    }
}

#[test]
fn pieces_give_the_same() {
    for source in [
        "on init do call a\nsub a do\n call b\n\nsub b do print 1\nsub c do print $this_data\non topic local a do call c",
        "sub a do call a\non init do call b\nsub a do print 1",
        "on init do publish local\nconst $x = 1\nsub y do print 1",
        "on init do print 1\nconst $x = 1\nconst $y = $x\nsub y do print $y\nconst $z\n= $y\nsub\nz do print $z",
        "sub a do print $this_data\non timer 2 do print 1\n call a\non init do print 2",
        "on init do print sub\nsub do print 1",
        "on init do print 1\nsub \"x\" do print 1",
        "config a\nsub b do print 1\non init do call b",
        "config a b\nsub b do print 1\non init do call b",
        "on init do print 1\nsub if do print 2\nsub \\x do print 3",
    ] {
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
            (Err(whole), Err(CompileError::Script(pieces))) => {
                assert_eq!(whole, pieces, "{source}")
            }
            other => panic!("{source}: {other:?}"),
        }
    }
}

#[test]
fn subs_are_laid_out_and_listed_as_handlers() {
    let source = "on init do print sub call b % now\n\n% what\nsub b do if $adc then call c endif sub c do print 2";
    let expected = "on init do\n    print sub\n    call b % now\n\n% what\nsub b do\n    if $adc then\n        call c\n    endif\nsub c do\n    print 2\n";
    let formatted = format(source.as_bytes(), &Profile::ESP8266).unwrap();
    assert_eq!(String::from_utf8(formatted).unwrap(), expected);
    let image = image(expected);
    let listed = Listing::new(&Image::parse(&image).unwrap()).to_string();
    for line in ["call 1", "call 0", "sub 0\n", "sub 1\n", "leave -> 0003"] {
        assert!(listed.contains(line), "{line}\n{listed}");
    }
}

#[test]
fn there_are_as_many_as_the_device_has_room_for() {
    let most = Profile::ESP8266.variables;
    let lines = |count: usize| -> String {
        let calls: String = (0..count).map(|n| format!(" call s{n}")).collect();
        let subs: String = (0..count).map(|n| format!("sub s{n} do print {n}\n")).collect();
        format!("on init do{calls}\n{subs}")
    };
    image(&lines(most));
    let said = told(&lines(most + 5));
    assert!(said.contains("error[E0026]: sub number 65, esp8266 has room for 64"), "{said}");
    assert_eq!(said.matches("error").count(), 1, "{said}");
}

/// Whoever lacks the data is found over any number of calls, and told of once for each look.
#[test]
fn a_handler_without_the_data_is_found_over_many_calls() {
    let mut source = String::from("on topic local x do call s0_0\non serial do call s3_1\n");
    for depth in 0..8 {
        for sub in 0..4 {
            source += &format!("sub s{depth}_{sub} do print $this_data");
            let next = depth + 1;
            if next < 8 {
                (0..4).for_each(|to| source += &format!(" call s{next}_{to}"));
            }
            source += "\n";
        }
    }
    let said = told(&source);
    // Those from the fourth layer on that `on serial` comes to: one of it, all of the others.
    assert_eq!(said.matches("error[E0013]").count(), 1 + 4 * 4, "{said}");
}
