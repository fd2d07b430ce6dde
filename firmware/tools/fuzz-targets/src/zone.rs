//! Any bytes as the rules of a time zone, and the times and places it is asked for.

use umqtt_calendar::{Place, Zone};

/// What a clock can show: some 34,000 years to either side of 1970.
const FARTHEST: i64 = 1 << 40;
/// The most seconds a zone is ahead of UTC or behind it.
const MOST: i64 = 25 * 3600;
const DAY: i64 = 86_400;

/// Runs the target: the first line is a zone, what follows are times and places of 16 bytes each.
pub fn run(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (text, rest) = input.split_at(end);
    let Ok(zone) = Zone::parse(text) else { return };
    for piece in rest.get(1..).unwrap_or_default().chunks_exact(16).take(64) {
        let (time, place) = piece.split_at(8);
        let time = i64::from_le_bytes(time.try_into().expect("8 bytes")) % FARTHEST;
        look(&zone, time);
        let (latitude, longitude) = place.split_at(4);
        let degrees = |bytes: &[u8], most: i32| {
            i32::from_le_bytes(bytes.try_into().expect("4 bytes")) % (most * 10_000 + 1)
        };
        let place = Place { latitude: degrees(latitude, 90), longitude: degrees(longitude, 180) };
        let day = (time / DAY) as i32;
        // Rules may put the clock back by more than a day has light.
        let (before, behind) = (i64::from(day - 2) * DAY, i64::from(day + 3) * DAY);
        let is_changed = zone.period_at(before).until < behind;
        if let Some(sun) = place.sun(&zone, day)
            && !is_changed
        {
            assert!(sun.rise <= sun.set, "{zone:?} {place:?} {day}: {sun:?}");
        }
    }
}

/// A time and the two beside the change that comes next.
fn look(zone: &Zone, time: i64) {
    let period = zone.period_at(time);
    assert!(period.from <= time && time < period.until, "{zone:?} {time}: {period:?}");
    let beside = [time, period.from, period.until.saturating_sub(1), period.until];
    for time in beside.into_iter().filter(|time| time.unsigned_abs() <= 2 * FARTHEST as u64) {
        let local = zone.to_local(time);
        assert!((local - time).abs() <= MOST, "{zone:?} {time}: {local}");
        // Where a clock shows a time twice it is the first that is meant.
        let back = zone.to_utc(local);
        assert!(zone.to_local(back) == local && back <= time, "{zone:?} {time}: {local} {back}");
    }
}
