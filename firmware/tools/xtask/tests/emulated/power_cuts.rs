//! The power fails while something is written: afterwards the old is there or the new, whole.
//!
//! The emulator is killed, again and again, at moments spread over the time the device takes from
//! the request to its answer. Its flash is a file, in which every single write shows at once.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::device::{Console, Device};

/// Cuts at least, and the most to be tried until there was enough of everything.
const CUTS: u32 = 60;
const MOST_CUTS: u32 = 240;
/// Cuts in the midst of writing that there have to be.
const AMIDST: u32 = 8;

/// Something the device is told to keep.
trait Kept {
    /// Tells it to keep `value`, and returns when that is sent.
    fn request(&mut self, device: &Device, value: &str);
    /// Waits until it says that it has.
    fn wait(&mut self);
    /// What it keeps, if it is whole.
    fn read(&mut self, device: &Device) -> String;
}

/// How the cuts went.
#[derive(Debug, Default)]
struct Tally {
    old: u32,
    new: u32,
    /// Of the old ones, those where the flash was being changed already.
    amidst: u32,
}

/// Cuts the power at moments spread over the time `kept` takes.
fn cut_again_and_again(mut kept: impl Kept) {
    let device = Device::boot();
    kept.request(&device, "first");
    kept.wait();
    kept.request(&device, "value0");
    let start = Instant::now();
    kept.wait();
    let time = start.elapsed();

    let mut device = Device::boot_with(device.cut());
    let mut before = kept.read(&device);
    assert_eq!(before, "value0");
    let mut tally = Tally::default();
    for cut in 1..=MOST_CUTS {
        let next = format!("value{cut}");
        let flash = device.flash();
        kept.request(&device, &next);
        // Up to twice all of it: it does not take the same time each time.
        let part = f64::from(cut * 37 % CUTS) * 2.0 / f64::from(CUTS);
        wait_exactly(time.mul_f64(part));
        let folder = device.cut();
        let changed = std::fs::read(folder.path().join("flash")).unwrap() != flash;
        device = Device::boot_with(folder);
        let after = kept.read(&device);
        assert!(after == before || after == next, "{before} was to become {next}, it is {after}");
        if after == next {
            tally.new += 1;
        } else {
            tally.old += 1;
            tally.amidst += u32::from(changed);
        }
        before = after;
        if cut >= CUTS && tally.old > 0 && tally.new > 0 && tally.amidst >= AMIDST {
            println!("{cut} cuts in {time:?}: {tally:?}");
            return;
        }
    }
    panic!("the cuts in {time:?} were not at all times: {tally:?}");
}

/// Sleeps for most of it only: the rest is too short to be left to the system.
fn wait_exactly(time: Duration) {
    let end = Instant::now() + time;
    thread::sleep(time.saturating_sub(Duration::from_micros(300)));
    while Instant::now() < end {
        std::hint::spin_loop();
    }
}

/// A script that publishes its name. No half of one could be taken for anything.
#[derive(Default)]
struct Script {
    console: Option<Console>,
}

impl Kept for Script {
    fn request(&mut self, device: &Device, value: &str) {
        let filler = "println \"nothing of interest\" ".repeat(25);
        let script =
            format!("on init do publish local name {value} retained\non serial do {filler}\n");
        let mut console = device.console();
        assert!(console.ask("script 2000").contains("Waiting"));
        let mut upload = TcpStream::connect(device.addresses()[2]).unwrap();
        upload.write_all(script.as_bytes()).unwrap();
        self.console = Some(console);
    }

    fn wait(&mut self) {
        self.console.as_mut().unwrap().wait_for("Syntax okay");
    }

    fn read(&mut self, device: &Device) -> String {
        let mut client = device.client("test");
        client.subscribe("name", 0);
        String::from_utf8(client.next().payload).unwrap()
    }
}

/// Two settings that are to be the same.
#[derive(Default)]
struct Settings {
    console: Option<Console>,
}

const NAMES: [&str; 2] = ["mqtt_id", "mqtt_user"];

impl Kept for Settings {
    fn request(&mut self, device: &Device, value: &str) {
        let mut console = device.console();
        for name in NAMES {
            console.ask(&format!("set {name} {value}"));
        }
        console.send("save");
        self.console = Some(console);
    }

    fn wait(&mut self) {
        self.console.as_mut().unwrap().wait_for("Config saved");
    }

    fn read(&mut self, device: &Device) -> String {
        let shown = device.console().ask("show config");
        let values = NAMES.map(|name| {
            let line = shown.lines().find(|line| line.contains(name));
            let value = line.and_then(|line| line.split_whitespace().last());
            value.unwrap_or_else(|| panic!("{shown}")).trim_matches('"').to_owned()
        });
        let [one, other] = values;
        assert_eq!(one, other, "half of the settings are old");
        one
    }
}

#[test]
fn a_script_is_old_or_new_after_a_power_cut() {
    cut_again_and_again(Script::default());
}

#[test]
fn settings_are_old_or_new_after_a_power_cut() {
    cut_again_and_again(Settings::default());
}
