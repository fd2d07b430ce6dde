//! `HOST[:PORT]`: a name, an IPv4 address, or an IPv6 address, which has brackets where a port
//! follows.

use std::fmt;
use std::str::FromStr;

/// The console's port on a device where it was not set.
pub(crate) const CONSOLE_PORT: u16 = 7777;

/// Where a device's console is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DeviceAddress {
    host: String,
    port: u16,
}

impl DeviceAddress {
    /// The name or address, without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Another port of the same device.
    pub(crate) fn with_port(&self, port: u16) -> DeviceAddress {
        DeviceAddress { host: self.host.clone(), port }
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for DeviceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl FromStr for DeviceAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<DeviceAddress, &'static str> {
        const WANTED: &str =
            "a device is HOST or HOST:PORT, such as lamp.lan, 192.168.1.20:7777 or [fe80::1]:7777";
        if text.contains("://") {
            return Err("a device has no URL: HOST or HOST:PORT, such as 192.168.1.20");
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or(WANTED)?;
                (
                    host,
                    if rest.is_empty() {
                        None
                    } else {
                        Some(rest.strip_prefix(':').ok_or(WANTED)?)
                    },
                )
            }
            None if text.matches(':').count() > 1 => (text, None),
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let port = match port {
            None => CONSOLE_PORT,
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or(WANTED)?,
        };
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@');
        if host.is_empty() || host.len() > 255 || host.contains(odd) {
            return Err(WANTED);
        }
        Ok(DeviceAddress { host: host.to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_with_and_without_a_port() {
        for (text, shown) in [
            ("lamp.lan", "lamp.lan:7777"),
            ("lamp.lan:17777", "lamp.lan:17777"),
            ("192.168.1.20", "192.168.1.20:7777"),
            ("fe80::1", "[fe80::1]:7777"),
            ("[fe80::1]", "[fe80::1]:7777"),
            ("[fe80::1]:1", "[fe80::1]:1"),
        ] {
            let address: DeviceAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(address.to_string().parse(), Ok(address));
        }
    }

    #[test]
    fn what_is_no_host() {
        for text in
            ["", ":1", "a:", "a:0", "a:65536", "a:b", "[::1", "[::1]x", "a b", "http://a", "me@a"]
        {
            assert!(text.parse::<DeviceAddress>().is_err(), "{text}");
        }
    }
}
