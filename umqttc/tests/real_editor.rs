//! Neovim with `umqttc lsp`, by the file of `editors/neovim`. Only with UMQTT_REAL_TOOLS=1, for a
//! machine need not have it.
#![cfg(unix)]

mod common;

use std::process::Command;

use common::{UMQTTC, folder, output_of, repository};

const SCRIPT: &str = "on init do\nsettimer 1 1000 * 60 + 500\n\non timer 1 do println \"on\"\n";
const TEST: &str =
    "use lamp.script\n\ntest \"it is on\"\n    start\n    expect within 2h println on\n";

#[test]
fn neovim_shows_what_is_wrong_and_mends_it() {
    let test = "neovim_shows_what_is_wrong_and_mends_it";
    if std::env::var_os("UMQTT_REAL_TOOLS").is_none_or(|value| value != "1") {
        eprintln!("skipped: {test} needs neovim; set UMQTT_REAL_TOOLS=1 to run it");
        return;
    }
    let dir = folder(&[("lamp.script", SCRIPT.as_bytes()), ("lamp.test", TEST.as_bytes())]);
    let plugin = repository("umqttc/editors/neovim/umqtt.lua");
    let drive = repository("umqttc/tests/neovim/drive.lua");
    let mut command = Command::new("nvim");
    command
        .args(["--headless", "--clean", "--cmd"])
        .arg(format!("let g:umqttc_path = '{UMQTTC}'"))
        .args(["-c", &format!("luafile {}", plugin.display())])
        .args(["-c", &format!("luafile {}", drive.display())])
        .env("XDG_STATE_HOME", dir.path())
        .current_dir(dir.path());
    let ran = output_of(&mut command, b"");
    let out = String::from_utf8_lossy(&ran.stdout);
    let err = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && out.ends_with("done\n"), "{out}{err}");
    insta::assert_snapshot!(out);
}
