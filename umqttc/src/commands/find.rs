//! `umqttc find`: the devices in the networks of this computer.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;

use clap::Args;
use umqtt_host::{FoundDevice, find};

use crate::Status;
use crate::failure::Failure;
use crate::render::printable;
use crate::render::table::table;
use crate::terminal::Terminal;

/// Find devices in the networks of this computer
///
/// Finds those that `set mdns_mode 1` lets answer, and other brokers that announce themselves. Exit
/// code 1 if there is none.
#[derive(Args)]
pub(crate) struct Find {
    /// How long to wait for answers
    #[arg(long, value_name = "SECONDS", default_value_t = 3,
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// Ask only in the network of this address of the computer: 127.0.0.1 finds devices that are
    /// reachable from this computer alone
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<Ipv4Addr>,
}

impl Find {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Status, Failure> {
        let found = find(self.bind, Duration::from_secs(self.timeout)).map_err(Failure::Find)?;
        if found.is_empty() {
            writeln!(
                terminal.err,
                "no device answers: devices do after `set mdns_mode 1` on their console"
            )
            .map_err(Failure::Output)?;
            return Ok(Status::Findings);
        }
        let mut rows =
            vec![["ADDRESS", "NAME", "MQTT", "CONSOLE", "VERSION", "ID"].map(String::from)];
        rows.extend(found.iter().map(row));
        write!(terminal.out, "{}", table(&rows)).map_err(Failure::Output)?;
        Ok(Status::Success)
    }
}

fn row(device: &FoundDevice) -> [String; 6] {
    let port = |port: Option<u16>| port.map_or("-".into(), |port| port.to_string());
    let said = |bytes: &Option<Vec<u8>>| match bytes {
        Some(bytes) => printable(bytes).replace(['\n', '\r', '\t'], "?"),
        None => "-".into(),
    };
    [
        device.address.to_string(),
        device.name.clone(),
        port(device.mqtt),
        port(device.console),
        said(&device.version),
        said(&device.id),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_says_cannot_command_the_terminal() {
        let device = FoundDevice {
            address: [10, 0, 0, 7].into(),
            name: "mqtt.local".into(),
            mqtt: Some(1883),
            console: None,
            version: Some(b"\x1b[2J\n1".to_vec()),
            id: None,
        };
        let rows = [
            ["ADDRESS", "NAME", "MQTT", "CONSOLE", "VERSION", "ID"].map(String::from),
            row(&device),
        ];
        let expected = "ADDRESS   NAME        MQTT  CONSOLE  VERSION  ID\n\
                        10.0.0.7  mqtt.local  1883  -        ?[2J?1   -\n";
        assert_eq!(table(&rows), expected);
    }
}
