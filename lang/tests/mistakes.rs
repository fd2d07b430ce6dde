//! Mistakes of a line each that people make who come from other languages: what they are told of
//! each, and what `--fix` makes of the line. See `mistakes/*.txt`.

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

/// The script after all its fixes.
fn mended(source: &str) -> String {
    let mut source = source.to_string();
    for _ in 0..20 {
        let found = check(&source);
        let Some(fix) = found.iter().find_map(|told| told.fix.as_ref()) else { break };
        for edit in fix.edits.iter().rev() {
            let text = std::str::from_utf8(&edit.text).expect("text");
            source.replace_range(edit.span.start as usize..edit.span.end as usize, text);
        }
    }
    source
}

/// Each line in a handler of its own, what is told of it, and what becomes of it.
fn told(mistakes: &str) -> String {
    let mut out = String::new();
    for line in mistakes.lines().filter(|line| !line.is_empty()) {
        let body = line.replace(" // ", "\n");
        let script = match body.starts_with("on ") || body.starts_with("config ") {
            true => body,
            false => format!("on init do\n{body}"),
        };
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
        let mended = mended(&script);
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
    escapes
}
