//! `umqttc pull`, `diff` and `status` against devices that run, and against such as lie.
#![cfg(unix)]

mod common;

use std::fs;

use common::device::{Device, free_port, local};
use common::{folder, liar, repository, umqttc};

fn host(device: &Device) -> String {
    local(device.console_port).to_string()
}

#[test]
fn a_script_of_many_pages_comes_back() {
    let mut script = fs::read_to_string(repository("scripts/alarm.script")).unwrap();
    for line in 0..400 {
        script += &format!("%\tline {line} gr\u{fc}n ...\n\n");
    }
    let dir = folder(&[("here.script", script.as_bytes())]);
    let device = Device::start(dir.path(), Some(&script));
    let host = host(&device);
    let ran = umqttc(dir.path(), &["pull", &host]);
    assert_eq!((ran.code, ran.err.as_str(), ran.out == script), (0, "", true));
    let ran = umqttc(dir.path(), &["pull", &host, "-o", "there.script"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    assert_eq!(fs::read_to_string(dir.path().join("there.script")).unwrap(), script);

    let ran = umqttc(dir.path(), &["diff", "here.script", &host]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    fs::write(dir.path().join("here.script"), script.replace("line 7 ", "line seven ")).unwrap();
    let ran = umqttc(dir.path(), &["diff", "here.script", &host]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.out.replace(&host, "device:7777"));
}

#[test]
fn what_is_not_shown_as_it_is() {
    let script = [b"% \x07 \xff\n% ", &[b'x'; 600][..], b"\non init do print 1\n"].concat();
    let dir = folder(&[("odd.script", &script)]);
    let device = Device::start(dir.path(), None);
    let host = host(&device);
    assert_eq!(umqttc(dir.path(), &["pull", &host]).code, 1);
    let port = free_port().to_string();
    assert_eq!(umqttc(dir.path(), &["push", "--upload-port", &port, "odd.script", &host]).code, 0);
    let ran = umqttc(dir.path(), &["pull", &host]);
    let shown = format!("% \\x07 \\xff\n% {} ...\non init do print 1\n", "x".repeat(510));
    assert_eq!((ran.code, ran.out), (1, shown));
    insta::assert_snapshot!(ran.err);
    assert_eq!(umqttc(dir.path(), &["diff", "odd.script", &host]).code, 0);
}

#[test]
fn bytecode_is_compared_by_its_instructions() {
    let script = fs::read(repository("scripts/relay.script")).unwrap();
    let other = b"on init do print 1\n";
    let dir = folder(&[("relay.script", &script), ("other.script", other)]);
    let device = Device::start(dir.path(), None);
    let host = host(&device);
    let port = free_port().to_string();
    let push = ["push", "--compiled", "--upload-port", &port, "relay.script", &host];
    assert_eq!(umqttc(dir.path(), &push).code, 0);
    let ran = umqttc(dir.path(), &["pull", &host]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("runs bytecode without its source"), "{}", ran.err);
    assert_eq!(umqttc(dir.path(), &["diff", "relay.script", &host]).code, 0);
    assert_eq!(umqttc(dir.path(), &["build", "relay.script"]).code, 0);
    assert_eq!(umqttc(dir.path(), &["diff", "relay.umq", &host]).code, 0);
    let ran = umqttc(dir.path(), &["diff", "other.script", &host]);
    assert!(ran.code == 1 && ran.out.contains("-"), "{}", ran.out);
    let nobody = local(free_port()).to_string();
    assert_eq!(umqttc(dir.path(), &["diff", "relay.script", &nobody]).code, 2);
}

#[test]
fn a_locked_device_shows_its_script_for_the_password() {
    let dir = folder(&[("password", b"sesame")]);
    let device = Device::start(dir.path(), Some("on init do print 1\n"));
    let host = host(&device);
    assert_eq!(device.console().ask("lock sesame"), "Config locked");
    let ran = umqttc(dir.path(), &["pull", &host]);
    assert!(ran.code == 1 && ran.err.contains("is locked: give its password"), "{}", ran.err);
    let ran = umqttc(dir.path(), &["pull", "--password-file", "password", &host]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "on init do print 1\n"));
    assert!(device.console().ask("save").starts_with("Invalid command. Config locked"));
    let ran = umqttc(dir.path(), &["status", &host]);
    assert!(ran.code == 0 && ran.out.contains("locked"), "{ran:?}");
}

#[test]
fn a_line_for_each_device() {
    let (one, two) = (folder(&[]), folder(&[]));
    let devices =
        [Device::start(one.path(), Some("on init do print 1\n")), Device::start(two.path(), None)];
    let client = devices[0].mqtt("someone");
    client.publish("a", "b");
    let nobody = local(free_port()).to_string();
    let hosts: Vec<String> = devices.iter().map(host).chain([nobody]).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let ran = umqttc(one.path(), &[&["status"], &hosts[..]].concat());
    let rows: Vec<Vec<&str>> = ran
        .out
        .lines()
        .map(|row| row.split("  ").map(str::trim).filter(|c| !c.is_empty()).collect())
        .collect();
    assert_eq!((ran.code, rows.len()), (1, 3), "{ran:?}");
    assert_eq!(rows[1][..3], [hosts[0], "umqtt 0.1.0", "desktop"]);
    assert_eq!((rows[1][4], rows[1][5], rows[2][4], rows[2][7]), ("1 line", "1", "none", "open"));
    assert!(ran.err.contains("refuses the connection"), "{}", ran.err);

    let ran = umqttc(one.path(), &[&["status", "--format", "json"], &hosts[..]].concat());
    let lines: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["script"], "1 line");
    assert_eq!((&lines[0]["clients"], &lines[0]["script_runs"]), (&1.into(), &true.into()));
    assert!(lines[0]["uptime"].as_u64().unwrap() < 600);
    assert!(lines[2]["error"].as_str().unwrap().contains("refuses the connection"));
}

#[test]
fn scripts_that_never_end_and_other_lies() {
    let dir = folder(&[]);
    for script in ["...\r\n", "   2: x\r\n...\r\n", "   1: \x1b[2J\r\n--end--\r\n", "hello\r\n", ""]
    {
        let host = liar::console(move |line| match line.strip_prefix("show script ") {
            Some("1") => Some(format!("{script}CMD>").into_bytes()),
            Some(_) => Some(b"...\r\nCMD>".to_vec()),
            None => liar::as_device(line),
        });
        let ran = umqttc(dir.path(), &["pull", "--timeout", "2", &host.to_string()]);
        assert!(!ran.out.contains('\x1b'), "{ran:?}");
        assert_eq!(ran.code, i32::from(ran.out.is_empty()), "{ran:?}");
    }
    let endless = liar::console(|line| match line.strip_prefix("show script ") {
        Some(number) => {
            let first: usize = number.parse().ok()?;
            let lines: String = (first..first + 1000).map(|n| format!("{n:4}: x\r\n")).collect();
            Some(format!("{lines}...\r\nCMD>").into_bytes())
        }
        None => liar::as_device(line),
    });
    let ran = umqttc(dir.path(), &["pull", &endless.to_string()]);
    assert!(ran.code == 1 && ran.err.contains("answers as no device does"), "{}", ran.err);
}

/// Two scripts that print for ever: whole lines, and none.
#[test]
fn a_script_that_prints_all_the_time_disturbs_nothing() {
    for print in ["println", "print"] {
        let script = format!(
            "on init do\n settimer 1 20\non timer 1 do\n {print} \"chatty \"\n settimer 1 20\n"
        );
        let dir = folder(&[("chatty.script", script.as_bytes())]);
        let device = Device::start(dir.path(), Some(&script));
        let host = host(&device);
        let ran = umqttc(dir.path(), &["pull", &host]);
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, script.as_str(), ""));
        let port = free_port().to_string();
        let ran = umqttc(dir.path(), &["push", "--upload-port", &port, "chatty.script", &host]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
        let ran = umqttc(dir.path(), &["console", &host, "-c", "set mqtt_port 0"]);
        assert!(ran.code == 1 && ran.out.contains("Invalid argument: mqtt_port"), "{ran:?}");
    }
}
