//! Debian's chronyd as the device's time server, and as a client of the device's own. It only
//! listens on this computer and touches no clock. Only with UMQTT_REAL_TOOLS=1, for a machine need
//! not have it.
#![cfg(unix)]

mod common;

use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use common::device::{Device, local};
use common::folder;

fn enabled(test: &str) -> bool {
    let enabled = std::env::var_os("UMQTT_REAL_TOOLS").is_some_and(|value| value == "1");
    if !enabled {
        eprintln!("skipped: {test} needs chronyd; set UMQTT_REAL_TOOLS=1 to run it");
    }
    enabled
}

/// A UDP port that is free now. Another process may take it before it is used.
fn free_udp_port() -> u16 {
    let socket = UdpSocket::bind(local(0)).expect("a free port");
    socket.local_addr().expect("has an address").port()
}

/// chronyd in the foreground, which does not touch the clock, with this configuration.
fn chronyd(dir: &Path, more: &[&str], config: &str) -> Command {
    let file = dir.join("chrony.conf");
    let pid = dir.join("chronyd.pid");
    let common = format!("cmdport 0\nbindcmdaddress /\npidfile {}\n", pid.display());
    std::fs::write(&file, common + config).expect("a file");
    let user = Command::new("id").arg("-un").output().expect("id is installed");
    let user = String::from_utf8_lossy(&user.stdout).trim().to_owned();
    // Debian has it where only root looks.
    let program = PathBuf::from("/usr/sbin/chronyd");
    let mut command = Command::new(if program.exists() { program } else { "chronyd".into() });
    command.args(["-U", "-x", "-d", "-u", &user, "-f"]).arg(file).args(more).stdin(Stdio::null());
    command
}

/// Killed when dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn chronyd_sets_the_device_s_clock() {
    if !enabled("chronyd_sets_the_device_s_clock") {
        return;
    }
    let dir = folder(&[]);
    let port = free_udp_port();
    let config = format!("port {port}\nbindaddress 127.0.0.1\nallow 127.0.0.1\nlocal stratum 5\n");
    let log = std::fs::File::create(dir.path().join("chronyd.log")).expect("a file");
    let child = chronyd(dir.path(), &[], &config).stdout(Stdio::null()).stderr(log).spawn();
    let mut server = Server(child.expect("chronyd is installed"));
    let device = Device::start(dir.path(), None);
    let mut console = device.console();
    console.ask(&format!("set ntp_server 127.0.0.1:{port}"));
    // What is asked before it listens is asked again.
    let stats = console.ask_until("show stats", |reply| reply.contains("Clock synchronized"));
    let line =
        stats.lines().find(|line| line.starts_with("Clock synchronized")).expect("it is there");
    assert!(line.contains(&format!("by 127.0.0.1:{port}, stratum 5, offset ")), "{line}");
    // Both have this computer's clock.
    let offset = line.split_once("offset ").and_then(|(_, rest)| rest.strip_suffix(" ms"));
    let offset: i64 = offset.and_then(|ms| ms.parse().ok()).expect("a number");
    assert!(offset.abs() < 500, "{line}");
    assert!(server.0.try_wait().expect("can be asked").is_none(), "it serves on");
}

#[test]
fn chronyd_asks_the_device() {
    if !enabled("chronyd_asks_the_device") {
        return;
    }
    let dir = folder(&[]);
    let device = Device::start(dir.path(), None);
    let mut console = device.console();
    let port = free_udp_port();
    console.ask(&format!("set ntp_port {port}"));
    // Once, and then it says how wrong the clock is.
    let config = format!("server 127.0.0.1 port {port} iburst maxsamples 1\n");
    let Output { status, stdout, stderr } =
        chronyd(dir.path(), &["-Q", "-t", "30"], &config).output().expect("chronyd is installed");
    let said = [stdout, stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(status.success(), "{said}");
    let wrong = said.split_once("System clock wrong by ").map(|(_, rest)| rest);
    let wrong = wrong.and_then(|rest| rest.split_once(" seconds")).expect(&said).0;
    let wrong: f64 = wrong.parse().expect("a number");
    assert!(wrong.abs() < 0.5, "{said}");
    let stats = console.ask("show stats");
    assert!(stats.contains("NTP service: answered "), "{stats}");
}
