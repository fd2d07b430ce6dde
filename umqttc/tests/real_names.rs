//! python-zeroconf sees the device by multicast DNS, on this computer alone. Only with
//! UMQTT_REAL_TOOLS=1, for a machine need not have it.
#![cfg(unix)]

mod common;

use std::process::Command;

use common::device::Device;
use common::folder;

/// Prints `name host port version` of every console that is found, until one has this port.
const FIND: &str = r#"
import sys, threading, zeroconf
port, seen = int(sys.argv[1]), threading.Event()
kind = '_umqtt-console._tcp.local.'
def change(zeroconf, service_type, name, state_change):
    info = zeroconf.get_service_info(service_type, name)
    if info:
        print(name, info.server, info.port, info.properties.get(b'version').decode(), flush=True)
        if info.port == port:
            seen.set()
zc = zeroconf.Zeroconf(interfaces=['127.0.0.1'])
zeroconf.ServiceBrowser(zc, kind, handlers=[change])
found = seen.wait(20)
zc.close()
sys.exit(0 if found else 1)
"#;

#[test]
fn python_zeroconf_finds_the_console() {
    let test = "python_zeroconf_finds_the_console";
    if std::env::var_os("UMQTT_REAL_TOOLS").is_none_or(|value| value != "1") {
        eprintln!("skipped: {test} needs python3-zeroconf; set UMQTT_REAL_TOOLS=1 to run it");
        return;
    }
    let dir = folder(&[]);
    let device = Device::start(dir.path(), None);
    device.console().ask("set mdns_mode 1");
    let port = device.console_port.to_string();
    // Debian's, which has the module.
    let ran = Command::new("/usr/bin/python3").args(["-c", FIND, &port]).output();
    let ran = ran.expect("python3 is installed");
    let out = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{out}{}", String::from_utf8_lossy(&ran.stderr));
    let ours = format!(".local. {port} {}", env!("CARGO_PKG_VERSION"));
    assert!(out.lines().any(|line| line.contains(&ours)), "{out}");
}
