//! A device with a network, a board and a flash in memory, whose own memory is the only one that
//! can run out.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::rc::Rc;
use umqtt_net::Instant;

use umqtt_device::Device;
use umqtt_device::device::DeviceOptions;
use umqtt_device::net::{
    CloseReason, ConnId, Interface, InterfaceAddr, Net, NetError, NetEvent, Peer,
};
use umqtt_device::settings::Capability;
use umqtt_device::sim::SimulatedRadio;
use umqtt_device::storage::ram::RamFlash;
use umqtt_lang::{Analysis, EmitOptions};
use umqtt_testkit::board::{FakeBoard, FakePlatform, Wires};

use umqtt_testkit::memory::{on_device_heap, on_test_heap};

/// Bytes under way in each direction, as on the chip.
const WINDOW: usize = 160;
/// Bytes of the buffers of a connection, as on the chip.
const BUFFERS: usize = 288;
/// Polls in which the device has to come to rest.
const POLLS: usize = 5_000;

#[derive(Default)]
struct Line {
    to_device: VecDeque<u8>,
    from_device: Vec<u8>,
    blocked: bool,
    closed: bool,
    finishing: bool,
    /// Somebody takes all that comes.
    is_read: bool,
    /// Its buffers, which the chip's network takes of the same heap.
    buffers: Vec<u8>,
}

/// The network.
#[derive(Default)]
pub(crate) struct TestNet {
    lines: Vec<Line>,
    listening: Vec<u16>,
    events: VecDeque<NetEvent>,
    asked: VecDeque<ConnId>,
}

impl TestNet {
    fn line(&mut self, conn: ConnId) -> &mut Line {
        &mut self.lines[conn.0 as usize]
    }

    fn over(&mut self, conn: ConnId, reason: CloseReason) {
        if !std::mem::replace(&mut self.line(conn).closed, true) {
            self.events.push_back(NetEvent::Closed(conn, reason));
            self.line(conn).buffers = Vec::new();
        }
    }

    fn open(&mut self) -> ConnId {
        self.lines.push(Line::default());
        ConnId(self.lines.len() as u32 - 1)
    }
}

impl Net for TestNet {
    fn listen(&mut self, port: u16) -> Result<u16, NetError> {
        on_test_heap(|| {
            if self.listening.contains(&port) {
                return Err(NetError::PortInUse);
            }
            self.listening.push(port);
            Ok(port)
        })
    }

    fn unlisten(&mut self, port: u16) {
        self.listening.retain(|open| *open != port);
    }

    fn connect(&mut self, _host: &str, _port: u16) -> Result<ConnId, NetError> {
        on_test_heap(|| {
            let conn = self.open();
            self.asked.push_back(conn);
            Ok(conn)
        })
    }

    fn poll_event(&mut self) -> Option<NetEvent> {
        self.events.pop_front()
    }

    fn recv(&mut self, conn: ConnId, take: &mut dyn FnMut(&[u8]) -> usize) -> usize {
        on_test_heap(|| {
            let mut taken = 0;
            loop {
                let line = self.line(conn);
                if line.closed {
                    break;
                }
                let shown: Vec<u8> = line.to_device.iter().take(WINDOW).copied().collect();
                if shown.is_empty() {
                    if std::mem::take(&mut line.finishing) {
                        self.events.push_back(NetEvent::PeerClosed(conn));
                    }
                    break;
                }
                let n = on_device_heap(|| take(&shown)).min(shown.len());
                let line = self.line(conn);
                line.to_device.drain(..n);
                taken += n;
                if n < shown.len() {
                    break;
                }
            }
            taken
        })
    }

    fn send(&mut self, conn: ConnId, bytes: &[u8]) -> usize {
        on_test_heap(|| {
            let line = self.line(conn);
            if line.closed {
                return 0;
            }
            let n = bytes.len().min(WINDOW - line.from_device.len().min(WINDOW));
            line.from_device.extend_from_slice(&bytes[..n]);
            line.blocked = n < bytes.len();
            n
        })
    }

    fn close(&mut self, conn: ConnId) {
        on_test_heap(|| self.over(conn, CloseReason::Done));
    }

    fn abort(&mut self, conn: ConnId) {
        on_test_heap(|| self.over(conn, CloseReason::Done));
    }

    fn addresses(&self, each: &mut dyn FnMut(InterfaceAddr)) {
        let address = IpAddr::from([192, 168, 4, 1]);
        each(InterfaceAddr::new(Interface::AccessPoint, address, 24));
    }
}

/// The device and everything around it.
pub(crate) struct World {
    /// `None` if it had no memory to start.
    device: Option<Device<FakePlatform>>,
    net: TestNet,
    wires: Rc<RefCell<Wires>>,
    options: DeviceOptions,
    now: u64,
    /// What was refused before the power went.
    refused_before: u32,
}

impl World {
    pub(crate) fn boot(flash: RamFlash, options: DeviceOptions) -> World {
        let mut radio = SimulatedRadio::new([2, 0, 0, 1, 2, 3]);
        on_test_heap(|| radio.add(b"home", b"secret99", -50, 6));
        let radio = options.capabilities.has(Capability::Wifi).then_some(radio);
        let wires = Wires { on_test_heap: |run| on_test_heap(run), radio, ..Wires::default() };
        let board = FakeBoard::new(wires);
        let wires = board.wires();
        let mut world = World {
            device: None,
            net: TestNet::default(),
            wires,
            options,
            now: 0,
            refused_before: 0,
        };
        // What it allocates until it is there is the same at every start.
        let made = Device::new(board, flash, options);
        if let Ok(mut made) = made {
            let _ = on_device_heap(|| made.listen(&mut world.net));
            on_device_heap(|| made.start(Instant::ZERO));
            world.device = Some(made);
        }
        world.settle();
        world
    }

    /// Does something to what is around the radio, if there is one.
    pub(crate) fn radio(&mut self, what: impl FnOnce(&mut SimulatedRadio)) {
        if let Some(radio) = &mut self.wires.borrow_mut().radio {
            on_test_heap(|| what(radio));
        }
        self.settle();
    }

    /// The power goes and comes back.
    pub(crate) fn power_cycle(self) -> Option<World> {
        let refused = self.refused();
        let flash = self.device?.into_parts().1;
        let mut world = World::boot(flash, self.options);
        world.refused_before = refused;
        Some(world)
    }

    /// Lets the device do what it can do at this moment, and what it has put off for a moment.
    pub(crate) fn settle(&mut self) {
        let Some(made) = &mut self.device else { return };
        let start = self.now;
        for _ in 0..POLLS {
            let events = self.net.events.len();
            let next = on_device_heap(|| made.poll(Instant::from_millis(self.now), &mut self.net))
                .map(Instant::as_millis);
            let idle = next.is_none_or(|at| at > self.now);
            if idle
                && (self.net.events.is_empty()
                    || self.net.events.len() >= events && self.now > start + 500)
            {
                return;
            }
            if idle && let Some(next) = next {
                self.now = next.min(self.now + 50);
            }
        }
        panic!("the device does not come to rest");
    }

    /// Lets time pass.
    pub(crate) fn advance(&mut self, ms: u64) {
        let until = self.now + ms;
        while self.now < until {
            let Some(made) = &mut self.device else { return };
            let next = on_device_heap(|| made.poll(Instant::from_millis(self.now), &mut self.net))
                .map(Instant::as_millis)
                .unwrap_or(until);
            self.now = next.clamp(self.now + 1, until);
        }
        self.settle();
    }

    /// Connects; none if nobody listens.
    pub(crate) fn connect(&mut self, port: u16) -> Option<ConnId> {
        if !self.net.listening.contains(&port) {
            return None;
        }
        let conn = self.net.open();
        let peer = Peer::new(([192, 168, 4, 2], 5000).into(), Interface::AccessPoint);
        self.net.events.push_back(NetEvent::Accepted { port, conn, peer });
        self.settle();
        Some(conn)
    }

    /// Connects a client whose buffers take the device's memory; none if there is none for them.
    pub(crate) fn connect_buffered(&mut self) -> Option<ConnId> {
        let mut buffers = Vec::new();
        on_device_heap(|| buffers.try_reserve_exact(BUFFERS)).ok()?;
        let conn = self.net.open();
        self.net.line(conn).buffers = buffers;
        let peer = Peer::new(([192, 168, 4, 2], 5000).into(), Interface::AccessPoint);
        self.net.events.push_back(NetEvent::Accepted { port: 1883, conn, peer });
        Some(conn)
    }

    /// Sends, and does not wait for what comes of it.
    pub(crate) fn push(&mut self, conn: ConnId, bytes: &[u8]) {
        if !self.net.line(conn).closed {
            self.net.line(conn).to_device.extend(bytes);
            self.net.events.push_back(NetEvent::Readable(conn));
        }
    }

    /// From now on somebody takes, or does not take, all that comes.
    pub(crate) fn set_read(&mut self, conn: ConnId, is_read: bool) {
        self.net.line(conn).is_read = is_read;
    }

    /// All that has come.
    pub(crate) fn take(&mut self, conn: ConnId) -> Vec<u8> {
        let line = self.net.line(conn);
        if std::mem::take(&mut line.blocked) {
            self.net.events.push_back(NetEvent::Writable(conn));
        }
        std::mem::take(&mut self.net.line(conn).from_device)
    }

    /// The other end is gone, without a word.
    pub(crate) fn vanish(&mut self, conn: ConnId) {
        self.net.over(conn, CloseReason::Reset);
    }

    /// Lets time pass, while those who read take what comes.
    pub(crate) fn pass(&mut self, ms: u64) {
        let until = self.now + ms;
        loop {
            let Some(made) = &mut self.device else { return };
            let next = on_device_heap(|| made.poll(Instant::from_millis(self.now), &mut self.net))
                .map(Instant::as_millis)
                .unwrap_or(until);
            for conn in (0..self.net.lines.len() as u32).map(ConnId) {
                if self.net.line(conn).is_read {
                    self.take(conn);
                }
            }
            if self.now >= until {
                return;
            }
            // A turn takes a millisecond.
            let next = if self.net.events.is_empty() { next } else { self.now };
            self.now = next.clamp(self.now + 1, until);
        }
    }

    /// Gives the device a script; what is wrong, if it does not take it.
    pub(crate) fn install(&mut self, script: &str) -> Result<(), String> {
        let (made, net) = (self.device.as_mut().unwrap(), &mut self.net);
        let profile = self.options.profile;
        let options = EmitOptions::new().debug(true);
        let program = Analysis::new(script.as_bytes(), &profile, options).into_program();
        let program = program.unwrap().unwrap();
        // The image is the device's.
        let program = on_device_heap(|| program.clone());
        let installed = on_device_heap(|| made.install(program, Some(script.as_bytes()), net));
        installed.map_err(|refusal| refusal.0)
    }

    /// The time, milliseconds.
    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    /// The device.
    pub(crate) fn device(&mut self) -> &mut Device<FakePlatform> {
        self.device.as_mut().unwrap()
    }

    /// The connection the device has asked for, made.
    pub(crate) fn asked(&mut self) -> Option<ConnId> {
        let conn = self.net.asked.pop_front()?;
        self.net.events.push_back(NetEvent::Connected(conn));
        self.settle();
        Some(conn)
    }

    pub(crate) fn send(&mut self, conn: Option<ConnId>, bytes: impl AsRef<[u8]>) {
        let Some(conn) = conn else { return };
        self.net.line(conn).to_device.extend(bytes.as_ref());
        self.net.events.push_back(NetEvent::Readable(conn));
        self.settle();
    }

    /// The outside sends nothing more.
    pub(crate) fn finish(&mut self, conn: Option<ConnId>) {
        let Some(conn) = conn else { return };
        let line = self.net.line(conn);
        line.finishing = !line.to_device.is_empty();
        if !line.finishing {
            self.net.events.push_back(NetEvent::PeerClosed(conn));
        }
        self.settle();
    }

    pub(crate) fn reset(&mut self, conn: Option<ConnId>) {
        let Some(conn) = conn else { return };
        self.net.over(conn, CloseReason::Reset);
        self.settle();
    }

    /// All that the device sends.
    pub(crate) fn received(&mut self, conn: Option<ConnId>) -> Vec<u8> {
        let Some(conn) = conn else { return Vec::new() };
        let mut all = Vec::new();
        loop {
            self.settle();
            let line = self.net.line(conn);
            if line.from_device.is_empty() && !line.blocked {
                return all;
            }
            all.append(&mut line.from_device);
            if std::mem::take(&mut line.blocked) {
                self.net.events.push_back(NetEvent::Writable(conn));
            }
        }
    }

    pub(crate) fn is_closed(&mut self, conn: Option<ConnId>) -> bool {
        conn.is_none_or(|conn| self.net.line(conn).closed)
    }

    pub(crate) fn type_in(&mut self, text: &str) {
        self.wires.borrow_mut().typed.extend(text.bytes());
        self.settle();
    }

    /// What came on the serial port since last asked.
    pub(crate) fn serial(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.wires.borrow_mut().serial)).into_owned()
    }

    /// Whether the device has started at all.
    pub(crate) fn is_up(&self) -> bool {
        self.device.is_some()
    }

    /// A share that has held more than its limit.
    pub(crate) fn over(&self) -> Option<String> {
        let plan = self.options.plan;
        let mut accounts = self.device.iter().flat_map(|device| device.ledger().iter());
        accounts
            .find(|(share, account)| account.high_water > plan.most(*share))
            .map(|(share, account)| format!("{}: {account:?}", share.name()))
    }

    /// What the shares have refused, all together.
    pub(crate) fn refused(&self) -> u32 {
        let ledger = self.device.as_ref().map(Device::ledger);
        let now: u32 =
            ledger.map_or(0, |ledger| ledger.iter().map(|(_, account)| account.refused).sum());
        self.refused_before + now
    }
}
