//! The machine's door to the outside: time is kept here, bad topics end here, the rest goes to the device.

use alloc::boxed::Box;
use alloc::vec::Vec;

use umqtt_topic::TopicError;
use umqtt_vm::{FLASH_VARIABLE_LEN, PinMode, Side, Syscalls};

use super::alarms::Alarms;
use super::clock::Moment;
use super::echoes::Echoes;
use super::timers::Timers;
use super::{PWM_MAX, Services};

/// Most bytes of a refused topic that are logged.
const TOPIC_SHOWN: usize = 64;

/// The first topic a handler was refused.
pub(super) struct Refused {
    pub(super) action: &'static str,
    pub(super) topic: Vec<u8>,
    pub(super) error: TopicError,
    /// How many there were in all.
    pub(super) count: u32,
}

/// What the machine sees while one handler runs.
pub(super) struct Outside<'o, S: ?Sized> {
    pub(super) services: &'o mut S,
    pub(super) timers: &'o mut Timers,
    pub(super) alarms: &'o mut Alarms,
    pub(super) echoes: &'o mut Echoes,
    pub(super) at: &'o Moment,
    /// Of the message a handler runs for, if that is a local one.
    pub(super) topic: Option<&'o [u8]>,
    pub(super) refused: &'o mut Option<Box<Refused>>,
    /// What the handlers of one event have together.
    pub(super) fuel: u32,
}

impl<S: ?Sized> Outside<'_, S> {
    /// Notes that an action does not go ahead with this topic.
    #[cold]
    #[inline(never)]
    fn refuse(&mut self, action: &'static str, topic: &[u8], error: TopicError) -> u32 {
        let refused = self.refused.get_or_insert_with(|| {
            let topic = topic.iter().copied().take(TOPIC_SHOWN).collect();
            Box::new(Refused { action, topic, error, count: 0 })
        });
        refused.count = refused.count.saturating_add(1);
        0
    }
}

impl<S: Services + ?Sized> Syscalls for Outside<'_, S> {
    fn publish(&mut self, side: Side, topic: &[u8], data: &[u8], retained: bool) -> u32 {
        match self.services.publish(side, topic, data, retained) {
            Ok(looks) => {
                if side == Side::Local {
                    self.echoes.publish(topic, self.topic, self.at.now);
                }
                looks
            }
            Err(error) => self.refuse("publish to", topic, error),
        }
    }

    fn subscribe(&mut self, side: Side, filter: &[u8]) -> u32 {
        match umqtt_topic::check_filter(filter) {
            Ok(()) => self.services.subscribe(side, filter),
            Err(error) => self.refuse("subscribe to", filter, error),
        }
    }

    fn unsubscribe(&mut self, side: Side, filter: &[u8]) -> u32 {
        match umqtt_topic::check_filter(filter) {
            Ok(()) => self.services.unsubscribe(side, filter),
            Err(error) => self.refuse("unsubscribe from", filter, error),
        }
    }

    fn set_timer(&mut self, n: u8, ms: i32) {
        self.timers.set(n, ms, self.at.now);
    }

    fn set_alarm(&mut self, n: u8, time: &[u8]) {
        self.alarms.set(n, time, self.at);
    }

    fn http_get(&mut self, url: &[u8]) {
        self.services.http_get(url);
    }

    fn http_post(&mut self, url: &[u8], body: &[u8]) {
        self.services.http_post(url, body);
    }

    fn pin_mode(&mut self, pin: u8, mode: PinMode) {
        self.services.pin_mode(pin, mode);
    }

    fn pin_write(&mut self, pin: u8, level: bool) {
        self.services.pin_write(pin, level);
    }

    fn pin_read(&mut self, pin: u8) -> bool {
        self.services.pin_read(pin)
    }

    fn pwm(&mut self, pin: u8, duty: i32) {
        let duty = u16::try_from(duty.max(0)).map_or(PWM_MAX, |duty| duty.min(PWM_MAX));
        self.services.pwm(pin, duty);
    }

    fn adc(&mut self) -> u16 {
        self.services.adc()
    }

    fn serial_out(&mut self, bytes: &[u8]) {
        self.services.serial_out(bytes);
    }

    fn print(&mut self, text: &[u8], newline: bool) {
        self.services.print(text, newline);
    }

    fn system(&mut self, command: &[u8]) {
        self.services.system(command);
    }

    fn config(&mut self, name: &[u8], value: &[u8]) {
        self.services.config(name, value);
    }

    fn flash_read(&mut self, n: u8, out: &mut [u8; FLASH_VARIABLE_LEN]) -> usize {
        self.services.flash_read(n, out)
    }

    fn flash_write(&mut self, n: u8, value: &[u8]) {
        self.services.flash_write(n, value);
    }

    fn flash_fuel(&self) -> u32 {
        self.fuel / umqtt_vm::fuel::FLASH_WRITES
    }

    fn retained(&mut self, filter: &[u8], out: &mut [u8], looks: &mut u32) -> usize {
        self.services.retained(filter, out, looks)
    }

    fn timestamp(&mut self) -> [u8; 8] {
        self.at.clock.map_or(*b"99:99:99", |clock| clock.hms())
    }

    fn weekday(&mut self) -> [u8; 3] {
        self.at.clock.map_or(*b"xxx", |clock| clock.weekday())
    }
}
