//! A script that is read once gives what reading it several times gives: the same tree, errors,
//! warnings and image.
#![allow(clippy::unwrap_used)]

mod common;

use common::scripts;
use proptest::prelude::*;
use umqtt_lang::lint::{NoConfig, lint};
use umqtt_lang::{Analysis, EmitOptions, compile, parse};
use umqtt_vm::Profile;

fn check(source: &[u8], options: EmitOptions) {
    for profile in [Profile::ESP8266, Profile::DESKTOP] {
        let text = String::from_utf8_lossy(source);
        let once = Analysis::new(source, &profile, options);
        let umqtt_lang::Parsed { statements, errors: wrong } = parse(source, &profile);
        assert_eq!(once.statements(), statements, "{text}");
        let warnings = if wrong.is_empty() {
            lint(source, &statements, &profile, &NoConfig)
        } else {
            Vec::new()
        };
        assert_eq!(once.warnings(&NoConfig), warnings, "{text}");
        match compile(source, &profile, options) {
            Ok(image) => {
                assert_eq!(once.errors(), [], "{text}");
                assert_eq!(once.image().unwrap(), image, "{text}");
                assert_eq!(once.into_program().unwrap().unwrap().bytes(), &image, "{text}");
            }
            Err(errors) => {
                assert_eq!(once.errors(), errors, "{text}");
                assert!(once.image().is_none() && once.into_program().is_none(), "{text}");
            }
        }
    }
}

#[test]
fn a_script_that_is_too_long_is_not_read() {
    let long = "%".repeat(Profile::DESKTOP.source + 1);
    check(long.as_bytes(), EmitOptions::default());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_script(source in scripts::source(), debug: bool, embed: bool) {
        check(source.as_bytes(), EmitOptions::new().debug(debug).source(embed));
    }

    #[test]
    fn bytes_that_mean_something(source in "[\"\\\\%#$@()|=> \\-,\n\r\tonif1dea]{0,300}") {
        check(source.as_bytes(), EmitOptions::default());
    }
}
