//! `umqttc push` to devices that run, to such as are locked, and to what is no device.
#![cfg(unix)]

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};

use common::device::{Device, free_port, local};
use common::{Ran, TIMEOUT, UMQTTC, folder, liar, umqttc};

const RUNS: &str = "on init do publish local \"who\" \"first\" retained\n";
const SECOND: &[u8] = b"on init do publish local \"who\" \"second\" retained\n";
const WARNED: &[u8] = b"on init do println $adc * 10 + 5\n";
const WRONG: &[u8] = b"on init\ndo\n  println \"gr\xc3\xbcn\" nosuch\n";

fn host(device: &Device) -> String {
    local(device.console_port).to_string()
}

fn push(dir: &Path, args: &[&str]) -> Ran {
    // A port of its own: other tests push at the same time.
    let port = free_port().to_string();
    umqttc(dir, &[&["push", "--upload-port", &port], args].concat())
}

/// The addresses as they are in no other run.
fn stable(text: &str, hosts: &[&str]) -> String {
    hosts.iter().enumerate().fold(text.to_owned(), |text, (at, host)| {
        text.replace(host, &format!("device{}:7777", at + 1))
    })
}

fn runs(device: &Device) -> String {
    let client = device.mqtt("asker");
    client.subscribe("who");
    client.on("who")
}

#[test]
fn source_and_bytecode_are_taken() {
    let dir = folder(&[("second.script", SECOND), ("warned.script", WARNED)]);
    let device = Device::start(dir.path(), Some(RUNS));
    let host = host(&device);
    let ran = push(dir.path(), &["second.script", &host]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(stable(&ran.out, &[&host]), "device1:7777: runs it, 49 bytes of source\n");
    assert_eq!(runs(&device), "second");

    let ran = push(dir.path(), &["--compiled", "second.script", &host]);
    assert!(ran.code == 0 && ran.out.contains(" bytes of bytecode\n"), "{ran:?}");
    assert!(device.console().ask("show script").starts_with("Bytecode without source"));
    let ran = push(dir.path(), &["--compiled", "--embed-source", "second.script", &host]);
    assert_eq!(ran.code, 0);
    assert!(device.console().ask("show script").contains("\"second\""));
    assert_eq!(umqttc(dir.path(), &["build", "second.script"]).code, 0);
    assert_eq!(push(dir.path(), &["second.umq", &host]).code, 0);
    device.logs("Script upload completed");

    // The device warns as well; it is told once.
    let ran = push(dir.path(), &["warned.script", &host]);
    assert_eq!((ran.code, ran.err.matches("W0001").count()), (0, 1), "{}", ran.err);
}

#[test]
fn an_error_here_touches_no_device() {
    let dir = folder(&[("wrong.script", WRONG), ("big.script", &b"%".repeat(20_000))]);
    // Nobody is there to be touched.
    let nobody = local(free_port()).to_string();
    let ran = push(dir.path(), &["wrong.script", &nobody]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("wrong.script:3:18") && !ran.err.contains(&nobody), "{}", ran.err);
    let ran = push(dir.path(), &["--profile", "esp8266", "big.script", &nobody]);
    assert!(ran.code == 1 && !ran.err.contains(&nobody), "{}", ran.err);
}

#[test]
fn what_the_device_finds_is_shown_as_ours() {
    let dir = folder(&[("wrong.script", WRONG)]);
    let device = Device::start(dir.path(), Some(RUNS));
    let host = host(&device);
    let ran = push(dir.path(), &["--no-check", "wrong.script", &host]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(stable(&format!("{}{}", ran.err, ran.out), &[&host]));
    let ran = push(dir.path(), &["--no-check", "--format", "json", "wrong.script", &host]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(stable(&ran.out, &[&host]));
    assert_eq!(runs(&device), "first");
}

#[test]
fn several_devices_and_a_dry_run() {
    let dir = folder(&[("second.script", SECOND)]);
    let (one, two) = (folder(&[]), folder(&[]));
    let devices = [Device::start(one.path(), Some(RUNS)), Device::start(two.path(), None)];
    let nobody = local(free_port()).to_string();
    let hosts: Vec<String> = devices.iter().map(host).chain([nobody]).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let args = |first: &[&'static str]| [first, &["second.script"], &hosts, &hosts[..1]].concat();
    let ran = umqttc(dir.path(), &[&["push"], &args(&["--dry-run"])[..]].concat());
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(stable(&format!("{}{}", ran.err, ran.out), &hosts));
    assert_eq!(runs(&devices[0]), "first");
    // Both look for a free port from 2000 on: on one computer they meet there.
    let ran = umqttc(dir.path(), &[&["push"], &args(&[])[..]].concat());
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(stable(&format!("{}{}", ran.err, ran.out), &hosts));
    assert_eq!(devices.each_ref().map(runs), ["second", "second"]);
}

#[test]
fn a_locked_device_is_unlocked_and_locked_again() {
    let files: [(&str, &[u8]); 4] = [
        ("second.script", SECOND),
        ("wrong.script", WRONG),
        ("password", b"open sesame\n"),
        ("other", b"sesame\n"),
    ];
    let dir = folder(&files);
    let device = Device::start(dir.path(), Some(RUNS));
    let host = host(&device);
    assert_eq!(device.console().ask("lock \"open sesame\""), "Config locked");
    let is_locked = || device.console().ask("save").starts_with("Invalid command. Config locked");

    let ran = push(dir.path(), &["second.script", &host]);
    assert_eq!((ran.code, runs(&device).as_str()), (1, "first"));
    let mut told = ran.err;
    for args in [["--password-file", "other"], ["--password-file", "password"], ["--password", "x"]]
    {
        let ran = push(dir.path(), &[&args[..], &["second.script", &host]].concat());
        told += &format!("{}: {}{}", ran.code, ran.err, ran.out);
        assert!(is_locked());
    }
    insta::assert_snapshot!(stable(&told, &[&host]));
    assert_eq!(runs(&device), "second");
    let args = ["--password-file", "password", "--no-check", "wrong.script", &host];
    assert_eq!(push(dir.path(), &args).code, 1);
    assert!(is_locked());
    let ran = push(dir.path(), &["--password-file", "wrong.script", "second.script", &host]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let ran = push(dir.path(), &["--password-file", "nosuch", "second.script", &host]);
    assert_eq!(ran.code, 2, "{}", ran.err);
}

#[test]
fn a_port_that_is_taken() {
    let dir = folder(&[("second.script", SECOND)]);
    let device = Device::start(dir.path(), Some(RUNS));
    let host = host(&device);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let args = ["push", "--upload-port", &port, "second.script", &host];
    let ran = umqttc(dir.path(), &args);
    assert!(
        ran.code == 1 && ran.err.contains("takes no script now: the port is in use"),
        "{}",
        ran.err
    );
    // Somebody else's upload waits.
    let mut other = device.console();
    assert!(other.ask(&format!("script {}", free_port())).starts_with("Waiting"));
    let ran = push(dir.path(), &["second.script", &host]);
    assert!(ran.code == 1 && ran.err.contains("another upload waits on port"), "{}", ran.err);
    assert_eq!(runs(&device), "first");
}

/// A device that promises a port and then does something else.
fn liar_with_port(upload: SocketAddr, says: &'static [u8]) -> String {
    let port = upload.port();
    let address = liar::console(move |line| match line.strip_prefix("script ") {
        Some(_) if says == b"gone" => None,
        Some(_) => {
            let waiting = format!("Waiting for script upload on port {port}\r\nCMD>");
            Some([waiting.as_bytes(), says].concat())
        }
        None => liar::as_device(line),
    });
    address.to_string()
}

#[test]
fn devices_that_lie_or_vanish() {
    let dir = folder(&[("second.script", SECOND)]);
    let takes_all = || {
        liar::serve(|mut stream| {
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        })
    };
    let reports = |text: &'static [u8]| {
        liar::serve(move |mut stream| {
            let _ = stream.read_to_end(&mut Vec::new());
            let _ = stream.write_all(text);
        })
    };
    let mut told = String::new();
    for (upload, says) in [
        (takes_all(), &b"gone"[..]),
        (local(free_port()), b""),
        (takes_all(), b"\r\x1b[2J\r\nScript not taken (50 Bytes)\r\nError in line 99, column 7: \x1b]0;x\x07\r\nCMD>"),
        (takes_all(), b"\rScript upload completed (7 Bytes)\r\nSyntax okay\r\nCMD>"),
        (reports(b"Error in line 1, column 4: no room\r\n...\r\n"), b""),
    ] {
        let host = liar_with_port(upload, says);
        let args = ["push", "--timeout", "2", "--upload-port", &upload.port().to_string(), "second.script", &host];
        let ran = umqttc(dir.path(), &args);
        let text = stable(&format!("{}: {}{}", ran.code, ran.err, ran.out), &[&host]);
        told += &text.replace(&upload.port().to_string(), "2000");
    }
    insta::assert_snapshot!(told);
}

#[test]
fn what_is_no_console() {
    let dir = folder(&[("second.script", SECOND)]);
    let device = Device::start(dir.path(), None);
    let ssh = liar::serve(|mut stream| {
        let _ = stream.write_all(b"SSH-2.0-\x1b[31mOpenSSH\r\n");
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let floods = liar::console(|_| Some(vec![b'x'; 1 << 20]));
    let silent = liar::serve(|mut stream| {
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let mut told = String::new();
    for address in [ssh, floods, silent, local(free_port()), local(device.mqtt_port)] {
        let host = address.to_string();
        let ran = push(dir.path(), &["--timeout", "1", "second.script", &host]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""));
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        told += &stable(&ran.err, &[&host]);
    }
    insta::assert_snapshot!(told);
}

/// An upload port that takes the script and then says nothing.
fn takes_and_is_silent() -> SocketAddr {
    liar::serve(|mut stream| {
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
        std::thread::park();
    })
}

#[test]
fn a_device_that_is_gone_in_the_middle() {
    let dir = folder(&[("second.script", SECOND)]);
    let upload = liar::serve(|mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let port = upload.port();
    let host = liar::serve(move |mut stream| {
        let _ = stream.write_all(b"CMD>");
        for line in BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok) {
            let waits = line.starts_with("script ");
            let reply = match waits {
                true => {
                    Some(format!("Waiting for script upload on port {port}\r\nCMD>").into_bytes())
                }
                false => liar::as_device(&line),
            };
            let _ = stream.write_all(&reply.unwrap_or_default());
            if waits {
                // As if its power was cut.
                return;
            }
        }
    });
    let args = ["push", "--upload-port", &port.to_string(), "second.script", &host.to_string()];
    let ran = umqttc(dir.path(), &args);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("is gone since the script was sent"), "{}", ran.err);
}

/// Ctrl-C while the device judges: it is locked all the same.
#[test]
fn an_interrupt_leaves_no_device_unlocked() {
    let dir = folder(&[("second.script", SECOND), ("password", b"sesame\n")]);
    let upload = takes_and_is_silent();
    let port = upload.port();
    let (lines, given) = std::sync::mpsc::channel();
    let lines = std::sync::Mutex::new(lines);
    let host = liar::console(move |line| {
        let _ = lines.lock().unwrap().send(line.to_owned());
        let reply = match line {
            "set" => "Invalid command. Config locked\r\n".to_owned(),
            "unlock sesame" => "Config unlocked\r\n".to_owned(),
            "lock" => "Config locked\r\n".to_owned(),
            line if line.starts_with("script ") => {
                format!("Waiting for script upload on port {port}\r\n")
            }
            line => return liar::as_device(line),
        };
        Some(format!("{reply}CMD>").into_bytes())
    });
    let child = Command::new(UMQTTC)
        .args(["push", "--password-file", "password", "--upload-port", &port.to_string()])
        .args(["second.script", &host.to_string()])
        .current_dir(dir.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let next = |wanted: &str| {
        while let Ok(line) = given.recv_timeout(TIMEOUT) {
            if line.starts_with(wanted) {
                return;
            }
        }
        panic!("{wanted} does not come");
    };
    next("script ");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    next("lock");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "umqttc: interrupted\n");
}

#[test]
fn a_device_with_too_many_consoles() {
    let dir = folder(&[("second.script", SECOND)]);
    let device = Device::start(dir.path(), Some(RUNS));
    // Each was given a command, so none gives way; all from one address.
    let mut sessions: Vec<_> = (0..4).map(|_| device.console()).collect();
    for session in &mut sessions {
        session.ask("time");
    }
    let ran = push(dir.path(), &["second.script", &host(&device)]);
    assert!(
        ran.code == 1 && ran.err.contains("takes nobody now: Too many console sessions"),
        "{}",
        ran.err
    );
    drop(sessions);
}
