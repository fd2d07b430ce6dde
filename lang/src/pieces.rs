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
    /// The first string or hex value in it that is longer than a value may be: known before there
    /// is memory for the piece.
    pub(crate) too_long: Option<LongLiteral>,
}

/// A literal that is longer than a value may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LongLiteral {
    /// Where it stands in the script.
    pub(crate) at: Range<usize>,
    /// Bytes of the value.
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
    /// The next piece: `Some(None)` at the end, `None` if the source cannot be read. A value has at
    /// most `longest` bytes.
    #[inline(never)]
    pub(crate) fn next(
        &mut self,
        source: &mut dyn Source,
        longest: usize,
    ) -> Option<Option<Piece>> {
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
            at: start,
            begun: start,
            longest,
            too_long: None,
        };
        let mut buffer = [0; AT_ONCE];
        let mut at = start;
        while at < source.len() {
            let len = AT_ONCE.min(source.len() - at);
            if !source.read(at, &mut buffer[..len]) {
                return None;
            }
            for byte in &buffer[..len] {
                if scan.byte(*byte) {
                    return Some(Some(self.cut(start, scan)));
                }
                scan.at += 1;
            }
            at += len;
        }
        let len = source.len() - start;
        if scan.inside == In::Word && scan.end_word() {
            return Some(Some(self.cut(start, scan)));
        }
        self.at = source.len();
        Some(Some(Piece { read: start..source.len(), len, too_long: scan.too_long }))
    }

    /// A piece up to the word that has just ended.
    fn cut(&mut self, start: usize, scan: Scan) -> Piece {
        self.at = scan.at - scan.word_len;
        Piece { read: start..scan.at, len: self.at - start, too_long: scan.too_long }
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
    /// Bytes of it, or of the value of the string at hand.
    word_len: usize,
    /// It is the first on its line.
    word_first: bool,
    /// Words, strings and signs before.
    words: usize,
    /// Where the next byte is, and where the word or string at hand has begun.
    at: usize,
    begun: usize,
    /// Most bytes of a value.
    longest: usize,
    too_long: Option<LongLiteral>,
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
                b'"' => {
                    self.literal(self.word_len, self.at + 1);
                    self.inside = In::Gap;
                }
                _ => self.word_len += 1,
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
                if self.word[0] == b'#' {
                    self.literal(self.word_len / 2, self.at);
                }
                let ended = self.end_word();
                self.begin(byte);
                return ended;
            }
            In::Gap => self.begin(byte),
        }
        false
    }

    /// A literal of so many bytes ends there.
    fn literal(&mut self, len: usize, end: usize) {
        if len > self.longest && self.too_long.is_none() {
            self.too_long = Some(LongLiteral { at: self.begun..end, len });
        }
    }

    /// The first byte of something.
    fn begin(&mut self, byte: u8) {
        self.inside = match byte {
            b'%' => In::Comment,
            0..=b' ' => In::Gap,
            b'"' => {
                self.no_word();
                (self.begun, self.word_len) = (self.at, 0);
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
        (self.begun, self.word_len) = (self.at, 0);
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

    use super::{LongLiteral, Pieces};

    fn pieces(script: &str) -> Vec<&str> {
        let mut source = script.as_bytes();
        let (mut pieces, mut found) = (Pieces::default(), Vec::new());
        while let Some(piece) = pieces.next(&mut source, usize::MAX).unwrap() {
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
    fn the_first_literal_that_is_too_long_is_known() {
        fn found(script: &str) -> Option<(&str, usize)> {
            let piece = Pieces::default().next(&mut script.as_bytes(), 4).unwrap().unwrap();
            piece.too_long.map(|LongLiteral { at, len }| (&script[at], len))
        }
        assert_eq!(
            found("print \"1234\" print \"12345\" print \"123456\" "),
            Some(("\"12345\"", 5))
        );
        assert_eq!(found(r#"print "1\"3\\" print "12\"45""#), Some((r#""12\"45""#, 5)));
        assert_eq!(found("print #01020304 print #0102030405 x"), Some(("#0102030405", 5)));
        assert_eq!(found("println 12 % \"12345\"\n printed \"12345"), None);
    }

    #[test]
    fn the_value_of_a_config_line_ends_at_white_space() {
        assert_eq!(pieces("config a b\"c\non d\""), ["config a b\"c\n", "on d\""]);
        assert_eq!(pieces("config a \"b\non c\""), ["config a \"b\non c\""]);
        assert_eq!(pieces("config a\non c"), ["config a\n", "on c"]);
        assert_eq!(pieces("config a b=\\\non c"), ["config a b=\\\non c"]);
    }
}
