//! The limits of a kind of device, in one place: the compiler checks scripts against them, the
//! verifier checks images against them again, and the machine and the device take their sizes from
//! them.

/// Writes the struct down, and for each field a method of its name that sets it.
macro_rules! profile {
    ($(#[$about:meta])* pub struct Profile { $($(#[$doc:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[non_exhaustive]
        pub struct Profile { $($(#[$doc])* pub $field: $type,)* }

        /// What is chosen, each by the name of its field.
        impl Profile {
            $(
                #[doc = concat!("The same with another [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
                #[must_use]
                pub const fn $field(mut self, value: $type) -> Profile {
                    self.$field = value;
                    self
                }
            )*
        }
    };
}

profile! {
/// What a kind of device can hold. Choose [`Profile::ESP8266`], [`Profile::ESP32`] or
/// [`Profile::DESKTOP`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The name a user selects it by: `esp8266`, `esp32` or `desktop`.
    pub name: &'static str,
    /// Longest script source, bytes.
    pub source: usize,
    /// Most `$name` variables.
    pub variables: usize,
    /// Most flash variables: `@1` to `@N`.
    pub flash_variables: u8,
    /// Timers are numbered 1 to this; so many handlers of `on every` there may be besides.
    pub timers: u8,
    /// Alarms are numbered 1 to this; so many handlers of `on clock` there may be besides.
    pub alarms: u8,
    /// Pins are numbered 0 to this.
    pub max_pin: u8,
    /// Most pins that may be named by `on gpio_interrupt`.
    pub interrupt_pins: u8,
    /// Most pins that may be named by `gpio_pwm`.
    pub pwm_channels: u8,
    /// Longest value, bytes.
    pub value: usize,
    /// Deepest nesting of `if`, `while` and brackets together.
    pub nesting: usize,
    /// Most operands in one unbracketed chain, and most values that wait at once while an
    /// expression is computed; never above [`crate::isa::TEMPORARIES`].
    pub temporaries: usize,
    /// Longest image, bytes. Jumps and offsets are 16 bits wide, so never above 65,535 for one
    /// section.
    pub image: usize,
    /// Bytes of memory a machine of this profile runs in: slots for values, and their strings.
    pub ram: usize,
    /// Fuel the handlers of one event have: what it is see [`crate::fuel`].
    pub fuel: u32,
    /// Instructions its processor does in a microsecond at least.
    pub instructions_per_micro: u32,
}
}

/// Longest content of a flash variable, bytes.
pub const FLASH_VARIABLE_LEN: usize = 63;

impl Profile {
    /// The ESP8266: 80 KiB of data RAM, most of it taken by WiFi.
    pub const ESP8266: Profile = Profile {
        name: "esp8266",
        source: 16 * 1024,
        variables: 64,
        flash_variables: 16,
        timers: 16,
        alarms: 16,
        max_pin: 16,
        interrupt_pins: 8,
        pwm_channels: 8,
        value: 1024,
        nesting: 32,
        temporaries: 60,
        image: 32 * 1024,
        ram: 3 * 1024,
        fuel: 100_000,
        instructions_per_micro: 80,
    };

    /// The ESP32-C3.
    pub const ESP32: Profile = Profile {
        name: "esp32",
        source: 64 * 1024,
        variables: 256,
        timers: 32,
        alarms: 32,
        max_pin: 63,
        value: 4096,
        image: 192 * 1024,
        ram: 24 * 1024,
        fuel: 200_000,
        instructions_per_micro: 160,
        ..Profile::ESP8266
    };

    /// A Linux box: the ESP32's limits with more room to compute.
    pub const DESKTOP: Profile = Profile {
        name: "desktop",
        ram: 60 * 1024,
        fuel: 2_000_000,
        instructions_per_micro: 2_000,
        ..Profile::ESP32
    };

    /// Microseconds that the handlers of one event take at most: see [`crate::fuel::EVENT_MICROS`].
    pub const fn event_micros(&self) -> u32 {
        use crate::fuel::{EVENT_TANKS, INSTRUCTIONS_PER_FUEL};
        EVENT_TANKS * self.fuel * INSTRUCTIONS_PER_FUEL / self.instructions_per_micro
    }

    /// Every profile, the smallest first.
    pub const ALL: [Profile; 3] = [Profile::ESP8266, Profile::ESP32, Profile::DESKTOP];

    /// The profile of that name.
    pub fn by_name(name: &str) -> Option<Profile> {
        Profile::ALL.into_iter().find(|profile| profile.name == name)
    }
}

// No profile gives a script more time than is promised to everybody else.
const _: () = {
    let mut at = 0;
    while at < Profile::ALL.len() {
        assert!(Profile::ALL[at].event_micros() <= crate::fuel::EVENT_MICROS);
        at += 1;
    }
};
