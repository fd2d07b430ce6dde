//! `umqttc check`: what people and programs read, exit codes, fixes.

mod common;

use std::collections::BTreeSet;

use common::{UMQTTC, folder, repository, umqttc, umqttc_with};

const GOOD: &str = "on init\ndo\n    println \"hello\"\n";
const BROKEN: &str =
    "on init\ndo\n    setvar $x = \n    println $x\non timer 99\ndo println \"x\"\n";
/// Compiles; `-` groups from the right.
const SURPRISING: &str = "on init\ndo\n    println 10 - 3 - 2\n";

#[test]
fn a_good_script_is_fine() {
    let dir = folder(&[("good.script", GOOD.as_bytes())]);
    let ran = umqttc(dir.path(), &["check", "good.script"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
}

#[test]
fn errors_as_people_read_them() {
    let dir = folder(&[("broken.script", BROKEN.as_bytes())]);
    let ran = umqttc(dir.path(), &["check", "broken.script"]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.out);
}

#[test]
fn warnings_count_only_when_denied() {
    let dir = folder(&[("w.script", SURPRISING.as_bytes())]);
    let ran = umqttc(dir.path(), &["check", "w.script"]);
    assert_eq!(ran.code, 0);
    insta::assert_snapshot!(ran.out);
    assert_eq!(umqttc(dir.path(), &["check", "--deny-warnings", "w.script"]).code, 1);
}

#[test]
fn json_is_one_object_a_line() {
    let files = [("b.script", BROKEN.as_bytes()), ("w.script", SURPRISING.as_bytes())];
    let dir = folder(&files);
    let ran = umqttc(dir.path(), &["check", "--format", "json", "b.script", "w.script"]);
    assert_eq!(ran.code, 1);
    let mut seen = BTreeSet::new();
    for line in ran.out.lines() {
        let object: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = ["code", "file", "fix", "help", "message", "related", "severity", "span"];
        assert_eq!(keys.iter().copied().collect::<BTreeSet<_>>(), expected.into());
        let source = if object["file"] == "b.script" { BROKEN } else { SURPRISING };
        for end in ["start", "end"] {
            let place = &object["span"][end];
            let offset = place["offset"].as_u64().unwrap() as usize;
            let before = &source[..offset];
            assert_eq!(place["line"], before.matches('\n').count() + 1);
            let column = offset - before.rfind('\n').map_or(0, |at| at + 1) + 1;
            assert_eq!(
                (&place["column"], &place["utf16_column"]),
                (&column.into(), &column.into())
            );
        }
        seen.insert((object["file"].to_string(), object["severity"].to_string()));
    }
    assert!(seen.contains(&("\"b.script\"".into(), "\"error\"".into())), "{seen:?}");
    assert!(seen.contains(&("\"w.script\"".into(), "\"warning\"".into())), "{seen:?}");
}

#[test]
fn standard_input_and_bytes_that_are_not_text() {
    let dir = folder(&[]);
    assert_eq!(umqttc_with(dir.path(), &["check", "-"], GOOD.as_bytes()).code, 0);
    // Latin-1, as old editors save it: fine in strings, and places stay right behind it.
    let latin: &[u8] = b"on init do println \"caf\xe9\"\non init do println $nosuch\n";
    let ran = umqttc_with(dir.path(), &["check", "-"], latin);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.out);
    let json = umqttc_with(dir.path(), &["check", "--format=json", "-"], latin);
    let object: serde_json::Value = serde_json::from_str(json.out.lines().next().unwrap()).unwrap();
    assert_eq!(object["span"]["start"]["offset"], 45);
    assert_eq!(object["span"]["start"]["column"], 20);
}

#[test]
fn colour_is_a_choice() {
    let run = |args: &[&str], no_color: bool| {
        let dir = folder(&[("w.script", SURPRISING.as_bytes())]);
        let mut command = std::process::Command::new(UMQTTC);
        command.args(args).arg("w.script").current_dir(dir.path()).env_remove("NO_COLOR");
        if no_color {
            command.env("NO_COLOR", "1");
        }
        command.output().unwrap().stdout.contains(&0x1b)
    };
    assert!(!run(&["check"], false), "a pipe is no terminal");
    assert!(run(&["check", "--color", "always"], false));
    assert!(run(&["--color=always", "check"], true), "what is asked for outranks the environment");
    assert!(!run(&["check", "--color=never"], false));
}

#[test]
fn wrong_usage_and_unreadable_files_are_2() {
    let dir = folder(&[("good.script", GOOD.as_bytes()), ("b.script", BROKEN.as_bytes())]);
    assert_eq!(umqttc(dir.path(), &["check"]).code, 2);
    assert_eq!(umqttc(dir.path(), &["check", "--nonsense", "good.script"]).code, 2);
    assert_eq!(umqttc(dir.path(), &["check", "--profile", "toaster", "good.script"]).code, 2);
    let ran = umqttc(dir.path(), &["check", "b.script", "missing.script", "good.script"]);
    assert_eq!(ran.code, 2);
    assert!(ran.out.contains("b.script:"), "the others are checked: {}", ran.out);
    assert!(ran.err.starts_with("umqttc: cannot read missing.script: "), "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert_eq!(umqttc(dir.path(), &["check", "."]).code, 2);
}

#[test]
fn an_image_is_not_a_script() {
    let dir = folder(&[("good.script", GOOD.as_bytes())]);
    assert_eq!(umqttc(dir.path(), &["build", "good.script"]).code, 0);
    let ran = umqttc(dir.path(), &["check", "good.umq"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("good.umq is a compiled image"), "{}", ran.err);
}

#[test]
fn profiles_have_different_limits() {
    let dir = folder(&[("t.script", b"on init do settimer 20 100\non timer 20 do print 1\n")]);
    assert_eq!(umqttc(dir.path(), &["check", "t.script"]).code, 0);
    let ran = umqttc(dir.path(), &["check", "--profile", "esp8266", "t.script"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("16"), "the limit is named: {}", ran.out);
}

#[test]
fn what_a_device_takes_to_no_good_is_said_so() {
    let dir = folder(&[
        ("ssl.script", b"config mqtt_ssl 1\n"),
        ("pin.script", b"on init\ndo\n    gpio_out 6 1\n"),
    ]);
    let ran = umqttc(dir.path(), &["check", "ssl.script"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("there is no connection to the remote broker"), "{}", ran.out);
    assert!(ran.out.contains("help: the device takes this line"), "{}", ran.out);
    // Pin 6 is a pin like any other on other chips.
    let ran = umqttc(dir.path(), &["check", "--profile", "esp8266", "pin.script"]);
    assert!(ran.out.starts_with("warning[W0025]"), "{}", ran.out);
    let ran = umqttc(dir.path(), &["check", "--profile", "esp32", "pin.script"]);
    assert_eq!(ran.out, "");
}

#[test]
fn what_a_beginner_writes_is_mended() {
    let script = "on init\n  $y = 3\n  if not $y then {\n    println 'it is zero'\n  }\n  $y++;\n  println $y % 2\n";
    let dir = folder(&[("b.script", script.as_bytes())]);
    let ran = umqttc(dir.path(), &["check", "--fix", "--deny-warnings", "b.script"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    let mended = std::fs::read_to_string(dir.path().join("b.script")).unwrap();
    assert_eq!(
        mended,
        "on init do\n  setvar $y = 3\n  if not($y) then\n    println \"it is zero\"\n  endif\n  setvar $y = $y + 1\n  \
         println $y mod 2\n"
    );
}

#[test]
fn fixes_are_applied_and_mean_the_same() {
    let dir = folder(&[("w.script", SURPRISING.as_bytes())]);
    let ran = umqttc(dir.path(), &["check", "--fix", "--deny-warnings", "w.script"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(ran.err, "w.script: 1 fix applied\n");
    let mended = std::fs::read_to_string(dir.path().join("w.script")).unwrap();
    assert_eq!(mended, "on init\ndo\n    println 10 - (3 - 2)\n");
    let again = umqttc(dir.path(), &["check", "--fix", "w.script"]);
    assert_eq!((again.code, again.err.as_str()), (0, ""));
}

#[test]
fn what_is_mended_on_standard_input_goes_to_standard_output() {
    let dir = folder(&[]);
    let ran = umqttc_with(dir.path(), &["check", "--fix", "-"], SURPRISING.as_bytes());
    assert_eq!(ran.out, "on init\ndo\n    println 10 - (3 - 2)\n");
    let ran = umqttc_with(dir.path(), &["check", "--fix", "-"], BROKEN.as_bytes());
    assert_eq!((ran.code, ran.out.as_str()), (1, BROKEN), "what cannot be mended passes through");
    assert!(ran.err.contains("error["), "{}", ran.err);
}

#[test]
fn every_sample_script_is_free_of_warnings() {
    let mut scripts = Vec::new();
    for entry in std::fs::read_dir(repository("scripts")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "script") {
            scripts.push(path.into_os_string());
        }
    }
    assert!(scripts.len() >= 10, "{scripts:?}");
    let mut args = vec!["check".into(), "--deny-warnings".into(), "--profile=esp8266".into()];
    args.append(&mut scripts);
    let ran = umqttc(&repository("."), &args);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
}

#[test]
fn a_megabyte_of_nonsense_is_told_in_a_few_lines() {
    let dir = folder(&[]);
    for piece in ["(", "if ", "\"", "on init do ", "setvar $x = ", "\u{e9}\n", "\0", "config "] {
        let source = piece.repeat(1_000_000 / piece.len());
        let ran = umqttc_with(dir.path(), &["check", "-"], source.as_bytes());
        assert_eq!(ran.code, 1, "{piece:?}");
        assert!(ran.out.len() < 100_000, "{piece:?}: {} bytes", ran.out.len());
    }
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    use std::process::{Command, Stdio};
    let dir = folder(&[("b.script", BROKEN.as_bytes())]);
    let mut args = vec!["check"];
    args.extend(["b.script"; 200]);
    let mut child = Command::new(UMQTTC)
        .args(args)
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(1));
}

/// Hints are for who asks for them, and so are their fixes.
#[test]
fn pedantic_hints() {
    let script = "on init do\n    settimer 1 10000\n\non timer 1 do\n    println \"tick\"\n    settimer 1 10000\n";
    let dir = folder(&[("tick.script", script.as_bytes())]);
    let quiet = umqttc(dir.path(), &["check", "--fix", "--deny-warnings", "tick.script"]);
    assert_eq!((quiet.code, &*quiet.out), (0, ""));
    let told = umqttc(dir.path(), &["check", "--pedantic", "tick.script"]);
    assert!(told.out.contains("W0042") && told.out.contains("on every 10s"), "{}", told.out);
    let fixed = umqttc(dir.path(), &["check", "--pedantic", "--fix", "tick.script"]);
    assert_eq!((fixed.code, &*fixed.out), (0, ""));
    let mended = std::fs::read_to_string(dir.path().join("tick.script")).unwrap();
    assert_eq!(mended, "\non every 10s do\n    println \"tick\"\n");
}

#[test]
fn bounds_of_each_handler_on_each_device() {
    let script = "on init do
    setvar $sum = 0
    setvar $i = 0
    while $i lt 10 do
        setvar $sum = $sum + $i
        setvar $i = $i + 1
    done
    subscribe local \"a/b\"
on topic local \"a/b\" do
    while $this_data > $sum do
        setvar $sum = $sum + 1
    done
on every 10s do
    setvar @1 = $sum
on clock 03:00 do
    publish local \"sum\" \"\\x1b\" | $sum retained
sub never do print 1
";
    let dir = folder(&[("b.script", script.as_bytes()), ("broken.script", BROKEN.as_bytes())]);
    let ran = umqttc(dir.path(), &["check", "--bounds", "--profile", "esp8266", "b.script"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    insta::assert_snapshot!(ran.out);
    let ran = umqttc(dir.path(), &["check", "--bounds", "--format", "json", "b.script"]);
    let lines: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let bounds: Vec<_> = lines.iter().filter(|line| line["profile"].is_string()).collect();
    assert_eq!(bounds.len(), 3, "{}", ran.out);
    assert_eq!(bounds[0]["profile"], "desktop");
    assert_eq!(bounds[0]["handlers"][1]["by_fuel"], true);
    assert_eq!(bounds[0]["handlers"][2]["flash_writes_an_hour"], 360.0);
    // Of a script with errors there is nothing else to say.
    let with = umqttc(dir.path(), &["check", "--bounds", "broken.script"]);
    assert_eq!(with.out, umqttc(dir.path(), &["check", "broken.script"]).out);
}

#[test]
fn the_page_shows_the_bounds_of_a_sample() {
    let top = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let ran = umqttc(top, &["check", "--bounds", "--profile", "esp8266", "scripts/energy.script"]);
    let page = std::fs::read_to_string(top.join("umqttc/docs/bounds.md")).unwrap();
    assert!(page.contains(&ran.out), "{}", ran.out);
}
