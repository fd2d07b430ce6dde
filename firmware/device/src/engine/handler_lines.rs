//! Which lines of the source are a handler's: the image knows only those that have code.

use umqtt_vm::Program;
use umqtt_vm::image::{FilterKind, Record, Trigger};

/// The last line with code before the handler whose code starts at an offset, 0 if that is the
/// first, and its own last; `None` if the image has no lines.
pub(crate) fn lines_of<B: AsRef<[u8]>>(program: &Program<B>, start: u16) -> Option<(u32, u32)> {
    let image = program.image();
    let debug = image.debug();
    let own = image.records().filter(|record| record.code == start).map(|record| first(&record));
    let first = own.min().unwrap_or(start);
    let end = image
        .records()
        .map(|record| self::first(&record))
        .filter(|other| *other > start)
        .min()
        .map_or(u16::MAX, |next| next - 1);
    let before = first.checked_sub(1).and_then(|at| debug.line(at)).unwrap_or(0);
    Some((before, debug.line(end)?))
}

/// The handler that a line of the source belongs to, with the lines before its code.
pub(crate) fn handler_of<B: AsRef<[u8]>>(program: &Program<B>, line: u32) -> Option<Record> {
    let mut handlers = program.handlers().map(|(_, record)| record);
    handlers
        .find(|record| lines_of(program, record.code).is_some_and(|lines| is_within(lines, line)))
}

/// Whether a line is one of a handler with these lines.
pub(crate) fn is_within((before, last): (u32, u32), line: u32) -> bool {
    before < line && line <= last
}

/// Where what belongs to a handler begins: its code, or that of its filter.
fn first(record: &Record) -> u16 {
    let is_filter = matches!(record.trigger, Trigger::LocalFilter | Trigger::RemoteFilter);
    match is_filter && record.key == FilterKind::Expression as u8 {
        true => record.code.min(record.filter),
        false => record.code,
    }
}
