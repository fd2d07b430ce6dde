//! A world for one device: a network, a board and time, all in memory. Nothing here waits or
//! depends on the machine.
//!
//! | file | job |
//! |---|---|
//! | `world` | time, and the device in it |
//! | `world/setup` | devices of all kinds; power that goes and comes back |
//! | `world/peers` | hosts in the network: connections, consoles, clients |
//! | `world/datagrams` | the same by UDP |
//! | `memory_net` | the network |

#[path = "world/datagrams.rs"]
mod datagrams;
#[path = "memory_net.rs"]
mod memory_net;
#[path = "world/peers.rs"]
mod peers;
#[path = "world/setup.rs"]
mod setup;

use std::cell::RefCell;
use std::rc::Rc;

use umqtt_device::device::{Device, DeviceOptions};
use umqtt_device::sim::SimulatedRadio;
use umqtt_lang::{Analysis, EmitOptions};
use umqtt_memory::{Account, Plan, Share};
use umqtt_mqtt::Broker;
use umqtt_net::Instant;
use umqtt_testkit::board::{FakePlatform, Wires};
use umqtt_testkit::memory::on_device_heap;

pub(crate) use self::memory_net::{End, MemoryNet, PIECE};

/// Set where the stories run on a heap as the chip's: see `chip_heap`.
pub(crate) const CHIP_HEAP: &str = "UMQTT_CHIP_HEAP";

/// What the stories' devices are made with.
pub(crate) fn options() -> DeviceOptions {
    if std::env::var_os(CHIP_HEAP).is_none() {
        return DeviceOptions::DESKTOP;
    }
    // What holds pointers is larger here, so that the shares are too.
    let plan = Plan::ESP8266.scaled(size_of::<usize>() / 4);
    umqtt_memory::set_probing(true);
    // The network's memory is not the device's here.
    umqtt_testkit::memory::set_heap(plan.total() - plan.network);
    let chip = DeviceOptions::ESP8266;
    DeviceOptions {
        profile: chip.profile,
        limits: chip.limits.max_memory(plan.broker),
        plan,
        send_buffer: chip.send_buffer,
        // The compiler that has all of a script in memory is a desktop's.
        compiler: chip.compiler,
        ..DeviceOptions::DESKTOP
    }
}

/// A device and everything around it.
pub(crate) struct World {
    device: Device<FakePlatform>,
    pub(crate) net: MemoryNet,
    pub(crate) wires: Rc<RefCell<Wires>>,
    now: u64,
}

impl World {
    /// The radio.
    pub(crate) fn radio<T>(&self, what: impl FnOnce(&mut SimulatedRadio) -> T) -> T {
        what(self.wires.borrow_mut().radio.as_mut().expect("a radio"))
    }

    /// A share's account.
    pub(crate) fn account(&self, share: Share) -> Account {
        self.device.ledger()[share]
    }

    /// What a board does before it is switched off in good order.
    pub(crate) fn save_now(&mut self) {
        on_device_heap(|| self.device.save_now());
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
            // A board does not wait where something has happened in its network.
            let next = if self.net.events.is_empty() { next } else { self.now };
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

    fn poll_device(&mut self) -> Option<u64> {
        let now = Instant::from_millis(self.now);
        let next = on_device_heap(|| self.device.poll(now, &mut self.net)).map(Instant::as_millis);
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
        let installed = on_device_heap(|| self.device.install(program, source, &mut self.net));
        self.settle();
        installed.map_err(|error| error.0)
    }

    pub(crate) fn listens(&self, port: u16) -> bool {
        self.net.listening.contains(&port)
    }

    /// The network comes or goes.
    pub(crate) fn link(&mut self, up: bool) {
        self.wires.borrow_mut().link = Some(up);
        self.settle();
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
