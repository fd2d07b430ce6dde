//! Generates the language's parser, `lang/src/parse/grammar.rs`, from `grammar.lalrpop` beside it.
//!
//! The parser is checked in, so that whoever builds the compiler need not build LALRPOP. `lang`
//! refuses to compile when the grammar has changed and the parser has not; the test here generates
//! it anew and compares.
//!
//!     cargo run -p lang-grammar

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// What is replaced in the generated code, and by what: `parse/driver.rs` drives the tables, as
/// LALRPOP's own driver grows its stacks infallibly.
const CHANGES: [(&str, &str); 2] = [
    (
        "use self::__lalrpop_util::state_machine as __state_machine;",
        "use crate::parse::driver as __state_machine;",
    ),
    ("__state_machine::Parser::drive(", "__state_machine::Parser::drive(build.budget, "),
];

fn main() -> Result<()> {
    let path = folder().join("grammar.rs");
    fs::write(&path, generate()?).with_context(|| path.display().to_string())
}

/// Where the grammar is.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../lang/src/parse")
}

/// The parser, as it has to be.
fn generate() -> Result<String> {
    let grammar = fs::read(folder().join("grammar.lalrpop"))?;
    let work = tempfile::tempdir()?;
    fs::write(work.path().join("grammar.lalrpop"), &grammar)?;
    lalrpop::Configuration::new()
        .force_build(true)
        .emit_rerun_directives(false)
        .set_in_dir(work.path())
        .set_out_dir(work.path())
        .process()
        .map_err(|error| anyhow::anyhow!("the grammar does not build: {error}"))?;
    let mut code = fs::read_to_string(work.path().join("grammar.rs"))?;
    for (old, new) in CHANGES {
        ensure!(code.contains(old), "LALRPOP's code does not contain {old:?}");
        code = code.replace(old, new);
    }
    write!(
        code,
        "\n/// Of the grammar this was generated from: see `digest`.\n\
         pub(super) const GRAMMAR_DIGEST: u32 = {:#010x};\n",
        digest(&grammar)
    )?;
    Ok(code)
}

/// FNV-1a without line ends' CR. `lang/src/parse/mod.rs` computes the same when it is compiled.
fn digest(grammar: &[u8]) -> u32 {
    let bytes = grammar.iter().filter(|byte| **byte != b'\r');
    bytes.fold(0x811c_9dc5, |digest, byte| (digest ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parser_that_is_checked_in_is_fresh() {
        let checked_in = fs::read_to_string(folder().join("grammar.rs")).unwrap();
        // Not with `assert_eq`: it would print both.
        assert!(checked_in == generate().unwrap(), "run: cargo run -p lang-grammar");
    }
}
