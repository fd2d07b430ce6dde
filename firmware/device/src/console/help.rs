//! `help`: the commands and the parameters, a line each.

use super::command::{COMMANDS, CommandSpec};
use super::device_control::DeviceControl;
use super::output::Output;
use crate::settings::{SetError, Spec, TABLE};

/// `help` and `help COMMAND`.
pub(super) fn help(which: Option<&CommandSpec>, device: &dyn DeviceControl, out: &mut Output) {
    match which {
        Some(spec) => {
            usage(spec, out);
            if spec.name == "set" {
                for spec in
                    TABLE.iter().filter(|spec| device.settings().lacks(spec.param).is_none())
                {
                    parameter(spec, device, out);
                }
            }
        }
        None => {
            let capabilities = device.settings().capabilities();
            let here = |spec: &&CommandSpec| spec.needs.is_none_or(|one| capabilities.has(one));
            COMMANDS.iter().filter(here).for_each(|spec| usage(spec, out));
            device.board_help().lines().for_each(|help| line!(out, "{help}"));
        }
    }
}

/// A line of `help` for a parameter.
pub(super) fn parameter(spec: &Spec, device: &dyn DeviceControl, out: &mut Output) {
    match device.settings().lacks(spec.param) {
        Some(what) => line!(out, "Invalid argument: {}", SetError::Lacks(spec.param, what)),
        None => line!(out, "  {} {}: {}", spec.name, spec.kind.placeholder(), spec.help),
    }
}

/// `help COMMAND` for one of the board's. False if it has none of that name.
pub(super) fn board_help(name: &[u8], device: &dyn DeviceControl, out: &mut Output) -> bool {
    let mut known = false;
    for help in device.board_help().lines().filter(|help| is_about(help, name)) {
        line!(out, "{help}");
        known = true;
    }
    known
}

/// Whether a line of the board's help is about a command.
pub(super) fn is_about(help: &str, command: &[u8]) -> bool {
    help.split([' ', ':']).next().map(str::as_bytes) == Some(command)
}

pub(super) fn usage(spec: &CommandSpec, out: &mut Output) {
    let blank = if spec.arguments.is_empty() { "" } else { " " };
    line!(out, "{}{blank}{}: {}", spec.name, spec.arguments, spec.help);
}
