//! `umqttc migrate`: what it rewrites, and that a script does the same afterwards.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{folder, umqttc, umqttc_with};
use umqtt_device::net::Duration;
use umqtt_device::sim::Simulator;
use umqtt_lang::EmitOptions;
use umqtt_vm::Profile;

const OLD: &str = "% An old script.
on init do
    setvar $topic = \"lamp/state\"
    setvar $on = 0
    settimer 1 1000

on timer 1 do
    settimer 1 1000
    setvar $on = not($on)
    gpio_out 12 $on
    publish local $topic $on retained
";
const NEW: &str = "% An old script.
const $topic = \"lamp/state\"
on init do
    setvar $on = 0

on every 1s do
    setvar $on = not($on)
    gpio_out 12 $on
    publish local $topic $on retained
";

#[test]
fn it_shows_what_changes_and_writes_it_if_asked() {
    let folder = folder(&[("old.script", OLD.as_bytes())]);
    let shown = umqttc(folder.path(), &["migrate", "old.script"]);
    insta::assert_snapshot!(shown.out);
    assert_eq!((shown.code, &*shown.err), (0, ""));
    assert_eq!(fs::read_to_string(folder.path().join("old.script")).unwrap(), OLD);
    let written = umqttc(folder.path(), &["migrate", "--write", "old.script"]);
    assert_eq!((written.code, written.out), (0, shown.out));
    assert_eq!(fs::read_to_string(folder.path().join("old.script")).unwrap(), NEW);
    let again = umqttc(folder.path(), &["migrate", "old.script"]);
    assert_eq!((again.code, &*again.out), (0, "old.script: nothing to rewrite\n"));
}

#[test]
fn standard_input_goes_rewritten_to_standard_output() {
    let folder = folder(&[]);
    let shown = umqttc_with(folder.path(), &["migrate", "-"], OLD.as_bytes());
    assert!(shown.out.contains("+on every 1s do"), "{}", shown.out);
    for script in [OLD, NEW] {
        let ran = umqttc_with(folder.path(), &["migrate", "--write", "-"], script.as_bytes());
        assert_eq!((ran.code, &*ran.out), (0, NEW));
    }
}

#[test]
fn a_script_with_errors_stays_as_it_is() {
    let wrong = OLD.replace("gpio_out 12", "gpio_out x");
    let folder = folder(&[("old.script", wrong.as_bytes())]);
    let ran = umqttc(folder.path(), &["migrate", "--write", "old.script", "none.script"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("error[E") && ran.err.contains("cannot read none.script"),
        "{}",
        ran.err
    );
    assert_eq!(fs::read_to_string(folder.path().join("old.script")).unwrap(), wrong);
}

/// What a script does in two hours in which this and that happens.
fn story(source: &str) -> Vec<String> {
    let profile = Profile::DESKTOP;
    let image = umqtt_lang::compile(source.as_bytes(), &profile, EmitOptions::new()).unwrap();
    let mut sim = Simulator::new(image, &profile).unwrap();
    sim.start();
    sim.connect_remote();
    sim.wifi(true);
    let mut done = Vec::new();
    for n in 0..120_u16 {
        sim.set_adc(n * 8);
        for topic in ["relay/command", "room/temperature", "lamp/command", "in/x", "a"] {
            sim.local(topic, n.to_string());
            sim.remote(topic, "toggle");
        }
        for pin in [0, 4, 5, 12, 14] {
            sim.drive_pin(pin, n % 2 == 0);
        }
        sim.serial(format!("line {n};x"));
        sim.http_answer(b"200", "{\"current\":{\"temperature_2m\":20}}");
        sim.advance(Duration::from_secs(60));
        let all = sim.timed_actions();
        done.extend(all.iter().map(|(at, action)| format!("{} {action}", at.as_millis())));
    }
    done
}

#[test]
fn a_script_does_the_same_afterwards() {
    let here = env!("CARGO_MANIFEST_DIR");
    let mut rewritten = 0;
    let mut scripts = vec![OLD.to_owned()];
    for place in ["../scripts", "tests/beginners"] {
        let files =
            fs::read_dir(format!("{here}/{place}")).unwrap().map(|file| file.unwrap().path());
        let files = files.filter(|file| file.extension().is_some_and(|end| end == "script"));
        scripts.extend(files.filter_map(|file| fs::read_to_string(file).ok()));
    }
    for script in scripts {
        let options = EmitOptions::new();
        if umqtt_lang::compile(script.as_bytes(), &Profile::DESKTOP, options).is_err() {
            continue;
        }
        let folder = folder(&[("x.script", script.as_bytes())]);
        let ran = umqttc(folder.path(), &["migrate", "--write", "x.script"]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        let now = fs::read_to_string(folder.path().join("x.script")).unwrap();
        if now != script {
            rewritten += 1;
            assert_eq!(story(&now), story(&script), "{}", ran.out);
        }
    }
    assert!(rewritten > 3, "{rewritten} were rewritten");
}

/// What a script prints of each value that comes.
fn prints(source: &str, values: &[String]) -> Vec<String> {
    let profile = Profile::DESKTOP;
    let image = umqtt_lang::compile(source.as_bytes(), &profile, EmitOptions::new()).unwrap();
    let mut sim = Simulator::new(image, &profile).unwrap();
    sim.start();
    sim.actions();
    let mut all = Vec::new();
    for value in values {
        sim.local("in/t", value);
        let printed: Vec<String> = sim.actions().iter().map(ToString::to_string).collect();
        all.push(printed.join(" "));
    }
    all
}

/// Below zero too where the script looks at the sign; else what it made there was wrong.
#[test]
fn tenths_are_the_same_computed_as_picked() {
    let parts = "    setvar $tenths = csvstr($this_data, 0, \".\") * 10
    setvar $digit = substr(csvstr($this_data, 1, \".\"), 0, 1)
";
    let start = "on init do\n    subscribe local \"in/t\"\non topic local \"in/t\" do\n";
    let by_sign = format!(
        "{start}{parts}    if substr($this_data, 0, 1) = \"-\" then
        setvar $now = $tenths - $digit
    else
        setvar $now = $tenths + $digit
    endif
    println $now
"
    );
    let above = format!("{start}{parts}    setvar $now = $tenths + $digit\n    println $now\n");
    let mut values: Vec<String> = (0..400).map(|n| format!("{}.{}", n / 10, n * 7 % 100)).collect();
    values.extend(["", "0", "7", "007.5", "21.", "99999.9", "abc", "x.y"].map(str::to_owned));
    let below = values.iter().map(|value| format!("-{value}"));
    let both: Vec<String> = values.iter().cloned().chain(below).collect();
    for (script, values) in [(by_sign, &both), (above, &values)] {
        let folder = folder(&[("x.script", script.as_bytes())]);
        let ran = umqttc(folder.path(), &["migrate", "--write", "x.script"]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        let now = fs::read_to_string(folder.path().join("x.script")).unwrap();
        let wanted = format!("{start}    setvar $now = int($this_data * 10)\n    println $now\n");
        assert_eq!(now, wanted);
        let (before, after) = (prints(&script, values), prints(&now, values));
        assert!(before.iter().all(|printed| printed.starts_with("println ")), "{before:?}");
        for (value, (before, after)) in values.iter().zip(before.iter().zip(&after)) {
            assert_eq!(after, before, "{value}");
        }
    }
}
