//! Two brokers side by side: every scenario in turn, several rounds, medians and ratios. Mostly
//! they are mosquitto and the desktop device; at last the device without and with a script at its
//! limit.

use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use umqtt_lang::umqtt_vm::fuel;
use umqtt_mqtt::QoS;

use crate::args::{Compare, Format};
use crate::brokers::{Broker, Kind, find_mosquitto};
use crate::plan::End;
use crate::report::{Outcome, grouped};
use crate::scenario::{Scenario, Work};

/// What `--quick` makes of the times and numbers.
const QUICK_SECONDS: f64 = 0.2;
const QUICK_CONNECTIONS: usize = 500;
/// The shortest time beside a script, whose events take some hundredths of a second.
const BUSY_SECONDS: f64 = 1.0;

/// Which two brokers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pair {
    /// mosquitto and the device, which may have done other scenarios before.
    Running,
    /// Both anew, each keeping what it acknowledges as well as it can.
    Keeping,
    /// The device without and with a script at its limit.
    Script,
}

impl Pair {
    const ALL: [Pair; 3] = [Pair::Running, Pair::Keeping, Pair::Script];

    /// The columns' heads.
    fn names(self) -> [&'static str; 2] {
        match self {
            Pair::Running | Pair::Keeping => ["mosquitto", "umqtt"],
            Pair::Script => ["no script", "script"],
        }
    }

    fn kinds(self, mosquitto: &Path) -> [Kind; 2] {
        match self {
            Pair::Running => [Kind::Mosquitto(mosquitto.into()), Kind::Umqtt],
            Pair::Keeping => [Kind::KeepingMosquitto(mosquitto.into()), Kind::Umqtt],
            Pair::Script => [Kind::Umqtt, Kind::Busy],
        }
    }
}

/// One line of the work: a scenario at a quality of service and a size.
struct Case {
    name: String,
    pair: Pair,
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
#[derive(Debug)]
struct Line {
    scenario: String,
    figure: &'static str,
    /// Of the two brokers.
    names: [&'static str; 2],
    /// Medians over the rounds.
    medians: [f64; 2],
    /// Of the rounds' ratios, the second broker's figure by the first one's: median, least, most.
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
    let rounds = if args.quick { 1 } else { usize::from(args.rounds) };
    let mut cases = cases(args);
    cases.retain(|case| args.only.as_ref().is_none_or(|only| case.name.contains(only)));
    let mut sound = true;
    for pair in Pair::ALL {
        let cases: Vec<_> = cases.iter().filter(|case| case.pair == pair).collect();
        if !cases.is_empty() {
            sound &= compare_pair(pair, &pair.kinds(&mosquitto), &cases, rounds, args.output)?;
        }
    }
    if args.output == Format::Human {
        let arrived = if sound { "nothing was lost" } else { "SOMETHING WAS LOST, see above" };
        writeln!(
            io::stdout(),
            "\n{rounds} round(s), {arrived}; ratio: the second by the first, median (least to most)"
        )?;
        io::stdout().flush()?;
    }
    Ok(sound)
}

/// Lets two brokers do their cases; whether everything arrived.
fn compare_pair(
    pair: Pair,
    kinds: &[Kind; 2],
    cases: &[&Case],
    rounds: usize,
    output: Format,
) -> io::Result<bool> {
    let names = pair.names();
    let brokers = [Broker::start(&kinds[0])?, Broker::start(&kinds[1])?];
    let (started, events) = (Instant::now(), brokers[1].script_events());
    let mut sound = true;
    if output == Format::Human {
        writeln!(io::stdout(), "{}", head(names))?;
    }
    for case in cases {
        let mut outcomes = [Vec::new(), Vec::new()];
        for round in 0..rounds {
            for turn in 0..2 {
                let which = (round + turn) % 2; // each is first half the time
                let outcome = match case.work {
                    // Memory is looked at in a fresh process.
                    Work::Idle(_) => case.work.run(Broker::start(&kinds[which])?.target()),
                    _ => case.work.run(brokers[which].target()),
                };
                let name = names[which];
                let outcome = outcome
                    .map_err(|error| io::Error::other(format!("{name}, {}: {error}", case.name)))?;
                if !outcome.is_sound() {
                    sound = false;
                    eprint!("{name}, {}: {outcome}", case.name);
                }
                outcomes[which].push(outcome);
            }
        }
        for line in metrics(case.scenario).iter().filter_map(|m| Line::new(case, m, &outcomes)) {
            match output {
                Format::Human => writeln!(io::stdout(), "{line}")?,
                Format::Json => writeln!(io::stdout(), "{}", serde_json::to_string(&line)?)?,
            }
        }
        io::stdout().flush()?;
    }
    if pair == Pair::Script {
        let events = brokers[1].script_events() - events;
        if events == 0 {
            return Err(io::Error::other("the script does not run"));
        }
        if output == Format::Human {
            let each = started.elapsed().as_secs_f64() * 1e3 / events as f64;
            writeln!(
                io::stdout(),
                "\nThe script used up its fuel in {events} events, one each {each:.0} ms, and a message of others \
                 waits for the end of one of them: the bound is {} ms, but for what the flash takes.",
                fuel::EVENT_MICROS / 1000
            )?;
        }
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
        let pair = if scenario == Scenario::Stored { Pair::Keeping } else { Pair::Running };
        let mut work = scenario.work(QoS::from_u8(qos).unwrap_or_default(), payload, end);
        if let Work::Idle(count) = &mut work {
            *count = connections;
        }
        cases.push(Case { name, pair, scenario, work });
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
    for payload in [64, 4096] {
        add(format!("1 to 1, kept, QoS 1, {payload} B"), Scenario::Stored, 1, payload);
    }
    for qos in 0..=1 {
        let end = End::After(Duration::from_secs_f64(seconds.max(BUSY_SECONDS)));
        let work = Scenario::Ping.work(QoS::from_u8(qos).unwrap_or_default(), 64, end);
        let name = format!("ping beside a script, QoS {qos}, 64 B");
        cases.push(Case { name, pair: Pair::Script, scenario: Scenario::Ping, work });
    }
    cases
}

/// The table's first two lines.
fn head([first, second]: [&str; 2]) -> String {
    format!(
        "| {:<36} | {:<22} | {first:>12} | {second:>12} | {:<22} |\n\
         |{:-<38}|{:-<24}|{:->14}|{:->14}|{:-<24}|",
        "scenario", "figure", "ratio", "", "", ":", ":", ""
    )
}

impl Line {
    fn new(case: &Case, metric: &Metric, outcomes: &[Vec<Outcome>; 2]) -> Option<Line> {
        let figures = |which: usize| -> Option<Vec<f64>> {
            outcomes[which].iter().map(|outcome| (metric.of)(outcome)).collect()
        };
        let (mut first, mut second) = (figures(0)?, figures(1)?);
        let mut ratios: Vec<f64> = second.iter().zip(&first).map(|(s, f)| s / f).collect();
        let ratio = median(&mut ratios)?;
        Some(Line {
            scenario: case.name.clone(),
            figure: metric.name,
            medians: [median(&mut first)?, median(&mut second)?],
            names: case.pair.names(),
            ratio,
            least: *ratios.first()?,
            most: *ratios.last()?,
        })
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("scenario", &self.scenario)?;
        map.serialize_entry("figure", self.figure)?;
        for (name, median) in self.names.iter().zip(&self.medians) {
            map.serialize_entry(name, median)?;
        }
        map.serialize_entry("ratio", &self.ratio)?;
        map.serialize_entry("least", &self.least)?;
        map.serialize_entry("most", &self.most)?;
        map.end()
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Line { scenario, figure, ratio, least, most, .. } = self;
        let [first, second] = self.medians.map(grouped);
        let range = format!("{ratio:.2} ({least:.2} to {most:.2})");
        write!(f, "| {scenario:<36} | {figure:<22} | {first:>12} | {second:>12} | {range:<22} |")
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
