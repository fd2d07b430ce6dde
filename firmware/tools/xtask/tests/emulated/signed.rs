//! Signed scripts on the core: verified where the board has room for that, taken as others are
//! where it has not.

use std::fs;
use std::path::Path;
use std::process::Command;

use umqtt_device::device::DeviceOptions;
use umqtt_device::settings::Capability;

use crate::device::{Device, chip, program};
use crate::scripts::image_of;

const OLD: &str = "on init do publish local which old retained\n";
const NEW: &str = "on init do publish local which new retained\n";

/// What `umqttc` prints, run in a folder.
fn umqttc(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(program("UMQTT_ON_CORE_UMQTTC"));
    let output = command.current_dir(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn signed(folder: &Path, script: &[u8], counter: &str) -> Vec<u8> {
    fs::write(folder.join("file"), script).unwrap();
    umqttc(folder, &["sign", "-k", "key", "--counter", counter, "file"]);
    fs::read(folder.join("file.signed")).unwrap()
}

#[test]
fn signed_scripts_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let line = umqttc(folder.path(), &["keygen", "key"]);
    let device = Device::boot();
    let mut client = device.client("test");
    client.subscribe("which", 0);
    let mut console = device.console();
    let set = console.ask(line.trim());
    if chip().name == "esp8266" {
        assert!(!DeviceOptions::ESP8266.capabilities.has(Capability::SignedScripts));
        assert!(set.contains("which has no room to verify signatures"), "{set}");
    } else {
        assert!(set.contains("script_key set to "), "{set}");
        let verdict = device.push(OLD.as_bytes());
        assert!(verdict.contains("it is not signed, and script_key is set"), "{verdict}");
        let mut wrong = signed(folder.path(), OLD.as_bytes(), "9");
        wrong[20] ^= 1;
        let verdict = device.push(&wrong);
        assert!(verdict.contains("it is not as it was signed"), "{verdict}");
    }
    let verdict = device.push(&signed(folder.path(), OLD.as_bytes(), "1"));
    assert!(verdict.contains("Syntax okay"), "{verdict}");
    assert_eq!(client.next().payload, b"old");
    let verdict = device.push(&signed(folder.path(), &image_of(NEW), "2"));
    assert!(verdict.contains("Syntax okay"), "{verdict}");
    assert_eq!(client.next().payload, b"new");
    if chip().name != "esp8266" {
        let verdict = device.push(&signed(folder.path(), OLD.as_bytes(), "1"));
        assert!(verdict.contains("its counter is 1, 2 was taken"), "{verdict}");
    }
    println!("{}", console.ask("memory"));
}
