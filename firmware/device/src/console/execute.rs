//! Carries commands out. Every reply is whole lines, ended by CR LF; the prompt is the session's.

mod locking;
mod settings;

use alloc::string::String;

use super::PROMPT;
use super::command::{self, Command, CommandSpec, Show, UsageError};
use super::device_control::{DeviceControl, Origin};
use super::help;
use super::output::{Output, Position};
use super::show::{self, Printed, UtcOffset};
use super::words::{Quoted, Words, WordsError};
use umqtt_lang::diagnostic::HINTS;
use umqtt_net::Instant;

use crate::settings::{Param, SetError, Settings};

/// What becomes of the session that gave a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandOutcome {
    /// It goes on.
    Continue,
    /// The line was no command that could be given. It goes on.
    Invalid,
    /// The line was one of a script, and so is what was pasted with it. It goes on.
    ScriptLine,
    /// Its user wants it closed.
    Quit,
    /// The device restarts.
    Restart,
    /// The reply goes on: give this to [`resume_reply`] when what waits is sent, as often as that
    /// says so.
    More(LongReply),
}

/// What is left of a reply that is made in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongReply {
    what: LongCommand,
    from: Position,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LongCommand {
    /// The name of the command to explain, if it is one.
    Help(Option<&'static str>),
    Show(Show),
    /// What is long about it is the saving.
    SaveRetained,
}

impl LongReply {
    /// Whether others are to have their turn before it goes on.
    pub fn takes_turns(&self) -> bool {
        self.what == LongCommand::SaveRetained
    }
}

const ON_SERIAL: &str = "Set them anew and save them on the serial line";

/// Carries out a line: of a session, or of a script's `system` action.
pub fn execute_line(
    line: &[u8],
    origin: Origin,
    now: Instant,
    device: &mut dyn DeviceControl,
    out: &mut Output,
) -> CommandOutcome {
    let line = without_prompt(line);
    let words = match Words::split(line) {
        Ok(words) => words,
        Err(WordsError::TooMany) => {
            let mut words = line.trim_ascii().split(u8::is_ascii_whitespace);
            invalid_count(&[words.next().unwrap_or_default(), b"", b"", b""], device, out);
            return CommandOutcome::Invalid;
        }
        Err(error) => {
            line!(out, "Invalid argument: {error}");
            return CommandOutcome::Invalid;
        }
    };
    let (words, comment) = (words.as_slices(), words.before_comment());
    if words.is_empty() || comment == Some(0) {
        return CommandOutcome::Invalid;
    }
    let locked = device.lock().is_locked();
    let command = match (command::parse(&words, locked), comment) {
        // Only where no value can hold it.
        (Err(UsageError::Count), Some(end)) => command::parse(&words[..end], locked),
        (command, _) => command,
    };
    match command {
        // A script may restart a locked device, which is its owner's doing, but not clear it.
        Ok(Command::Reset { factory })
            if locked
                && (matches!(origin, Origin::Network(_))
                    || factory && origin == Origin::Script) =>
        {
            locked_out(out);
        }
        Ok(command) if origin != Origin::Serial && is_of_signer(&command, device.settings()) => {
            line!(out, "Not done: with a script_key that is for the serial line alone");
        }
        Ok(Command::Save) if device.settings().is_damaged() && origin != Origin::Serial => {
            line!(out, "Config not saved: the saved settings are damaged. {ON_SERIAL}");
        }
        Ok(command) => return execute(command, origin, now, device, out),
        Err(UsageError::Unknown) if command::is_of_script(&words) => {
            line!(out, "Invalid Command");
            line!(
                out,
                "A line of a script: script 2000, then nc HOST 2000 < FILE. The rest of a paste is dropped"
            );
            return CommandOutcome::ScriptLine;
        }
        Err(UsageError::Unknown) => {
            let end = comment.unwrap_or(words.len());
            return board_command(&words[..end], locked, device, out);
        }
        Err(UsageError::Locked) => locked_out(out),
        Err(UsageError::Count) => invalid_count(&words, device, out),
        Err(UsageError::Argument(right)) => line!(out, "Invalid argument: {right}"),
    }
    CommandOutcome::Invalid
}

/// Whether a command would undo that scripts have to be signed: who may not bring one may not take
/// one away either, nor the key.
fn is_of_signer(command: &Command<'_>, settings: &Settings) -> bool {
    let undoes = match command {
        Command::Reset { factory } => *factory,
        Command::ScriptDelete => true,
        Command::Set(Param::ScriptKey, value) => {
            !value.eq_ignore_ascii_case(settings.bytes(Param::ScriptKey))
        }
        _ => false,
    };
    undoes && settings.script_key_counts()
}

fn locked_out(out: &mut Output) {
    line!(out, "Invalid command. Config locked");
    line!(out, "unlock PASSWORD first; reset factory on the serial line clears all");
}

/// A line that was copied from a session may have its prompt in front.
fn without_prompt(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii_start();
    line.strip_prefix(PROMPT).map_or(line, without_prompt)
}

/// What is wrong, and on the next line what would be right.
fn invalid_count(words: &[&[u8]], device: &dyn DeviceControl, out: &mut Output) {
    line!(out, "Invalid number of arguments");
    let Some(spec) = command::find(words[0]) else { return };
    help::usage(spec, out);
    if let ("set", Some((name, value))) = (spec.name, command::parted_name(&words[1..])) {
        let secret = Param::by_name(name.as_bytes()).is_none_or(|param| param.spec().secret);
        let value = if secret { b"VALUE" } else { value };
        line!(out, "The name is one word: set {name} {}", Quoted(value));
        return;
    }
    match (spec.name, words) {
        ("publish", _) => line!(out, "Data with blanks goes in quotes: \"a b\""),
        ("set", [_, _, b"=", ..]) if HINTS => line!(out, "No = stands between them"),
        ("set", [_, word]) if HINTS && word.contains(&b'=') => {
            line!(out, "A blank stands between them, in the place of =");
        }
        ("set", [_, _, _, _, ..]) => line!(out, "A value with blanks goes in quotes: \"a b\""),
        ("set", [_, name]) => {
            if let Some(param) = Param::by_name(name) {
                let error = device.settings().lacks(param);
                let error =
                    error.map_or(SetError::Range(param), |what| SetError::Lacks(param, what));
                line!(out, "{error}");
                if HINTS && !param.spec().secret && device.settings().lacks(param).is_none() {
                    let value = Printed { settings: device.settings(), param };
                    line!(out, "{} is {value} now", param.name());
                }
            }
        }
        _ => {}
    }
}

fn board_command(
    words: &[&[u8]],
    locked: bool,
    device: &mut dyn DeviceControl,
    out: &mut Output,
) -> CommandOutcome {
    if locked && device.board_help().lines().any(|help| help::is_about(help, words[0])) {
        locked_out(out);
        return CommandOutcome::Invalid;
    }
    let mut open_line = false;
    let known = !locked
        && device.board_command(words, &mut |text| {
            open_line = !text.ends_with(b"\n");
            show::lines(text, out);
        });
    match (known, open_line) {
        (false, _) => {
            line!(out, "Invalid Command");
            let param = Param::by_name(words[0]).filter(|_| HINTS);
            match (command::near(words[0]), param) {
                (Some(name), _) => line!(out, "Did you mean {name}? help lists the commands"),
                (None, Some(param)) => {
                    line!(out, "Did you mean set {}? help lists the commands", param.name());
                }
                (None, None) => line!(out, "help lists the commands"),
            }
        }
        (true, true) => out.put(b"\r\n"),
        (true, false) => {}
    }
    if known { CommandOutcome::Continue } else { CommandOutcome::Invalid }
}

fn execute(
    command: Command<'_>,
    origin: Origin,
    now: Instant,
    device: &mut dyn DeviceControl,
    out: &mut Output,
) -> CommandOutcome {
    match command {
        Command::Help(None) => return long_reply(LongCommand::Help(None), device, out),
        Command::Help(Some(name)) => return help_about(name, device, out),
        Command::Show(what) => return long_reply(LongCommand::Show(what), device, out),
        Command::Save => match settings::save(origin, device) {
            Ok(()) => line!(out, "Config saved"),
            Err(error) => line!(out, "Config not saved: {error}"),
        },
        Command::Lock(password) => locking::lock(password, origin, device, out),
        Command::Unlock(password) => locking::unlock(password, origin, now, device, out),
        Command::Reset { factory } => {
            line!(out, "Restarting ...");
            device.restart(factory);
            return CommandOutcome::Restart;
        }
        Command::Quit => {
            line!(out, "Quitting console");
            return CommandOutcome::Quit;
        }
        Command::Scan => match device.scan(origin) {
            Ok(()) => line!(out, "Scanning..."),
            Err(reason) => line!(out, "Scan failed: {reason}"),
        },
        Command::Time => match device.time() {
            Some(time) => match device.zone() {
                Some(minutes) => line!(out, "{time} {}", UtcOffset(minutes)),
                None => line!(out, "{time}"),
            },
            None => line!(out, "xxx 99:99:99"),
        },
        Command::Publish { side, topic, data, retained } => {
            match device.publish(side, topic, data, retained) {
                Ok(()) => line!(out, "Published topic"),
                Err(reason) => line!(out, "Publish failed: {reason}"),
            }
        }
        Command::SaveRetained => return long_reply(LongCommand::SaveRetained, device, out),
        Command::DeleteRetained => match device.delete_retained() {
            Ok(()) => line!(out, "Deleted retained topics"),
            Err(reason) => line!(out, "Retained topics not deleted: {reason}"),
        },
        Command::Trace(None) => {
            device.trace_off(origin);
            line!(out, "Trace off");
        }
        Command::Trace(Some(line)) => match device.trace_on(line, origin) {
            Ok(()) => line!(out, "Trace on"),
            Err(reason) => line!(out, "Trace refused: {reason}"),
        },
        Command::ScriptPort(port) => match device.script_listen(port, origin) {
            Ok(()) => line!(out, "Waiting for script upload on port {port}"),
            Err(reason) => line!(out, "Script upload refused: {reason}"),
        },
        Command::ScriptUrl(url) => match device.script_download(url, origin) {
            Ok(()) => line!(out, "HTTP request to {url} started"),
            Err(reason) => line!(out, "HTTP script upload failed ({reason})"),
        },
        Command::ScriptDelete => match device.script_delete() {
            Ok(()) => line!(out, "Script deleted"),
            Err(reason) => line!(out, "Script not deleted: {reason}"),
        },
        Command::Set(param, value) => settings::set(param, value, origin, device, out),
        Command::SetVariable(n, value) => set_variable(n, value, device, out),
    }
    CommandOutcome::Continue
}

/// `help COMMAND` and `help PARAMETER`.
fn help_about(name: &[u8], device: &mut dyn DeviceControl, out: &mut Output) -> CommandOutcome {
    match command::find(name) {
        Some(CommandSpec { name, needs: Some(needs), .. })
            if !device.settings().capabilities().has(*needs) =>
        {
            line!(out, "Invalid argument: {name} is not on this board, which has no {needs}");
        }
        Some(spec) => return long_reply(LongCommand::Help(Some(spec.name)), device, out),
        None => match Param::by_name(name) {
            Some(param) => help::parameter(param.spec(), device, out),
            None if help::board_help(name, device, out) => {}
            None => match near_name(name) {
                Some(meant) => line!(out, "Invalid argument: did you mean help {meant}?"),
                None => line!(out, "Invalid argument: no such command, see help"),
            },
        },
    }
    CommandOutcome::Continue
}

/// The command or the parameter that was probably meant, but on a chip.
fn near_name(name: &[u8]) -> Option<String> {
    if !HINTS {
        return None;
    }
    let command = command::near(name).and_then(|meant| meant.split(' ').next());
    command.map(String::from).or_else(|| command::near_param(name))
}

/// `set @N VALUE`
fn set_variable(n: u8, value: &[u8], device: &mut dyn DeviceControl, out: &mut Output) {
    match device.set_flash_variable(n, value) {
        Ok(()) => {
            line!(out, "@{n} written to flash");
            if device.settings().is_refused() {
                line!(out, "config lines of the script read it at its next start: reset");
            }
        }
        Err(error) => line!(out, "@{n} not written: {error}"),
    }
}

fn long_reply(
    what: LongCommand,
    device: &mut dyn DeviceControl,
    out: &mut Output,
) -> CommandOutcome {
    resume_reply(LongReply { what, from: Position::default() }, device, out)
}

/// Goes on with a reply.
pub fn resume_reply(
    reply: LongReply,
    device: &mut dyn DeviceControl,
    out: &mut Output,
) -> CommandOutcome {
    if reply.what == LongCommand::SaveRetained {
        match device.save_some_retained() {
            None => return CommandOutcome::More(reply),
            Some(Ok(())) => line!(out, "Saved retained topics successfully"),
            Some(Err(reason)) => line!(out, "Saved retained topics unsuccessfully: {reason}"),
        }
        return CommandOutcome::Continue;
    }
    out.begin_piece(reply.from);
    match reply.what {
        LongCommand::Help(name) => {
            let spec = name.and_then(|name| command::find(name.as_bytes()));
            help::help(spec, device, out);
        }
        LongCommand::Show(what) => show::show(what, device, out),
        LongCommand::SaveRetained => {}
    }
    match out.end_piece() {
        Some(from) => CommandOutcome::More(LongReply { from, ..reply }),
        None => CommandOutcome::Continue,
    }
}
