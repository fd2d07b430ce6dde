//! The serial port.

use core::fmt;

use crate::soc;

/// The serial port, to write text to. A line ends in LF; CR is put before it.
#[derive(Debug)]
pub struct Uart;

impl fmt::Write for Uart {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte == b'\n' {
                soc::uart_write(b'\r');
            }
            soc::uart_write(byte);
        }
        Ok(())
    }
}

/// Sends bytes as they are. Waits while the port is busy.
pub fn write(bytes: &[u8]) {
    for &byte in bytes {
        soc::uart_write(byte);
    }
}

/// Takes the bytes that came, at most as many as fit; returns how many.
pub fn read(into: &mut [u8]) -> usize {
    let mut taken = 0;
    for slot in into {
        let Some(byte) = soc::uart_read() else { break };
        *slot = byte;
        taken += 1;
    }
    taken
}

/// Prints to the serial port.
#[macro_export]
macro_rules! print {
    ($($arg:tt)*) => {{
        let _ = ::core::fmt::Write::write_fmt(&mut $crate::uart::Uart, ::core::format_args!($($arg)*));
    }};
}

/// Prints a line to the serial port.
#[macro_export]
macro_rules! println {
    () => { $crate::print!("\n") };
    ($($arg:tt)*) => { $crate::print!("{}\n", ::core::format_args!($($arg)*)) };
}
