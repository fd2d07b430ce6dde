//! Any bytes whatever: diagnostics, never a panic, in time that grows with the length of the source
//! only.

mod common;

use std::time::{Duration, Instant};

use proptest::prelude::*;
use umqtt_lang::parse::MAX_DIAGNOSTICS;
use umqtt_lang::{format, parse, statements};
use umqtt_vm::Profile;

use common::scripts;

/// A profile that lets long sources through.
fn roomy() -> Profile {
    Profile::DESKTOP.source(4 << 20)
}

/// All that must hold for any source.
fn check(source: &[u8]) {
    let umqtt_lang::Parsed { statements: right, errors: wrong } = parse(source, &roomy());
    assert!(wrong.len() <= MAX_DIAGNOSTICS);
    for told in &wrong {
        assert!(!told.message.is_empty());
        let edits = told.fix.iter().flat_map(|fix| &fix.edits).map(|edit| edit.span);
        let spans = told.related.iter().map(|(span, _)| *span).chain(edits).chain([told.span]);
        for span in spans {
            assert!(span.start <= span.end && span.end as usize <= source.len(), "{told:?}");
        }
    }
    let mut pulled = Vec::new();
    let mut refused = 0;
    for statement in statements(source, &roomy()) {
        match statement {
            Ok(statement) => pulled.push(statement),
            Err(diagnostics) => {
                assert!(!diagnostics.is_empty());
                refused += diagnostics.len();
            }
        }
    }
    assert_eq!(pulled, right);
    assert_eq!(refused, wrong.len());
    assert_eq!(format(source, &roomy()).is_ok(), wrong.is_empty());
}

/// Words of the language and things near to them.
const VOCABULARY: &[&str] = &[
    "on",
    "on",
    "config",
    "do",
    "do",
    "then",
    "elseif",
    "else",
    "endif",
    "if",
    "while",
    "done",
    "init",
    "serial",
    "timer",
    "alarm",
    "topic",
    "gpio_interrupt",
    "local",
    "remote",
    "publish",
    "subscribe",
    "settimer",
    "setvar",
    "setvar $x =",
    "print",
    "http_post",
    "gpio_pinmode",
    "gpio_out",
    "pullup",
    "input",
    "output",
    "retained",
    "=",
    "-",
    "+",
    ">",
    "|",
    "*",
    "gte",
    "and",
    "or",
    "not",
    "not(",
    "substr(",
    "csvstr(",
    "find(",
    "gpio_in(",
    "(",
    ")",
    ",",
    "\"a\"",
    "word",
    "#00",
    "#0",
    "$x",
    "$this_data",
    "@1",
    "@x",
    "1",
    "\\",
    "\\ ",
    "%c\n",
    "\n",
    "\n\n",
    "\"",
    "==",
    "<",
    "!=",
    "on init do",
    "on timer 1 do",
    "config a b",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes(source in prop::collection::vec(any::<u8>(), 0..512)) {
        check(&source);
    }

    #[test]
    fn bytes_that_mean_something(source in "[\"\\\\%#$@()|=> \\-,\n\r\tonif1dea]{0,300}") {
        check(source.as_bytes());
    }

    #[test]
    fn token_soup(
        words in prop::collection::vec(prop::sample::select(VOCABULARY), 0..80),
        glue in prop::sample::select(&[" ", "\n", ""][..]),
    ) {
        check(words.join(glue).as_bytes());
    }

    #[test]
    fn right_scripts_parse(script in scripts::script(), choices in prop::collection::vec(any::<u8>(), 1..64)) {
        let source = scripts::spread(&script, &choices);
        // Random scripts may be longer than the smallest device takes.
        let umqtt_lang::Parsed { statements: right, errors: wrong } = parse(source.as_bytes(), &Profile::ESP32);
        prop_assert!(wrong.is_empty(), "{source}\n{wrong:#?}");
        let starts = script.iter().filter(|word| *word == "on" || word.starts_with("config ")).count();
        let subs = script.windows(3).filter(|words| words[0] == "sub" && words[2] == "do").count();
        prop_assert_eq!(right.len(), starts + subs + 2, "and two constants");
    }

    #[test]
    fn mutated_scripts(
        script in scripts::script(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..4usize, prop::sample::select(VOCABULARY)), 1..6),
    ) {
        let mut script = script;
        for (at, what, word) in edits {
            let at = at.index(script.len());
            match what {
                0 => drop(script.remove(at)),
                1 => script.insert(at, word.to_owned()),
                2 => script[at] = word.to_owned(),
                _ => script.truncate(at),
            }
            if script.is_empty() {
                break;
            }
        }
        check(script.join(" ").as_bytes());
        check(script.join("\n").as_bytes());
    }

    #[test]
    fn flipped_bytes(source in scripts::source(), edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut source = source.into_bytes();
        for (at, byte) in edits {
            let at = at.index(source.len());
            source[at] = byte;
        }
        check(&source);
    }
}

/// Pieces which, repeated, have been the death of parsers.
const HOSTILE: &[&str] = &[
    "(",
    ")",
    "((((",
    "if ",
    "\"",
    "\\",
    "%",
    "% \n",
    "on ",
    "on on",
    "config ",
    "not",
    "not ",
    "not(",
    "not % \n",
    "- ",
    "#",
    "$",
    "@",
    "\n",
    " ",
    "\"\\",
    "on init do ",
    "print ",
    "done ",
    "endif ",
    "then ",
    "a",
    "a ",
    ", ",
    "config a ",
    "on timer ",
    "elseif ",
    "\u{0}",
    "while 1 do ",
    "| ",
    "a | ",
];

/// What may stand before them.
const BEFORE: &[&str] = &[
    "",
    "on init do ",
    "on init do print ",
    "on init do if ",
    "on init do print a |",
    "config a \"",
];

#[test]
fn a_megabyte_of_anything() {
    for piece in ["(", "if ", "\"", "\"\\", "on ", "not(", "a | ", "%", "#x"] {
        let source = format!("on init do print {}", piece.repeat((1 << 20) / piece.len()));
        let wrong = parse(source.as_bytes(), &roomy()).errors;
        assert!(wrong.len() <= MAX_DIAGNOSTICS, "{piece}");
        let told = parse(source.as_bytes(), &Profile::DESKTOP).errors;
        assert_eq!(told.iter().map(|told| told.code.as_str()).collect::<Vec<_>>(), ["E0010"]);
    }
}

/// The shorter of two runs.
fn time(source: &[u8]) -> Duration {
    let run = || {
        let start = Instant::now();
        std::hint::black_box(parse(source, &roomy()));
        start.elapsed()
    };
    run().min(run())
}

#[test]
fn time_is_linear() {
    for piece in HOSTILE {
        for before in BEFORE {
            let source = |len: usize| [before, &*piece.repeat(len / piece.len())].concat();
            let (short, long) = (source(1 << 12), source(1 << 16));
            // Sixteen times the length: quadratic would be 256 times the time, seconds. What takes
            // less than one says nothing on a busy machine.
            let linear = (0..3).any(|_| {
                let allowed = (time(short.as_bytes()) * 80).max(Duration::from_secs(1));
                time(long.as_bytes()) < allowed
            });
            assert!(linear, "{before}{piece}");
        }
    }
}
