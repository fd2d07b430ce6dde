//! The commands: one table, and the way from words to a [`Command`].

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use umqtt_lang::diagnostic::HINTS;
use umqtt_vm::words::ActionWord;
use umqtt_vm::{FLASH_VARIABLE_LEN, Side};

use crate::settings::capability::needs;
use crate::settings::{Capability, Param, TABLE, alias};
use crate::storage::FLASH_VARIABLES;

/// What there is to know about a command.
#[derive(Debug)]
pub struct CommandSpec {
    /// The first word.
    pub name: &'static str,
    /// The words after it, as `help` shows them.
    pub arguments: &'static str,
    /// Fewest words after the first.
    pub least: usize,
    /// Most words after the first.
    pub most: usize,
    /// One line of help.
    pub help: &'static str,
    /// Works while the configuration is locked.
    pub while_locked: bool,
    /// What a board must have for it to be there.
    pub needs: Option<Capability>,
    read: for<'w> fn(&[&'w [u8]]) -> Result<Command<'w>, String>,
}

/// Writes the table down, a command a line: name, arguments, fewest and most of them, help, reader,
/// `locked_too`, and what it needs.
macro_rules! commands {
    ($($name:literal $arguments:literal $least:literal..=$most:literal $help:literal
       $read:expr $(, $locked_too:ident)? $(=> $needs:ident)?;)*) => {
        /// Every command, in the order of `help`.
        pub const COMMANDS: &[CommandSpec] = &[$(CommandSpec {
            name: $name,
            arguments: $arguments,
            least: $least,
            most: $most,
            help: $help,
            while_locked: false $(|| { stringify!($locked_too); true })?,
            needs: needs!($($needs)?),
            read: $read,
        },)*];
    };
}

commands! {
    "help" "[COMMAND]" 0..=1 "lists the commands, or explains one" help, locked_too;
    "show" "[config|stats|mqtt|script [LINE]|vars|backlog]" 0..=2 "shows the configuration or what is going on" show, locked_too;
    "set" "NAME VALUE" 2..=2 "sets a parameter, or a flash variable @1 to @16" set;
    "save" "[config]" 0..=1 "saves the parameters" save;
    "lock" "[PASSWORD]" 0..=1 "saves and locks the configuration, with the last password if none is given" lock, locked_too;
    "unlock" "PASSWORD" 1..=1 "unlocks the configuration" |words| Ok(Command::Unlock(words[0])), locked_too;
    "reset" "[factory]" 0..=1 "restarts; factory also clears everything" reset, locked_too;
    "quit" "" 0..=0 "closes this console" |_| Ok(Command::Quit), locked_too;
    "time" "" 0..=0 "shows day and time" |_| Ok(Command::Time), locked_too;
    "scan" "" 0..=0 "looks for WiFi networks" |_| Ok(Command::Scan) => Wifi;
    "publish" "local|remote TOPIC DATA [retained]" 3..=4 "publishes a message" publish;
    "save_retained" "" 0..=0 "saves the retained messages" |_| Ok(Command::SaveRetained);
    "delete_retained" "" 0..=0 "deletes the retained messages" |_| Ok(Command::DeleteRetained);
    "trace" "on|off [LINE]" 1..=2 "shows what the script does, or the handler of a line" trace => Trace;
    "script" "PORT|URL|delete" 1..=1 "waits for a script on a port, downloads one, or deletes it" script;
}

/// A command with its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command<'w> {
    /// `help [command]`
    Help(Option<&'w [u8]>),
    /// `show ...`
    Show(Show),
    /// `save`
    Save,
    /// `lock [password]`
    Lock(Option<&'w [u8]>),
    /// `unlock password`
    Unlock(&'w [u8]),
    /// `reset [factory]`
    Reset {
        /// Clear everything.
        factory: bool,
    },
    /// `quit`
    Quit,
    /// `scan`
    Scan,
    /// `time`
    Time,
    /// `publish side topic data [retained]`
    Publish {
        /// Which broker.
        side: Side,
        /// Topic.
        topic: &'w [u8],
        /// Payload.
        data: &'w [u8],
        /// To be retained.
        retained: bool,
    },
    /// `save_retained`
    SaveRetained,
    /// `delete_retained`
    DeleteRetained,
    /// `trace off`, or `trace on`: `Some`, with a line if one is given.
    Trace(Option<Option<u32>>),
    /// `script port`
    ScriptPort(u16),
    /// `script url`
    ScriptUrl(&'w str),
    /// `script delete`
    ScriptDelete,
    /// `set name value`
    Set(Param, &'w [u8]),
    /// `set @n value`
    SetVariable(u8, &'w [u8]),
}

/// What `show` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// The parameters.
    Config,
    /// Figures.
    Stats,
    /// Clients, subscriptions, retained messages.
    Mqtt,
    /// The script, from this line, counted from 1.
    Script(u32),
    /// The variables of the script and the flash variables.
    Vars,
    /// The log that is kept.
    Backlog,
}

/// Why words are no command that can be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsageError {
    /// No command of that name.
    Unknown,
    /// The configuration is locked.
    Locked,
    /// Too many or too few words.
    Count,
    /// What would be right.
    Argument(String),
}

/// The line of the table for a name.
pub fn find(name: &[u8]) -> Option<&'static CommandSpec> {
    COMMANDS.iter().find(|spec| spec.name.as_bytes() == name)
}

/// Words of other consoles, each list behind what it is here.
const MEANT: &str = "show:get,config
quit:exit,bye,logout,close,q
help:?,man,commands
reset:reboot,restart
show stats:uptime,status,info,free,top,version,ifconfig,ip
show script:ls,cat,list,scripts
show mqtt:clients,topics,who
show vars:vars,variables
show backlog:log,logs,dmesg
script PORT|URL|delete:upload,load,download,delete,rm
time:date,clock
publish:pub,send
lock:passwd,login,password
scan:wifi";

/// The command that may have been meant: the same but for case, for two letters that changed
/// places, or for one that is wrong, missing or too many; or, but on a chip, which has no flash to
/// spare for them, what other consoles call so.
pub(crate) fn near(word: &[u8]) -> Option<&'static str> {
    let mut lines = MEANT.lines().filter_map(|line| line.split_once(':'));
    let is_meant =
        |words: &str| words.split(',').any(|one| word.eq_ignore_ascii_case(one.as_bytes()));
    if HINTS && let Some((meant, _)) = lines.find(|(_, words)| is_meant(words)) {
        return Some(meant);
    }
    let names = COMMANDS.iter().map(|spec| spec.name);
    (word.len() > 2).then_some(names)?.find(|name| is_near(word, name.as_bytes()))
}

/// Whether a line that begins so is one of a script; a word that is a command here too is not
/// asked about.
pub(super) fn is_of_script(words: &[&[u8]]) -> bool {
    let word = core::str::from_utf8(words[0]).unwrap_or_default();
    let others = ["on", "do", "done", "if", "then", "else", "endif", "%"];
    others.contains(&word)
        || word == "config" && words.len() > 2
        || ActionWord::from_keyword(word).is_some()
}

/// The parameters that may have been meant: what other systems call so, what is written almost so,
/// or those that end in this word.
pub(super) fn near_param(word: &[u8]) -> Option<String> {
    if !HINTS || word.len() < 3 {
        return None;
    }
    let text = core::str::from_utf8(word).ok()?;
    if let Some(meant) = alias(text) {
        return Some(String::from(meant.name()));
    }
    let ends = |name: &str| name.strip_suffix(text).is_some_and(|start| start.ends_with('_'));
    let meant: Vec<&str> = TABLE
        .iter()
        .map(|spec| spec.name)
        .filter(|name| is_near(word, name.as_bytes()) || ends(name))
        .take(4)
        .collect();
    (!meant.is_empty()).then(|| meant.join(" or "))
}

/// The parameter whose name was written as two words, and its value: `set mqtt port 1`.
pub(super) fn parted_name<'w>(words: &[&'w [u8]]) -> Option<(&'static str, &'w [u8])> {
    let [first, second, value] = *words else { return None };
    let is_it = |name: &&str| {
        let rest = name.as_bytes().strip_prefix(first).and_then(|rest| rest.strip_prefix(b"_"));
        HINTS && rest == Some(second)
    };
    let name = TABLE.iter().map(|spec| spec.name).find(is_it)?;
    Some((name, value))
}

fn is_near(word: &[u8], name: &[u8]) -> bool {
    let same = |(a, b): &(&u8, &u8)| a.eq_ignore_ascii_case(b);
    let start = word.iter().zip(name).take_while(same).count();
    let (word, name) = (&word[start..], &name[start..]);
    let end = word.iter().rev().zip(name.iter().rev()).take_while(same).count();
    match (&word[..word.len() - end], &name[..name.len() - end]) {
        ([a, b], [c, d]) => a.eq_ignore_ascii_case(d) && b.eq_ignore_ascii_case(c),
        (word, name) => word.len() < 2 && name.len() < 2,
    }
}

/// Reads a command.
///
/// # Errors
/// [`UsageError`]; whether it is locked is looked at before its arguments are.
pub fn parse<'w>(words: &[&'w [u8]], locked: bool) -> Result<Command<'w>, UsageError> {
    let [name, arguments @ ..] = words else { return Err(UsageError::Unknown) };
    let spec = find(name).ok_or(UsageError::Unknown)?;
    if locked && !spec.works_while_locked(arguments) {
        return Err(UsageError::Locked);
    }
    if !(spec.least..=spec.most).contains(&arguments.len()) {
        return Err(UsageError::Count);
    }
    // `show` alone takes a second word only after `script`.
    if spec.name == "show" && arguments.len() == 2 && arguments[0] != b"script" {
        return Err(UsageError::Count);
    }
    (spec.read)(arguments).map_err(UsageError::Argument)
}

impl CommandSpec {
    fn works_while_locked(&self, arguments: &[&[u8]]) -> bool {
        let secret =
            matches!(arguments.first(), Some(&(b"mqtt" | b"script" | b"vars" | b"backlog")));
        self.while_locked && !(self.name == "show" && secret)
    }
}

fn help<'w>(words: &[&'w [u8]]) -> Result<Command<'w>, String> {
    Ok(Command::Help(words.first().copied()))
}

fn show<'w>(words: &[&'w [u8]]) -> Result<Command<'w>, String> {
    let what = match words {
        [] | [b"config"] => Show::Config,
        [b"stats"] => Show::Stats,
        [b"mqtt"] => Show::Mqtt,
        [b"script"] => Show::Script(1),
        [b"script", line] => match number(line) {
            Some(line) if line > 0 => Show::Script(line),
            _ => return Err(String::from("the line is a number from 1")),
        },
        [b"vars"] => Show::Vars,
        [b"backlog"] => Show::Backlog,
        [word, ..] => {
            let near = SHOWN.iter().find(|name| HINTS && is_part_or_near(word, name.as_bytes()));
            return Err(match near {
                Some(meant) => format!("did you mean show {meant}?"),
                None => String::from("expected config, stats, mqtt, script, vars or backlog"),
            });
        }
    };
    Ok(Command::Show(what))
}

/// What `show` shows.
const SHOWN: [&str; 6] = ["config", "stats", "mqtt", "script", "vars", "backlog"];

/// Whether a word of three letters at least is the beginning of a name, or written almost so.
fn is_part_or_near(word: &[u8], name: &[u8]) -> bool {
    word.len() > 2 && (name.starts_with(word) || is_near(word, name))
}

fn save<'w>(words: &[&'w [u8]]) -> Result<Command<'w>, String> {
    match words {
        [] | [b"config"] => Ok(Command::Save),
        _ => Err(String::from("expected config or nothing")),
    }
}

fn lock<'w>(words: &[&'w [u8]]) -> Result<Command<'w>, String> {
    match words {
        [b""] => Err(String::from("the password must not be empty")),
        _ => Ok(Command::Lock(words.first().copied())),
    }
}

fn reset<'w>(words: &[&'w [u8]]) -> Result<Command<'w>, String> {
    match words {
        [] => Ok(Command::Reset { factory: false }),
        [b"factory"] => Ok(Command::Reset { factory: true }),
        _ => Err(String::from("expected factory or nothing")),
    }
}

fn publish<'w>(words: &[&'w [u8]]) -> Result<Command<'w>, String> {
    let side = match words[0] {
        b"local" => Side::Local,
        b"remote" => Side::Remote,
        _ => return Err(String::from("expected local or remote")),
    };
    let retained = match words.get(3) {
        None => false,
        Some(&b"retained") => true,
        Some(_) => {
            return Err(String::from(
                "expected retained or nothing after the data; data with blanks goes in quotes",
            ));
        }
    };
    Ok(Command::Publish { side, topic: words[1], data: words[2], retained })
}

fn trace<'w>(words: &[&'w [u8]]) -> Result<Command<'w>, String> {
    match words {
        [b"off"] => Ok(Command::Trace(None)),
        [b"on"] => Ok(Command::Trace(Some(None))),
        [b"on", line] => match number(line) {
            Some(line) if line > 0 => Ok(Command::Trace(Some(Some(line)))),
            _ => Err(String::from("the line is a number from 1")),
        },
        _ => Err(String::from("expected on, on LINE or off")),
    }
}

fn script<'w>(words: &[&'w [u8]]) -> Result<Command<'w>, String> {
    let word = words[0];
    if word == b"delete" {
        return Ok(Command::ScriptDelete);
    }
    // One that is not for us too: what is wrong with it is said by who reads it.
    if word.windows(3).any(|part| part == b"://") {
        let url = core::str::from_utf8(word).ok().filter(|url| url.bytes().all(|b| b > 0x20));
        return url.map(Command::ScriptUrl).ok_or_else(|| String::from("this is no URL"));
    }
    match number(word).and_then(|port| u16::try_from(port).ok()) {
        Some(port) if port > 0 => Ok(Command::ScriptPort(port)),
        _ => {
            Err(String::from("expected a port from 1 to 65535, http://host[:port]/path, or delete"))
        }
    }
}

fn set<'w>(words: &[&'w [u8]]) -> Result<Command<'w>, String> {
    let (name, value) = (words[0], words[1]);
    if let [b'@', digits @ ..] = name {
        let n = number(digits).and_then(|n| u8::try_from(n).ok());
        let n = n
            .filter(|n| (1..=FLASH_VARIABLES).contains(n))
            .ok_or_else(|| format!("flash variables are @1 to @{FLASH_VARIABLES}"))?;
        if value.len() > FLASH_VARIABLE_LEN {
            return Err(format!("@{n} must be at most {FLASH_VARIABLE_LEN} bytes"));
        }
        return Ok(Command::SetVariable(n, value));
    }
    match Param::by_name(name) {
        Some(param) => Ok(Command::Set(param, value)),
        None => Err(match near_param(name) {
            Some(meant) => format!("no such parameter, did you mean {meant}?"),
            None => String::from("no such parameter, see help set"),
        }),
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    let all_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    core::str::from_utf8(digits).ok().filter(|_| all_digits)?.parse().ok()
}
