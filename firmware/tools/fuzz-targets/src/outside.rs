//! The outside of the machine, which checks what it is called with.

use umqtt_vm::{
    Console, FLASH_VARIABLE_LEN, FlashVariables, Gpio, Http, Mqtt, PinMode, Profile, Random,
    Serial, Side, Supervisor, Timekeeping, TopicError,
};

/// Does nothing, counts calls, and panics where an argument is not within its profile.
pub struct Outside {
    /// The machine's profile.
    pub profile: Profile,
    /// Longest value the machine was told to make, bytes.
    pub value: usize,
    /// Calls so far.
    pub calls: u64,
}

impl Outside {
    fn text(&mut self, text: &[u8]) {
        assert!(text.len() <= self.value.max(FLASH_VARIABLE_LEN));
        self.calls += 1;
    }

    fn pin(&mut self, pin: u8) {
        assert!(pin <= self.profile.max_pin);
        self.calls += 1;
    }
}

impl Mqtt for Outside {
    fn publish(&mut self, _: Side, topic: &[u8], data: &[u8], _: bool) -> Result<u32, TopicError> {
        self.text(topic);
        self.text(data);
        Ok(0)
    }
    fn subscribe(&mut self, _: Side, filter: &[u8]) -> u32 {
        self.text(filter);
        0
    }
    fn unsubscribe(&mut self, _: Side, filter: &[u8]) -> u32 {
        self.text(filter);
        0
    }
    fn retained(&mut self, filter: &[u8], out: &mut [u8], _: &mut u32) -> usize {
        let len = filter.len().min(out.len());
        out[..len].copy_from_slice(&filter[..len]);
        len
    }
}

impl Http for Outside {
    fn http_get(&mut self, url: &[u8]) {
        self.text(url);
    }
    fn http_post(&mut self, url: &[u8], body: &[u8]) {
        self.text(url);
        self.text(body);
    }
}

impl Gpio for Outside {
    fn pin_mode(&mut self, pin: u8, _: PinMode) {
        self.pin(pin);
    }
    fn pin_write(&mut self, pin: u8, _: bool) {
        self.pin(pin);
    }
    fn pin_read(&mut self, pin: u8) -> bool {
        self.pin(pin);
        true
    }
    fn pwm(&mut self, pin: u8, duty: u16) {
        assert!(duty <= umqtt_vm::PWM_MAX);
        self.pin(pin);
    }
    fn adc(&mut self) -> u16 {
        512
    }
}

impl Serial for Outside {
    fn serial_write(&mut self, bytes: &[u8]) {
        self.text(bytes);
    }
}

impl Console for Outside {
    fn print(&mut self, text: &[u8], _: bool) {
        self.text(text);
    }
    fn system(&mut self, command: &[u8]) {
        self.text(command);
    }
    fn config(&mut self, _: &[u8], _: &[u8]) {
        self.calls += 1;
    }
}

impl Random for Outside {}

impl umqtt_vm::Tracing for Outside {}
impl umqtt_vm::Almanac for Outside {
    fn sun(&mut self, day: u32) -> Option<[i32; 2]> {
        Some([day as i32, -1])
    }
    fn unix_time(&mut self) -> u32 {
        u32::MAX
    }
}

impl FlashVariables for Outside {
    fn flash_read(&mut self, n: u8, out: &mut [u8; FLASH_VARIABLE_LEN]) -> usize {
        assert!((1..=self.profile.flash_variables).contains(&n));
        out.fill(b'7');
        FLASH_VARIABLE_LEN
    }
    fn flash_write(&mut self, n: u8, value: &[u8]) {
        assert!((1..=self.profile.flash_variables).contains(&n));
        assert!(value.len() <= FLASH_VARIABLE_LEN);
        self.calls += 1;
    }
}

impl Timekeeping for Outside {
    fn set_timer(&mut self, n: u8, _: i32) {
        assert!((1..=self.profile.timers).contains(&n));
        self.calls += 1;
    }
    fn set_alarm(&mut self, n: u8, time: &[u8]) {
        assert!((1..=self.profile.alarms).contains(&n));
        self.text(time);
    }
    fn timestamp(&mut self) -> [u8; 8] {
        *b"12:00:00"
    }
    fn weekday(&mut self) -> [u8; 3] {
        *b"Mon"
    }
    fn day(&mut self) -> Option<u32> {
        Some(20_000)
    }
    fn uptime(&mut self) -> u64 {
        u64::MAX
    }
}

impl Supervisor for Outside {}
