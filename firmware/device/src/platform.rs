//! What a device runs on, as one type: every part of the device that touches the hardware is
//! generic over it alone.

use embedded_storage::nor_flash::NorFlash;

use crate::board::Board;
use crate::settings::Capabilities;

/// The hardware of one kind of device. An empty type per board implements it:
///
/// ```
/// use umqtt_device::storage::ram::RamFlash;
/// use umqtt_device::{Board, Platform};
///
/// struct Simulated<B>(core::marker::PhantomData<B>);
///
/// impl<B: Board> Platform for Simulated<B> {
///     type Board = B;
///     type Flash = RamFlash;
/// }
/// ```
///
/// The network is no part of it: a stack is also used by the board's own loop, so
/// [`Device::poll`](crate::Device::poll) borrows it for one step.
pub trait Platform {
    /// Pins, the serial port, restart.
    type Board: Board;
    /// Where settings and scripts are stored.
    type Flash: NorFlash;
    /// What no device of this kind has, whatever its options say: the code for it is not in its
    /// image. Counts for the services [`Capability::Ntp`](crate::settings::Capability::Ntp),
    /// [`Capability::TimeServer`](crate::settings::Capability::TimeServer),
    /// [`Capability::Mdns`](crate::settings::Capability::Mdns),
    /// [`Capability::OwnAddresses`](crate::settings::Capability::OwnAddresses) and
    /// [`Capability::NameServer`](crate::settings::Capability::NameServer), and for the
    /// [`Capability::Trace`](crate::settings::Capability::Trace).
    const LACKS: Capabilities = Capabilities::NONE;
}
