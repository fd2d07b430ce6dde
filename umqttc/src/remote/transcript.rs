//! What a console sends, taken apart: lines and prompts.
//!
//! A line ends with CR LF. The prompt `CMD>` begins a line and has no end. What comes unasked takes
//! the prompt's place: it begins with CR, and with blanks and another CR where it is shorter than
//! what it covers.

use super::ProtocolError;

/// What a console shows when it waits for a command.
pub(crate) const PROMPT: &[u8] = b"CMD>";

/// Longer lines come in pieces of so many bytes: a script may print for ever without ending one.
pub(crate) const MAX_LINE: usize = 8 * 1024;

/// Most blanks that cover what was there.
const MAX_BLANKS: usize = 512;

/// A part of what a console sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// It waits for a command.
    Prompt,
    /// A line, without its end.
    Line {
        /// Any bytes whatever.
        text: Vec<u8>,
        /// It took the place of the prompt, and of what was typed.
        over_prompt: bool,
    },
}

/// Takes bytes, leaves [`Item`]s.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    /// What has come of a line that has not ended.
    pending: Vec<u8>,
    /// The line began with CR.
    over_prompt: bool,
}

/// What stands at the beginning of the bytes that have come.
enum Found {
    Item(Item),
    /// More has to come before that can be told.
    Nothing,
    /// A CR that takes the prompt's place, and what covers it.
    Lead(usize),
}

impl Transcript {
    /// Takes bytes and gives what they complete to `each`.
    ///
    /// # Errors
    /// Those of `each`.
    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        each: &mut dyn FnMut(Item) -> Result<(), ProtocolError>,
    ) -> Result<(), ProtocolError> {
        self.pending.extend_from_slice(bytes);
        let mut taken = 0;
        let result = loop {
            let rest = self.pending.get(taken..).unwrap_or_default();
            let (found, len) = first(rest, self.over_prompt);
            match found {
                Found::Nothing => break Ok(()),
                Found::Lead(len) => {
                    self.over_prompt = true;
                    taken += len;
                }
                Found::Item(item) => {
                    self.over_prompt = false;
                    taken += len;
                    if let Err(error) = each(item) {
                        break Err(error);
                    }
                }
            }
        };
        self.pending.drain(..taken);
        result
    }

    /// Whether a line has begun and not ended.
    pub(crate) fn is_in_line(&self) -> bool {
        !self.pending.is_empty() || self.over_prompt
    }

    /// Nothing more comes: the line that has begun, if there is one.
    pub(crate) fn finish(&mut self) -> Option<Vec<u8>> {
        self.over_prompt = false;
        let mut rest = std::mem::take(&mut self.pending);
        while rest.last() == Some(&b'\r') {
            rest.pop();
        }
        (!rest.is_empty()).then_some(rest)
    }
}

/// The first item of these bytes, and how many bytes it takes.
fn first(bytes: &[u8], over_prompt: bool) -> (Found, usize) {
    if bytes.first() == Some(&b'\r') {
        return match bytes.get(1) {
            None => (Found::Nothing, 0),
            Some(b'\n') => line(b"", over_prompt, 2),
            Some(_) => (Found::Lead(1), 0),
        };
    }
    if over_prompt {
        // Blanks up to another CR cover what was there.
        let blanks = bytes.iter().take_while(|byte| **byte == b' ').count();
        match bytes.get(blanks..).unwrap_or_default() {
            [] | [b'\r'] if blanks <= MAX_BLANKS => return (Found::Nothing, 0),
            [b'\r', next, ..] if *next != b'\n' && (1..=MAX_BLANKS).contains(&blanks) => {
                return (Found::Lead(blanks + 1), 0);
            }
            _ => {}
        }
    }
    if bytes.starts_with(PROMPT) {
        return (Found::Item(Item::Prompt), PROMPT.len());
    }
    for (at, byte) in bytes.iter().enumerate().take(MAX_LINE + 1) {
        match (byte, bytes.get(at + 1)) {
            (b'\n', _) => return line(bytes.get(..at).unwrap_or_default(), over_prompt, at + 1),
            (b'\r', Some(b'\n')) => {
                return line(bytes.get(..at).unwrap_or_default(), over_prompt, at + 2);
            }
            (b'\r', None) => break,
            // What comes unasked, behind a line that was left open.
            (b'\r', Some(_)) => {
                return line(bytes.get(..at).unwrap_or_default(), over_prompt, at);
            }
            _ => {}
        }
    }
    match bytes.get(..MAX_LINE) {
        Some(piece) if bytes.len() > MAX_LINE + 1 => line(piece, over_prompt, MAX_LINE),
        _ => (Found::Nothing, 0),
    }
}

fn line(text: &[u8], over_prompt: bool, len: usize) -> (Found, usize) {
    (Found::Item(Item::Line { text: text.to_vec(), over_prompt }), len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(pieces: &[&[u8]]) -> Vec<Item> {
        let (mut transcript, mut items) = (Transcript::default(), Vec::new());
        for piece in pieces {
            transcript
                .push(piece, &mut |item| {
                    items.push(item);
                    Ok(())
                })
                .unwrap();
        }
        items
    }

    fn reply(text: &str) -> Item {
        Item::Line { text: text.into(), over_prompt: false }
    }

    fn unasked(text: &str) -> Item {
        Item::Line { text: text.into(), over_prompt: true }
    }

    #[test]
    fn a_reply_and_a_line_that_takes_the_place_of_the_prompt() {
        let session = b"CMD>Config saved\r\nCMD>\r      \rhi\r\nCMD>\rlonger\r\nand more\r\nCMD>";
        let expected = [
            Item::Prompt,
            reply("Config saved"),
            Item::Prompt,
            unasked("hi"),
            Item::Prompt,
            unasked("longer"),
            reply("and more"),
            Item::Prompt,
        ];
        assert_eq!(items(&[session]), expected);
        let bytes: Vec<&[u8]> = session.chunks(1).collect();
        assert_eq!(items(&bytes), expected);
    }

    #[test]
    fn empty_lines_and_blanks_stay() {
        assert_eq!(items(&[b"\r\n  a \r\n\n"]), [reply(""), reply("  a "), reply("")]);
        assert_eq!(items(&[b"\r   \r\n\r   x\r\n"]), [unasked("   "), unasked("   x")]);
    }

    #[test]
    fn a_report_behind_an_open_line() {
        assert_eq!(
            items(&[b"\rno end\rSyntax okay\r\nCMD>"]),
            [unasked("no end"), unasked("Syntax okay"), Item::Prompt]
        );
    }

    #[test]
    fn a_line_without_end_comes_in_pieces() {
        let long = [b'x'; 3 * MAX_LINE];
        let pieces: Vec<&[u8]> = long.chunks(1000).collect();
        let found = items(&pieces);
        assert_eq!(found, items(&[&long]));
        assert_eq!(found, [reply(&"x".repeat(MAX_LINE)), reply(&"x".repeat(MAX_LINE))]);
        for len in [MAX_LINE - 1, MAX_LINE] {
            let line = "x".repeat(len);
            assert_eq!(items(&[format!("{line}\r\n").as_bytes()]), [reply(&line)]);
        }
    }

    #[test]
    fn the_rest_at_the_end() {
        let mut transcript = Transcript::default();
        transcript.push(b"CMD>Too many\r", &mut |_| Ok(())).unwrap();
        assert!(transcript.is_in_line());
        assert_eq!(transcript.finish(), Some(b"Too many".to_vec()));
        assert_eq!(transcript.finish(), None);
    }

    proptest::proptest! {
        /// However the network parts the bytes, the same comes of them.
        #[test]
        fn pieces_make_no_difference(
            bytes in proptest::collection::vec(proptest::prop_oneof![
                proptest::strategy::Just(b"\r".to_vec()),
                proptest::strategy::Just(b"\r\n".to_vec()),
                proptest::strategy::Just(b"CMD>".to_vec()),
                proptest::strategy::Just(b"CM".to_vec()),
                proptest::strategy::Just(b"  ".to_vec()),
                proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..4),
            ], 0..40),
            size in 1usize..9,
        ) {
            let bytes = bytes.concat();
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            proptest::prop_assert_eq!(items(&[&bytes]), items(&pieces));
        }

        /// Nothing is lost but line ends, prompts and what covers them.
        #[test]
        fn lines_come_as_they_were_sent(lines in proptest::collection::vec("[ -BD-~]{0,20}", 0..20)) {
            let sent: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            let expected: Vec<Item> = lines.iter().map(|line| reply(line)).collect();
            proptest::prop_assert_eq!(items(&[sent.as_bytes()]), expected);
        }
    }
}
