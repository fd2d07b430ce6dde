//! The listing of an image: what wakes each handler, its instructions, and the source lines they
//! come from.

use std::collections::BTreeMap;
use std::io::{self, Write};

use umqtt_vm::Image;
use umqtt_vm::decode::instructions;
use umqtt_vm::image::{Constant, FilterKind, Record, Trigger};

use crate::render::printable;

/// Writes the listing. `source` is the text the image was compiled from, if there is one.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write(
    out: &mut dyn Write,
    image: &Image<'_>,
    source: Option<&[u8]>,
) -> io::Result<()> {
    let segments = segments(image);
    let text = source.map(printable);
    let source_lines: Vec<&str> = text.iter().flat_map(|text| text.lines()).collect();
    let lines: BTreeMap<u32, u32> = image.debug().lines().collect();
    let mut shown = 0;
    let mut end = 0;
    for (at, instruction) in instructions(image.code()) {
        for words in segments.get(&at).into_iter().flatten() {
            writeln!(out, "\n{words}")?;
            shown = 0;
        }
        if let Some(&line) = lines.get(&(at as u32)).filter(|&&line| line != shown) {
            shown = line;
            match source_lines.get((line as usize).wrapping_sub(1)) {
                Some(text) => writeln!(out, "{line:>5} | {}", text.trim())?,
                None => writeln!(out, "{line:>5} |")?,
            }
        }
        writeln!(out, "        {at:04}  {}", instruction.display(image))?;
        end = instruction.end;
    }
    if end < image.code().len() {
        writeln!(out, "        {end:04}  ; from here on it is not code")?;
    }
    Ok(())
}

/// What starts at which offset of the code.
fn segments(image: &Image<'_>) -> BTreeMap<usize, Vec<String>> {
    let mut segments: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for record in image.records() {
        if is_expression(record) {
            let words = format!("topic filter of the handler at {:04}", record.code);
            segments.entry(record.filter.into()).or_default().push(words);
        }
        segments.entry(record.code.into()).or_default().push(event(image, record));
    }
    segments
}

/// The event as a script writes it.
fn event(image: &Image<'_>, record: Record) -> String {
    let (key, word) = (record.key, record.trigger.keyword());
    match record.trigger {
        Trigger::Config => word.to_owned(),
        Trigger::Timer | Trigger::Alarm => format!("on {word} {key}"),
        Trigger::Gpio => {
            format!("on {word} {key} {}", ["nopullup", "pullup"][usize::from(record.filter == 1)])
        }
        Trigger::LocalName | Trigger::RemoteName => {
            format!("on {word} {}", text(image, record.filter))
        }
        Trigger::LocalFilter | Trigger::RemoteFilter => {
            format!("on {word} {}", filter(image, record))
        }
        _ => format!("on {word}"),
    }
}

fn filter(image: &Image<'_>, record: Record) -> String {
    match FilterKind::from_code(record.key) {
        Some(FilterKind::Constant) => text(image, record.filter),
        Some(FilterKind::Variable) => match image.debug().variable(record.filter) {
            Some(name) => printable(name),
            None => format!("${}", record.filter),
        },
        Some(FilterKind::Expression) => format!("(computed at {:04})", record.filter),
        None => "?".to_owned(),
    }
}

fn text(image: &Image<'_>, number: u16) -> String {
    match image.constant(number) {
        Some(Constant::Text(bytes)) => format!("\"{}\"", bytes.escape_ascii()),
        _ => "?".to_owned(),
    }
}

fn is_expression(record: Record) -> bool {
    matches!(record.trigger, Trigger::LocalFilter | Trigger::RemoteFilter)
        && record.key == FilterKind::Expression as u8
}
