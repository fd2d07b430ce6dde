//! Frames of one of the two networks, as smoltcp wants them.

use esp_radio::wifi::{Interface, WifiRxToken, WifiTxToken};
use umqtt_net_smoltcp::smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use umqtt_net_smoltcp::smoltcp::time::Instant;

/// Longest frame the radio takes, bytes: `ESP_RADIO_CONFIG_WIFI_MTU`.
const LONGEST: usize = 1492;
/// Frames in a row that the radio takes.
const BURST: usize = 3;

/// The radio's side of one network.
pub(crate) struct WifiInterface {
    interface: Interface,
    is_up: bool,
}

impl WifiInterface {
    pub(crate) fn new(interface: Interface) -> WifiInterface {
        WifiInterface { interface, is_up: false }
    }

    /// There is a network, or none any more: then what is sent goes nowhere, as with a cable that
    /// is not plugged in. The radio would take nothing, and the stack would try again and again
    /// without a pause.
    pub(crate) fn set_up(&mut self, is_up: bool) {
        self.is_up = is_up;
    }
}

pub(crate) struct Received(WifiRxToken);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        self.0.consume_token(|frame| f(frame))
    }
}

pub(crate) enum Sender {
    Radio(WifiTxToken),
    Nowhere,
}

impl TxToken for Sender {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let len = len.min(LONGEST);
        match self {
            Sender::Radio(token) => token.consume_token(len, f),
            Sender::Nowhere => f(&mut [0; LONGEST][..len]),
        }
    }
}

impl Device for WifiInterface {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sender;

    fn receive(&mut self, _now: Instant) -> Option<(Received, Sender)> {
        let (received, sender) = self.interface.receive()?;
        Some((Received(received), Sender::Radio(sender)))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Sender> {
        if !self.is_up {
            return Some(Sender::Nowhere);
        }
        self.interface.transmit().map(Sender::Radio)
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = LONGEST;
        capabilities.max_burst_size = Some(BURST);
        capabilities
    }
}
