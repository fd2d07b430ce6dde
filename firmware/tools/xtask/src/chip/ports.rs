//! The device's ports on this computer. The emulator says of a port it does not get only that it
//! does not, so they are tried first.

use std::io::ErrorKind;
use std::net::TcpListener;

use anyhow::{Error, Result, anyhow};

use super::emulator::Forward;

/// Tries them all at once; each is named with the option that chooses another.
pub(super) fn try_all(ports: &[(&str, Forward)]) -> Result<()> {
    let opened = ports.iter().map(|(option, Forward { bind, outside, .. })| {
        TcpListener::bind((*bind, *outside)).map_err(|error| refusal(option, *outside, &error))
    });
    opened.collect::<Result<Vec<_>>>().map(drop)
}

fn refusal(option: &str, port: u16, error: &std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::AddrInUse => anyhow!("port {port} is in use: choose another with {option}"),
        ErrorKind::PermissionDenied => {
            anyhow!("no permission to use port {port}: choose one above 1023 with {option}")
        }
        _ => anyhow!("cannot listen on port {port} ({option}): {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use umqtt_testkit::ports::free_port;

    use super::{refusal, try_all};
    use crate::chip::emulator::Forward;

    fn forward(outside: u16) -> Forward {
        Forward { bind: Ipv4Addr::LOCALHOST, outside, inside: 7777 }
    }

    #[test]
    fn a_taken_port_is_named_with_what_to_do() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = taken.local_addr().unwrap().port();
        let [one, other] = [free_port(), taken].map(forward);
        let error = try_all(&[("--mqtt-port", one), ("--console-port", other)]).unwrap_err();
        let said = format!("port {taken} is in use: choose another with --console-port");
        assert_eq!(error.to_string(), said);
    }

    #[test]
    fn two_of_one_number_are_found_and_free_ones_are_free_afterwards() {
        let one = forward(free_port());
        assert!(try_all(&[("--mqtt-port", one), ("--console-port", one)]).is_err());
        try_all(&[("--mqtt-port", one)]).unwrap();
        try_all(&[("--mqtt-port", one)]).unwrap();
    }

    #[test]
    fn so_is_one_that_is_not_permitted() {
        let error = std::io::ErrorKind::PermissionDenied.into();
        assert_eq!(
            refusal("--mqtt-port", 80, &error).to_string(),
            "no permission to use port 80: choose one above 1023 with --mqtt-port"
        );
    }
}
