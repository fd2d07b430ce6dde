//! The command line.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::scenario::{DEFAULT_AHEAD, Scenario};

/// A load generator for MQTT brokers: measures one, or compares the umqtt desktop device with
/// mosquitto
#[derive(Parser)]
#[command(name = "mqload", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Run(Run),
    Compare(Compare),
    Serve(Serve),
}

/// Load one broker and say how it does; exit code 1 if a message was lost, came twice or was
/// changed
#[derive(Args)]
pub(crate) struct Run {
    /// What to do; the options below change the details
    #[arg(value_enum, default_value = "one-to-one")]
    pub(crate) scenario: Scenario,
    /// The broker's name or address
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: String,
    /// The broker's port
    #[arg(long, default_value_t = 1883)]
    pub(crate) port: u16,
    /// The broker's process, to look at its memory and processor time
    #[arg(long)]
    pub(crate) pid: Option<u32>,
    /// Clients that publish
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) publishers: Option<u16>,
    /// Clients that subscribe
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) subscribers: Option<u16>,
    /// Topics that are published to
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) topics: Option<u16>,
    /// Quality of service of messages and subscriptions
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
    pub(crate) qos: u8,
    /// Bytes of payload
    #[arg(long, value_name = "BYTES", default_value_t = 64, value_parser = clap::value_parser!(u32).range(16..=1_000_000))]
    pub(crate) size: u32,
    /// Messages a publisher sends at QoS 1 or 2 before the first of them is acknowledged
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) window: u16,
    /// Bytes that are published before the slowest subscriber has received them
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_AHEAD)]
    pub(crate) ahead: usize,
    /// Messages per second; without it as many as it takes
    #[arg(long, value_name = "N")]
    pub(crate) rate: Option<u32>,
    /// How long to measure
    #[arg(long, default_value_t = 3.0, value_parser = seconds)]
    pub(crate) seconds: f64,
    /// Messages to publish, instead of a time
    #[arg(long, value_name = "N", conflicts_with = "seconds")]
    pub(crate) messages: Option<u64>,
    /// Clients to hold (idle), or that come and go at a time (connects)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) connections: Option<u16>,
    /// How to tell the outcome
    #[arg(long, value_enum, default_value = "human")]
    pub(crate) output: Format,
}

impl Run {
    /// The broker's address.
    pub(crate) fn address(&self) -> std::io::Result<SocketAddr> {
        let mut found = (self.host.as_str(), self.port).to_socket_addrs()?;
        found.next().ok_or_else(|| std::io::Error::other(format!("{} has no address", self.host)))
    }
}

/// Run all scenarios against the desktop device and mosquitto, in turn, and print the ratios
#[derive(Args)]
pub(crate) struct Compare {
    /// Each scenario once and for a fraction of a second: shows that nothing is lost, says nothing
    /// about speed
    #[arg(long)]
    pub(crate) quick: bool,
    /// How often each broker does each scenario
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) rounds: u16,
    /// How long each scenario is measured, in seconds
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    pub(crate) seconds: f64,
    /// Idle clients to hold
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) connections: u16,
    /// Only scenarios whose line contains this
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,
    /// The mosquitto program [default: the one in PATH or in /usr/sbin]
    #[arg(long, value_name = "FILE")]
    pub(crate) mosquitto: Option<PathBuf>,
    /// How to tell the outcome
    #[arg(long, value_enum, default_value = "human")]
    pub(crate) output: Format,
}

/// Be the desktop device on 127.0.0.1, until killed: what `compare` measures
#[derive(Args)]
pub(crate) struct Serve {
    /// The broker's port
    #[arg(long, default_value_t = 1883)]
    pub(crate) port: u16,
    /// The folder for its state
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// A script for it
    #[arg(long, value_name = "FILE")]
    pub(crate) script: Option<PathBuf>,
}

/// How the outcome is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Human,
    /// A JSON object per line
    Json,
}

/// A time of a millisecond up to an hour, in seconds.
fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(_) if (0.001..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("must be 0.001 to 3600".into()),
    }
}
