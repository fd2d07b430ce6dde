//! `umqttc lsp`, driven as an editor drives it.

mod client;
mod names;
mod protocol;
mod random;
mod requests;
mod text;

use std::path::{Path, PathBuf};

/// Scripts to start from: names and texts.
fn samples() -> Vec<(PathBuf, String)> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("scripts");
    let entries = folder.read_dir().expect("the folder");
    let mut found: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "script"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a script");
            (path, text)
        })
        .collect();
    found.sort();
    assert!(found.len() > 10);
    found
}

/// What `umqttc` makes of a script on its standard input.
fn piped(arguments: &[&str], text: &str) -> String {
    use std::io::Write as _;
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_umqttc"))
        .args(arguments)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("is piped");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    String::from_utf8(output.stdout).expect("a text")
}

/// The script as `umqttc fmt` has it.
fn formatted(text: &str) -> String {
    piped(&["fmt", "-"], text)
}

/// The script as `umqttc check --fix` has it.
fn mended(text: &str) -> String {
    piped(&["check", "--fix", "-"], text)
}
