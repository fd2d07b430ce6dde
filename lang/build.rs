//! Generates the parser's tables from the grammar.

fn main() {
    println!("cargo::rerun-if-changed=src/parse/grammar.lalrpop");
    if let Err(error) = lalrpop::Configuration::new()
        .emit_rerun_directives(false)
        .use_cargo_dir_conventions()
        .process()
    {
        println!("cargo::error=the grammar does not build: {error}");
    }
}
