//! `mqload`: a load generator for MQTT brokers, and the comparison of the desktop device with
//! mosquitto.
//!
//! | module | job |
//! |---|---|
//! | `args` | the command line |
//! | `scenario` | the named scenarios |
//! | `plan` | who publishes what to whom |
//! | `flow` | runs a plan |
//! | `ends` | publishers with their windows, subscribers with their checks |
//! | `stamp` | what a test message carries |
//! | `link` | one MQTT connection |
//! | `crowd` | many clients: idle, or coming and going |
//! | `misbehaving` | clients that misbehave meanwhile |
//! | `latency` | times of many messages |
//! | `process` | memory and processor time of the broker |
//! | `report` | what a run came to |
//! | `busy` | a script at its limit, and who keeps it there |
//! | `brokers` | starts and stops the two brokers |
//! | `compare` | the two side by side |
#![forbid(unsafe_code)]

mod args;
mod brokers;
mod busy;
mod compare;
mod crowd;
mod ends;
mod flow;
mod latency;
mod link;
mod misbehaving;
mod plan;
mod process;
mod report;
mod scenario;
mod stamp;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use umqtt_mqtt::QoS;

use crate::args::{Cli, Command, Format, Run, Serve};
use crate::flow::Target;
use crate::plan::{End, Pace};
use crate::scenario::Work;

/// File descriptors wanted: every client is one.
const DESCRIPTORS: u64 = 65_536;

fn main() -> ExitCode {
    let _ = rlimit::increase_nofile_limit(DESCRIPTORS); // what there is has to do
    let result = match Cli::parse().command {
        Command::Run(args) => run(&args),
        Command::Compare(args) => compare::compare(&args),
        Command::Serve(args) => serve(args),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        // Nobody reads any more.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mqload: {error}");
            ExitCode::from(2)
        }
    }
}

/// Loads one broker; whether everything arrived.
fn run(args: &Run) -> io::Result<bool> {
    let target = Target { address: args.address()?, pid: args.pid };
    let outcome = work(args).run(target).map_err(|error| {
        let hint = "is a broker running there? See --host and --port";
        match error.kind() {
            io::ErrorKind::ConnectionRefused => io::Error::other(format!("{error}: {hint}")),
            _ => error,
        }
    })?;
    match args.output {
        Format::Human => write!(io::stdout(), "{outcome}")?,
        Format::Json => writeln!(io::stdout(), "{}", serde_json::to_string(&outcome)?)?,
    }
    io::stdout().flush()?;
    Ok(outcome.is_sound())
}

/// The scenario asked for, with the details that were given.
fn work(args: &Run) -> Work {
    let end = match args.messages {
        Some(messages) => End::Messages(messages),
        None => End::After(Duration::from_secs_f64(args.seconds)),
    };
    let qos = QoS::from_u8(args.qos).unwrap_or_default();
    let mut work = args.scenario.work(qos, args.size as usize, end);
    let connections = args.connections.map(usize::from);
    match &mut work {
        Work::Flow(plan) => {
            let given = |given: Option<u16>, own| given.map_or(own, usize::from);
            plan.publishers = given(args.publishers, plan.publishers);
            plan.subscribers = given(args.subscribers, plan.subscribers);
            plan.topics = given(args.topics, plan.topics);
            (plan.window, plan.ahead) = (args.window, args.ahead);
            plan.pace = args.rate.map_or(plan.pace, Pace::Rate);
        }
        Work::Idle(count) => *count = connections.unwrap_or(*count),
        Work::Connects(_, at_once) => *at_once = connections.unwrap_or(*at_once),
    }
    work
}

fn serve(args: Serve) -> io::Result<bool> {
    let options = umqtt_host::HostOptions {
        script: args.script.as_deref().map(busy::compile).transpose()?,
        mqtt_port: Some(args.port),
        console_port: Some(0),
        serial: umqtt_host::Serial::None,
        ..umqtt_host::HostOptions::new(args.data)
    };
    umqtt_host::run(options).map_err(io::Error::other)?;
    Ok(true)
}
