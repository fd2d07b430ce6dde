//! Pins by number: direction, level, pull-up, edges.
//!
//! Pins 0 to 15 are the GPIO block's; 16 belongs to the real-time clock, which has registers of its
//! own, no pull-up and no edges. Pins 6 to 11 are wired to the flash chip the program runs from:
//! touching them ends it, so they are refused.

use crate::mmio::Mmio;

/// A pin's direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Input without a pull-up.
    Input,
    /// Input with the chip's own pull-up (30 to 100 kOhm).
    InputPullup,
    /// Push-pull output.
    Output,
}

/// The pin is not there, is the flash's, or cannot do that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidPin;

/// GPIO: Technical Reference chapter 16.
pub(crate) mod gpio {
    pub(crate) const OUT_SET: u32 = 0x6000_0304;
    pub(crate) const OUT_CLEAR: u32 = 0x6000_0308;
    pub(crate) const ENABLE_SET: u32 = 0x6000_0310;
    pub(crate) const ENABLE_CLEAR: u32 = 0x6000_0314;
    pub(crate) const IN: u32 = 0x6000_0318;
    pub(crate) const STATUS: u32 = 0x6000_031c;
    pub(crate) const STATUS_CLEAR: u32 = 0x6000_0324;
    /// One for each pin.
    pub(crate) const PIN: u32 = 0x6000_0328;
    /// In a pin's register: which edges or levels are noted in STATUS.
    pub(crate) const PIN_EDGES: u32 = 7 << 7;
    pub(crate) const BOTH_EDGES: u32 = 3 << 7;
    /// In a pin's register: it only pulls down.
    pub(crate) const PIN_OPEN_DRAIN: u32 = 1 << 2;
}

/// The pin multiplexer: Technical Reference appendix 1.
pub(crate) const IO_MUX: u32 = 0x6000_0800;
const PULLUP: u32 = 1 << 7;
/// The bits that choose what a pin is for.
const FUNCTION: u32 = 3 << 4 | 1 << 8;

/// Offset from [`IO_MUX`] of each pin's register, and the number of its function as GPIO.
const MUX: [(u32, u32); 16] = [
    (0x34, 0),
    (0x18, 3),
    (0x38, 0),
    (0x14, 3),
    (0x3c, 0),
    (0x40, 0),
    (0x1c, 3),
    (0x20, 3),
    (0x24, 3),
    (0x28, 3),
    (0x2c, 3),
    (0x30, 3),
    (0x04, 3),
    (0x08, 3),
    (0x0c, 3),
    (0x10, 3),
];

/// The clock's pin.
const RTC_PIN: u8 = 16;
mod rtc {
    pub(super) const OUT: u32 = 0x6000_0768;
    pub(super) const ENABLE: u32 = 0x6000_0774;
    pub(super) const IN: u32 = 0x6000_078c;
    pub(super) const CONFIG: u32 = 0x6000_0790;
    pub(super) const PAD: u32 = 0x6000_07a0;
    /// In PAD: what the pin is for, and the choice that makes it GPIO.
    pub(super) const PAD_FUNCTION: u32 = 0x43;
    pub(super) const PAD_GPIO: u32 = 1;
}

/// The pins.
#[derive(Debug, Default)]
pub struct Pins {
    /// Those whose edges are noted, a bit each.
    watched: u32,
}

impl Pins {
    /// No pin is watched.
    pub const fn new() -> Pins {
        Pins { watched: 0 }
    }

    /// Chooses a pin's direction.
    ///
    /// # Errors
    /// [`InvalidPin`]
    pub fn set_mode(
        &mut self,
        mmio: &mut impl Mmio,
        pin: u8,
        mode: Mode,
    ) -> Result<(), InvalidPin> {
        if pin == RTC_PIN {
            mmio.modify(rtc::PAD, rtc::PAD_FUNCTION, rtc::PAD_GPIO);
            mmio.modify(rtc::CONFIG, 1, 0);
            mmio.modify(rtc::ENABLE, 1, (mode == Mode::Output).into());
            return Ok(());
        }
        let (offset, function) = mux(pin)?;
        let pullup = if mode == Mode::InputPullup { PULLUP } else { 0 };
        // The function's third bit is that of no GPIO function.
        mmio.modify(IO_MUX + offset, FUNCTION | PULLUP, function << 4 | pullup);
        mmio.modify(register(pin), gpio::PIN_OPEN_DRAIN, 0);
        let direction = if mode == Mode::Output { gpio::ENABLE_SET } else { gpio::ENABLE_CLEAR };
        mmio.write(direction, 1 << pin);
        Ok(())
    }

    /// Puts a level on a pin; it becomes an output, and shows nothing else in between.
    ///
    /// # Errors
    /// [`InvalidPin`]
    pub fn write(&mut self, mmio: &mut impl Mmio, pin: u8, level: bool) -> Result<(), InvalidPin> {
        if pin == RTC_PIN {
            mmio.modify(rtc::OUT, 1, level.into());
        } else {
            mux(pin)?;
            mmio.write(if level { gpio::OUT_SET } else { gpio::OUT_CLEAR }, 1 << pin);
        }
        self.set_mode(mmio, pin, Mode::Output)
    }

    /// The level on a pin, whoever puts it there.
    ///
    /// # Errors
    /// [`InvalidPin`]
    pub fn read(&mut self, mmio: &mut impl Mmio, pin: u8) -> Result<bool, InvalidPin> {
        if pin == RTC_PIN {
            return Ok(mmio.read(rtc::IN) & 1 != 0);
        }
        mux(pin)?;
        Ok(mmio.read(gpio::IN) >> pin & 1 != 0)
    }

    /// Makes a pin an input and notes its edges from now on, for [`Pins::poll_edge`].
    ///
    /// # Errors
    /// [`InvalidPin`]; the clock's pin 16 has no edges.
    pub fn watch(&mut self, mmio: &mut impl Mmio, pin: u8, pullup: bool) -> Result<(), InvalidPin> {
        mux(pin)?;
        self.set_mode(mmio, pin, if pullup { Mode::InputPullup } else { Mode::Input })?;
        mmio.write(gpio::STATUS_CLEAR, 1 << pin);
        mmio.modify(register(pin), gpio::PIN_EDGES, gpio::BOTH_EDGES);
        self.watched |= 1 << pin;
        Ok(())
    }

    /// Notes no more edges.
    pub fn unwatch_all(&mut self, mmio: &mut impl Mmio) {
        for pin in (0..RTC_PIN).filter(|pin| self.watched >> pin & 1 != 0) {
            mmio.modify(register(pin), gpio::PIN_EDGES, 0);
        }
        mmio.write(gpio::STATUS_CLEAR, self.watched);
        self.watched = 0;
    }

    /// A pin that had an edge since it was last named here.
    pub fn poll_edge(&mut self, mmio: &mut impl Mmio) -> Option<u8> {
        let edges = mmio.read(gpio::STATUS) & self.watched;
        let pin = (0..RTC_PIN).find(|pin| edges >> pin & 1 != 0)?;
        mmio.write(gpio::STATUS_CLEAR, 1 << pin);
        Some(pin)
    }
}

/// Whether a pin may be used, and its place in the multiplexer.
fn mux(pin: u8) -> Result<(u32, u32), InvalidPin> {
    match pin {
        6..=11 => Err(InvalidPin),
        _ => MUX.get(usize::from(pin)).copied().ok_or(InvalidPin),
    }
}

fn register(pin: u8) -> u32 {
    gpio::PIN + 4 * u32::from(pin)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use core::mem::offset_of;
    use std::vec;

    use super::*;
    use crate::mmio::recording::{Access::Write, Recording};

    #[test]
    fn an_output_shows_its_level_from_the_start() {
        let (mut mmio, mut pins) = (Recording::default(), Pins::new());
        // Left over from the boot loader: the pin is the JTAG's, with a pull-up.
        mmio.registers.insert(0x6000_0804, 0xa1);
        pins.write(&mut mmio, 12, true).unwrap();
        let expected = vec![
            Write(0x6000_0304, 1 << 12),
            Write(0x6000_0804, 0x31),
            Write(0x6000_0358, 0),
            Write(0x6000_0310, 1 << 12),
        ];
        assert_eq!(mmio.take(), expected);
        pins.write(&mut mmio, 5, false).unwrap();
        assert_eq!(mmio.take()[0], Write(0x6000_0308, 1 << 5));
    }

    #[test]
    fn inputs_have_a_pullup_when_asked() {
        let (mut mmio, mut pins) = (Recording::default(), Pins::new());
        pins.set_mode(&mut mmio, 0, Mode::InputPullup).unwrap();
        assert_eq!(mmio.registers[&0x6000_0834], 0x80);
        assert_eq!(mmio.take().last(), Some(&Write(0x6000_0314, 1)));
        pins.set_mode(&mut mmio, 0, Mode::Input).unwrap();
        assert_eq!(mmio.registers[&0x6000_0834], 0);
        mmio.registers.insert(gpio::IN, 1 << 14);
        assert_eq!(pins.read(&mut mmio, 14), Ok(true));
        assert_eq!(pins.read(&mut mmio, 13), Ok(false));
    }

    #[test]
    fn the_clocks_pin_has_registers_of_its_own() {
        let (mut mmio, mut pins) = (Recording::default(), Pins::new());
        mmio.registers.extend([(rtc::PAD, 0x42), (rtc::CONFIG, 3)]);
        pins.write(&mut mmio, 16, true).unwrap();
        let expected = [(rtc::OUT, 1), (rtc::PAD, 1), (rtc::CONFIG, 2), (rtc::ENABLE, 1)];
        assert_eq!(mmio.take(), expected.map(|(address, value)| Write(address, value)));
        pins.set_mode(&mut mmio, 16, Mode::Input).unwrap();
        assert_eq!(mmio.registers[&rtc::ENABLE], 0);
        mmio.registers.insert(rtc::IN, 1);
        assert_eq!(pins.read(&mut mmio, 16), Ok(true));
        assert_eq!(pins.watch(&mut mmio, 16, false), Err(InvalidPin));
    }

    #[test]
    fn the_flashs_pins_and_those_that_are_none_are_not_touched() {
        let (mut mmio, mut pins) = (Recording::default(), Pins::new());
        for pin in (6..=11).chain(17..=255) {
            assert_eq!(pins.set_mode(&mut mmio, pin, Mode::Output), Err(InvalidPin));
            assert_eq!(pins.write(&mut mmio, pin, true), Err(InvalidPin));
            assert_eq!(pins.read(&mut mmio, pin), Err(InvalidPin));
            assert_eq!(pins.watch(&mut mmio, pin, true), Err(InvalidPin));
        }
        assert_eq!(mmio.take(), []);
    }

    #[test]
    fn edges_are_named_once_and_only_of_watched_pins() {
        let (mut mmio, mut pins) = (Recording::default(), Pins::new());
        pins.watch(&mut mmio, 0, true).unwrap();
        pins.watch(&mut mmio, 4, false).unwrap();
        assert_eq!(mmio.registers[&0x6000_0328], 3 << 7);
        mmio.take();
        mmio.answer(gpio::STATUS, &[0b1_0011, 0b1_0010, 0b0_0010]);
        assert_eq!(pins.poll_edge(&mut mmio), Some(0));
        assert_eq!(pins.poll_edge(&mut mmio), Some(4));
        assert_eq!(pins.poll_edge(&mut mmio), None, "pin 1 is not watched");
        assert_eq!(mmio.take(), [Write(0x6000_0324, 1), Write(0x6000_0324, 1 << 4)]);
        pins.unwatch_all(&mut mmio);
        assert_eq!(mmio.registers[&0x6000_0328], 0);
        mmio.answer(gpio::STATUS, &[0b1_0001]);
        assert_eq!(pins.poll_edge(&mut mmio), None);
    }

    /// The addresses above against those of the register crate.
    #[test]
    fn addresses_are_the_register_crates() {
        use esp8266::gpio::RegisterBlock as Gpio;
        use esp8266::io_mux::RegisterBlock as Mux;
        let gpio_base = esp8266::GPIO::PTR as usize as u32;
        for (address, offset) in [
            (gpio::OUT_SET, offset_of!(Gpio, gpio_out_w1ts)),
            (gpio::OUT_CLEAR, offset_of!(Gpio, gpio_out_w1tc)),
            (gpio::ENABLE_SET, offset_of!(Gpio, gpio_enable_w1ts)),
            (gpio::ENABLE_CLEAR, offset_of!(Gpio, gpio_enable_w1tc)),
            (gpio::IN, offset_of!(Gpio, gpio_in)),
            (gpio::STATUS, offset_of!(Gpio, gpio_status)),
            (gpio::STATUS_CLEAR, offset_of!(Gpio, gpio_status_w1tc)),
            (gpio::PIN, offset_of!(Gpio, gpio_pin0)),
            (register(15), offset_of!(Gpio, gpio_pin15)),
        ] {
            assert_eq!(address, gpio_base + offset as u32);
        }
        assert_eq!(IO_MUX, esp8266::IO_MUX::PTR as usize as u32);
        let places = [
            offset_of!(Mux, io_mux_gpio0),
            offset_of!(Mux, io_mux_u0txd),
            offset_of!(Mux, io_mux_gpio2),
            offset_of!(Mux, io_mux_u0rxd),
            offset_of!(Mux, io_mux_gpio4),
            offset_of!(Mux, io_mux_gpio5),
            offset_of!(Mux, io_mux_sd_clk),
            offset_of!(Mux, io_mux_sd_data0),
            offset_of!(Mux, io_mux_sd_data1),
            offset_of!(Mux, io_mux_sd_data2),
            offset_of!(Mux, io_mux_sd_data3),
            offset_of!(Mux, io_mux_sd_cmd),
            offset_of!(Mux, io_mux_mtdi),
            offset_of!(Mux, io_mux_mtck),
            offset_of!(Mux, io_mux_mtms),
            offset_of!(Mux, io_mux_mtdo),
        ];
        assert_eq!(MUX.map(|(offset, _)| offset as usize), places);
    }
}
