//! Where a script can be cut, so that each piece compiles by itself: at an `on` or `config` that is
//! the first word of its line, which starts a statement whatever comes before it.

use core::ops::Range;

use crate::lexer::is_word_end;

/// A script that is read piece by piece.
pub trait Source {
    /// Its length, bytes.
    fn len(&self) -> usize;

    /// Whether there is nothing in it.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads as many bytes as there is space for, from `offset` on; false if that fails. Nothing
    /// behind the end is asked for.
    fn read(&mut self, offset: usize, into: &mut [u8]) -> bool;
}

impl Source for &[u8] {
    fn len(&self) -> usize {
        <[u8]>::len(self)
    }

    fn read(&mut self, offset: usize, into: &mut [u8]) -> bool {
        let found = self.get(offset..).and_then(|rest| rest.get(..into.len()));
        found.map(|bytes| into.copy_from_slice(bytes)).is_some()
    }
}

/// Bytes looked at together.
const AT_ONCE: usize = 128;

/// A piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// What to read: the piece, and the word that starts the next one, for messages that name it.
    pub(crate) read: Range<usize>,
    /// How long the piece itself is.
    pub(crate) len: usize,
}

/// The pieces of a script, in order.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    at: usize,
}

/// What the bytes at hand belong to; as the lexer has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum In {
    Gap,
    Comment,
    String,
    Word,
    /// The value of a `config` line, which ends at white space only.
    Raw,
}

/// How far into a `config` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Config {
    No,
    /// Its name comes next.
    Name,
    /// Its value comes next.
    Value,
}

/// Words that start statements.
const STARTS: [&[u8]; 2] = [b"on", b"config"];
/// The longest of them.
const LONGEST: usize = 6;

impl Pieces {
    /// The next piece: `Some(None)` at the end, `None` if the source cannot be read.
    #[inline(never)]
    pub(crate) fn next(&mut self, source: &mut dyn Source) -> Option<Option<Piece>> {
        let start = self.at;
        if start >= source.len() {
            return Some(None);
        }
        let mut scan = Scan {
            inside: In::Gap,
            escaped: false,
            blank: true,
            config: Config::No,
            word: [0; LONGEST],
            word_len: 0,
            word_first: false,
            words: 0,
        };
        let mut buffer = [0; AT_ONCE];
        let mut at = start;
        while at < source.len() {
            let len = AT_ONCE.min(source.len() - at);
            if !source.read(at, &mut buffer[..len]) {
                return None;
            }
            for (offset, byte) in (at..).zip(&buffer[..len]) {
                if scan.byte(*byte) {
                    return Some(Some(self.cut(start, offset, scan.word_len)));
                }
            }
            at += len;
        }
        let len = source.len() - start;
        if scan.inside == In::Word && scan.end_word() {
            return Some(Some(self.cut(start, source.len(), scan.word_len)));
        }
        self.at = source.len();
        Some(Some(Piece { read: start..source.len(), len }))
    }

    /// A piece up to the word of `len` bytes that ends at `end`.
    fn cut(&mut self, start: usize, end: usize, len: usize) -> Piece {
        self.at = end - len;
        Piece { read: start..end, len: self.at - start }
    }
}

struct Scan {
    inside: In,
    /// The byte before was a `\` that takes this one with it.
    escaped: bool,
    /// Nothing but white space on this line so far.
    blank: bool,
    config: Config,
    /// How the word at hand begins.
    word: [u8; LONGEST],
    word_len: usize,
    /// It is the first on its line.
    word_first: bool,
    /// Words, strings and signs before.
    words: usize,
}

impl Scan {
    /// Takes the next byte; true if a word before it has just ended that starts the next piece.
    fn byte(&mut self, byte: u8) -> bool {
        let ended = self.step(byte);
        match byte {
            b'\n' => self.blank = true,
            0..=b' ' => {}
            _ => self.blank = false,
        }
        ended
    }

    fn step(&mut self, byte: u8) -> bool {
        if core::mem::take(&mut self.escaped) {
            self.add(byte);
            return false;
        }
        match self.inside {
            In::Comment => {
                if byte == b'\n' {
                    self.inside = In::Gap;
                }
            }
            In::String => match byte {
                b'\\' => self.escaped = true,
                b'"' => self.inside = In::Gap,
                _ => {}
            },
            In::Raw => match byte {
                b'\\' => {
                    self.escaped = true;
                    self.add(byte);
                }
                0..=b' ' | b'%' => {
                    let ended = self.end_word();
                    self.begin(byte);
                    return ended;
                }
                _ => self.add(byte),
            },
            In::Word if byte == b'\\' => {
                self.escaped = true;
                self.add(byte);
            }
            In::Word if !is_word_end(byte) => self.add(byte),
            In::Word => {
                let ended = self.end_word();
                self.begin(byte);
                return ended;
            }
            In::Gap => self.begin(byte),
        }
        false
    }

    /// The first byte of something.
    fn begin(&mut self, byte: u8) {
        self.inside = match byte {
            b'%' => In::Comment,
            0..=b' ' => In::Gap,
            b'"' => {
                self.no_word();
                In::String
            }
            _ if self.config == Config::Value => {
                self.begin_word(byte);
                In::Raw
            }
            _ if byte != b'\\' && is_word_end(byte) => {
                self.no_word();
                In::Gap
            }
            _ => {
                self.begin_word(byte);
                In::Word
            }
        };
    }

    fn begin_word(&mut self, byte: u8) {
        self.word_len = 0;
        self.word_first = self.blank;
        self.escaped = byte == b'\\';
        self.add(byte);
    }

    fn add(&mut self, byte: u8) {
        if let Some(place) = self.word.get_mut(self.word_len) {
            *place = byte;
        }
        self.word_len += 1;
    }

    /// A word has ended; true if it starts the next piece.
    fn end_word(&mut self) -> bool {
        let word = self.word.get(..self.word_len).unwrap_or_default();
        if STARTS.contains(&word) {
            if self.word_first && self.words > 0 {
                return true;
            }
            self.words += 1;
            self.config = if word == b"config" { Config::Name } else { Config::No };
        } else {
            self.words += 1;
            self.config = match (self.config, word.first()) {
                // What cannot be a name is an error, and what comes then is no value.
                (Config::Name, Some(b'$' | b'#')) => Config::No,
                (Config::Name, _) => Config::Value,
                _ => Config::No,
            };
        }
        false
    }

    /// A string or a sign.
    fn no_word(&mut self) {
        self.words += 1;
        self.config = Config::No;
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::Pieces;

    fn pieces(script: &str) -> Vec<&str> {
        let mut source = script.as_bytes();
        let (mut pieces, mut found) = (Pieces::default(), Vec::new());
        while let Some(piece) = pieces.next(&mut source).unwrap() {
            found.push(&script[piece.read.start..piece.read.start + piece.len]);
            let behind = &script[piece.read.start + piece.len..piece.read.end];
            assert!(["", "on", "config"].contains(&behind), "{behind}");
        }
        found
    }

    #[test]
    fn a_script_is_cut_where_a_line_starts_a_statement() {
        assert_eq!(
            pieces("% on\non init do\n print on\n \ton timer 1 do x\nconfig a b\non"),
            ["% on\non init do\n print on\n \t", "on timer 1 do x\n", "config a b\n", "on"]
        );
        assert_eq!(
            pieces("on a\nonce b\n\"\non c\"\n\\on\no\\n"),
            ["on a\nonce b\n\"\non c\"\n\\on\no\\n"]
        );
        assert_eq!(pieces("on a %\"\non b \\\"\non c"), ["on a %\"\n", "on b \\\"\n", "on c"]);
        assert_eq!(pieces(""), [""; 0]);
    }

    #[test]
    fn the_value_of_a_config_line_ends_at_white_space() {
        assert_eq!(pieces("config a b\"c\non d\""), ["config a b\"c\n", "on d\""]);
        assert_eq!(pieces("config a \"b\non c\""), ["config a \"b\non c\""]);
        assert_eq!(pieces("config a\non c"), ["config a\n", "on c"]);
        assert_eq!(pieces("config a b=\\\non c"), ["config a b=\\\non c"]);
    }
}
