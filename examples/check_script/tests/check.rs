//! The example, as it is run.

use std::path::Path;
use std::process::{Command, Output};

fn check(path: &Path) -> (bool, String) {
    let Output { status, stdout, .. } =
        Command::new(env!("CARGO_BIN_EXE_check_script")).arg(path).output().expect("it runs");
    (status.success(), String::from_utf8_lossy(&stdout).into_owned())
}

#[test]
fn a_right_script_has_an_image_and_a_wrong_one_a_place() {
    let relay = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/relay.script");
    let (fine, said) = check(&relay);
    assert!(fine && said.ends_with("of bytecode\n"), "{said}");

    let wrong = std::env::temp_dir().join(format!("check_script-{}.script", std::process::id()));
    std::fs::write(&wrong, "on init do\n    printn 1\n").expect("a file");
    let (fine, said) = check(&wrong);
    std::fs::remove_file(&wrong).expect("it is there");
    assert!(!fine && said.contains(".script:2:5: E0001 "), "{said}");
}
