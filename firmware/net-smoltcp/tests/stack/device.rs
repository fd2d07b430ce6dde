//! Stories of the whole device, over TCP on the wire: its broker, its console, its script.

use std::cell::RefCell;
use std::rc::Rc;

use umqtt_device::Device;
use umqtt_device::device::DeviceOptions;
use umqtt_device::storage::ram::RamFlash;
use umqtt_mqtt::Limits;
use umqtt_net_smoltcp::NetLimits;
use umqtt_net_smoltcp::smoltcp::iface::SocketHandle;
use umqtt_net_smoltcp::smoltcp::socket::tcp::State;
use umqtt_testkit::board::{FakeBoard, FakePlatform, Wires};

use crate::wire::Trouble;
use crate::world::{FIXED, World};

const OPTIONS: DeviceOptions = DeviceOptions {
    limits: Limits::SMALL.max_clients(16),
    send_buffer: 256,
    ..DeviceOptions::DESKTOP
};

struct House {
    world: World,
    device: Device<FakePlatform>,
    wires: Rc<RefCell<Wires>>,
}

impl House {
    fn new(trouble: Trouble, seed: u64) -> House {
        let board = FakeBoard::new(Wires { mac: crate::world::OUR_MAC, ..Wires::default() });
        let wires = board.wires();
        let flash = RamFlash::new(OPTIONS.layout.sectors());
        let mut device = Device::new(board, flash, OPTIONS).unwrap();
        let mut world = World::unconfigured(NetLimits::CHIP, trouble, seed);
        device.listen(&mut world.net).unwrap();
        device.start(umqtt_net::Instant::ZERO);
        assert_eq!(device.addressing().ip, None, "by DHCP until somebody sets it");
        world.net.set_addressing(FIXED);
        House { world, device, wires }
    }

    /// Lets time pass, as a board's loop does.
    fn pass(&mut self, ms: u64) {
        let until = self.world.now + ms;
        while self.world.now < until {
            let now = umqtt_net::Instant::from_millis(self.world.now);
            let next = self.device.poll(now, &mut self.world.net);
            let next = next.map_or(until, umqtt_net::Instant::as_millis);
            self.world.step(next.min(until));
        }
    }

    /// Passes time until what a host received ends as given.
    fn wait_for(&mut self, theirs: SocketHandle, end: &[u8]) -> Vec<u8> {
        let mut all = Vec::new();
        for _ in 0..6_000 {
            all.extend(self.world.heard(theirs));
            if all.ends_with(end) {
                return all;
            }
            self.pass(10);
        }
        panic!("waited for {end:?}, got {:?}", String::from_utf8_lossy(&all));
    }

    fn dial(&mut self, port: u16) -> SocketHandle {
        let theirs = self.world.dial(port);
        for _ in 0..3_000 {
            if self.world.state(theirs) == State::Established {
                return theirs;
            }
            self.pass(10);
        }
        panic!("no connection to port {port}: {}", self.world.state(theirs));
    }

    /// A client with two subscriptions.
    fn client(&mut self, id: &str, filters: [&str; 2]) -> SocketHandle {
        let theirs = self.dial(1883);
        let mut packets = packet(0x10, &[b"\0\x04MQTT\x04\x02\0\x3c", &text(id)[..]]);
        let [one, two] = filters.map(text);
        packets.extend(packet(0x82, &[&[0, 1], &one, &[0], &two, &[0]]));
        assert_eq!(self.world.say(theirs, &packets), packets.len());
        let replies = self.wait_for(theirs, &[0x90, 4, 0, 1, 0, 0]);
        assert_eq!(replies[..4], [0x20, 2, 0, 0]);
        theirs
    }

    fn publish(&mut self, theirs: SocketHandle, topic: &str, payload: &str) {
        let packet = packet(0x30, &[&text(topic), payload.as_bytes()]);
        assert_eq!(self.world.say(theirs, &packet), packet.len());
    }

    /// Types a line into a console and reads the reply.
    fn ask(&mut self, console: SocketHandle, line: &str) -> String {
        self.world.say(console, line.as_bytes());
        self.world.say(console, b"\r\n");
        String::from_utf8(self.wait_for(console, b"CMD>")).unwrap()
    }
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
}

fn packet(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    assert!(body.len() < 128);
    [&[kind, body.len() as u8], &body[..]].concat()
}

const SCRIPT: &str = "on init do
  subscribe local \"/lamp\"
on topic local \"/lamp\" do
  gpio_out 5 $this_data
  publish local \"/said\" $this_data retained
";

/// Uploads the script as the console tells: `script PORT`, then the source on that port.
fn upload(house: &mut House) {
    let console = house.dial(7777);
    house.wait_for(console, b"CMD>");
    house.ask(console, "script 2000");
    let sender = house.dial(2000);
    house.world.say(sender, SCRIPT.as_bytes());
    house.world.outside.tcp(sender).close();
    let told = house.wait_for(console, b"CMD>");
    let told = String::from_utf8_lossy(&told).into_owned();
    assert!(told.contains("Syntax okay"), "{told}");
    house.world.say(console, b"quit\r\n");
    house.pass(3_000);
    assert_ne!(house.world.state(console), State::Established);
}

#[test]
fn a_script_comes_over_the_wire_and_works() {
    let mut house = House::new(Trouble::default(), 1);
    upload(&mut house);
    let client = house.client("lamp", ["/said", "/x"]);
    house.publish(client, "/lamp", "1");
    assert_eq!(house.wait_for(client, b"/said1"), b"\x30\x08\0\x05/said1");
    assert_eq!(house.wires.borrow().outputs.last(), Some(&(5, true)));
    // What is retained waits for the next one.
    let late = house.dial(1883);
    let mut packets = packet(0x10, &[b"\0\x04MQTT\x04\x02\0\x3c", &text("late")[..]]);
    packets.extend(packet(0x82, &[&[0, 1], &text("/said"), &[0]]));
    house.world.say(late, &packets);
    assert!(house.wait_for(late, b"/said1").ends_with(b"\x31\x08\0\x05/said1"));
}

#[test]
fn the_same_on_a_wire_that_loses_one_frame_in_twenty() {
    for seed in 1..6 {
        let mut house = House::new(Trouble { lost: 50, ..Trouble::default() }, seed);
        upload(&mut house);
        let client = house.client("lamp", ["/said", "/x"]);
        for round in 0..20 {
            house.publish(client, "/lamp", &(round % 2).to_string());
            house.wait_for(client, format!("/said{}", round % 2).as_bytes());
        }
        assert_eq!(house.wires.borrow().outputs.len(), 20);
    }
}

#[test]
fn sixteen_clients_with_two_subscriptions_each() {
    let mut house = House::new(Trouble::default(), 1);
    let clients: Vec<_> = (0..16)
        .map(|n| house.client(&format!("client{n}"), ["/all/+", &format!("/own/{n}")]))
        .collect();
    for (n, client) in clients.iter().enumerate() {
        house.publish(*client, "/all/x", &format!("from {n:02}"));
        house.publish(*client, &format!("/own/{}", 15 - n), "you");
        house.pass(20);
    }
    for (n, client) in clients.iter().enumerate() {
        let all = house.world.heard(*client);
        let count = |what: &str| all.windows(what.len()).filter(|w| *w == what.as_bytes()).count();
        assert_eq!((count("/all/xfrom "), count(&format!("/own/{n}you"))), (16, 1), "client {n}");
    }
    // The next one is told that there is no room, and the console still answers.
    let late = house.dial(1883);
    house.world.say(late, &packet(0x10, &[b"\0\x04MQTT\x04\x02\0\x3c", &text("late")[..]]));
    assert_eq!(house.wait_for(late, &[0x20, 2, 0, 3]), [0x20, 2, 0, 3]);
    let console = house.dial(7777);
    house.wait_for(console, b"CMD>");
    assert!(house.ask(console, "show stats").contains("10.0.0.1"));
}

#[test]
fn a_long_reply_goes_out_in_pieces() {
    let mut house = House::new(Trouble::default(), 1);
    let console = house.dial(7777);
    house.wait_for(console, b"CMD>");
    let help = house.ask(console, "help");
    assert!(help.len() > 2 * NetLimits::CHIP.tx && help.contains("show"), "{help}");
}
