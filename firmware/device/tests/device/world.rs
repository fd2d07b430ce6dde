//! A world for one device: a network, a board and time, all in memory. Nothing here waits or
//! depends on the machine.

#[path = "memory_net.rs"]
mod memory_net;

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use umqtt_device::device::{Device, Options};
use umqtt_device::net::{CloseReason, Interface, Net, NetEvent, Peer};
use umqtt_device::sim::SimulatedRadio;
use umqtt_device::storage::MappedFlash;
use umqtt_device::storage::ram::RamFlash;
use umqtt_lang::{Analysis, EmitOptions};
use umqtt_memory::{Account, Plan, Share};
use umqtt_mqtt::{Broker, Limits};
use umqtt_net::{Instant, UdpId};
use umqtt_testkit::board::{FakeBoard, FakePlatform, Wires};
use umqtt_testkit::memory::{device, outside};
use umqtt_vm::Profile;

use self::memory_net::Datagrams;
pub(crate) use self::memory_net::{End, MemoryNet, PIECE};

/// Set where the stories run on a heap as the chip's: see `chip_heap`.
pub(crate) const CHIP_HEAP: &str = "UMQTT_CHIP_HEAP";

/// What the stories' devices are made with.
pub(crate) fn options() -> Options {
    if std::env::var_os(CHIP_HEAP).is_none() {
        return Options::DESKTOP;
    }
    // What holds pointers is larger here, so that the shares are too.
    let plan = Plan::ESP8266.scaled(size_of::<usize>() / 4);
    umqtt_memory::set_probing(true);
    // The network's memory is not the device's here.
    umqtt_testkit::memory::set_heap(plan.total() - plan.network);
    let chip = Options::ESP8266;
    Options {
        profile: chip.profile,
        limits: chip.limits.max_memory(plan.broker),
        plan,
        send_buffer: chip.send_buffer,
        // The compiler that has all of a script in memory is a desktop's.
        compiler: chip.compiler,
        ..Options::DESKTOP
    }
}

/// A device and everything around it.
pub(crate) struct World {
    device: Device<FakePlatform>,
    pub(crate) net: MemoryNet,
    pub(crate) wires: Rc<RefCell<Wires>>,
    now: u64,
}

fn new_device(board: FakeBoard, flash: RamFlash, options: Options) -> Device<FakePlatform> {
    device(|| Device::new(board, flash, options)).unwrap()
}

/// Wires whose memory is not the device's.
fn wires() -> Wires {
    Wires { aside: |run| outside(run), ..Wires::default() }
}

impl World {
    /// A device that has just been switched on for the first time.
    pub(crate) fn new() -> World {
        World::with(RamFlash::new(options().layout.sectors()), None)
    }

    /// A device like a chip's: limits of its own, and a network with a window of so many bytes.
    pub(crate) fn small(limits: Limits, window: usize) -> World {
        let flash = RamFlash::new(options().layout.sectors());
        // No script runs, and what it leaves is not lent: the limits are all there is.
        let plan = Plan { script: 0, storage: 0, console: 0, ..options().plan };
        let options = Options { limits, plan, ..options() };
        World::made_of(flash, None, options, MemoryNet::new(window))
    }

    /// A device whose script may hold so many bytes.
    pub(crate) fn with_script_share(bytes: usize) -> World {
        let flash = RamFlash::new(options().layout.sectors());
        let plan = Plan { script: bytes, ..options().plan };
        let options = Options { plan, ..options() };
        World::made_of(flash, None, options, MemoryNet::new(PIECE))
    }

    /// A device with a chip's layout, and a board that has this flash in its address space.
    pub(crate) fn mapping(
        flash: RamFlash,
        map: fn(std::ops::Range<u32>) -> Option<MappedFlash>,
    ) -> World {
        let chip = Options::ESP8266;
        let options = Options { profile: chip.profile, layout: chip.layout, ..options() };
        let wires = Wires { map_flash: map, ..wires() };
        World::on_wires(wires, flash, options, MemoryNet::new(PIECE))
    }

    /// Switches the device off; what is left of it.
    pub(crate) fn into_flash(self) -> RamFlash {
        self.device.into_parts().1
    }

    /// A device whose consoles hold as little as they can.
    pub(crate) fn with_small_consoles() -> World {
        let flash = RamFlash::new(options().layout.sectors());
        let plan = Plan { console: Plan::ESP8266.console, ..options().plan };
        let options = Options { plan, ..options() };
        World::made_of(flash, None, options, MemoryNet::new(PIECE))
    }

    /// A device whose scripts have as much for their HTTP requests as on the chip, and values as
    /// long as there.
    pub(crate) fn with_http_as_on_the_chip(script: &str) -> World {
        let options = options();
        let flash = RamFlash::new(options.layout.sectors());
        let plan = Plan { http: Plan::ESP8266.http, ..options.plan };
        let profile = options.profile.value(Profile::ESP8266.value);
        let options = Options { plan, profile, ..options };
        let mut world = World::made_of(flash, None, options, MemoryNet::new(PIECE));
        world.install(script);
        world
    }

    /// A device whose uploads may hold so many bytes.
    pub(crate) fn with_upload_share(bytes: usize) -> World {
        let flash = RamFlash::new(options().layout.sectors());
        let plan = Plan { upload: bytes, ..options().plan };
        let options = Options { plan, ..options() };
        World::made_of(flash, None, options, MemoryNet::new(PIECE))
    }

    /// A device with a radio around which there is nothing yet.
    pub(crate) fn with_radio() -> World {
        let flash = RamFlash::new(options().layout.sectors());
        World::with_radio_on(flash, SimulatedRadio::new([2, 0, 0, 1, 2, 3]))
    }

    fn with_radio_on(flash: RamFlash, radio: SimulatedRadio) -> World {
        let wires = Wires { radio: Some(radio), ..wires() };
        let net = MemoryNet { has_station_address: true, ..MemoryNet::new(PIECE) };
        World::on_wires(wires, flash, options().with_radio(), net)
    }

    /// The power of a device with a radio goes and comes back.
    pub(crate) fn power_cycle_radio(self) -> World {
        let radio = self.radio(|radio| radio.after_reset());
        World::with_radio_on(self.device.into_parts().1, radio)
    }

    /// The radio.
    pub(crate) fn radio<T>(&self, what: impl FnOnce(&mut SimulatedRadio) -> T) -> T {
        what(self.wires.borrow_mut().radio.as_mut().expect("a radio"))
    }

    /// A share's account.
    pub(crate) fn account(&self, share: Share) -> Account {
        self.device.ledger()[share]
    }

    /// A device whose scripts have this much fuel for an event.
    pub(crate) fn with_fuel(fuel: u32) -> World {
        let flash = RamFlash::new(options().layout.sectors());
        let profile = options().profile.fuel(fuel);
        let options = Options { profile, ..options() };
        World::made_of(flash, None, options, MemoryNet::new(PIECE))
    }

    /// A device that runs this script.
    pub(crate) fn running(script: &str) -> World {
        let mut world = World::new();
        world.install(script);
        world
    }

    fn with(flash: RamFlash, clock: Option<u64>) -> World {
        World::made_of(flash, clock, options(), MemoryNet::new(PIECE))
    }

    /// A device that runs this script, and a counter of what it writes to its flash.
    pub(crate) fn metered(script: &str) -> (World, Rc<Cell<u32>>) {
        let mut flash = RamFlash::new(options().layout.sectors());
        let meter = flash.meter();
        let mut world = World::with(flash, None);
        world.install(script);
        world.settle();
        (world, meter)
    }

    fn made_of(flash: RamFlash, clock: Option<u64>, options: Options, net: MemoryNet) -> World {
        let wires = Wires { clock, free_memory: Some(20_000), ..wires() };
        World::on_wires(wires, flash, options, net)
    }

    fn on_wires(wires: Wires, flash: RamFlash, options: Options, mut net: MemoryNet) -> World {
        let board = FakeBoard::new(wires);
        let wires = board.wires();
        let mut made = new_device(board, flash, options);
        device(|| made.listen(&mut net)).unwrap();
        device(|| made.start(Instant::ZERO));
        let mut world = World { device: made, net, wires, now: 0 };
        world.settle();
        world
    }

    /// A device that is switched on with this flash.
    pub(crate) fn on(flash: RamFlash) -> World {
        World::with(flash, None)
    }

    /// What a board does before it is switched off in good order.
    pub(crate) fn save_now(&mut self) {
        device(|| self.device.save_now());
    }

    /// The power goes and comes back.
    pub(crate) fn power_cycle(self) -> World {
        let clock = self.wires.borrow().clock;
        World::with(self.device.into_parts().1, clock)
    }

    /// The power goes, something happens to the flash, and the power comes back.
    pub(crate) fn power_cycle_damaged(self, damage: &mut dyn FnMut(&mut [u8])) -> World {
        let mut flash = self.device.into_parts().1;
        damage(flash.bytes_mut());
        World::with(flash, None)
    }

    /// The power goes and comes back, and a client has sent this before the device does anything.
    pub(crate) fn power_cycle_met(self, port: u16, bytes: &[u8]) -> (World, End) {
        let flash = self.device.into_parts().1;
        let board = FakeBoard::new(Wires { free_memory: Some(20_000), ..wires() });
        let wires = board.wires();
        let mut net = MemoryNet::new(PIECE);
        let mut made = new_device(board, flash, options());
        device(|| made.listen(&mut net)).unwrap();
        device(|| made.start(Instant::ZERO));
        let conn = net.new_line();
        let addr = SocketAddr::from(([192, 168, 4, 2], 5000));
        let peer = Peer { addr, interface: Interface::AccessPoint };
        net.events.push_back(NetEvent::Accepted { port, conn, peer });
        net.line(conn).to_device.extend(bytes);
        net.events.push_back(NetEvent::Readable(conn));
        let mut world = World { device: made, net, wires, now: 0 };
        world.settle();
        (world, End(conn))
    }

    /// The power goes and comes back, and the board has a reason not to start the script.
    pub(crate) fn power_cycle_without_script(self, why: &str) -> World {
        let flash = self.device.into_parts().1;
        let board = FakeBoard::new(Wires { free_memory: Some(20_000), ..wires() });
        let wires = board.wires();
        let mut net = MemoryNet::new(PIECE);
        let mut made = new_device(board, flash, options());
        device(|| made.listen(&mut net)).unwrap();
        device(|| made.start_without_script(Instant::ZERO, format_args!("{why}")));
        let mut world = World { device: made, net, wires, now: 0 };
        world.settle();
        world
    }

    /// The power comes back, and goes again when the script has begun to start and is not through.
    pub(crate) fn cut_while_starting(self) -> World {
        let flash = self.device.into_parts().1;
        let board = FakeBoard::new(Wires { free_memory: Some(20_000), ..wires() });
        let wires = board.wires();
        let mut made = new_device(board, flash, options());
        device(|| made.start(Instant::ZERO));
        World { device: made, net: MemoryNet::new(PIECE), wires, now: 0 }
    }

    /// Lets the device do what it can do at this moment.
    pub(crate) fn settle(&mut self) {
        for _ in 0..10_000 {
            let next = self.poll_device();
            if self.net.events.is_empty() && next.is_none_or(|at| at > self.now) {
                return;
            }
        }
        panic!("the device does not come to rest");
    }

    /// Lets time pass, from deadline to deadline.
    pub(crate) fn advance(&mut self, ms: u64) {
        let until = self.now + ms;
        loop {
            let next = self.poll_device().unwrap_or(until);
            let next = next.clamp(self.now, until);
            if next == self.now && self.now == until {
                return self.settle();
            }
            if let Some(clock) = &mut self.wires.borrow_mut().clock {
                *clock += next - self.now;
            }
            self.now = next;
        }
    }

    /// Lets time pass; the device does nothing meanwhile.
    pub(crate) fn pass_quietly(&mut self, ms: u64) {
        self.now += ms;
    }

    /// One turn; whether the device wants another one at once.
    pub(crate) fn poll_once(&mut self) -> bool {
        let next = self.poll_device();
        next.is_some_and(|at| at <= self.now)
    }

    /// What is there from the device, which does nothing meanwhile.
    pub(crate) fn there(&mut self, end: End) -> Vec<u8> {
        std::mem::take(&mut self.net.line(end.0).from_device)
    }

    /// Connects from a host in the network; fails if nobody listens.
    pub(crate) fn connect(&mut self, port: u16) -> End {
        self.connect_from(port, true)
    }

    pub(crate) fn connect_from(&mut self, port: u16, internal: bool) -> End {
        let end = self.connect_quietly_from(port, internal);
        self.settle();
        end
    }

    /// Connects from an address, if the network has room for it.
    pub(crate) fn connect_at(&mut self, port: u16, address: [u8; 4]) -> Option<End> {
        let room = !self.net.is_full();
        let end = room.then(|| self.accept_quietly(port, address, Interface::AccessPoint));
        self.settle();
        end
    }

    /// Connects without letting the device run.
    pub(crate) fn connect_quietly(&mut self, port: u16) -> End {
        self.connect_quietly_from(port, true)
    }

    fn connect_quietly_from(&mut self, port: u16, internal: bool) -> End {
        let interface = if internal { Interface::AccessPoint } else { Interface::Station };
        self.accept_quietly(port, [192, 168, 4, 2], interface)
    }

    fn accept_quietly(&mut self, port: u16, address: [u8; 4], interface: Interface) -> End {
        assert!(self.net.listening.contains(&port), "nobody listens on port {port}");
        let conn = self.net.new_line();
        let peer = Peer::new(SocketAddr::from((address, 5000)), interface);
        self.net.events.push_back(NetEvent::Accepted { port, conn, peer });
        End(conn)
    }

    fn poll_device(&mut self) -> Option<u64> {
        let now = Instant::from_millis(self.now);
        let next = device(|| self.device.poll(now, &mut self.net)).map(Instant::as_millis);
        self.assert_within_shares();
        next
    }

    /// No share holds more than its limit.
    fn assert_within_shares(&self) {
        let plan = self.device.options().plan;
        for (share, account) in self.device.ledger().iter() {
            // Some stories do without.
            let limited = account.budget > 0;
            assert!(!limited || account.high_water <= plan.most(share), "{share:?}: {account:?}");
        }
    }

    /// Milliseconds since it was switched on.
    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    /// The device's broker.
    pub(crate) fn broker(&mut self) -> &mut Broker {
        self.device.broker()
    }

    /// Replaces the script.
    pub(crate) fn install(&mut self, script: &str) {
        self.try_install(script).unwrap();
    }

    /// Replaces the script, or says why not.
    pub(crate) fn try_install(&mut self, script: &str) -> Result<(), String> {
        let options = EmitOptions::new().debug(true);
        let analysis = Analysis::new(script.as_bytes(), &self.device.options().profile, options);
        let program = analysis.into_program().unwrap().unwrap();
        let source = Some(script.as_bytes());
        let installed = device(|| self.device.install(program, source, &mut self.net));
        self.settle();
        installed.map_err(|error| error.0)
    }

    pub(crate) fn listens(&self, port: u16) -> bool {
        self.net.listening.contains(&port)
    }

    /// A device in a network with datagrams, and the network is up.
    pub(crate) fn with_datagrams(options: Options) -> World {
        let flash = RamFlash::new(options.layout.sectors());
        let mut net = MemoryNet::new(PIECE);
        net.datagrams = Some(Datagrams::default());
        let mut world = World::made_of(flash, None, options, net);
        world.link(true);
        world
    }

    /// The network comes or goes.
    pub(crate) fn link(&mut self, up: bool) {
        self.wires.borrow_mut().link = Some(up);
        self.settle();
    }

    pub(crate) fn udp(&mut self) -> &mut Datagrams {
        self.net.datagrams.as_mut().unwrap()
    }

    /// A datagram to a port of the device; false if no socket has it.
    pub(crate) fn send_datagram(&mut self, port: u16, from: &str, bytes: &[u8]) -> bool {
        let udp = self.udp();
        let Some(socket) = udp.ports.iter().position(|open| *open == Some(port)) else {
            return false;
        };
        let (socket, from) = (UdpId(socket as u32), from.parse::<SocketAddr>().unwrap());
        udp.to_device.push_back((socket, bytes.to_vec(), Peer::from(from)));
        self.net.events.push_back(NetEvent::Datagram(socket));
        self.settle();
        true
    }

    /// Answers a look-up of the device's; returns the name.
    pub(crate) fn answer_lookup(&mut self, address: Option<IpAddr>) -> String {
        let (host, conn) = self.net.lookups.pop_front().expect("the device looks up no name");
        match address {
            Some(address) => self.net.events.push_back(NetEvent::Resolved(conn, address)),
            None => self.net.gone(conn, CloseReason::NameNotFound),
        }
        self.settle();
        host
    }

    /// The other end took the connection the device asked for.
    pub(crate) fn take_asked(&mut self) -> (String, u16, End) {
        let asked = self.net.asked.pop_front().expect("the device did not connect to anybody");
        self.net.events.push_back(NetEvent::Connected(asked.2.0));
        self.settle();
        asked
    }

    /// The other end cannot be reached.
    pub(crate) fn refuse_asked(&mut self, reason: CloseReason) {
        let (_, _, end) = self.net.asked.pop_front().expect("the device did not connect");
        self.net.gone(end.0, reason);
        self.settle();
    }

    pub(crate) fn send(&mut self, end: End, bytes: impl AsRef<[u8]>) {
        self.send_quietly(end, bytes);
        self.settle();
    }

    /// Sends without letting the device run.
    pub(crate) fn send_quietly(&mut self, end: End, bytes: impl AsRef<[u8]>) {
        self.net.line(end.0).to_device.extend(bytes.as_ref());
        self.net.events.push_back(NetEvent::Readable(end.0));
    }

    /// The outside sends nothing more.
    pub(crate) fn finish(&mut self, end: End) {
        let line = self.net.line(end.0);
        line.finishing = true;
        if line.to_device.is_empty() && std::mem::take(&mut line.finishing) {
            self.net.events.push_back(NetEvent::PeerClosed(end.0));
        }
        self.settle();
    }

    /// The outside is gone without a word.
    pub(crate) fn reset(&mut self, end: End) {
        self.net.gone(end.0, CloseReason::Reset);
        self.settle();
    }

    /// What the device sent.
    pub(crate) fn received(&mut self, end: End) -> Vec<u8> {
        self.settle();
        let mut all = Vec::new();
        loop {
            let line = self.net.line(end.0);
            all.append(&mut line.from_device);
            if !std::mem::take(&mut line.device_blocked) {
                return all;
            }
            self.net.events.push_back(NetEvent::Writable(end.0));
            self.settle();
        }
    }

    /// What the device sent, as text; without a prompt whose place something has taken, and the one
    /// behind that.
    pub(crate) fn text(&mut self, end: End) -> String {
        let raw = self.raw_text(end);
        let text = raw.replace("\r\n", "\n").replace("CMD>\r", "\r");
        if !text.contains('\r') || text.contains("\rScript upload") {
            return raw;
        }
        let mut shown = String::new();
        for part in text.split('\r') {
            shown += if part.trim_matches(' ').is_empty() { "" } else { part };
        }
        shown.strip_suffix("CMD>").unwrap_or(&shown).replace('\n', "\r\n")
    }

    /// The same with all that is in it.
    pub(crate) fn raw_text(&mut self, end: End) -> String {
        String::from_utf8_lossy(&self.received(end)).into_owned()
    }

    pub(crate) fn is_closed(&mut self, end: End) -> bool {
        self.net.line(end.0).closed
    }

    /// Opens a console and reads its prompt.
    pub(crate) fn console(&mut self) -> End {
        let console = self.connect(7777);
        assert_eq!(self.text(console), "CMD>");
        console
    }

    /// Types a line and reads the reply.
    pub(crate) fn ask(&mut self, console: End, line: &str) -> String {
        self.send(console, format!("{line}\r\n"));
        let reply = self.text(console);
        reply.strip_suffix("CMD>").unwrap_or(&reply).to_owned()
    }

    /// Types on the serial port.
    pub(crate) fn type_in(&mut self, text: &str) {
        self.wires.borrow_mut().typed.extend(text.bytes());
        self.settle();
    }

    /// What came on the serial port since last asked.
    pub(crate) fn serial(&mut self) -> String {
        let bytes = std::mem::take(&mut self.wires.borrow_mut().serial);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A client that has connected and subscribed to a filter.
    pub(crate) fn client(&mut self, id: &str, filter: &str) -> End {
        let end = self.connect(1883);
        self.send(end, connect_packet(id));
        assert_eq!(self.received(end), [0x20, 2, 0, 0]);
        let mut packet = vec![0x82, 5 + filter.len() as u8, 0, 1, 0, filter.len() as u8];
        packet.extend(filter.bytes());
        packet.push(0);
        self.send(end, packet);
        let replies = self.received(end);
        let (granted, retained) = replies.split_at(5);
        assert_eq!(granted, [0x90, 3, 0, 1, 0]);
        self.net.line(end.0).from_device.splice(0..0, retained.iter().copied());
        end
    }

    /// The messages a client received, as `topic: payload`.
    pub(crate) fn messages(&mut self, end: End) -> Vec<String> {
        let bytes = self.received(end);
        let mut rest = &bytes[..];
        let mut all = Vec::new();
        while let [head, len, 0, topic_len, tail @ ..] = rest {
            assert_eq!(head & 0xf0, 0x30, "{rest:?}");
            assert!(*len < 128, "only short messages");
            let (body, after) = tail.split_at(usize::from(*len) - 2);
            let (topic, payload) = body.split_at(usize::from(*topic_len));
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            all.push(format!("{}: {}", text(topic), text(payload)));
            rest = after;
        }
        assert!(rest.is_empty());
        all
    }
}

/// A CONNECT packet with keep-alive 0 and a clean session.
pub(crate) fn connect_packet(id: &str) -> Vec<u8> {
    let mut packet = vec![0x10, 12 + id.len() as u8, 0, 4];
    packet.extend(b"MQTT\x04\x02\0\0\0");
    packet.push(id.len() as u8);
    packet.extend(id.bytes());
    packet
}

/// A PUBLISH packet of QoS 0.
pub(crate) fn publish_packet(topic: &str, payload: &str) -> Vec<u8> {
    let mut packet = vec![0x30, (2 + topic.len() + payload.len()) as u8, 0, topic.len() as u8];
    packet.extend(topic.bytes().chain(payload.bytes()));
    packet
}
