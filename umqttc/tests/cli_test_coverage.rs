//! `umqttc test --coverage` and `--watch`.
#![allow(clippy::unwrap_used)] // in helpers of tests

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use common::lamp::without_time;
use common::{UMQTTC, eventually, folder, repository, umqttc};

const SCRIPT: &str = "\
% A fan.
on init do
    subscribe local fan/set
    call off

on topic local fan/set do
    if $this_data = \"on\" or $this_data > 5 then
        gpio_out 12 1
    elseif $this_data = \"off\" then
        call off
    else
        println \"what?\"
    endif

on timer 1 do
    while $n lt 3 do
        setvar $n = $n + 1
    done
    call off

sub off do
    gpio_out 12 0
";

const TEST: &str = "use fan.script
test \"on\"
    start
    topic local fan/set on
    expect gpio 12 = 1
test \"off\"
    start
    topic local fan/set off
    expect gpio 12 = 0
";

fn fan() -> tempfile::TempDir {
    folder(&[("fan.script", SCRIPT.as_bytes()), ("fan.test", TEST.as_bytes())])
}

#[test]
fn what_never_ran_is_told() {
    let dir = fan();
    let ran = umqttc(dir.path(), &["test", "--coverage"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let (head, coverage) = ran.out.split_once("coverage").unwrap();
    assert_eq!(without_time(head), "ok      fan.test: 2 tests\n2 tests: 2 passed");
    insta::assert_snapshot!(coverage);

    // Other tests.
    let whole = format!(
        "{TEST}each VALUE in 3 6 nonsense\ntest \"more\"\n    start\n    topic local fan/set $VALUE\n"
    );
    fs::write(dir.path().join("fan.test"), whole).unwrap();
    let ran = umqttc(dir.path(), &["test", "--coverage", "--filter", "more"]);
    assert!(ran.out.contains("never ran: on timer 1 (line 16)\n"), "{}", ran.out);
    assert!(ran.out.contains("fan.script: 7 of 11 lines"), "{}", ran.out);
}

#[test]
fn two_files_that_test_a_script_cover_it_together() {
    let dir = fan();
    let [one, other] = TEST.split("test \"off\"").collect::<Vec<_>>()[..] else { panic!() };
    fs::write(dir.path().join("fan.test"), one).unwrap();
    fs::write(dir.path().join("off.test"), format!("use fan.script\ntest \"off\"{other}")).unwrap();
    let apart = umqttc(dir.path(), &["test", "--coverage"]);
    let together = umqttc(fan().path(), &["test", "--coverage"]);
    let coverage = |out: &str| out.split_once("coverage").unwrap().1.to_owned();
    assert_eq!(coverage(&apart.out), coverage(&together.out));
}

#[test]
fn programs_read_what_ran() {
    let dir = fan();
    let ran = umqttc(dir.path(), &["test", "--coverage=lcov:fan.info", "--format", "json"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    insta::assert_snapshot!("json", ran.out.lines().last().unwrap());
    insta::assert_snapshot!("lcov", fs::read_to_string(dir.path().join("fan.info")).unwrap());

    let ran = umqttc(dir.path(), &["test", "--coverage", "--format", "tap"]);
    assert!(ran.out.lines().skip(4).all(|line| line.starts_with("# ")), "{}", ran.out);
    let ran = umqttc(dir.path(), &["test", "--coverage=html:x"]);
    assert!(ran.code == 2 && ran.err.contains("expected lcov:FILE"), "{}", ran.err);
    let ran = umqttc(dir.path(), &["test", "--coverage=lcov:no/such/folder"]);
    assert!(ran.code == 2 && ran.err.contains("there is no folder"), "{}", ran.err);
}

#[test]
fn nothing_but_an_lcov_file_is_replaced() {
    let dir = fan();
    fs::write(dir.path().join("notes"), "mine\n").unwrap();
    // By another name.
    fs::hard_link(dir.path().join("fan.script"), dir.path().join("other")).unwrap();
    for name in ["fan.script", "./fan.test", "other", "notes"] {
        let before = fs::read(dir.path().join(name)).unwrap();
        let ran = umqttc(dir.path(), &["test", &format!("--coverage=lcov:{name}"), "."]);
        assert!(ran.code == 2 && ran.err.contains("is no lcov file"), "{name}: {}", ran.err);
        assert_eq!(fs::read(dir.path().join(name)).unwrap(), before, "{name}");
    }
    fs::write(dir.path().join("empty"), "").unwrap();
    for name in ["empty", "empty", "new", "new"] {
        let ran = umqttc(dir.path(), &["test", &format!("--coverage=lcov:{name}"), "."]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{name}");
    }
    // One that a test uses is kept, whatever it begins with.
    fs::write(dir.path().join("fan.script"), "TN:\n").unwrap();
    let ran = umqttc(dir.path(), &["test", "--coverage=lcov:fan.script"]);
    assert!(ran.code == 2 && ran.err.contains("is no lcov file"), "{}", ran.err);
    assert_eq!(fs::read(dir.path().join("fan.script")).unwrap(), b"TN:\n");
}

/// Tests come to the same with and without a look at what runs, and what has run has run.
#[test]
fn the_samples_are_covered() {
    let ran = umqttc(&repository("scripts"), &["test", "--coverage"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let scripts = fs::read_dir(repository("scripts")).unwrap();
    let scripts = scripts.filter(|entry| {
        entry.as_ref().unwrap().path().extension().is_some_and(|ending| ending == "script")
    });
    let covered = ran.out.lines().filter(|line| line.starts_with("coverage  "));
    assert_eq!(covered.count(), scripts.count(), "{}", ran.out);
}

/// `umqttc test --watch`, ended when it is dropped.
struct Watching {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Watching {
    fn in_folder(dir: &tempfile::TempDir) -> Watching {
        // A shell that starts something in the background has it ignore interrupts.
        let mut command = match cfg!(target_os = "linux") {
            true => Command::new("env"),
            false => Command::new(UMQTTC),
        };
        if cfg!(target_os = "linux") {
            command.args(["--default-signal=INT", UMQTTC]);
        }
        let mut child = command
            .args(["test", "--watch"])
            .current_dir(dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Watching { child, out }
    }

    /// What it writes until it waits again.
    fn until_it_waits(&mut self) -> String {
        let mut written = String::new();
        while !written.contains("; Ctrl-C ends\n") {
            assert!(self.out.read_line(&mut written).unwrap() > 0, "it has ended: {written}");
        }
        written
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn tests_run_again_when_a_file_changes() {
    let dir = fan();
    let mut watching = Watching::in_folder(&dir);
    let first = watching.until_it_waits();
    assert!(first.contains("2 tests: 2 passed"), "{first}");
    assert!(first.ends_with("watching 2 files; Ctrl-C ends\n"), "{first}");

    fs::write(dir.path().join("fan.script"), SCRIPT.replace("gpio_out 12 1", "gpio_out 13 1"))
        .unwrap();
    // A file may be read while it is being written; then it is read again.
    let mut next = watching.until_it_waits();
    while !next.contains("1 failed") {
        next = watching.until_it_waits();
    }
    assert!(next.starts_with("\nchanged: fan.script\n"), "{next}");
    assert!(next.contains("gpio 13 = 1  (line 8)"), "{next}");

    // As an editor does; and one more test file.
    fs::write(dir.path().join("beside"), SCRIPT).unwrap();
    fs::rename(dir.path().join("beside"), dir.path().join("fan.script")).unwrap();
    assert!(watching.until_it_waits().contains("2 tests: 2 passed"));
    fs::write(dir.path().join("beside"), TEST).unwrap();
    fs::rename(dir.path().join("beside"), dir.path().join("more.test")).unwrap();
    let next = watching.until_it_waits();
    assert!(next.contains("changed: more.test\n") && next.contains("4 tests: 4 passed"), "{next}");
    // A file that is wrong does not end it.
    fs::write(dir.path().join("beside"), "nonsense").unwrap();
    fs::rename(dir.path().join("beside"), dir.path().join("more.test")).unwrap();
    assert!(watching.until_it_waits().contains("BROKEN  more.test"));
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it() {
    let dir = fan();
    let mut watching = Watching::in_folder(&dir);
    watching.until_it_waits();
    let pid = watching.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    eventually("its end", || watching.child.try_wait().unwrap());
}
