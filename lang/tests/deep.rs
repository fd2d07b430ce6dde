//! Nested at the limit, over it, and far over it, in every construct that nests: everything that
//! reads a script ends, on a small stack.

use umqtt_lang::advice::advise;
use umqtt_lang::lint::{NoConfig, lint};
use umqtt_lang::{EmitOptions, compile, format, parse};
use umqtt_vm::{Profile, Program};

/// Bytes of stack, in a build that is not optimised.
const STACK: usize = 512 * 1024;

/// Opening and closing words of everything that nests, and what stands within.
const CONSTRUCTS: [(&str, &str, &str); 9] = [
    (" println ", "(", ")"),
    (" println ", "not(", ")"),
    (" println ", "lower(", ")"),
    (" println ", "substr(", ",1,2)"),
    (" println ", "json_parse(a,", ")"),
    (" println ", "find(b,", ")"),
    (" println ", "1 + (", ")"),
    ("", " if $adc then", " endif"),
    ("", " while $adc do", " done"),
];

/// Everything that reads a script; whether it compiles.
fn read(script: &str, profile: &Profile) -> bool {
    let source = script.as_bytes();
    let umqtt_lang::Parsed { statements, errors } = parse(source, profile);
    if errors.is_empty() {
        let _ = lint(source, &statements, profile, &NoConfig);
    }
    drop(statements);
    let _ = format(source, profile);
    match compile(source, profile, EmitOptions::new().debug(true).source(true)) {
        Ok(image) => {
            let program = Program::verify(&image[..], profile).expect("sound");
            let mut at = 0;
            while let Some(instruction) =
                umqtt_vm::decode::Instruction::decode(program.image().code(), at)
            {
                let _ = instruction.display(&program.image()).to_string();
                at = instruction.end;
            }
            true
        }
        Err(mut errors) => {
            advise(source, &mut errors);
            assert!(!errors.is_empty());
            false
        }
    }
}

fn nested((before, open, close): (&str, &str, &str), depth: usize, closed: bool) -> String {
    let within = if before.is_empty() { " print 1" } else { "$adc" };
    let close = if closed { close.repeat(depth) } else { String::new() };
    format!("on init do\n{before}{}{within}{close}\n", open.repeat(depth))
}

#[test]
fn whatever_is_nested_is_read_to_its_end() {
    let run = || {
        let profile = Profile::DESKTOP.source(usize::MAX / 4);
        for construct in CONSTRUCTS {
            for depth in [31, 32, 33, 34, 1000, 20_000] {
                for closed in [true, false] {
                    let compiles = read(&nested(construct, depth, closed), &profile);
                    if depth < 32 && closed {
                        assert!(compiles, "{construct:?}, {depth} deep");
                    }
                    if depth > 33 {
                        assert!(!compiles, "{construct:?}, {depth} deep");
                    }
                }
            }
        }
    };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(run).expect("a thread");
    thread.join().expect("nothing failed");
}
