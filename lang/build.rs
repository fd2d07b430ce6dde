//! Generates the parser's tables from the grammar, and lets them be driven by `parse/driver.rs`.

use std::path::Path;

/// What is replaced in the generated code, and by what.
const CHANGES: [(&str, &str); 2] = [
    (
        "use self::__lalrpop_util::state_machine as __state_machine;",
        "use crate::parse::driver as __state_machine;",
    ),
    ("__state_machine::Parser::drive(", "__state_machine::Parser::drive(build.room, "),
];

fn main() {
    println!("cargo::rerun-if-changed=src/parse/grammar.lalrpop");
    if let Err(error) = generate() {
        println!("cargo::error=the grammar does not build: {error}");
    }
}

fn generate() -> Result<(), Box<dyn std::error::Error>> {
    lalrpop::Configuration::new()
        .force_build(true)
        .emit_rerun_directives(false)
        .use_cargo_dir_conventions()
        .process()?;
    let path = Path::new(&std::env::var("OUT_DIR")?).join("parse/grammar.rs");
    let mut code = std::fs::read_to_string(&path)?;
    for (old, new) in CHANGES {
        if !code.contains(old) {
            return Err(format!("LALRPOP's code does not contain {old:?}").into());
        }
        code = code.replace(old, new);
    }
    Ok(std::fs::write(path, code)?)
}
