//! `umqttc fmt`, `explain`, `completions`, `man`, and the help.

mod common;

use std::fs;
use std::process::{Command, Stdio};

use common::{UMQTTC, folder, output_of, repository, umqttc, umqttc_with};

const UGLY: &str =
    "on   init do println   \"a\"   % a comment\n\n\n\n\nsettimer 1 100\non timer 1 do print 1";

#[test]
fn formatting_is_done_in_place_and_once() {
    let dir = folder(&[("u.script", UGLY.as_bytes())]);
    let check = umqttc(dir.path(), &["fmt", "--check", "u.script"]);
    assert_eq!((check.code, check.out.as_str()), (1, "u.script: would change\n"));
    assert_eq!(fs::read_to_string(dir.path().join("u.script")).unwrap(), UGLY);

    let ran = umqttc(dir.path(), &["fmt", "u.script"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    let formatted = fs::read_to_string(dir.path().join("u.script")).unwrap();
    insta::assert_snapshot!(formatted);
    assert_eq!(umqttc(dir.path(), &["fmt", "--check", "u.script"]).code, 0);
    assert_eq!(umqttc_with(dir.path(), &["fmt", "-"], UGLY.as_bytes()).out, formatted);
}

#[test]
fn what_does_not_parse_is_not_formatted() {
    let dir = folder(&[("b.script", b"on init do if then"), ("u.script", UGLY.as_bytes())]);
    let ran = umqttc(dir.path(), &["fmt", "b.script", "u.script"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("error["), "{}", ran.err);
    assert_eq!(fs::read(dir.path().join("b.script")).unwrap(), b"on init do if then");
    assert_ne!(fs::read(dir.path().join("u.script")).unwrap(), UGLY.as_bytes());
    assert_eq!(umqttc(dir.path(), &["fmt", "missing.script"]).code, 2);
}

#[test]
fn every_code_is_explained() {
    let dir = folder(&[]);
    let list = umqttc(dir.path(), &["explain"]);
    assert_eq!(list.code, 0);
    insta::assert_snapshot!(list.out);
    for line in list.out.lines() {
        let code = line.split(' ').next().unwrap();
        let page = umqttc(dir.path(), &["explain", code]);
        assert_eq!(page.code, 0, "{code}");
        assert!(page.out.contains(code) && page.out.len() > 100, "{code}: {}", page.out);
    }
    insta::assert_snapshot!(umqttc(dir.path(), &["explain", "w0001"]).out);
    let ran = umqttc(dir.path(), &["explain", "E9999"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("E9999"), "{}", ran.err);
}

#[test]
fn completions_for_every_shell() {
    let dir = folder(&[]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = umqttc(dir.path(), &["completions", shell]);
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("deny-warnings"), "{shell}");
    }
    assert_eq!(umqttc(dir.path(), &["completions", "tcsh"]).code, 2);
}

#[test]
fn manual_pages() {
    let dir = folder(&[]);
    let overview = umqttc(dir.path(), &["man"]);
    assert!(overview.code == 0 && overview.out.contains(".TH umqttc 1"), "{}", overview.out);
    let check = umqttc(dir.path(), &["man", "check"]);
    assert!(check.out.contains(".TH umqttc-check 1"), "{}", check.out);
    assert_eq!(umqttc(dir.path(), &["man", "nothing"]).code, 2);
    fs::create_dir(dir.path().join("man1")).unwrap();
    assert_eq!(umqttc(dir.path(), &["man", "--dir", "man1"]).code, 0);
    let pages = fs::read_dir(dir.path().join("man1")).unwrap();
    let mut names: Vec<_> = pages.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    insta::assert_debug_snapshot!(names);
}

#[test]
fn the_help_of_everything() {
    let dir = folder(&[]);
    let mut text = umqttc(dir.path(), &["--help"]).out;
    for command in ["check", "explain", "build", "dis", "fmt", "run", "completions", "man"] {
        let ran = umqttc(dir.path(), &[command, "--help"]);
        assert_eq!(ran.code, 0);
        text += &format!("\n----- {command}\n{}", ran.out);
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_full_disk_is_reported() {
    if !fs::exists("/dev/full").unwrap_or(false) {
        eprintln!("skipped: this system has no /dev/full");
        return;
    }
    let mut command = Command::new(UMQTTC);
    command.arg("explain").stderr(Stdio::piped());
    command.stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("cannot write to standard output"), "{said}");
}

#[test]
fn run_refuses_what_cannot_run() {
    let dir =
        folder(&[("bad.script", b"on init do println $nosuch"), ("bad.umq", b"uMQ!nonsense")]);
    let script = umqttc(dir.path(), &["run", "--data", "d", "bad.script"]);
    assert_eq!(script.code, 1);
    assert!(script.err.contains("error[E0011]"), "{}", script.err);
    let image = umqttc(dir.path(), &["run", "--data", "d", "bad.umq"]);
    assert_eq!(image.code, 2);
    assert_eq!(umqttc(dir.path(), &["run", "--data", "d", "missing.script"]).code, 2);
    assert_eq!(umqttc(dir.path(), &["run", "--bind", "nowhere"]).code, 2);
    assert!(!dir.path().join("d").exists(), "nothing is touched before the script is known good");
}

#[test]
fn sample_scripts_are_formatted() {
    let scripts = fs::read_dir(repository("scripts")).unwrap();
    for path in scripts.map(|entry| entry.unwrap().path()) {
        if path.extension().is_some_and(|ending| ending == "script") {
            let mut command = Command::new(UMQTTC);
            command.args(["fmt", "--check"]).arg(&path);
            let output = output_of(&mut command, b"");
            assert!(output.status.success(), "{} would change", path.display());
        }
    }
}
