//! The device's own network with what people's computers have: udhcpc and dhclient get an address,
//! dig and getent ask for names, mosquitto_pub comes from either side. All of it is in network
//! namespaces of the test's own, which nothing leaves. Only with UMQTT_REAL_TOOLS=1 and as root,
//! for a machine need not have it.
#![cfg(target_os = "linux")]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use common::device::Device;
use common::{eventually, folder};

const MQTT: u16 = 1883;
const CONSOLE: u16 = 7777;

/// What they are started with: whatever hangs is ended.
const LIMIT: [&str; 3] = ["timeout", "-k1", "40"];

fn enabled(test: &str, tools: &[&str]) -> bool {
    let refuse = |why: &str| {
        eprintln!("skipped: {test} {why}");
        false
    };
    if std::env::var_os("UMQTT_REAL_TOOLS").is_none_or(|value| value != "1") {
        return refuse("needs root and network tools; set UMQTT_REAL_TOOLS=1 to run it");
    }
    let id = Command::new("id").arg("-u").output().expect("id is installed");
    if id.stdout != b"0\n" {
        return refuse("needs root, for network namespaces");
    }
    for tool in ["ip", "timeout", "mount"].iter().chain(tools) {
        let there = Command::new("which").arg(tool).env("PATH", PATH).output();
        if !there.is_ok_and(|found| found.status.success()) {
            return refuse(&format!("needs {tool}"));
        }
    }
    let name = unused_name("probe");
    if !ip(&["netns", "add", &name]).status.success() {
        return refuse("needs network namespaces, which are not permitted here");
    }
    assert!(ip(&["netns", "del", &name]).status.success());
    true
}

/// Debian has some of them where only root looks.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

fn ip(args: &[&str]) -> Output {
    Command::new("ip").args(args).env("PATH", PATH).output().expect("ip is installed")
}

#[track_caller]
fn must(args: &[&str]) {
    let done = ip(args);
    assert!(done.status.success(), "ip {args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A name that no namespace has.
fn unused_name(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("umqtt-{what}-{}-{number}", std::process::id())
}

/// A network namespace, which goes with all that is in it.
struct Namespace(String);

impl Namespace {
    fn new(what: &str) -> Namespace {
        let name = unused_name(what);
        must(&["netns", "add", &name]);
        must(&["-n", &name, "link", "set", "lo", "up"]);
        Namespace(name)
    }

    /// A wire from its interface to the other's.
    fn wire(&self, own: &str, other: &Namespace, others: &str) {
        let (here, there) = (self.0.as_str(), other.0.as_str());
        let to = ["peer", "name", others, "netns", there];
        must(&[&["link", "add", own, "netns", here, "type", "veth"][..], &to].concat());
        must(&["-n", here, "link", "set", own, "up"]);
        must(&["-n", there, "link", "set", others, "up"]);
    }

    fn address(&self, interface: &str, address: &str) {
        must(&["-n", &self.0, "address", "add", address, "dev", interface]);
    }

    /// A program in it, which sees these files in place of the system's.
    fn command(&self, files: &[(&Path, &str)], program: &[&str]) -> Command {
        let mounts: String = files
            .iter()
            .map(|(file, at)| format!("mount --bind '{}' {at} && ", file.display()))
            .collect();
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0, "sh", "-c"]).arg(format!("{mounts}exec \"$@\""));
        command.arg("sh").args(program).env("PATH", PATH);
        command
    }

    fn run(&self, files: &[(&Path, &str)], program: &[&str]) -> Output {
        let limited = [&LIMIT[..], program].concat();
        self.command(files, &limited).stdin(Stdio::null()).output().expect("ip is installed")
    }

    /// What a program says, which has to end well.
    #[track_caller]
    fn says(&self, files: &[(&Path, &str)], program: &[&str]) -> String {
        let done = self.run(files, program);
        let out = String::from_utf8_lossy(&done.stdout).into_owned();
        let error = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{program:?}: {}\n{out}{error}", done.status);
        out
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let done = ip(&["netns", "del", &self.0]);
        if !std::thread::panicking() {
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        }
    }
}

/// Killed when dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A device with a client in its own network, and one in the network it is a guest in.
struct Lan {
    // Before the namespaces it is in.
    device: Device,
    here: Namespace,
    client: Namespace,
    far: Namespace,
    dir: tempfile::TempDir,
}

/// The server of the network the device is a guest in.
const FAR: &str = "10.77.0.1";

impl Lan {
    fn new() -> Lan {
        let (here, client, far) =
            (Namespace::new("device"), Namespace::new("client"), Namespace::new("far"));
        here.wire("ap0", &client, "eth0");
        here.wire("sta0", &far, "eth0");
        here.address("ap0", "192.168.4.1/24");
        here.address("sta0", "10.77.0.7/24");
        far.address("eth0", "10.77.0.1/24");
        let dir = folder(&[("resolv.conf", format!("nameserver {FAR}\n").as_bytes())]);
        let device = started(&here, dir.path());
        Lan { device, here, client, far, dir }
    }

    fn restart(self) -> Lan {
        let Lan { device, here, client, far, dir } = self;
        assert!(device.interrupt().success());
        let device = started(&here, dir.path());
        Lan { device, here, client, far, dir }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// An executable file.
    fn script(&self, name: &str, text: &str) -> String {
        use std::os::unix::fs::PermissionsExt;
        let path = self.file(name, text);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("it is ours");
        path.to_str().expect("a path").to_owned()
    }

    /// The client gets its address as BusyBox does; returns it.
    fn udhcpc(&self) -> String {
        let script = self.script(
            "udhcpc.sh",
            "#!/bin/sh\n[ \"$1\" = bound ] || exit 0\n\
             ip address add $ip/$mask dev $interface && ip route add default via $router\n\
             echo bound $ip $subnet $router $dns $lease\n",
        );
        let said =
            self.client.says(&[], &["udhcpc", "-i", "eth0", "-n", "-q", "-f", "-s", &script]);
        let line = said.lines().find_map(|line| line.strip_prefix("bound ")).expect(&said);
        let (address, rest) = line.split_once(' ').expect(line);
        assert_eq!(rest, "255.255.255.0 192.168.4.1 192.168.4.1 7200");
        assert!(address.starts_with("192.168.4."), "{address}");
        address.to_owned()
    }

    /// `dig` in the own network: what it prints of the answer.
    fn dig(&self, question: &[&str]) -> String {
        let server =
            ["dig", "+time=3", "+tries=2", "+noall", "+comments", "+answer", "@192.168.4.1"];
        self.client.says(&[], &[&server[..], question].concat())
    }

    fn publishes(&self, from: &Namespace, to: &str) -> bool {
        let port = MQTT.to_string();
        let publish = ["mosquitto_pub", "-h", to, "-p", &port, "-t", "t", "-m", "x", "-q", "1"];
        from.run(&[], &publish).status.success()
    }
}

fn started(here: &Namespace, dir: &Path) -> Device {
    let resolv = dir.join("resolv.conf");
    let umqttc = here.command(&[(&resolv, "/etc/resolv.conf")], &[common::UMQTTC]);
    let more = ["--ap-interface", "ap0", "--sta-interface", "sta0"];
    let device = Device::spawn_by(umqttc, &dir.join("state"), None, MQTT, CONSOLE, &more);
    device.logs("data in");
    device
}

#[test]
fn udhcpc_and_dhclient_get_an_address_that_outlives_a_restart() {
    let test = "udhcpc_and_dhclient_get_an_address_that_outlives_a_restart";
    if !enabled(test, &["udhcpc", "dhclient"]) {
        return;
    }
    let lan = Lan::new();
    let address = lan.udhcpc();
    let script = lan.script(
        "dhclient.sh",
        "#!/bin/sh\n[ \"$reason\" = PREINIT ] ||\n\
         echo \"$reason $new_ip_address $new_routers $new_domain_name_servers $new_subnet_mask\"\n",
    );
    let (leases, pid) = (lan.file("dhclient.leases", ""), lan.file("dhclient.pid", ""));
    let (leases, pid) = (leases.to_str().expect("a path"), pid.to_str().expect("a path"));
    let dhclient =
        ["dhclient", "-4", "-d", "-1", "-sf", &script, "-lf", leases, "-pf", pid, "eth0"];
    let mut command = lan.client.command(&[], &dhclient);
    let out = lan.dir.path().join("dhclient.out");
    let file = std::fs::File::create(&out).expect("a file");
    let child = command.stdin(Stdio::null()).stdout(file).stderr(Stdio::null()).spawn();
    let dhclient = Process(child.expect("ip is installed"));
    let bound = eventually("dhclient to be bound", || {
        let said = std::fs::read_to_string(&out).expect("a file");
        said.lines().find_map(|line| line.strip_prefix("BOUND ").map(str::to_owned))
    });
    drop(dhclient);
    let (second, rest) = bound.split_once(' ').expect(&bound);
    assert_eq!(rest, "192.168.4.1 192.168.4.1 255.255.255.0");
    assert_ne!(second, address, "it has another client identifier");

    let mut lan = lan.restart();
    eventually("the leases to be there again", || {
        lan.device.types("show stats");
        lan.device.log().contains("DHCP: 2 of 32 leases, offered 0").then_some(())
    });
    lan.device.logs(&format!("  {address} "));
    lan.device.logs(&format!("  {second} "));
}

/// Answers every question for an address with one.
const NAME_SERVER: &str = r"
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 53))
print('ready', flush=True)
while True:
    q, peer = s.recvfrom(512)
    record = b'\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04' + socket.inet_aton('198.51.100.9')
    s.sendto(q[:2] + b'\x81\x80\0\x01\0\x01\0\0\0\0' + q[12:] + record, peer)
";

#[test]
fn dig_and_getent_find_the_device_and_what_its_network_knows() {
    let test = "dig_and_getent_find_the_device_and_what_its_network_knows";
    if !enabled(test, &["udhcpc", "dig", "getent", "python3"]) {
        return;
    }
    let mut lan = Lan::new();
    lan.udhcpc();
    assert!(lan.dig(&["mqtt.local"]).contains("IN\tA\t192.168.4.1"));
    let nothing = lan.dig(&["mqtt.local", "AAAA"]);
    assert!(nothing.contains("status: NOERROR") && nothing.contains("ANSWER: 0"), "{nothing}");
    let mut server = lan.far.command(&[], &["python3", "-c", NAME_SERVER, FAR]);
    let out = lan.dir.path().join("server.out");
    let file = std::fs::File::create(&out).expect("a file");
    let _server = Process(server.stdout(file).spawn().expect("ip is installed"));
    eventually("the name server", || {
        std::fs::read_to_string(&out).expect("a file").contains("ready").then_some(())
    });
    let found = lan.dig(&["www.example"]);
    assert!(found.contains("status: NOERROR") && found.contains("198.51.100.9"), "{found}");
    let local = lan.dig(&["printer.local"]);
    assert!(local.contains("status: NXDOMAIN"), "{local}");

    lan.device.types("set dns_name umqtt.example");
    lan.device.logs("dns_name set to umqtt.example");
    let resolv = lan.file("client.conf", "nameserver 192.168.4.1\n");
    let switch = lan.file("nsswitch.conf", "hosts: dns\n");
    let files = [(&*resolv, "/etc/resolv.conf"), (&*switch, "/etc/nsswitch.conf")];
    for (name, address) in [("umqtt.example", "192.168.4.1"), ("www.example", "198.51.100.9")] {
        let said = lan.client.says(&files, &["getent", "ahostsv4", name]);
        assert!(said.starts_with(address), "{name}: {said}");
    }
    lan.device.types("show stats");
    lan.device.logs("DNS: answered ");
}

#[test]
fn who_may_come_in_is_known_by_the_interface() {
    let test = "who_may_come_in_is_known_by_the_interface";
    if !enabled(test, &["udhcpc", "mosquitto_pub", "dig"]) {
        return;
    }
    let mut lan = Lan::new();
    lan.udhcpc();
    let sides = |lan: &Lan| {
        (lan.publishes(&lan.client, "192.168.4.1"), lan.publishes(&lan.far, "10.77.0.7"))
    };
    assert_eq!(sides(&lan), (true, true));
    lan.device.types("set broker_access 1");
    lan.device.logs("broker_access set to 1");
    assert_eq!(sides(&lan), (true, false));
    // The device's address in its own network is no way around that.
    must(&["-n", &lan.far.0, "route", "add", "192.168.4.0/24", "via", "10.77.0.7"]);
    assert!(!lan.publishes(&lan.far, "192.168.4.1"));
    lan.device.types("set broker_access 2");
    lan.device.logs("broker_access set to 2");
    assert_eq!(sides(&lan), (false, true));
    assert!(lan.publishes(&lan.far, "192.168.4.1"), "it is the interface that counts");
    // Nor is there a name server for others.
    let asked = ["dig", "+time=1", "+tries=1", "@10.77.0.7", "mqtt.local"];
    assert!(!lan.far.run(&[], &asked).status.success());
}
