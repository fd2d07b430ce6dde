//! Mistakes of a line each that people make who come from other languages: what they are told of
//! each, and what `--fix` makes of the line. See `mistakes/*.txt`.

mod common;

use umqtt_lang::advice::advise;
use umqtt_lang::diagnostic::Diagnostic;
use umqtt_lang::lint::NoConfig;
use umqtt_lang::{Analysis, EmitOptions};
use umqtt_vm::Profile;

/// Errors with their advice, and warnings, as `umqttc check` has them.
fn check(source: &str) -> Vec<Diagnostic> {
    let source = source.as_bytes();
    let analysis = Analysis::new(source, &Profile::ESP8266, EmitOptions::new());
    let mut found = analysis.errors().to_vec();
    advise(source, &mut found);
    found.extend(analysis.warnings(&NoConfig));
    found.sort_by_key(|diagnostic| (diagnostic.span, diagnostic.code));
    found
}

/// Each line in a handler of its own, what is told of it, and what becomes of it.
fn told(mistakes: &str) -> String {
    let mut out = String::new();
    for line in mistakes.lines().filter(|line| !line.is_empty()) {
        let script = common::mistake(line);
        out += &format!("{line}\n");
        let found = check(&script);
        assert!(!found.is_empty(), "nothing is told of {line}");
        for diagnostic in &found {
            out += &format!("    {} {}\n", diagnostic.code, diagnostic.message);
            for (_, words) in &diagnostic.related {
                out += &format!("      .. {words}\n");
            }
            out +=
                &diagnostic.help.as_ref().map_or(String::new(), |help| format!("      {help}\n"));
        }
        let mended = common::fixed(&script, 20, check);
        if mended != script {
            let text = mended.strip_prefix("on init do\n").unwrap_or(&mended).replace('\n', " // ");
            out += &format!("  > {text}\n");
            let errors = check(&mended).iter().filter(|told| told.code.as_str() < "W").count();
            assert!(errors <= found.len(), "{line}\n{mended}");
        }
    }
    out
}

macro_rules! files {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            insta::assert_snapshot!(told(include_str!(concat!("mistakes/", stringify!($name), ".txt"))));
        })*
    };
}

files! {
    commas joining variables conditions functions foreign values messages settings pasted numbers
    escapes events remote decimals times pieces json
}
