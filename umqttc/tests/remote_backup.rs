//! `umqttc backup` and `restore`: what a device keeps, and brought onto another one.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // in helpers of tests

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use common::device::{Device, free_port, local};
use common::{Ran, folder, umqttc};

const SCRIPT: &str = "on init do\n println \"gr\u{fc}n\"\n";

fn host(device: &Device) -> String {
    local(device.console_port).to_string()
}

fn restore(dir: &Path, args: &[&str]) -> Ran {
    let port = free_port().to_string();
    umqttc(dir, &[&["restore", "--upload-port", &port], args].concat())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A device with something in all that is kept.
fn filled(data: &Path) -> Device {
    let device = Device::start(data, Some(SCRIPT));
    let mut console = device.console();
    for command in [
        "set mqtt_host broker.lan",
        "set mqtt_id \"My Home\"",
        "set mqtt_password \"pass %25 word\"",
        "set mqtt_will_payload caf%e9",
        "set timezone CET-1CEST,M3.5.0,M10.5.0/3",
        "set @1 \"a b\"",
        "set @3 %00%1b%ff\\\\",
        "save",
    ] {
        let reply = console.ask(command);
        assert!(!reply.starts_with("Invalid"), "{command}: {reply}");
    }
    device
}

#[test]
fn a_device_is_brought_onto_another() {
    let dir = folder(&[]);
    let (one, two) = (folder(&[]), folder(&[]));
    let (from, to) = (filled(one.path()), Device::start(two.path(), None));
    let ran = umqttc(dir.path(), &["backup", "--secrets", &host(&from), "-o", "b"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let kept = " settings with passwords, 2 flash variables in use, script\n";
    assert!(ran.out.starts_with("b: ") && ran.out.ends_with(kept), "{}", ran.out);
    assert_eq!(fs::read_to_string(dir.path().join("b/script.script")).unwrap(), SCRIPT);

    let ran = restore(dir.path(), &["--dry-run", "b", &host(&to)]);
    assert_eq!(ran.code, 0);
    // Each device makes an id of its own.
    let (_, id) = ran.out.split_once("ESPRouter_").unwrap();
    let told = format!("{}{}", ran.err, ran.out).replace(&id[..6], "xxxxxx");
    insta::assert_snapshot!(told.replace(&host(&to), "device:7777"));
    assert_eq!(to.console().ask("show script"), "No script");

    let ran = restore(dir.path(), &["b", &host(&to)]);
    assert!(ran.code == 0 && ran.out.ends_with("8 changes made, and saved\n"), "{ran:?}");
    let ran = restore(dir.path(), &["b", &host(&to)]);
    assert_eq!((ran.code, ran.out), (0, format!("{}: nothing to change\n", host(&to))));
    // What is kept there is the same to the byte, also when it starts anew.
    let (mqtt, console) = (to.mqtt_port, to.console_port);
    to.interrupt();
    let mut to = Device::spawn(&two.path().join("state"), None, mqtt, console);
    assert!(to.serves());
    let ran = umqttc(dir.path(), &["backup", "--secrets", &host(&to), "-o", "again"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for name in ["settings.txt", "variables.txt", "script.script"] {
        let content = |folder: &str| {
            let text = fs::read_to_string(dir.path().join(folder).join(name)).unwrap();
            text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(content("b"), content("again"), "{name}");
    }
}

#[test]
fn passwords_are_kept_only_if_asked_for() {
    let (dir, data) = (folder(&[]), folder(&[]));
    let device = filled(data.path());
    let settings = dir.path().join("b/settings.txt");
    assert_eq!(umqttc(dir.path(), &["backup", &host(&device), "-o", "b"]).code, 0);
    let text = fs::read_to_string(&settings).unwrap();
    assert!(!text.contains("pass ") && text.contains("# mqtt_password: not kept"), "{text}");
    assert_eq!(mode(&dir.path().join("b/variables.txt")), 0o600);
    assert_eq!(umqttc(dir.path(), &["backup", "--secrets", &host(&device), "-o", "b"]).code, 0);
    let text = fs::read_to_string(&settings).unwrap();
    assert!(text.contains("set mqtt_password \"pass % word\"\n"), "{text}");
    assert_eq!(mode(&settings), 0o600);

    // Without them the device keeps its own.
    assert_eq!(umqttc(dir.path(), &["backup", &host(&device), "-o", "c"]).code, 0);
    let ran = restore(dir.path(), &["c", &host(&device)]);
    assert!(ran.code == 0 && ran.out.ends_with("nothing to change\n"), "{ran:?}");
}

#[test]
fn a_locked_device_stays_locked() {
    let (dir, data) = (folder(&[("pw", b"sesame\n")]), folder(&[]));
    let device = filled(data.path());
    assert_eq!(device.console().ask("lock sesame"), "Config locked");
    assert_eq!(umqttc(dir.path(), &["backup", &host(&device), "-o", "b"]).code, 1);
    assert!(!dir.path().join("b").exists());
    let backup = ["backup", "--secrets", "--password-file", "pw", &host(&device), "-o", "b"];
    assert_eq!(umqttc(dir.path(), &backup).code, 0);
    let settings = dir.path().join("b/settings.txt");
    let text = fs::read_to_string(&settings).unwrap().replace("My Home", "Yours");
    fs::write(&settings, text).unwrap();
    let ran = restore(dir.path(), &["--password-file", "pw", "b", &host(&device)]);
    assert!(ran.code == 0 && ran.out.contains("mqtt_id: \"My Home\" -> \"Yours\"\n"), "{ran:?}");
    let mut console = device.console();
    assert!(console.ask("show config").contains("mqtt_id: Yours\n"));
    assert!(console.ask("save").starts_with("Invalid command. Config locked"));
}

#[test]
fn what_the_device_does_not_have_or_take() {
    let settings =
        b"# umqtt\nset ssid Home\nset mqtt_port 0\nset mqtt_host a.lan\nset broker_user me\n";
    let dir = folder(&[]);
    fs::create_dir(dir.path().join("b")).unwrap();
    fs::write(dir.path().join("b/settings.txt"), settings).unwrap();
    fs::write(dir.path().join("b/variables.txt"), "# umqtt\n").unwrap();
    let data = folder(&[]);
    let device = Device::start(data.path(), Some(SCRIPT));
    let ran = restore(dir.path(), &["b", &host(&device)]);
    assert_eq!(ran.code, 1);
    let told = format!("{}{}", ran.err, ran.out);
    insta::assert_snapshot!(told.replace(&host(&device), "device:7777"));
    assert!(device.console().ask("show config").contains("mqtt_host: a.lan\n"));
}

#[test]
fn folders_that_are_no_backup() {
    let dir = folder(&[("settings.txt", b"my own\n"), ("variables.txt", b"")]);
    let data = folder(&[]);
    let device = Device::start(data.path(), None);
    let ran = umqttc(dir.path(), &["backup", &host(&device), "-o", "."]);
    assert!(ran.code == 2 && ran.err.contains("is of no backup"), "{}", ran.err);
    assert_eq!(fs::read(dir.path().join("settings.txt")).unwrap(), b"my own\n");
    let ran = restore(dir.path(), &[".", &host(&device)]);
    assert!(ran.code == 2 && ran.err.contains("line 1 of"), "{}", ran.err);
    assert_eq!(restore(dir.path(), &["nosuch", &host(&device)]).code, 2);
}

/// A backup leaves alone: files of its names that it did not write, and what links lead to.
#[test]
fn what_is_not_ours_is_kept() {
    use std::os::unix::fs::symlink;
    let data = folder(&[]);
    let device = Device::start(data.path(), Some(SCRIPT));
    let backup =
        |dir: &tempfile::TempDir| umqttc(dir.path(), &["backup", &host(&device), "-o", "."]);
    let refused = |dir: &tempfile::TempDir| {
        let ran = backup(dir);
        assert!(ran.code == 2 && ran.err.contains("is of no backup"), "{ran:?}");
    };

    let dir = folder(&[("script.script", b"on init do\n")]);
    refused(&dir);
    assert_eq!(fs::read(dir.path().join("script.script")).unwrap(), b"on init do\n");
    refused(&folder(&[("settings.txt", b"# umqtt notes\n")]));

    let dir = folder(&[("precious", b"mine\n")]);
    assert_eq!(backup(&dir).code, 0);
    assert_eq!(backup(&dir).code, 0);
    for name in ["settings.txt", "variables.txt", "script.script"] {
        let path = dir.path().join(name);
        let kept = fs::read(&path).unwrap();
        for target in ["precious", "nosuch"] {
            fs::remove_file(&path).unwrap();
            symlink(target, &path).unwrap();
            refused(&dir);
        }
        fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        refused(&dir);
        let ran = restore(dir.path(), &[".", &host(&device)]);
        assert!(ran.code == 2 && ran.err.contains("it is no ordinary file"), "{ran:?}");
        fs::remove_file(&path).unwrap();
        fs::write(&path, kept).unwrap();
    }
    assert_eq!(fs::read(dir.path().join("precious")).unwrap(), b"mine\n");
    assert!(!dir.path().join("nosuch").exists());
    assert_eq!(backup(&dir).code, 0);
}
