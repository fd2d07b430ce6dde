//! What a failure tells: what happened since it was looked at last, and what the variables are.

use umqtt_device::engine::LocalTime;
use umqtt_device::net::Instant;
use umqtt_vm::Side;

use super::bench::{Device, Done, Ignored, What};
use super::problem::{Problem, nearest};

/// Most events that a failure shows.
const SHOWN_EVENTS: usize = 30;
/// Most bytes of a value that a failure shows.
pub(super) const SHOWN_VALUE: usize = 200;

/// Adds to a problem what happened since it was looked at last, and what the variables are.
pub(super) fn tell(problem: Problem, device: &mut Device<'_>) -> Problem {
    let unseen = device.unseen();
    let problem = match unseen.iter().rev().find_map(ignored) {
        Some(ignored) => problem.help(nothing_subscribes(ignored, device)),
        None => problem,
    };
    let shown = &unseen[unseen.len().saturating_sub(SHOWN_EVENTS)..];
    let did_something = unseen.iter().any(|done| done.action().is_some());
    let mut story = match unseen.len() - shown.len() {
        0 if shown.is_empty() => "nothing happened since then".to_owned(),
        0 if !did_something => "the script did nothing since then:".to_owned(),
        0 => "what happened since then:".to_owned(),
        more => format!("what happened since then, {more} more before:"),
    };
    for done in shown {
        let what = match &done.what {
            What::Did(action) => action.to_string(),
            What::CameIn { shown, .. } => format!("in: {shown}"),
        };
        let what: String = what.chars().take(SHOWN_VALUE).collect();
        let line = done.line.map(|line| format!("  (line {line})")).unwrap_or_default();
        story.push_str(&format!("\n  {}  {what}{line}", time(done.at, done.clock)));
    }
    let problem = problem.note(story);
    let mut variables = String::new();
    for name in &device.script.variables {
        let value: String =
            device.sim.variable(name).unwrap_or_default().chars().take(SHOWN_VALUE).collect();
        variables.push_str(&format!("\n  {name} = {value:?}"));
    }
    match variables.is_empty() {
        true => problem,
        false => problem.note(format!("variables:{variables}")),
    }
}

fn ignored(done: &Done) -> Option<&Ignored> {
    match &done.what {
        What::CameIn { ignored, .. } => ignored.as_ref(),
        What::Did(_) => None,
    }
}

/// That a message was for nobody, with the subscription that was probably meant.
fn nothing_subscribes(Ignored { side, topic }: &Ignored, device: &Device<'_>) -> String {
    let broker = if *side == Side::Local { "local" } else { "remote" };
    let subscriptions = device.sim.subscriptions().filter(|(at, _)| at == side);
    let filters: Vec<String> =
        subscriptions.map(|(_, filter)| String::from_utf8_lossy(filter).into_owned()).collect();
    let begins = format!("the script has not subscribed to `{broker} {topic}`");
    match nearest(topic, filters.iter().map(String::as_str)) {
        Some(nearest) => format!("{begins}: {nearest}"),
        None if filters.is_empty() => format!("{begins}, nor to anything else there"),
        None => format!("{begins}, but to {}", filters.join(", ")),
    }
}

/// How long after the beginning, and what the clock showed.
pub(super) fn time(at: Instant, clock: Option<LocalTime>) -> String {
    let millis = at.as_millis();
    let passed = format!("+{}.{:03} s", millis / 1000, millis % 1000);
    match clock {
        Some(clock) => format!("{} {passed}", String::from_utf8_lossy(&clock.hms())),
        None => passed,
    }
}
