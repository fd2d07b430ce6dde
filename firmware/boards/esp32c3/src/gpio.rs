//! Pins by number, edges, PWM, analogue input.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::cell::Cell;

use critical_section::Mutex;
use esp_hal::analog::adc::{Adc, AdcConfig, AdcPin, Attenuation};
use esp_hal::gpio::{AnyPin, Event, Flex, InputConfig, Io, Level, OutputConfig, Pull};
use esp_hal::ledc::channel::{self, Channel, ChannelHW, ChannelIFace};
use esp_hal::ledc::timer::{self, LSClockSource, Timer, TimerIFace};
use esp_hal::ledc::{LSGlobalClkSource, Ledc, LowSpeed};
use esp_hal::peripherals::{ADC1, GPIO, GPIO0, IO_MUX, LEDC};
use esp_hal::time::Rate;
use esp_hal::{Blocking, handler};
use umqtt_device::board::{Gpio, PinMode};
use umqtt_esp32c3_drivers::pins::{self, ANALOG_PIN, PINS};
use umqtt_esp32c3_drivers::pwm::{self, Assigned, CHANNELS, Channels};

/// The period until the setting `pwm_period` is read, in slots of 200 ns.
const FIRST_PERIOD: u32 = 5_000;
/// How often the end of a conversion, which takes microseconds, is looked for.
const CONVERSION_LOOKS: usize = 100_000;

/// Pins on which an edge was seen, one bit each.
static EDGES: Mutex<Cell<u32>> = Mutex::new(Cell::new(0));

#[handler]
fn on_edge() {
    let pins = GPIO::regs().status().read().bits();
    // SAFETY: any bits may be written: those that are set are cleared.
    GPIO::regs().status_w1tc().write(|w| unsafe { w.bits(pins) });
    critical_section::with(|section| {
        let edges = EDGES.borrow(section);
        edges.set(edges.get() | pins);
    });
}

/// All that scripts use of the chip's pins.
pub(crate) struct Pins {
    /// Those that were used, by number.
    flex: [Option<Flex<'static>>; PINS],
    ledc: Ledc<'static>,
    timer: &'static Timer<'static, LowSpeed>,
    channels: Channels,
    pulses: [Option<Channel<'static, LowSpeed>>; CHANNELS],
    adc: Adc<'static, ADC1<'static>, Blocking>,
    adc_pin: AdcPin<GPIO0<'static>, ADC1<'static>>,
    /// Whether the pin is set up for that, and not for something else.
    is_analog: bool,
    _io: Io<'static>,
    note: Option<String>,
}

impl Pins {
    pub(crate) fn new(
        io_mux: IO_MUX<'static>,
        ledc: LEDC<'static>,
        adc: ADC1<'static>,
        pin: GPIO0<'static>,
    ) -> Pins {
        let mut io = Io::new(io_mux);
        io.set_interrupt_handler(on_edge);
        let mut ledc = Ledc::new(ledc);
        ledc.set_global_slow_clock(LSGlobalClkSource::APBClk);
        let mut timer = ledc.timer::<LowSpeed>(timer::Number::Timer0);
        let _ = set_period(&mut timer, FIRST_PERIOD); // there is a divider for it
        let mut config = AdcConfig::new();
        let adc_pin = config.enable_pin(pin, Attenuation::_11dB);
        Pins {
            flex: [const { None }; PINS],
            ledc,
            // Channels refer to it as long as the program runs, and there is one.
            timer: Box::leak(Box::new(timer)),
            channels: Channels::new(),
            pulses: [const { None }; CHANNELS],
            adc: Adc::new(adc, config),
            adc_pin,
            is_analog: true,
            _io: io,
            note: None,
        }
    }

    /// A line for the log.
    pub(crate) fn poll_note(&mut self) -> Option<String> {
        self.note.take()
    }

    /// The next pin with an edge.
    pub(crate) fn poll_edge(&mut self) -> Option<u8> {
        critical_section::with(|section| {
            let edges = EDGES.borrow(section);
            let pins = edges.get();
            (pins != 0).then(|| {
                edges.set(pins & (pins - 1));
                pins.trailing_zeros() as u8
            })
        })
    }

    pub(crate) fn set_pwm_period(&mut self, slots: u32) {
        let mut timer = self.ledc.timer::<LowSpeed>(timer::Number::Timer0);
        let nearest = set_period(&mut timer, slots);
        if let Some(hertz) = nearest {
            self.note = Some(format!("pwm_period: the nearest that the chip can do is {hertz} Hz"));
        }
    }

    /// The pin, if scripts may use it, as a pin and not as a PWM output.
    fn pin(&mut self, pin: u8) -> Option<&mut Flex<'static>> {
        let index = match pins::usable(pin) {
            Ok(index) => index,
            Err(why) => {
                self.note = Some(format!("gpio {pin} {}", why.message()));
                return None;
            }
        };
        if let Some(channel) = self.channels.release(pin) {
            self.pulses[channel] = None;
            self.flex[index] = None;
        }
        self.is_analog &= pin != ANALOG_PIN;
        // SAFETY: the pin exists, and nobody but this array has it: the others of the program are
        // not usable, and its channel was dropped.
        Some(self.flex[index].get_or_insert_with(|| Flex::new(unsafe { AnyPin::steal(pin) })))
    }

    fn input(&mut self, pin: u8, pullup: bool) -> Option<&mut Flex<'static>> {
        let pull = if pullup { Pull::Up } else { Pull::None };
        let flex = self.pin(pin)?;
        flex.set_output_enable(false);
        flex.apply_input_config(&InputConfig::default().with_pull(pull));
        flex.set_input_enable(true);
        Some(flex)
    }
}

impl Gpio for Pins {
    fn pin_mode(&mut self, pin: u8, mode: PinMode) {
        match mode {
            PinMode::Input => _ = self.input(pin, false),
            PinMode::InputPullup => _ = self.input(pin, true),
            PinMode::Output => {
                if let Some(flex) = self.pin(pin) {
                    flex.apply_output_config(&OutputConfig::default());
                    flex.set_input_enable(true);
                    flex.set_output_enable(true);
                }
            }
        }
    }

    fn pin_write(&mut self, pin: u8, level: bool) {
        if let Some(flex) = self.pin(pin) {
            flex.set_level(if level { Level::High } else { Level::Low });
            flex.set_input_enable(true);
            flex.set_output_enable(true);
        }
    }

    fn pin_read(&mut self, pin: u8) -> bool {
        let Ok(index) = pins::usable(pin) else { return false };
        if self.flex[index].is_none() && !self.channels.has(pin) {
            let _ = self.input(pin, false); // usable
        }
        // Of a pin that is pulsed too: its level at this moment, without a change of what it does.
        GPIO::regs().in_().read().bits() >> pin & 1 == 1
    }

    fn pwm(&mut self, pin: u8, duty: u16) {
        let Ok(index) = pins::usable(pin) else {
            let _ = self.pin(pin); // notes why not
            return;
        };
        let channel = match self.channels.assign(pin) {
            Some(Assigned::Before(channel)) => channel,
            Some(Assigned::Now(channel)) => {
                self.flex[index] = None;
                self.is_analog &= pin != ANALOG_PIN;
                // SAFETY: the pin exists, and its place above is empty now.
                let output = unsafe { AnyPin::steal(pin) };
                let mut pulses = self.ledc.channel(NUMBERS[channel], output);
                let config = channel::config::Config {
                    timer: self.timer,
                    duty_pct: 0,
                    drive_mode: esp_hal::gpio::DriveMode::PushPull,
                };
                if pulses.configure(config).is_err() {
                    self.channels.release(pin);
                    self.note = Some(format!("gpio {pin} cannot be used for PWM"));
                    return;
                }
                self.pulses[channel] = Some(pulses);
                channel
            }
            None => {
                self.note = Some(format!("gpio {pin}: all {CHANNELS} PWM channels are in use"));
                return;
            }
        };
        if let Some(pulses) = &self.pulses[channel] {
            pulses.set_duty_hw(pwm::raw_duty(duty));
        }
    }

    fn adc(&mut self) -> u16 {
        // A script that used the pin otherwise is done with that.
        self.channels.release(ANALOG_PIN).map(|channel| self.pulses[channel].take());
        if self.flex[usize::from(ANALOG_PIN)].take().is_some() || !self.is_analog {
            // SAFETY: its place above is empty now.
            let pin = unsafe { GPIO0::steal() };
            self.adc_pin = AdcConfig::new().enable_pin(pin, Attenuation::_11dB);
            self.is_analog = true;
        }
        for _ in 0..CONVERSION_LOOKS {
            match self.adc.read_oneshot(&mut self.adc_pin) {
                Ok(value) => return value >> 2, // of 12 bits
                Err(nb::Error::WouldBlock) => {}
                Err(nb::Error::Other(())) => break,
            }
        }
        0
    }

    fn watch_pin(&mut self, pin: u8, pullup: bool) {
        if let Some(flex) = self.input(pin, pullup) {
            flex.listen(Event::AnyEdge);
        }
    }

    fn unwatch_pins(&mut self) {
        self.flex.iter_mut().flatten().for_each(Flex::unlisten);
        critical_section::with(|section| EDGES.borrow(section).set(0));
    }
}

const NUMBERS: [channel::Number; CHANNELS] = [
    channel::Number::Channel0,
    channel::Number::Channel1,
    channel::Number::Channel2,
    channel::Number::Channel3,
    channel::Number::Channel4,
    channel::Number::Channel5,
];

/// Sets the period; returns the frequency if it is another than what was asked.
fn set_period(timer: &mut Timer<'static, LowSpeed>, slots: u32) -> Option<u32> {
    let (hertz, nearest) = pwm::frequency(slots);
    let configured = timer.configure(timer::config::Config {
        duty: timer::config::Duty::Duty11Bit,
        clock_source: LSClockSource::APBClk,
        frequency: Rate::from_hz(hertz),
    });
    (nearest || configured.is_err()).then_some(hertz)
}

const _: () = assert!(timer::config::Duty::Duty11Bit as u32 == pwm::DUTY_BITS);
