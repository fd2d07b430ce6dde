//! Any bytes as source text: parser, compiler, linter, formatter, and what editors ask for.

use umqtt_lang::advice::advise;
use umqtt_lang::diagnostic::{Diagnostic, Severity};
use umqtt_lang::expects::expected;
use umqtt_lang::lint::{Known, NoConfig, lint};
use umqtt_lang::roles::roles;
use umqtt_lang::symbols::Symbols;
use umqtt_lang::{EmitOptions, compile, format, parse};
use umqtt_vm::{Profile, Program};

fn check(source: &[u8], diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        let fix = diagnostic.fix.iter().flat_map(|fix| &fix.edits).map(|edit| edit.span);
        for span in core::iter::once(diagnostic.span).chain(fix) {
            assert!(span.start <= span.end && span.end as usize <= source.len() + 1);
        }
    }
}

/// Runs the target.
pub fn run(source: &[u8]) {
    let profile = Profile::ESP8266;
    let options = EmitOptions::new();
    let umqtt_lang::Parsed { statements: script, errors } = parse(source, &profile);
    check(source, &errors);
    let warnings = lint(source, &script, &profile, &NoConfig);
    check(source, &warnings);
    assert!(warnings.iter().all(|warning| warning.severity() == Severity::Warning));

    let words = roles(source, &profile);
    let known = Known::of(source, &script);
    let symbols = Symbols::of(source, &words, &known);
    for place in symbols.entries.values().flatten() {
        assert!(place.span.end as usize <= source.len());
    }
    // At the start of a word, for each would be the square of the length.
    let at = words.get(source.len() % words.len().max(1)).map_or(0, |word| word.span.start);
    let found = expected(source, at as usize, &profile);
    assert!(found.typed.start <= found.typed.end && found.typed.end as usize <= source.len());

    let image = match compile(source, &profile, options) {
        Ok(image) => image,
        Err(mut errors) => {
            advise(source, &mut errors);
            assert!(!errors.is_empty());
            return check(source, &errors);
        }
    };
    assert!(errors.is_empty());
    assert!(Program::verify(&image[..], &profile).is_ok(), "what is compiled is sound");

    // Laid out, a script may grow past the limit of its length.
    let roomy = profile.source(usize::MAX / 4);
    let formatted = format(source, &roomy).expect("what compiles can be laid out");
    assert_eq!(format(&formatted, &roomy).expect("once more"), formatted);
    assert_eq!(compile(&formatted, &roomy, options).expect("means the same"), image);
}
