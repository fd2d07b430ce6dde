//! Where a script can be cut, so that each piece compiles by itself: at an `on` or `config` that is
//! the first word of its line, which starts a statement whatever comes before it; and at a `sub` or
//! `const` there, which are no reserved words and start one only with what follows: a name and
//! `do`, a variable and `=`.

use core::ops::Range;

use crate::lexer::is_word_end;
use crate::tokens::of_word;

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
pub(crate) const AT_ONCE: usize = 128;

/// A piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// What to read: the piece, and the words that start the next one, by which its end is known
    /// and which messages name.
    pub(crate) read: Range<usize>,
    /// How long the piece itself is.
    pub(crate) len: usize,
    /// The word `const` is in it, which may start a statement.
    pub(crate) has_constant: bool,
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
/// Words behind which a value is due, so that `const` is one, though another value may follow.
const WANT_VALUE: [&[u8]; 3] = [b"local", b"remote", b"http_post"];
/// The longest of all these, and of the words that can be no name.
const LONGEST: usize = 9;

/// What has to follow for a word to start a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Follow {
    /// A name and `do`.
    Name,
    /// `do`.
    Do,
    /// A variable and `=`.
    Variable,
    /// `=`.
    Equal,
}

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
            wants_value: false,
            may_start: None,
            cut: None,
            at: start,
            begun: start,
            longest,
            constants: 0,
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
        let has_constant = scan.constants > 0;
        let too_long = scan.too_long;
        Some(Some(Piece { read: start..source.len(), len, has_constant, too_long }))
    }

    /// A piece up to the word that has just ended, or to an earlier one, which is known now to
    /// start a statement.
    fn cut(&mut self, start: usize, scan: Scan) -> Piece {
        let Scan { at, cut, word_len, constants, too_long, .. } = scan;
        let (next, read) = cut.unwrap_or((at - word_len, at));
        self.at = next;
        Piece { read: start..read, len: next - start, has_constant: constants > 0, too_long }
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
    /// The word before is one of [`WANT_VALUE`].
    wants_value: bool,
    /// Where a word stands that starts the next piece if this follows.
    may_start: Option<(usize, Follow)>,
    /// Where the next piece starts, if not with the word that has just ended, and how far that was
    /// read to know it.
    cut: Option<(usize, usize)>,
    /// Where the next byte is, and where the word or string at hand has begun.
    at: usize,
    begun: usize,
    /// Most bytes of a value.
    longest: usize,
    /// How often `const` is in it.
    constants: usize,
    too_long: Option<LongLiteral>,
}

impl Scan {
    /// Takes the next byte; true if it is known now where the next piece starts.
    fn byte(&mut self, byte: u8) -> bool {
        let ended = self.step(byte) || self.cut.is_some();
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
                self.no_word(byte);
                (self.begun, self.word_len) = (self.at, 0);
                In::String
            }
            _ if self.config == Config::Value => {
                self.begin_word(byte);
                In::Raw
            }
            _ if byte != b'\\' && is_word_end(byte) => {
                self.no_word(byte);
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
        let wants_value = core::mem::replace(&mut self.wants_value, WANT_VALUE.contains(&word));
        let may_be_first = self.word_first && self.words > 0 && self.config == Config::No;
        self.may_start = match self.may_start.take() {
            Some((start, Follow::Name)) if self.is_name() => Some((start, Follow::Do)),
            Some((start, Follow::Do)) if word == b"do" => {
                self.cut = Some((start, self.at));
                return true;
            }
            Some((start, Follow::Variable)) if self.word[0] == b'$' && self.word_len > 1 => {
                Some((start, Follow::Equal))
            }
            _ if !may_be_first || self.inside == In::Raw => None,
            _ => match word {
                b"sub" => Some((self.begun, Follow::Name)),
                b"const" if !wants_value => Some((self.begun, Follow::Variable)),
                _ => None,
            },
        };
        self.constants += usize::from(word == b"const");
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

    /// Whether the word at hand can be the name of a sub.
    fn is_name(&self) -> bool {
        match self.word.get(..self.word_len) {
            Some(word) => of_word(word, b"").is_name(),
            // Longer than all that are none, but for those that are told by their first byte.
            None => !matches!(self.word[0], b'$' | b'#' | b'@'),
        }
    }

    /// A string or a sign, by its first byte.
    fn no_word(&mut self, byte: u8) {
        if let Some((start, Follow::Equal)) = self.may_start.take()
            && byte == b'='
        {
            self.cut = Some((start, self.at + 1));
            // It is in the next piece.
            self.constants -= 1;
        }
        self.wants_value = false;
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
            let is_start = |word: &str| behind.split_whitespace().next() == Some(word);
            assert!(
                behind.is_empty() || ["on", "config", "sub", "const"].into_iter().any(is_start)
            );
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
    fn a_sub_or_constant_is_known_by_what_follows() {
        assert_eq!(
            pieces("on a do x\n sub b do y\nconst $c = 1\nconst $d=2\nsub\ndo\nsub e\ndo z"),
            [
                "on a do x\n ",
                "sub b do y\n",
                "const $c = 1\n",
                "const $d=2\nsub\ndo\n",
                "sub e\ndo z"
            ]
        );
        for whole in [
            "on a do print\nsub\nif b do",
            "on a do publish local\nconst $x = 1",
            "on a do publish remote % why\nconst $x = 1",
            "on a do http_post\nconst $x = 1",
            "on a do print\nconst x = 1",
            "on a do print\nconst $ = 1",
            "on a do print\nconst $x \"=\" 1",
            "on a do print x sub b do",
            "on a do print x\n\"sub\" b do",
            "on a do print x\nsub $b do",
            "on a do print x\nsub and do",
            "on a do print x\nsub str_gte do",
            "on a do print x\nsub #a_long_name do",
            "config\nsub b do",
        ] {
            assert_eq!(pieces(whole), [whole]);
        }
        assert_eq!(pieces("x\nsub a_long_name do\nsub http_post do").len(), 3);
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
