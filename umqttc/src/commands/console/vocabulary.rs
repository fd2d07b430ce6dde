//! The words a device knows, for completion: its commands and settings, and the topics it has.

use std::collections::BTreeSet;

use umqtt_device::console::words::Quoted;
use umqtt_device::settings::TABLE;

use crate::remote::variables::unescape;
use crate::remote::{ConsoleClient, RemoteError, Reply};

/// Most words of a kind.
const MOST: usize = 1000;

/// The words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Vocabulary {
    /// Commands, and the words that may follow: `show`, `config`.
    commands: BTreeSet<String>,
    follow: BTreeSet<(String, String)>,
    settings: BTreeSet<String>,
    topics: BTreeSet<String>,
}

impl Vocabulary {
    /// Asks a device; what it does not tell while it is locked is missing.
    pub(super) fn ask(console: &mut ConsoleClient) -> Result<Vocabulary, RemoteError> {
        let mut words = Vocabulary::default();
        words.read_help(&console.command("help")?);
        words.read_config(&console.command("show config")?);
        words.read_mqtt(&console.command("show mqtt")?);
        Ok(words)
    }

    /// What may stand at the end of a line in the place of its last word.
    pub(super) fn complete(&self, line: &str) -> (usize, Vec<String>) {
        // As the console parts words.
        let blanks = [' ', '\t'];
        let start = line.rfind(blanks).map_or(0, |at| at + 1);
        let (before, word) = line.split_at(start);
        let before: Vec<&str> = before.split(blanks).filter(|word| !word.is_empty()).collect();
        let starts = |candidate: &&String| candidate.starts_with(word);
        let found: Vec<String> = match before.as_slice() {
            [] => self.commands.iter().filter(starts).cloned().collect(),
            ["help"] => {
                self.commands.iter().chain(&self.settings).filter(starts).cloned().collect()
            }
            ["set"] => {
                let variables = (1..=16).map(|number| format!("@{number}"));
                let settings = self.settings.iter().cloned().chain(variables);
                settings.filter(|name| name.starts_with(word)).collect()
            }
            ["publish", _] => self.topics.iter().filter(starts).cloned().collect(),
            ["publish", _, _, _] if "retained".starts_with(word) => vec!["retained".to_owned()],
            [command] => {
                let follow = self.follow.iter().filter(|(of, _)| of == command);
                follow.map(|(_, word)| word).filter(starts).cloned().collect()
            }
            _ => Vec::new(),
        };
        (start, found)
    }

    /// `show [config|stats|script [LINE]]: shows ...`
    fn read_help(&mut self, reply: &Reply) {
        for line in reply.lines().take(MOST) {
            let Ok(line) = str::from_utf8(line) else { continue };
            let Some((usage, _)) = line.split_once(": ") else { continue };
            let (command, arguments) = usage.split_once(' ').unwrap_or((usage, ""));
            if !is_word(command) {
                continue;
            }
            self.commands.insert(command.to_owned());
            // The alternatives for the first argument: those in capitals stand for something.
            let first = match arguments.strip_prefix('[') {
                Some(rest) => rest.rsplit_once(']').map_or(rest, |(inside, _)| inside),
                None => arguments.split(' ').next().unwrap_or_default(),
            };
            for part in first.split('|') {
                let word = part.split(' ').next().unwrap_or_default();
                if is_word(word) {
                    self.follow.insert((command.to_owned(), word.to_owned()));
                }
            }
        }
    }

    fn read_config(&mut self, reply: &Reply) {
        for line in reply.lines() {
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
            if let Some(spec) = TABLE.iter().find(|spec| spec.name.as_bytes() == name) {
                self.settings.insert(spec.name.to_owned());
            }
        }
        if !self.settings.is_empty() {
            let unsaved = TABLE.iter().filter(|spec| !spec.saved && spec.needs.is_none());
            self.settings.extend(unsaved.map(|spec| spec.name.to_owned()));
        }
    }

    /// `"stat/relay" len: 3 (QoS 0)`, `mosq-2: "command/relay" (QoS 2)`: no filters.
    fn read_mqtt(&mut self, reply: &Reply) {
        for line in reply.lines() {
            let Some(at) = line.iter().position(|byte| *byte == b'"') else { continue };
            let topic = line.get(at + 1..).unwrap_or_default();
            let Some(end) = topic.iter().rposition(|byte| *byte == b'"') else { continue };
            let topic = unescape(topic.get(..end).unwrap_or_default());
            let is_filter = topic.iter().any(|byte| matches!(byte, b'+' | b'#'));
            if !topic.is_empty() && !is_filter && self.topics.len() < MOST {
                self.topics.insert(Quoted(&topic).to_string());
            }
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(command: &str) -> Reply {
        let page = include_str!("../../../../firmware/device/docs/console.md");
        let (_, shown) = page.split_once(&format!("CMD>{command}\n")).unwrap();
        let end = shown.find("\nCMD>").into_iter().chain(shown.find("\n```")).min().unwrap();
        Reply::new(shown[..end].lines().map(|line| line.as_bytes().to_vec()).collect())
    }

    fn words() -> Vocabulary {
        let mut words = Vocabulary::default();
        words.read_help(&shown("help"));
        words.read_config(&shown("show config"));
        words.read_mqtt(&shown("show mqtt"));
        words
    }

    #[test]
    fn what_a_device_knows_completes_its_lines() {
        let words = words();
        for (line, start, expected) in [
            ("sh", 0, &["show"][..]),
            ("save", 0, &["save", "save_retained"]),
            ("show s", 5, &["script", "stats"]),
            ("set broker_p", 4, &["broker_password", "broker_port"]),
            ("set @1", 4, &["@1", "@10", "@11", "@12", "@13", "@14", "@15", "@16"]),
            ("set broker_port ", 16, &[]),
            ("publish l", 8, &["local"]),
            ("publish local s", 14, &["stat/relay"]),
            ("publish local a b re", 18, &["retained"]),
            ("script d", 7, &["delete"]),
            ("help sa", 5, &["save", "save_retained"]),
            ("reset ", 6, &["factory"]),
            ("frobnicate a", 11, &[]),
            // A blank for others, but not for the console.
            ("show\u{2000}", 0, &[]),
        ] {
            let (at, found) = words.complete(line);
            assert_eq!(
                (at, found),
                (start, expected.iter().map(|w| (*w).to_owned()).collect()),
                "{line}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_reply_and_any_line(lines: Vec<Vec<u8>>, line: String) {
            let mut words = words();
            let reply = Reply::new(lines);
            words.read_help(&reply);
            words.read_config(&reply);
            words.read_mqtt(&reply);
            let (start, _) = words.complete(&line);
            proptest::prop_assert!(line.is_char_boundary(start));
        }
    }
}
