//! The console on the serial port (UART0, on the pins that boot messages use, and at their speed
//! until the setting `bitrate` is read) and on the USB port, both at once: what is typed on either
//! comes in, what is printed goes to both.

use esp_hal::Blocking;
use esp_hal::peripherals::{GPIO20, GPIO21, UART0, USB_DEVICE};
use esp_hal::uart::{Config, ConfigError, Uart};
use esp_hal::usb::usb_serial_jtag::UsbSerialJtag;
use umqtt_esp32c3_drivers::bitrate::{self, Bitrate};
use umqtt_esp32c3_drivers::output::OutputQueue;

/// Bytes that wait for each port.
const WAITING: usize = 2048;

pub(crate) struct SerialPorts {
    uart: Uart<'static, Blocking>,
    usb: UsbSerialJtag<'static, Blocking>,
    for_uart: OutputQueue<WAITING>,
    for_usb: OutputQueue<WAITING>,
    bitrate: Bitrate,
}

impl SerialPorts {
    pub(crate) fn new(
        uart: UART0<'static>,
        rx: GPIO20<'static>,
        tx: GPIO21<'static>,
        usb: USB_DEVICE<'static>,
    ) -> Result<SerialPorts, ConfigError> {
        let config = Config::default().with_baudrate(bitrate::AT_START);
        Ok(SerialPorts {
            uart: Uart::new(uart, config)?.with_rx(rx).with_tx(tx),
            usb: UsbSerialJtag::new(usb),
            for_uart: OutputQueue::new(),
            for_usb: OutputQueue::new(),
            bitrate: Bitrate::new(),
        })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.for_uart.write(bytes);
        self.for_usb.write(bytes);
        self.flush();
    }

    /// Gives the ports what they take without waiting.
    pub(crate) fn flush(&mut self) {
        let uart = &mut self.uart;
        self.for_uart.drain(|byte| uart.write_ready() && uart.write(&[byte]).is_ok_and(|n| n == 1));
        // Without a computer at the other end the port takes 64 bytes and then nothing: what
        // waits is dropped as newer text comes.
        if !self.for_usb.is_empty() {
            let usb = &mut self.usb;
            self.for_usb.drain(|byte| usb.write_byte_nb(byte).is_ok());
            let _ = usb.flush_tx_nb();
        }
    }

    /// Has the serial port change its speed, once all that is written until
    /// [`end_turn`](Self::end_turn) has gone out at the old one. The USB port has no speed.
    pub(crate) fn set_bitrate(&mut self, bits: u32) {
        self.bitrate.want(bits);
    }

    /// To be called when all of a turn is written. Returns a speed that the port cannot have.
    pub(crate) fn end_turn(&mut self) -> Option<u32> {
        self.flush();
        let uart = &mut self.uart;
        let bits = self.bitrate.end_turn(&mut self.for_uart, || is_idle(uart))?;
        let config = Config::default().with_baudrate(bits);
        // Bytes that come in while it changes are lost: they were sent at the old speed.
        let refused = self.uart.apply_config(&config).is_err();
        self.flush();
        refused.then_some(bits)
    }

    /// Bytes typed, at most as many as fit; returns how many.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> usize {
        // A byte that came in damaged is left out; the next ones are as good.
        let mut len = self.uart.read_buffered(into).unwrap_or(0);
        while len < into.len()
            && let Ok(byte) = self.usb.read_byte()
        {
            into[len] = byte;
            len += 1;
        }
        len
    }
}

/// Whether the port has sent all it was given; without waiting for more than a byte.
fn is_idle(uart: &mut Uart<'static, Blocking>) -> bool {
    UART0::regs().status().read().txfifo_cnt().bits() == 0 && uart.flush().is_ok()
}
