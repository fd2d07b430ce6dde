//! The desktop device and mosquitto side by side: every scenario in turn, several rounds, medians
//! and ratios.

use std::io::{self, Write as _};
use std::time::Duration;

use serde::Serialize;
use umqtt_broker::QoS;

use crate::args::{Compare, Format};
use crate::brokers::{Broker, Kind, find_mosquitto};
use crate::plan::End;
use crate::report::{Outcome, grouped};
use crate::scenario::{Scenario, Work};

/// What `--quick` makes of the times and numbers.
const QUICK_SECONDS: f64 = 0.2;
const QUICK_CONNECTIONS: usize = 500;

/// One line of the work: a scenario at a quality of service and a size.
struct Case {
    name: String,
    scenario: Scenario,
    work: Work,
}

/// A figure of an outcome.
struct Metric {
    /// With its unit.
    name: &'static str,
    of: fn(&Outcome) -> Option<f64>,
}

const DELIVERIES: Metric = Metric { name: "deliveries/s", of: |o| Some(o.per_second) };
const PROCESSOR: Metric =
    Metric { name: "broker CPU ns/delivery", of: |o| Some(o.broker_cpu? * 1e3) };
const P50: Metric = Metric { name: "round trip p50 us", of: |o| Some(o.p50?.0) };
const P99: Metric = Metric { name: "round trip p99 us", of: |o| Some(o.p99?.0) };
const CONNECTS: Metric = Metric { name: "connects/s", of: |o| o.connects_per_second };
const MEMORY: Metric = Metric { name: "bytes/client", of: |o| o.bytes_per_client };

fn metrics(scenario: Scenario) -> &'static [Metric] {
    match scenario {
        Scenario::Ping | Scenario::Rate | Scenario::Misbehaving => &[P50, P99],
        Scenario::Idle => &[MEMORY, CONNECTS],
        Scenario::Connects => &[CONNECTS],
        _ => &[DELIVERIES, PROCESSOR],
    }
}

/// A line of the table.
#[derive(Debug, Serialize)]
struct Line {
    scenario: String,
    figure: &'static str,
    /// Medians over the rounds.
    mosquitto: f64,
    umqtt: f64,
    /// Of the rounds' ratios, the device's figure by mosquitto's: median, least, most.
    ratio: f64,
    least: f64,
    most: f64,
}

/// Compares; whether everything arrived everywhere.
///
/// # Errors
/// mosquitto is not installed, or a broker fails.
pub(crate) fn compare(args: &Compare) -> io::Result<bool> {
    let Some(mosquitto) = args.mosquitto.clone().or_else(find_mosquitto) else {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "mosquitto is not installed: install it (on Debian: apt install mosquitto), or say where it is with --mosquitto",
        ));
    };
    let kinds = [Kind::Mosquitto(mosquitto), Kind::Umqtt];
    let brokers = [Broker::start(&kinds[0])?, Broker::start(&kinds[1])?];
    let rounds = if args.quick { 1 } else { usize::from(args.rounds) };
    let mut sound = true;
    if args.output == Format::Human {
        writeln!(io::stdout(), "{}", Line::HEAD)?;
    }
    for case in cases(args) {
        if args.only.as_ref().is_some_and(|only| !case.name.contains(only)) {
            continue;
        }
        let mut outcomes = [Vec::new(), Vec::new()];
        for round in 0..rounds {
            for turn in 0..2 {
                let which = (round + turn) % 2; // each is first half the time
                let outcome = match case.work {
                    // Memory is looked at in a fresh process.
                    Work::Idle(_) => case.work.run(Broker::start(&kinds[which])?.target()),
                    _ => case.work.run(brokers[which].target()),
                };
                let name = ["mosquitto", "umqtt"][which];
                let outcome = outcome
                    .map_err(|error| io::Error::other(format!("{name}, {}: {error}", case.name)))?;
                if !outcome.is_sound() {
                    sound = false;
                    eprint!("{name}, {}: {outcome}", case.name);
                }
                outcomes[which].push(outcome);
            }
        }
        for line in metrics(case.scenario).iter().filter_map(|m| Line::new(&case, m, &outcomes)) {
            match args.output {
                Format::Human => writeln!(io::stdout(), "{line}")?,
                Format::Json => writeln!(io::stdout(), "{}", serde_json::to_string(&line)?)?,
            }
        }
        io::stdout().flush()?;
    }
    if args.output == Format::Human {
        let arrived = if sound { "nothing was lost" } else { "SOMETHING WAS LOST, see above" };
        writeln!(
            io::stdout(),
            "\n{rounds} round(s), {arrived}; ratio: umqtt by mosquitto, median (least to most)"
        )?;
        io::stdout().flush()?;
    }
    Ok(sound)
}

fn cases(args: &Compare) -> Vec<Case> {
    let (seconds, connections) = match args.quick {
        true => (QUICK_SECONDS, QUICK_CONNECTIONS),
        false => (args.seconds, usize::from(args.connections)),
    };
    let end = End::After(Duration::from_secs_f64(seconds));
    let mut cases = Vec::new();
    let mut add = |name: String, scenario: Scenario, qos: u8, payload| {
        let mut work = scenario.work(QoS::from_u8(qos).unwrap_or_default(), payload, end);
        if let Work::Idle(count) = &mut work {
            *count = connections;
        }
        cases.push(Case { name, scenario, work });
    };
    for (text, scenario) in [
        ("1 to 1", Scenario::OneToOne),
        ("1 to 20", Scenario::FanOut),
        ("20 to 1", Scenario::FanIn),
        ("100 topics", Scenario::Topics),
    ] {
        for payload in [64, 4096] {
            for qos in 0..=2 {
                add(format!("{text}, QoS {qos}, {payload} B"), scenario, qos, payload);
            }
        }
    }
    for qos in 0..=2 {
        add(format!("ping, QoS {qos}, 64 B"), Scenario::Ping, qos, 64);
    }
    add("2000/s, 10 pairs, QoS 0, 64 B".into(), Scenario::Rate, 0, 64);
    add("ping beside misbehaving, QoS 0, 64 B".into(), Scenario::Misbehaving, 0, 64);
    add("connect and leave".into(), Scenario::Connects, 0, 64);
    add(format!("{} idle clients", grouped(connections as f64)), Scenario::Idle, 0, 64);
    cases
}

impl Line {
    const HEAD: &str = "\
| scenario                       | figure                 |    mosquitto |        umqtt | ratio                  |
|--------------------------------|------------------------|-------------:|-------------:|------------------------|";

    fn new(case: &Case, metric: &Metric, outcomes: &[Vec<Outcome>; 2]) -> Option<Line> {
        let figures = |which: usize| -> Option<Vec<f64>> {
            outcomes[which].iter().map(|outcome| (metric.of)(outcome)).collect()
        };
        let (mosquitto, umqtt) = (figures(0)?, figures(1)?);
        let mut ratios: Vec<f64> = umqtt.iter().zip(&mosquitto).map(|(u, m)| u / m).collect();
        let ratio = median(&mut ratios)?;
        Some(Line {
            scenario: case.name.clone(),
            figure: metric.name,
            mosquitto: median(&mut mosquitto.clone())?,
            umqtt: median(&mut umqtt.clone())?,
            ratio,
            least: *ratios.first()?,
            most: *ratios.last()?,
        })
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Line { scenario, figure, ratio, least, most, .. } = self;
        let (mosquitto, umqtt) = (grouped(self.mosquitto), grouped(self.umqtt));
        let range = format!("{ratio:.2} ({least:.2} to {most:.2})");
        write!(f, "| {scenario:<30} | {figure:<22} | {mosquitto:>12} | {umqtt:>12} | {range:<22} |")
    }
}

/// Sorts, and the one in the middle, of an even number the mean of the two; `None` of nothing.
fn median(figures: &mut [f64]) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    let (low, high) = (figures.len().checked_sub(1)? / 2, figures.len() / 2);
    Some((figures.get(low)? + figures.get(high)?) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [3.0]), Some(3.0));
        assert_eq!(median(&mut [4.0, 1.0, 3.0]), Some(3.0));
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 100.0]), Some(3.5));
    }
}
