//! Devices of all kinds, and power that goes and comes back.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use umqtt_device::device::{Device, DeviceOptions};
use umqtt_device::net::{Interface, NetEvent, Peer};
use umqtt_device::sim::SimulatedRadio;
use umqtt_device::storage::MappedFlash;
use umqtt_device::storage::ram::RamFlash;
use umqtt_memory::Plan;
use umqtt_mqtt::Limits;
use umqtt_net::Instant;
use umqtt_testkit::board::{FakeBoard, FakePlatform, Wires};
use umqtt_testkit::memory::{boot, on_device_heap, on_test_heap};
use umqtt_vm::Profile;

use super::memory_net::Datagrams;
use super::{End, MemoryNet, PIECE, World, options};

fn new_device(board: FakeBoard, flash: RamFlash, options: DeviceOptions) -> Device<FakePlatform> {
    boot(|| Device::new(board, flash, options)).unwrap()
}

/// Wires whose memory is not the device's.
fn wires() -> Wires {
    Wires { on_test_heap: |run| on_test_heap(run), ..Wires::default() }
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
        let options = DeviceOptions { limits, plan, ..options() };
        World::made_of(flash, None, options, MemoryNet::new(window))
    }

    /// A device whose script may hold so many bytes.
    pub(crate) fn with_script_share(bytes: usize) -> World {
        let flash = RamFlash::new(options().layout.sectors());
        let plan = Plan { script: bytes, ..options().plan };
        let options = DeviceOptions { plan, ..options() };
        World::made_of(flash, None, options, MemoryNet::new(PIECE))
    }

    /// A device with a chip's layout, and a board that has this flash in its address space.
    pub(crate) fn mapping(
        flash: RamFlash,
        map: fn(std::ops::Range<u32>) -> Option<MappedFlash>,
    ) -> World {
        let chip = DeviceOptions::ESP8266;
        let options = DeviceOptions { profile: chip.profile, layout: chip.layout, ..options() };
        let wires = Wires { map_flash: map, ..wires() };
        World::on_wires(wires, flash, options, MemoryNet::new(PIECE))
    }

    /// Switches the device off; what is left of it.
    pub(crate) fn into_flash(self) -> RamFlash {
        self.device.into_parts().1
    }

    /// A device whose serial port's speed can be chosen.
    pub(crate) fn with_speeds(flash: Option<RamFlash>) -> World {
        let flash = flash.unwrap_or_else(|| RamFlash::new(options().layout.sectors()));
        World::made_of(flash, None, options().with_speeds(), MemoryNet::new(PIECE))
    }

    /// A device whose consoles hold as little as they can.
    pub(crate) fn with_small_consoles() -> World {
        let flash = RamFlash::new(options().layout.sectors());
        let plan = Plan { console: Plan::ESP8266.console, ..options().plan };
        let options = DeviceOptions { plan, ..options() };
        World::made_of(flash, None, options, MemoryNet::new(PIECE))
    }

    /// A device whose scripts have as much for their HTTP requests as on the chip, and values as
    /// long as there.
    pub(crate) fn with_http_as_on_the_chip(script: &str) -> World {
        let options = options();
        let flash = RamFlash::new(options.layout.sectors());
        let plan = Plan { http: Plan::ESP8266.http, ..options.plan };
        let profile = options.profile.value(Profile::ESP8266.value);
        let options = DeviceOptions { plan, profile, ..options };
        let mut world = World::made_of(flash, None, options, MemoryNet::new(PIECE));
        world.install(script);
        world
    }

    /// A device whose uploads may hold so many bytes.
    pub(crate) fn with_upload_share(bytes: usize) -> World {
        let flash = RamFlash::new(options().layout.sectors());
        let plan = Plan { upload: bytes, ..options().plan };
        let options = DeviceOptions { plan, ..options() };
        World::made_of(flash, None, options, MemoryNet::new(PIECE))
    }

    /// The same where no other part has memory to lend.
    pub(crate) fn with_no_more_for_uploads_than(bytes: usize) -> World {
        let flash = RamFlash::new(options().layout.sectors());
        let plan = Plan { upload: bytes, script: 0, storage: 0, console: 0, ..options().plan };
        let options = DeviceOptions { plan, ..options() };
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

    /// A device whose scripts have this much fuel for an event.
    pub(crate) fn with_fuel(fuel: u32) -> World {
        let flash = RamFlash::new(options().layout.sectors());
        let profile = options().profile.fuel(fuel);
        let options = DeviceOptions { profile, ..options() };
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

    fn made_of(
        flash: RamFlash,
        clock: Option<u64>,
        options: DeviceOptions,
        net: MemoryNet,
    ) -> World {
        let wires = Wires { clock, free_memory: Some(20_000), ..wires() };
        World::on_wires(wires, flash, options, net)
    }

    fn on_wires(
        wires: Wires,
        flash: RamFlash,
        options: DeviceOptions,
        mut net: MemoryNet,
    ) -> World {
        let board = FakeBoard::new(wires);
        let wires = board.wires();
        let mut made = new_device(board, flash, options);
        on_device_heap(|| made.listen(&mut net)).unwrap();
        on_device_heap(|| made.start(Instant::ZERO));
        let mut world = World { device: made, net, wires, now: 0 };
        world.settle();
        world
    }

    /// A device that is switched on with this flash.
    pub(crate) fn on(flash: RamFlash) -> World {
        World::with(flash, None)
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

    /// The power goes and comes back: the device listens, and has not started.
    fn powered_again(self) -> World {
        let flash = self.device.into_parts().1;
        let board = FakeBoard::new(Wires { free_memory: Some(20_000), ..wires() });
        let wires = board.wires();
        let mut net = MemoryNet::new(PIECE);
        let mut device = new_device(board, flash, options());
        on_device_heap(|| device.listen(&mut net)).unwrap();
        World { device, net, wires, now: 0 }
    }

    /// The power goes and comes back, and a client has sent this before the device does anything.
    pub(crate) fn power_cycle_met(self, port: u16, bytes: &[u8]) -> (World, End) {
        let mut world = self.powered_again();
        on_device_heap(|| world.device.start(Instant::ZERO));
        let net = &mut world.net;
        let conn = net.new_line();
        let addr = SocketAddr::from(([192, 168, 4, 2], 5000));
        let peer = Peer { addr, interface: Interface::AccessPoint };
        net.events.push_back(NetEvent::Accepted { port, conn, peer });
        net.line(conn).to_device.extend(bytes);
        net.events.push_back(NetEvent::Readable(conn));
        world.settle();
        (world, End(conn))
    }

    /// The power goes and comes back, and the board has a reason not to start the script.
    pub(crate) fn power_cycle_without_script(self, why: &str) -> World {
        let mut world = self.powered_again();
        let device = &mut world.device;
        on_device_heap(|| device.start_without_script(Instant::ZERO, format_args!("{why}")));
        world.settle();
        world
    }

    /// The power comes back, and goes again when the script has begun to start and is not through.
    pub(crate) fn cut_while_starting(self) -> World {
        let flash = self.device.into_parts().1;
        let board = FakeBoard::new(Wires { free_memory: Some(20_000), ..wires() });
        let wires = board.wires();
        let mut made = new_device(board, flash, options());
        on_device_heap(|| made.start(Instant::ZERO));
        World { device: made, net: MemoryNet::new(PIECE), wires, now: 0 }
    }

    /// A device in a network with datagrams, and the network is up.
    pub(crate) fn with_datagrams(options: DeviceOptions) -> World {
        let flash = RamFlash::new(options.layout.sectors());
        let mut net = MemoryNet::new(PIECE);
        net.datagrams = Some(Datagrams::default());
        let mut world = World::made_of(flash, None, options, net);
        world.link(true);
        world
    }

    /// A device with a network of its own, in which it gives addresses and names, and which is a
    /// station at 10.0.0.7.
    pub(crate) fn access_point(flash: RamFlash) -> World {
        let wires = Wires { radio: Some(SimulatedRadio::new([2, 0, 0, 1, 2, 3])), ..wires() };
        let mut net = MemoryNet { has_station_address: true, ..MemoryNet::new(PIECE) };
        net.datagrams = Some(Datagrams::default());
        let options = options().with_radio().with_own_addresses();
        World::on_wires(wires, flash, options, net)
    }

    /// The same with an empty flash.
    pub(crate) fn new_access_point() -> World {
        World::access_point(RamFlash::new(options().layout.sectors()))
    }
}
