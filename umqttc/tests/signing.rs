//! Keys, signatures, and devices that ask for them.
#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use common::device::{Device, free_port, local};
use common::{Ran, eventually, folder, umqttc, umqttc_with};

const FIRST: &str = "on init do publish local \"who\" \"first\" retained\n";
const SECOND: &[u8] = b"on init do publish local \"who\" \"second\" retained\n";
const THIRD: &[u8] = b"on init do publish local \"who\" \"third\" retained\n";
const SUFFIX: usize = 164;

fn run(dir: &Path, args: &[&str]) -> Ran {
    let ran = umqttc(dir, args);
    assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
    ran
}

fn push(dir: &Path, args: &[&str]) -> Ran {
    // A port of its own: other tests push at the same time.
    let port = free_port().to_string();
    umqttc(dir, &[&["push", "--upload-port", &port], args].concat())
}

#[test]
fn a_key_is_made_once_and_is_nobody_elses() {
    let dir = folder(&[("taken", b"mine")]);
    let made = run(dir.path(), &["keygen", "key"]);
    let line = made.out.strip_suffix('\n').unwrap();
    let digits = line.strip_prefix("set script_key ").unwrap();
    assert!(digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()), "{line}");
    let path = dir.path().join("key");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("umqtt secret key: Ed25519, v1\n"), "{text}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // The secret is in the file alone.
    let secret = text.lines().nth(1).unwrap();
    assert!(!made.out.contains(secret) && !made.err.contains(secret));

    for name in ["key", "taken"] {
        let ran = umqttc(dir.path(), &["keygen", name]);
        assert!(ran.code == 2 && ran.err.contains("exists"), "{ran:?}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    assert_eq!(fs::read(dir.path().join("taken")).unwrap(), b"mine");
    assert_eq!(run(dir.path(), &["keygen", "--show", "key"]).out, made.out);
    assert_ne!(run(dir.path(), &["keygen", "other"]).out, made.out);

    fs::write(dir.path().join("s.script"), SECOND).unwrap();
    let sign = |key: &str| umqttc(dir.path(), &["sign", "--key", key, "s.script"]);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = sign("key");
    assert!(ran.code == 2 && ran.err.contains("others may read it"), "{ran:?}");
    assert!(!ran.err.contains(secret));
    fs::set_permissions(dir.path().join("taken"), fs::Permissions::from_mode(0o600)).unwrap();
    let ran = sign("taken");
    assert!(ran.code == 2 && ran.err.contains("it is no secret key"), "{ran:?}");
    assert_eq!(sign("missing").code, 2);
    assert!(!dir.path().join("s.script.signed").exists());
}

#[test]
fn a_signature_is_a_line_at_the_end_and_in_nobodys_way() {
    let dir = folder(&[("s.script", SECOND)]);
    let read = |name: &str| fs::read(dir.path().join(name)).unwrap();
    run(dir.path(), &["keygen", "key"]);
    let ran = run(dir.path(), &["sign", "-k", "key", "--counter", "7", "s.script"]);
    let said = format!("s.script.signed: {} bytes, signed with counter 7\n", SECOND.len() + SUFFIX);
    assert_eq!(ran.out, said);
    let signed = read("s.script.signed");
    assert_eq!(&signed[..SECOND.len()], SECOND);
    let line = String::from_utf8(signed[SECOND.len()..].to_vec()).unwrap();
    assert!(line.starts_with("\n%umqtt-signature 0000000000000007 "), "{line}");

    // Again it is replaced; the same key signs the same bytes the same way.
    run(dir.path(), &["sign", "-k", "key", "--counter", "7", "s.script.signed", "-o", "again"]);
    assert_eq!(read("again"), signed);
    let piped = umqttc_with(
        dir.path(),
        &["sign", "-k", "key", "--counter", "7", "-", "-o", "-"],
        &read("s.script"),
    );
    assert_eq!(piped.out.as_bytes(), signed);
    assert_eq!(umqttc_with(dir.path(), &["sign", "-k", "key", "-"], b"x").code, 2);

    assert_eq!(run(dir.path(), &["check", "s.script.signed"]).err, "");
    run(dir.path(), &["build", "s.script", "-o", "plain.umq"]);
    run(dir.path(), &["build", "s.script.signed", "-o", "of-signed.umq"]);
    assert_eq!(read("of-signed.umq"), read("plain.umq"));
    let build = ["build", "--sign", "key", "--counter", "8", "s.script", "-o", "signed.umq"];
    let ran = run(dir.path(), &build);
    let len = read("plain.umq").len();
    let said = format!("signed with counter 8: {} bytes with the signature\n", len + SUFFIX);
    assert!(ran.out.ends_with(&said), "{}", ran.out);
    assert_eq!(&read("signed.umq")[..len], read("plain.umq"));
    run(dir.path(), &["sign", "-k", "key", "--counter", "8", "plain.umq", "-o", "same.umq"]);
    assert_eq!(read("same.umq"), read("signed.umq"));
    let listing = |name: &str| run(dir.path(), &["dis", name]).out.replace(name, "");
    assert_eq!(listing("signed.umq"), listing("plain.umq"));
    // The text in an image may be signed: that signature is none of the image.
    let embed = ["build", "--embed-source", "s.script", "-o", "embedded.umq"];
    run(dir.path(), &embed);
    assert_eq!(umqttc(dir.path(), &["build", "--counter", "8", "s.script"]).code, 2);
}

#[test]
fn a_device_with_a_key_takes_what_is_signed_with_it() {
    let dir = folder(&[("second.script", SECOND), ("third.script", THIRD)]);
    let line = run(dir.path(), &["keygen", "key"]).out;
    run(dir.path(), &["keygen", "other"]);
    let device = Device::start(dir.path(), Some(FIRST));
    let host = local(device.console_port).to_string();
    let client = device.mqtt("asker");
    client.subscribe("who");
    assert_eq!(client.on("who"), "first");

    // Without a key a device takes signed scripts as others.
    let ran = push(dir.path(), &["--sign", "key", "--counter", "5", "second.script", &host]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains(&format!("{} bytes of source", SECOND.len() + SUFFIX)), "{}", ran.out);
    assert_eq!(client.on("who"), "second");

    assert!(device.console().ask(line.trim()).starts_with("script_key set to "));
    for (args, why) in [
        (&["third.script"][..], "it is not signed, and script_key is set"),
        (&["--sign", "other", "third.script"], "not signed with the key of script_key"),
    ] {
        let ran = push(dir.path(), &[args, &[&host]].concat());
        let told = format!("{}{}", ran.out, ran.err);
        assert!(ran.code == 1 && told.contains(why), "{ran:?}");
    }
    let ran =
        push(dir.path(), &["--sign", "key", "--counter", "9", "--compiled", "third.script", &host]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(client.on("who"), "third");
    run(dir.path(), &["sign", "-k", "key", "--counter", "8", "second.script"]);
    let ran = push(dir.path(), &["second.script.signed", &host]);
    let told = format!("{}{}", ran.out, ran.err);
    assert!(ran.code == 1 && told.contains("its counter is 8, 9 was taken"), "{ran:?}");
    // The clock is far beyond all that.
    let ran = push(dir.path(), &["--sign", "key", "second.script", &host]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(client.on("who"), "second");

    let refusal = device.console().ask("set script_key none");
    assert!(refusal.starts_with("Not done: with a script_key"), "{refusal}");
    let mut device = device;
    device.types("set script_key none");
    eventually("the key to be gone", || {
        device.console().ask("show").contains("script_key: none").then_some(())
    });
    assert_eq!(push(dir.path(), &["third.script", &host]).code, 0);
    assert_eq!(client.on("who"), "third");
}

/// Who starts a device has it in hand.
#[test]
fn what_a_device_is_started_with_needs_no_signature() {
    let dir = folder(&[("second.script", SECOND)]);
    run(dir.path(), &["keygen", "key"]);
    run(dir.path(), &["build", "--sign", "key", "second.script", "-o", "signed.umq"]);
    let state = dir.path().join("state");
    let script = dir.path().join("signed.umq");
    let mut device = Device::spawn(&state, Some(&script), free_port(), free_port());
    assert!(device.serves(), "{}", device.log());
    let client = device.mqtt("asker");
    client.subscribe("who");
    assert_eq!(client.on("who"), "second");
}
