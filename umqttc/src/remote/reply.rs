//! What a command was answered.

use std::fmt;

use umqtt_device::printable::Printable;

/// How a refusal begins, as the console's page has it.
const REFUSALS: [&[u8]; 18] = [
    b"Not done: ",
    b"Invalid Command",
    b"Invalid command",
    b"Invalid number of arguments",
    b"Invalid argument",
    b"Line too long",
    b"Not enough memory for this line",
    b"Config not saved",
    b"Unlock failed",
    b"No password defined",
    b"The lock is damaged",
    b"Publish failed",
    b"Scan failed",
    b"Script upload refused",
    b"HTTP script upload failed",
    b"Script not deleted",
    b"Trace refused",
    b"Retained topics not deleted",
];

/// The lines of a reply, without their ends and without the prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    lines: Vec<Vec<u8>>,
    /// Among them are lines that a script has printed meanwhile.
    mixed: bool,
}

impl Reply {
    /// Of these lines.
    pub(crate) fn new(lines: Vec<Vec<u8>>) -> Reply {
        Reply { lines, mixed: false }
    }

    /// Of these lines, among which are such as came unasked.
    pub(super) fn mixed(lines: Vec<Vec<u8>>) -> Reply {
        Reply { lines, mixed: true }
    }

    /// The lines: any bytes whatever.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.iter().map(Vec::as_slice)
    }

    /// The first line; empty if there is none.
    pub(crate) fn first(&self) -> &[u8] {
        self.lines.first().map_or(b"", Vec::as_slice)
    }

    /// The first line that begins with a text, behind that text.
    pub(crate) fn after(&self, text: &str) -> Option<&[u8]> {
        self.lines().find_map(|line| line.strip_prefix(text.as_bytes()))
    }

    /// Whether a line begins with a text.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.after(text).is_some()
    }

    /// Whether the command was refused.
    pub(crate) fn is_refusal(&self) -> bool {
        self.beginnings().any(is_refusal)
    }

    /// Whether it was refused because the configuration is locked.
    pub(crate) fn is_locked(&self) -> bool {
        self.beginnings().any(|line| line.starts_with(b"Invalid command. Config locked"))
    }

    /// The lines that may be its first.
    fn beginnings(&self) -> impl Iterator<Item = &[u8]> {
        self.lines().take(if self.mixed { usize::MAX } else { 1 })
    }
}

/// Whether a reply that begins so is a refusal.
fn is_refusal(first: &[u8]) -> bool {
    let variable = first.starts_with(b"@") && contains(first, b" not written: ");
    variable
        || contains(first, b"unsuccessfully: ")
        || REFUSALS.iter().any(|refusal| first.starts_with(refusal))
}

/// As it may be shown: a line each, without an end behind the last.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, line) in self.lines.iter().enumerate() {
            let end = if at == 0 { "" } else { "\n" };
            write!(f, "{end}{}", shown(line))?;
        }
        Ok(())
    }
}

/// A line of a device as it may be shown: what a terminal would obey stands as `\xhh`, tabs stay.
pub(crate) fn shown(line: &[u8]) -> String {
    let mut text = String::new();
    for (at, part) in line.split(|byte| *byte == b'\t').enumerate() {
        if at > 0 {
            text.push('\t');
        }
        text += &Printable(part).to_string();
    }
    text
}

/// Whether a text stands in a line.
pub(crate) fn contains(line: &[u8], text: &[u8]) -> bool {
    line.windows(text.len()).any(|part| part == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(text: &str) -> Reply {
        Reply::new(text.lines().map(|line| line.as_bytes().to_vec()).collect())
    }

    #[test]
    fn refusals_are_told_from_answers() {
        for refused in [
            "Invalid Command\nhelp lists the commands",
            "Invalid command. Config locked\nunlock PASSWORD first",
            "Invalid argument: no such parameter, see help set",
            "@1 not written: the flash is full",
            "Saved retained topics unsuccessfully: the flash is full",
            "Script upload refused: another upload is under way",
        ] {
            assert!(reply(refused).is_refusal(), "{refused}");
        }
        for fine in ["", "Config saved", "mqtt_id set to x", "@1 written to flash", "No script"] {
            assert!(!reply(fine).is_refusal(), "{fine}");
        }
        assert!(reply("Invalid command. Config locked").is_locked());
        let lines = vec![b"printed".to_vec(), b"Invalid Command".to_vec()];
        assert!(!Reply::new(lines.clone()).is_refusal() && Reply::mixed(lines).is_refusal());
    }

    #[test]
    fn nothing_of_it_can_command_a_terminal() {
        let reply = Reply::new(vec![b"a\x1b[2J\tb".to_vec(), b"\xff".to_vec()]);
        assert_eq!(reply.to_string(), "a\\x1b[2J\tb\n\\xff");
    }

    #[test]
    fn a_line_is_found_by_how_it_begins() {
        let reply = reply("umqtt 0.1.0\nFree mem: 21344");
        assert_eq!(reply.first(), b"umqtt 0.1.0");
        assert_eq!(reply.after("Free mem: "), Some(&b"21344"[..]));
        assert!(!reply.has("System uptime"));
    }
}
