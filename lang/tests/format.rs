//! What the formatter makes of scripts, and that it loses nothing.

mod common;

use proptest::prelude::*;
use umqtt_lang::ast::{ConfigValue, Statement};
use umqtt_lang::{EmitOptions, compile, format, parse};
use umqtt_vm::Profile;

use common::scripts;

/// A script laid out; it must be right.
fn formatted(source: &str) -> String {
    let bytes = format(source.as_bytes(), &Profile::DESKTOP).expect("a right script");
    String::from_utf8(bytes).expect("text stays text")
}

#[test]
fn layout() {
    insta::assert_snapshot!(formatted(
        "% head of file\r\n\r\n\r\nconfig ssid\t\tmy-net  % mine\r\nconfig  password \"a b\"\n% next\non init
% why
do % now
% first
\tsetvar $x=0 setvar $y   =substr( $x ,- 2,3 )|csvstr($x,1,-)


\tif not ($x)then % really
\n\n\t  publish local a/b $x  retained% sent
% deep
\telseif $x>1 then println\"a\"|\"b\"
\t% before the else
\n\telse
\tif ( ( $y ) )
\tthen endif\n\n
\tendif while $x gte 1 do setvar $x=$x-1 done
\t% still in the handler

\t% and this

% before the next handler
on timer 1 do on topic local \"a\"|\"b\" do http_post u,v http_post u v
  % the end
% really"
    ));
}

#[test]
fn long_lines_keep_their_breaks_and_short_ones_do_not() {
    insta::assert_snapshot!(formatted(
        "on init do println \"short\" |
  \"line\"
println \"this is the first part of a long text\" | \"this is the second part\" |
$x | \"and the third part comes on the next line\" |
 \"and the fourth\"
publish local % where
  a/b
  % what
  \"c\" % done
"
    ));
}

#[test]
fn odd_scripts() {
    assert_eq!(formatted(""), "");
    assert_eq!(formatted(" \r\n\n"), "");
    assert_eq!(formatted("\n\n  % only this  \r\n\n\n% and this"), "% only this\n\n% and this\n");
    assert_eq!(formatted("on init do"), "on init do\n");
    assert_eq!(formatted("on init do\n\n\non serial do"), "on init do\n\non serial do\n");
    assert_eq!(formatted("on init do print a\\"), "on init do\n    print a\\");
    assert_eq!(formatted("on init do print a\\\\"), "on init do\n    print a\\\\\n");
    assert_eq!(formatted("on init do print \"a\r\nb\"\r\n"), "on init do\n    print \"a\r\nb\"\n");
    assert_eq!(
        formatted("on init do print a\\ \non serial do"),
        "on init do\n    print a\\ \non serial do\n"
    );
    assert_eq!(formatted("config a b%c"), "config a b % c".replace("% c", "%c") + "\n");
    let bytes = format(b"on init do print \xff\xfe % \x80", &Profile::DESKTOP);
    assert_eq!(bytes, Ok(b"on init do\n    print \xff\xfe % \x80\n".to_vec()));
}

#[test]
fn negative_numbers() {
    for (source, laid_out) in [
        ("setvar $x =-5 settimer 1 -5", "setvar $x = -5\n    settimer 1 -5"),
        ("print $x-5 print $x -5", "print $x - 5\n    print $x - 5"),
        ("print(-0.5)", "print (-0.5)"),
        ("print 3--5", "print 3 - -5"),
        ("print input -5", "print input - 5"),
        ("print min(-5,$x-5)", "print min(-5, $x - 5)"),
        ("print substr($x,-2,-1)", "print substr($x, -2, -1)"),
        ("publish local $t -5 x", "publish local $t - 5 x"),
    ] {
        let source = format!("on init do {source}");
        assert_eq!(formatted(&source), format!("on init do\n    {laid_out}\n"));
        check(source.as_bytes());
    }
}

#[test]
fn wrong_scripts_are_left_alone() {
    let wrong = format(b"on init do print", &Profile::DESKTOP).expect_err("an error");
    assert_eq!(wrong.len(), 1);
}

/// The tree without its places, and the values of `config` lines, in which blanks count.
fn shape(source: &[u8]) -> (String, Vec<Vec<u8>>) {
    let umqtt_lang::Parsed { statements, errors: wrong } = parse(source, &Profile::DESKTOP);
    assert!(wrong.is_empty(), "{wrong:?}");
    let raw = statements.iter().filter_map(|statement| match statement {
        Statement::Config(line) => match line.value {
            ConfigValue::Text(span) => Some(span.of(source).to_vec()),
            ConfigValue::Flash(number) => Some(number.value.to_string().into_bytes()),
        },
        _ => None,
    });
    let raw = raw.collect();
    let mut tree = String::new();
    for (at, part) in format!("{statements:?}").split("Span { start: ").enumerate() {
        let rest = if at == 0 { part } else { part.split_once('}').map_or("", |(_, rest)| rest) };
        tree.push_str(rest);
    }
    (tree, raw)
}

/// What it compiles to, without line numbers; `None` if what it says cannot be done.
fn image(source: &[u8]) -> Option<Vec<u8>> {
    compile(source, &Profile::DESKTOP, EmitOptions::new()).ok()
}

/// All that must hold for any right script.
fn check(source: &[u8]) {
    let once = format(source, &Profile::DESKTOP).expect("a right script");
    let shown = String::from_utf8_lossy(&once);
    assert_eq!(scripts::lexemes(&once), scripts::lexemes(source), "{shown}");
    assert_eq!(shape(&once), shape(source), "{shown}");
    assert_eq!(image(&once), image(source), "{shown}");
    let twice = format(&once, &Profile::DESKTOP).expect("its formatting is right too");
    assert_eq!(String::from_utf8_lossy(&twice), shown);
    assert!(!shown.contains("\n\n\n") || source.windows(3).any(|w| w == b"\n\n\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn loses_nothing_and_is_its_own_formatting(source in scripts::source()) {
        check(source.as_bytes());
    }

    #[test]
    fn whatever_parses_is_formatted(source in prop::collection::vec(
        prop::sample::select(&["on init do", "print", "a", "\"b\"", "%c\n", "\n", "\n\n", " ", "if", "then", "endif",
            "else", "config", "(", ")", "|", "not", "-", ",", "\\", "\r", "substr", "1", "-1", "-0.5", "max", "publish local", "#00"][..]),
        0..24,
    )) {
        let source = source.join(" ");
        if parse(source.as_bytes(), &Profile::DESKTOP).errors.is_empty() {
            check(source.as_bytes());
        }
    }
}
