//! What a script takes at most, handler by handler: for people, and for programs as one JSON object
//! a line.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;
use umqtt_lang::bounds::{Bounds, Cost, HandlerBounds};
use umqtt_vm::image::{Constant, Trigger};
use umqtt_vm::{Image, Listing, Profile, Program};

use super::printable;

/// The bounds of a script on one kind of device.
pub(crate) struct OnDevice {
    pub(crate) profile: Profile,
    pub(crate) program: Program<Vec<u8>>,
    pub(crate) bounds: Bounds,
}

impl OnDevice {
    pub(crate) fn new(profile: Profile, program: Program<Vec<u8>>) -> OnDevice {
        let bounds = Bounds::of(&program, &profile);
        OnDevice { profile, program, bounds }
    }
}

/// Writes them for people: what it takes on each of the devices, the first of which tells all that
/// is the same on all.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write(out: &mut dyn Write, name: &str, devices: &[OnDevice]) -> io::Result<()> {
    let Some(first) = devices.first() else { return Ok(()) };
    let name = printable(name.as_bytes());
    writeln!(out, "{name}: at most, each time")?;
    let image = first.program.image();
    let listing = Listing::new(&image);
    let mut rows = vec![heading(devices)];
    for (at, handler) in first.bounds.handlers.iter().enumerate() {
        if handler.record.trigger == Trigger::Sub {
            continue;
        }
        let cost = handler.cost;
        let event = listing.event(&handler.record).to_string();
        let mut row = vec![
            handler.line.map_or(String::new(), |line| line.to_string()),
            printable(event.as_bytes()),
            if cost.by_fuel { "till stopped".into() } else { cost.steps.to_string() },
        ];
        for device in devices {
            let handler = device.bounds.handlers.get(at);
            let micros = handler.map(|handler| handler.micros(&device.profile));
            row.push(micros.map_or(String::new(), time));
        }
        row.push(looks(cost.looking));
        row.push(flash_writes(&image, handler));
        rows.push(row);
    }
    write_rows(out, &rows)?;
    if rows.iter().any(|row| row.get(2).is_some_and(|steps| steps == "till stopped")) {
        writeln!(out, "till stopped: it has a loop that nothing bounds but the fuel of an event")?;
    }
    if first.bounds.handlers.iter().any(|handler| handler.cost.looking > 0) {
        let each: Vec<String> = devices
            .iter()
            .map(|device| {
                let nanos = Cost::nanos_a_place(&device.profile);
                let (whole, tenth) = (nanos / 1000, nanos % 1000 / 100);
                format!("{whole}.{tenth} us on {}", device.profile.name)
            })
            .collect();
        let each = each.join(", ");
        writeln!(out, "asks: each subscriber or retained message looked at takes {each} more")?;
    }
    for device in devices {
        let (memory, most) = (device.bounds.memory, device.profile.ram);
        let name = device.profile.name;
        match memory <= most {
            true => writeln!(out, "memory on {name}: {memory} of {most} bytes")?,
            false => writeln!(
                out,
                "memory on {name}: {most} bytes are not enough for all values at their longest"
            )?,
        }
    }
    Ok(())
}

/// The handler that may take longest: for one line.
pub(crate) fn longest(device: &OnDevice) -> Option<String> {
    let handlers = device.bounds.handlers.iter();
    let handlers = handlers.filter(|handler| handler.record.trigger != Trigger::Sub);
    let longest = handlers.max_by_key(|handler| handler.micros(&device.profile))?;
    let image = device.program.image();
    let event = Listing::new(&image).event(&longest.record).to_string();
    let event = printable(event.as_bytes());
    let time = time(longest.micros(&device.profile));
    Some(format!("{time} at most: {event}"))
}

/// Writes them for programs: a line for each device.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_json(out: &mut dyn Write, name: &str, devices: &[OnDevice]) -> io::Result<()> {
    for device in devices {
        let image = device.program.image();
        let listing = Listing::new(&image);
        let handlers = device.bounds.handlers.iter();
        let handlers = handlers.filter(|handler| handler.record.trigger != Trigger::Sub);
        let line = Line {
            file: name,
            profile: device.profile.name,
            memory: device.bounds.memory,
            memory_limit: device.profile.ram,
            nanos_a_place: Cost::nanos_a_place(&device.profile),
            handlers: handlers
                .map(|handler| Row {
                    event: listing.event(&handler.record).to_string(),
                    line: handler.line,
                    steps: handler.cost.steps,
                    micros: handler.micros(&device.profile),
                    by_fuel: handler.cost.by_fuel,
                    asks: handler.cost.looking,
                    flash_writes: handler.cost.flash_writes,
                    flash_writes_an_hour: an_hour(&image, handler),
                })
                .collect(),
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Line<'l> {
    file: &'l str,
    profile: &'static str,
    memory: usize,
    memory_limit: usize,
    nanos_a_place: u64,
    handlers: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    event: String,
    line: Option<u32>,
    steps: u64,
    micros: u64,
    by_fuel: bool,
    asks: u64,
    flash_writes: u64,
    flash_writes_an_hour: Option<f64>,
}

fn heading(devices: &[OnDevice]) -> Vec<String> {
    let names = devices.iter().map(|device| device.profile.name);
    let all = ["line", "handler", "steps"].into_iter().chain(names);
    all.chain(["asks", "flash writes"]).map(str::to_owned).collect()
}

/// Columns as wide as they must be: the first and the figures on the right, the others on the
/// left; those that are empty but for their heading are left out.
fn write_rows(out: &mut dyn Write, rows: &[Vec<String>]) -> io::Result<()> {
    let columns = rows.first().map_or(0, Vec::len);
    let wanted: Vec<usize> = (0..columns)
        .filter(|&column| rows.iter().skip(1).any(|row| !row[column].is_empty()))
        .collect();
    let width = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    };
    for row in rows {
        let mut text = String::new();
        for &column in &wanted {
            let (cell, width) = (&row[column], width(column));
            let is_left = column == 1 || column + 1 == columns;
            // Writing to a string does not fail.
            let _ = match is_left {
                true => write!(text, "  {cell:<width$}"),
                false => write!(text, "  {cell:>width$}"),
            };
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

/// Microseconds with a unit, and as many digits as one wants to read.
fn time(micros: u64) -> String {
    match micros {
        0..1000 => format!("{micros} us"),
        1000..100_000 => format!("{}.{} ms", micros / 1000, micros % 1000 / 100),
        _ => format!("{} ms", micros / 1000),
    }
}

fn looks(count: u64) -> String {
    if count == 0 { String::new() } else { count.to_string() }
}

/// How often flash variables are written: each time, and in an hour where the event has a period.
fn flash_writes(image: &Image<'_>, handler: &HandlerBounds) -> String {
    let writes = handler.cost.flash_writes;
    if writes == 0 {
        return String::new();
    }
    match an_hour(image, handler) {
        Some(hourly) if hourly < 1.0 => format!("{writes}, {:.0} a day", hourly * 24.0),
        Some(hourly) => format!("{writes}, {hourly:.0} an hour"),
        None if handler.record.trigger == Trigger::Init => format!("{writes} at each start"),
        None => writes.to_string(),
    }
}

/// Writes of flash variables in an hour, if the event has a period.
fn an_hour(image: &Image<'_>, handler: &HandlerBounds) -> Option<f64> {
    let writes = handler.cost.flash_writes as f64;
    match handler.record.trigger {
        Trigger::Every => match image.constant(handler.record.filter) {
            Some(Constant::Int(millis @ 1..)) => Some(writes * 3_600_000.0 / f64::from(millis)),
            _ => None,
        },
        Trigger::Clock => Some(writes / 24.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_their_unit() {
        assert_eq!(time(0), "0 us");
        assert_eq!(time(999), "999 us");
        assert_eq!(time(1049), "1.0 ms");
        assert_eq!(time(123_456), "123 ms");
    }
}
