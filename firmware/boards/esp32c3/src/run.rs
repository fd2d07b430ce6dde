//! Start and loop: network, device, sleep.

use alloc::format;

use esp_hal::clock::CpuClock;
use esp_hal::ram;
use esp_hal::rng::Rng;
use esp_hal::rtc_cntl::{Rtc, Rwdt, RwdtStage, RwdtStageAction};
use esp_hal::time;
use esp_hal::timer::timg::TimerGroup;
use esp_rtos::CurrentThreadHandle;
use umqtt_device::crash_loop::{StartMode, backoff, is_healthy};
use umqtt_device::settings::{Capabilities, Capability};
use umqtt_device::{Device, Platform};
use umqtt_esp32c3_drivers::cpu_speed::CpuSpeed;
use umqtt_net::{Addressing, DualNet, Instant, Interface};
use umqtt_net_smoltcp::{NetLimits, SmolNet};

use crate::board::ChipBoard;
use crate::faults;
use crate::flash::Partition;
use crate::gpio::Pins;
use crate::options::{self, AP_LIMITS, OPTIONS, STATION_LIMITS};
use crate::radio::{self, WifiRadio};
use crate::serial::SerialPorts;
use crate::wifi_interface::WifiInterface;

/// How long the loop may take for one turn: less than any start of the radio or change in flash.
const WATCHDOG: time::Duration = time::Duration::from_secs(8);
/// The longest sleep: frames, pins and the serial ports are looked at with every turn.
const NAP: time::Duration = time::Duration::from_millis(1);

/// Milliseconds that the serial ports get for their last lines before a restart.
const FAREWELL: u64 = 100;

/// The chip.
struct Esp32c3;

impl Platform for Esp32c3 {
    type Board = ChipBoard;
    type Flash = Partition;
    const LACKS: Capabilities = Capabilities::NONE.with(Capability::Trace);
}

type Network = SmolNet<WifiInterface>;

/// The program's parts.
struct Program {
    device: Device<Esp32c3>,
    net: DualNet<Network, Network>,
    watchdog: Rwdt,
    /// Faults in a row before this start, until it has gone well for a while.
    faults: u32,
    /// What the radio was when the networks were told last.
    joined: bool,
    access_point: bool,
}

/// The whole program.
pub(crate) fn run() -> ! {
    let mut program = Program::begin();
    loop {
        program.turn();
    }
}

fn now() -> Instant {
    Instant::from_millis(time::Instant::now().duration_since_epoch().as_millis())
}

impl Program {
    #[inline(never)]
    fn begin() -> Program {
        esp_alloc::heap_allocator!(#[ram(reclaimed)] size: options::RECLAIMED_HEAP);
        esp_alloc::heap_allocator!(size: options::HEAP);
        umqtt_memory::set_probing(true);
        faults::note_reset_reason();
        let faults = faults::record(|record| record.faults());
        let peripherals = esp_hal::init(esp_hal::Config::default().with_cpu_clock(clock(faults)));
        let mut watchdog = Rtc::new(peripherals.RTC_TIMER).rwdt;
        watchdog.set_timeout(RwdtStage::Stage0, WATCHDOG);
        watchdog.enable();
        // A reset of the whole would clear the memory in which the next start finds why.
        watchdog.set_stage_action(RwdtStage::Stage0, RwdtStageAction::ResetCore);

        let (uart, usb) = (peripherals.UART0, peripherals.USB_DEVICE);
        let serial = SerialPorts::new(uart, peripherals.GPIO20, peripherals.GPIO21, usb);
        let mut serial = serial.unwrap_or_else(|error| panic!("the serial port: {error:?}"));
        serial.write(OPTIONS.version.as_bytes());
        serial.write(b", the device on an ESP32-C3\r\n");
        if let Some(why) = faults::take_cause() {
            serial.write(b"it was restarted: ");
            serial.write(why.as_bytes());
            serial.write(b"\r\n");
        }

        let timers = TimerGroup::new(peripherals.TIMG0);
        esp_rtos::start(timers.timer0, peripherals.FROM_CPU_INTR0);
        let millis = backoff(faults).as_millis();
        if millis > 0 {
            serial.write(
                format!("{faults} faults in a row: the next try is in {} s\r\n", millis / 1000)
                    .as_bytes(),
            );
            wait(&mut watchdog, &mut serial, millis);
        }

        let radio = WifiRadio::new(peripherals.WIFI);
        let radio = radio.unwrap_or_else(|error| panic!("the radio: {error:?}"));
        let pins =
            Pins::new(peripherals.IO_MUX, peripherals.LEDC, peripherals.ADC1, peripherals.GPIO0);
        let board = ChipBoard::new(pins, serial, radio);
        let flash = Partition::find(peripherals.FLASH).unwrap_or_else(|error| panic!("{error}"));
        let device = Device::<Esp32c3>::new(board, flash, OPTIONS);
        let mut device = device.unwrap_or_else(|error| panic!("{error}"));

        let station = network(radio::station(), Interface::Station, STATION_LIMITS);
        let mut own = network(radio::access_point(), Interface::AccessPoint, AP_LIMITS);
        own.set_interface(Interface::AccessPoint);
        let mut net = DualNet::new(station, own, Interface::AccessPoint);
        if let Err(error) = device.listen(&mut net) {
            device.board().serial.write(format!("{error}\r\n").as_bytes());
        }
        StartMode::after(faults).start(&mut device, now());
        Program { device, net, watchdog, faults, joined: false, access_point: false }
    }

    fn turn(&mut self) {
        self.watchdog.feed();
        if self.faults > 0 && is_healthy(self.faults, now()) {
            self.faults = 0;
            faults::record(|record| record.clear_faults());
        }
        self.follow_radio();
        let device = &mut self.device;
        let until = umqtt_net::turn(&mut self.net, now, |now, net| device.poll(now, net));
        let board = self.device.board();
        board.end_turn();
        if board.wants_restart() {
            // What the console has said of it is to be seen.
            wait(&mut self.watchdog, &mut board.serial, FAREWELL);
            faults::restart("the device was asked to");
        }
        if until.is_none_or(|until| until > now()) {
            CurrentThreadHandle::get().delay(NAP);
        }
    }

    /// Has the networks know whether there is a radio below them: addresses are those of a network
    /// that is joined, or of one of our own.
    fn follow_radio(&mut self) {
        let radio = &self.device.board().radio;
        let (joined, access_point) = (radio.is_joined(), radio.is_access_point());
        let (station, own) = self.net.parts();
        if joined != self.joined {
            self.joined = joined;
            station.device().set_up(joined);
            match self.device.addressing() {
                // A fixed one stays: the network may be back in a moment.
                Addressing { ip: None, .. } if !joined => station.remove_address(),
                addressing => station.set_addressing(addressing),
            }
        }
        if access_point != self.access_point {
            self.access_point = access_point;
            own.device().set_up(access_point);
            if access_point {
                let mut addressing = Addressing::DHCP;
                addressing.ip = Some(self.device.own_network_address());
                own.set_addressing(addressing);
            } else {
                own.remove_address();
            }
        }
    }
}

/// The processor's clock. esp-hal sets it once, with all that depends on it.
fn clock(faults: u32) -> CpuClock {
    match CpuSpeed::at_start(faults, || Partition::saved_settings(OPTIONS.layout)) {
        CpuSpeed::Mhz80 => CpuClock::_80MHz,
        CpuSpeed::Mhz160 => CpuClock::_160MHz,
    }
}

fn network(interface: WifiInterface, kind: Interface, limits: NetLimits) -> Network {
    let mut seed = [0; 8];
    Rng::new().read(&mut seed);
    let seed = u64::from_be_bytes(seed);
    SmolNet::new(interface, radio::mac(kind), seed, limits, now())
}

/// Waits, with the watchdog fed and the serial ports served.
fn wait(watchdog: &mut Rwdt, serial: &mut SerialPorts, millis: u64) {
    let until = now().as_millis() + millis;
    while now().as_millis() < until {
        watchdog.feed();
        serial.flush();
        CurrentThreadHandle::get().delay(NAP);
    }
}
