//! Which pins scripts may use.

/// Pins are numbered from 0 to one less than this (GPIO0 to GPIO21).
pub const PINS: usize = 22;

/// The pin whose voltage `gpio_adc` reads: ADC1 channel 0 (table 34-1).
pub const ANALOG_PIN: u8 = 0;

/// Why a pin cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinError {
    /// The chip has no such pin.
    None,
    /// The flash chip is connected to it: GPIO11 (its supply) to GPIO17 (section 5.11).
    Flash,
    /// It is a data line of the USB port: GPIO18 and GPIO19.
    Usb,
    /// It belongs to the serial port: GPIO20 receives, GPIO21 sends.
    Serial,
}

impl PinError {
    /// What the log says of it, behind `gpio N `.
    pub const fn message(self) -> &'static str {
        match self {
            PinError::None => "does not exist: there are 0 to 21",
            PinError::Flash => "belongs to the flash chip",
            PinError::Usb => "belongs to the USB port",
            PinError::Serial => "belongs to the serial port",
        }
    }
}

/// The pin as an index below [`PINS`].
///
/// # Errors
/// [`PinError`] for one that scripts cannot use.
pub const fn usable(pin: u8) -> Result<usize, PinError> {
    match pin {
        0..=10 => Ok(pin as usize),
        11..=17 => Err(PinError::Flash),
        18..=19 => Err(PinError::Usb),
        20..=21 => Err(PinError::Serial),
        _ => Err(PinError::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_that_have_another_job_are_refused() {
        let pins: Vec<u8> = (0..=u8::MAX).filter(|&pin| usable(pin).is_ok()).collect();
        assert_eq!(pins, (0..=10).collect::<Vec<u8>>());
        assert_eq!(usable(11), Err(PinError::Flash));
        assert_eq!(usable(17), Err(PinError::Flash));
        assert_eq!(usable(18), Err(PinError::Usb));
        assert_eq!(usable(21), Err(PinError::Serial));
        assert_eq!(usable(22), Err(PinError::None));
        assert!(usable(ANALOG_PIN).is_ok());
    }
}
