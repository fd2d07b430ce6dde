//! What a machine is to the device.

use umqtt_device::device::DeviceOptions;
use umqtt_device::settings::Capabilities;
use umqtt_net_smoltcp::NetLimits;
use umqtt_net_smoltcp::smoltcp::phy::Device;

use crate::flash::Bank;

/// The address of every machine's Ethernet: QEMU's usual one, locally administered.
pub const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

/// The commands every machine has, for [`Emulated::HELP`].
pub const HELP: &str = "memory: heap and stack in use, and the most that was since this was last asked\n\
    sim gpio PIN 0|1: put a level on a simulated input pin\n\
    sim adc N: set the simulated analogue input, 0 to 1023\n";

/// A machine that QEMU emulates.
pub trait Emulated: Sized + 'static {
    /// What it stands for, for the first line: "an emulated ...".
    const NAME: &'static str;
    /// What the device may grow to.
    const OPTIONS: DeviceOptions;
    /// What the network may grow to.
    const NET_LIMITS: NetLimits;
    /// Bytes of heap that a new connection must leave to those that are up.
    const RESERVE: usize;
    /// What no device on it has.
    const LACKS: Capabilities = Capabilities::NONE;
    /// The interrupts its Ethernet wakes with.
    const WAKES: u32;
    /// Help for the console's commands of this machine, [`HELP`] and those of
    /// [`command`](Self::command).
    const HELP: &'static str = HELP;

    /// Its flash.
    type Bank: Bank;
    /// Its Ethernet.
    type Ethernet: Ethernet;

    /// Sets the Ethernet up. There is one, so this is called once.
    fn ethernet() -> Self::Ethernet;

    /// Fills a buffer with random numbers, as good as the machine has them.
    fn random(into: &mut [u8]);

    /// The command line the emulator was given for the program; empty without.
    fn command_line() -> &'static str;

    /// A console command only this machine has; false if it is none.
    fn command(words: &[&[u8]], reply: &mut dyn FnMut(&[u8])) -> bool {
        let _ = (words, reply);
        false
    }
}

/// An Ethernet that interrupts.
pub trait Ethernet: Device {
    /// Takes back the interrupt. To be called before looking for frames: what comes after is told
    /// again.
    fn acknowledge(&mut self);

    /// Whether a frame is waiting.
    fn has_frame(&self) -> bool;
}
