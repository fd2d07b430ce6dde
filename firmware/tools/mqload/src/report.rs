//! What a run came to, for people and for programs.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// Microseconds.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
pub(crate) struct Micros(pub(crate) f64);

impl From<Duration> for Micros {
    fn from(time: Duration) -> Micros {
        Micros(time.as_secs_f64() * 1e6)
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} us", self.0)
    }
}

/// What a run came to. What does not concern a scenario, or cannot be known, is left out.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Outcome {
    /// How long it was measured.
    pub(crate) seconds: f64,
    pub(crate) published: u64,
    pub(crate) deliveries: u64,
    pub(crate) per_second: f64,
    /// Processor time of the broker and of the generator per delivery, microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) broker_cpu: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) own_cpu: Option<f64>,
    /// From publishing to receiving, microseconds: median, 99 of 100, the longest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p50: Option<Micros>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p99: Option<Micros>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) most: Option<Micros>,
    pub(crate) lost: u64,
    /// Came again, or out of order.
    pub(crate) duplicates: u64,
    /// Not what was published.
    pub(crate) wrong: u64,
    /// Idle clients held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connections: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connects_per_second: Option<f64>,
    /// Resident memory of the broker per idle client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes_per_client: Option<f64>,
    /// MiB the broker took from the flooders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) flooded_mib: Option<f64>,
}

impl Outcome {
    /// Everything arrived, once, and as it was published.
    pub(crate) fn is_sound(&self) -> bool {
        (self.lost, self.duplicates, self.wrong) == (0, 0, 0)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.published > 0 {
            let (rate, published) = (grouped(self.per_second), grouped(self.published as f64));
            let (seconds, deliveries) = (self.seconds, grouped(self.deliveries as f64));
            writeln!(
                f,
                "{rate} deliveries/s: {published} messages, {deliveries} deliveries in {seconds:.2} s"
            )?;
        }
        if let (Some(p50), Some(p99), Some(most)) = (self.p50, self.p99, self.most) {
            writeln!(f, "from publisher to subscriber: p50 {p50}, p99 {p99}, at most {most}")?;
        }
        if let (Some(broker), Some(own)) = (self.broker_cpu, self.own_cpu) {
            writeln!(f, "processor time per delivery: broker {broker:.2} us, mqload {own:.2} us")?;
        }
        if let Some(connections) = self.connections {
            writeln!(f, "{} idle clients held, all answered", grouped(connections as f64))?;
        }
        if let Some(rate) = self.connects_per_second {
            writeln!(f, "{} connects/s", grouped(rate))?;
        }
        if let Some(bytes) = self.bytes_per_client {
            writeln!(f, "{} bytes of the broker's memory per client", grouped(bytes))?;
        }
        if let Some(mib) = self.flooded_mib {
            writeln!(f, "the flooders sent {} MiB meanwhile", grouped(mib))?;
        }
        if self.published == 0 {
            return Ok(());
        }
        if self.is_sound() {
            writeln!(f, "nothing lost, nothing twice, all as published")
        } else {
            let Outcome { lost, duplicates, wrong, .. } = self;
            writeln!(
                f,
                "NOT SOUND: {lost} lost, {duplicates} twice or out of order, {wrong} changed"
            )
        }
    }
}

/// A number rounded to a whole one, its thousands set apart.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let texts = [0.4, 999.0, 1000.0, 1_234_567.8].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,568"]);
    }
}
