//! `umqttc test`: what people get wrong in test files, each with what to do.

mod common;

use common::lamp::{LAMP, test, without_time};
use common::{folder, umqttc};

/// What beginners get wrong in a test file, each with what to do.
#[test]
fn mistakes_in_a_test_file() {
    let mut shown = String::new();
    for file in [
        "",
        "test \"x\"\n start",
        "use lamp.script",
        "uses lamp.script\ntest \"x\"\n start",
        "use lamp.script\nstart",
        "use lamp.script\ntset \"x\"",
        "use lamp.script\ntest it works\n start",
        "use lamp.script\ntest \"x\"\n expect nothing more\n start",
        "use lamp.script\ntest \"x\"\n wait 5s",
        "use lamp.script\ntest \"x\"\n start\n start",
        "use lamp.script\ntest \"x\"\n start\ntest \"x\"\n start",
        "use lamp.script\ntest \"x\"\n start\n publish local lamp/set on",
        "use lamp.script\ntest \"x\"\n start\n topic lamp/set on",
        "use lamp.script\ntest \"x\"\n start\n topic local lamp/set on off",
        "use lamp.script\ntest \"x\"\n start\n topic local lamp/set $on",
        "use lamp.script\ntest \"x\"\n start\n expect publish lamp/state on",
        "use lamp.script\ntest \"x\"\n start\n expect settimer 1 5000",
        "use lamp.script\ntest \"x\"\n start\n expect gipo 12 = 1",
        "use lamp.script\ntest \"x\"\n start\n expect $on is 1",
        "use lamp.script\ntest \"x\"\n start\n wait 5",
        "use lamp.script\ntest \"x\"\n start\n wait 5 s",
        "use lamp.script\ntest \"x\"\n start\n clock 07:00",
        "use lamp.script\ntest \"x\"\n start\n flash @17 a",
        "use lamp.script\ntest \"x\"\n start\n http ok x",
        "use lamp.script\ntest \"x\"\n start\n serial \"x",
        "use lamp.script\ntest \"x\"\n start\n repeat 3 do\n wait 1s",
        "use lamp.script\ntest \"x\"\n start\n done",
        "use lamp.script\neach n in 1 2",
        "use lamp.script as a\nuse lamp.script as b\ntest \"x\"\n start",
        "use lamp.script as a\nuse lamp.script as a\ntest \"x\"\n start",
        "use lamp.script as kitchen\nlink kitchen remote kichen\ntest \"x\"\n start",
        "use lamp.script as a\nuse lamp.script as b\ntest \"x\"\n b start",
        "use lamp.script as a\nuse lamp.script as b\ntest \"x\"\n b:start",
        "each any in a b\ntest \"x\"\n start",
        "on init do println 1",
    ] {
        let ran = test(file, &[]);
        assert_eq!((ran.code, ran.err.as_str()), (2, ""), "{file}: {}", ran.out);
        shown.push_str(&without_time(&ran.out));
        shown.push('\n');
    }
    insta::assert_snapshot!(shown);
}

/// Lines of a test that are written as elsewhere, each with how they are written here.
#[test]
fn mistakes_in_a_line() {
    let mut shown = String::new();
    for line in [
        "topic local t {\"action\":\"single\"}",
        "topic local t {\"a\": [1, 2]} retained",
        "topic local t '{\"a\":1}'",
        "http 200 {\"t\":1}",
        "expect publish local t {\"t\":\"a\\b\"}",
        "topic local heat/set 19,5",
        "set latitude -52,5",
        "topic local t red,green",
        "topic local t \"a\"b",
        "topic local t on retain",
        "expect publish local t on retaned",
        "topic local t on # a comment",
        "# a comment",
        "//comment",
        "send local t on",
        "press 0",
        "button 0",
        "config latitude 5",
        "expect message local t on",
        "expect in 5s publish local t on",
        "expect not publish local t on",
        "expect on = 0",
        "expect no flash @17 = 1",
        "expect gpio 12 =",
        "expect within 5s no publish local a b",
        "expect no pin 12 = 1",
        "expect no $on = 1",
    ] {
        let ran = test(&format!("use lamp.script\ntest \"x\"\n start\n {line}\n"), &[]);
        assert_eq!((ran.code, ran.err.as_str()), (2, ""), "{line}: {}", ran.out);
        let end = ran.out.find("\nBROKEN").unwrap();
        shown.push_str(&ran.out[..end]);
        shown.push('\n');
    }
    insta::assert_snapshot!(shown);
}

/// A file of tests where a script belongs, a script where a test does, a folder where a file does.
#[test]
fn the_other_kind_of_file() {
    let tests = "% of a lamp\nuse lamp.script\ntest \"x\"\n start\n";
    let dir = folder(&[("lamp.script", LAMP.as_bytes()), ("lamp.test", tests.as_bytes())]);
    for command in ["check", "run", "fmt", "build"] {
        let ran = umqttc(dir.path(), &[command, "lamp.test"]);
        let message = "lamp.test holds tests, it is no script: `umqttc test lamp.test` runs it";
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{command}");
        assert!(ran.err.starts_with(&format!("umqttc: {message}\n")), "{command}: {}", ran.err);
    }
    let ran = umqttc(dir.path(), &["test", "lamp.script"]);
    assert_eq!(ran.code, 2);
    assert!(ran.out.starts_with("error: this is a script, not a test of one\n"), "{}", ran.out);
    assert!(ran.out.contains("BROKEN  lamp.script: 1 error\n"), "{}", ran.out);
    let ran = umqttc(dir.path(), &["check", "."]);
    let message = "umqttc: . is a folder: the scripts in it are ./*.script\n";
    assert_eq!(ran.code, 2);
    assert!(ran.err.starts_with(message), "{}", ran.err);
}

/// A script that cannot be read is a mistake of the test file, at its place, and is counted.
#[test]
fn a_script_that_is_not_there_breaks_the_file() {
    let mut shown = String::new();
    for used in ["nowhere.script", "lamp", "lmap.script"] {
        let good = b"use lamp.script\ntest \"x\"\n start\n";
        let bad = format!("% not there\nuse {used}\ntest \"x\"\n start\n");
        let files: [(&str, &[u8]); 3] =
            [("lamp.script", LAMP.as_bytes()), ("a.test", bad.as_bytes()), ("b.test", good)];
        let dir = folder(&files);
        let ran = umqttc(dir.path(), &["test"]);
        assert_eq!((ran.code, ran.err.as_str()), (2, ""), "{}", ran.out);
        assert!(ran.out.contains("a.test:2:") && ran.out.contains("BROKEN  a.test"), "{}", ran.out);
        shown.push_str(&without_time(&ran.out));
        shown.push('\n');
        let ran = umqttc(dir.path(), &["test", "--format", "json"]);
        let first: serde_json::Value =
            serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
        assert_eq!((first["status"].as_str(), first["line"].as_u64()), (Some("broken"), Some(2)));
    }
    insta::assert_snapshot!(shown);
}

/// A pipe may never give anything; a device, no end.
#[cfg(unix)]
#[test]
fn what_is_no_ordinary_file_is_not_waited_for() {
    let dir = folder(&[("uses.test", b"use pipe.script\ntest \"a\"\n    start\n")]);
    let pipe = dir.path().join("pipe.script");
    assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    for name in ["pipe.script", "uses.test", "/dev/zero"] {
        let ran = umqttc(dir.path(), &["test", name]);
        let told = format!("{}{}", ran.out, ran.err);
        assert!(ran.code == 2 && told.contains("it is no ordinary file"), "{name}: {told}");
    }
}
