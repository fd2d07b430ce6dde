//! The token stream of one statement: cuts the script at `on` and `config`, which cannot be values,
//! keeps nesting within its limit before the parser sees it, and reads the raw value of a `config`
//! line.
//!
//! It also keeps what recovery from an error needs: which `if` and `while` are open.

mod parser_state;

use alloc::vec::Vec;

use logos::{Lexer, Logos};
use umqtt_vm::words::Trigger;

use crate::ast::Span;
use crate::budget::MemoryBudget;
use crate::diagnostic::Code;
use crate::lexer::{Lexeme, gap_len, raw_word_len};
use crate::tokens::{self, Token};
pub(crate) use parser_state::{BlockPart, OpenBlock, ParserState};

/// What some editors put before the first byte of a text; it means nothing.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a sub starts with.
const SUB: &[u8] = b"sub";

/// Most words and signs of the time behind `every` and `clock`: more are an error.
const MOST_TIME_WORDS: usize = 12;

/// What keeps the stream from going on. The parser passes it through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LexError {
    /// What.
    pub(crate) code: Code,
    /// Where.
    pub(crate) span: Span,
}

/// A token and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpannedToken {
    /// What.
    pub(crate) token: Token,
    /// Where.
    pub(crate) span: Span,
}

impl SpannedToken {
    /// As the parser takes it.
    fn given(self) -> Result<(u32, Token, u32), LexError> {
        Ok((self.span.start, self.token, self.span.end))
    }
}

/// The tokens of a script, a statement at a time.
pub(crate) struct TokenStream<'s> {
    lexer: Lexer<'s, Lexeme>,
    /// Read, but not given out: what starts the next statement, or the place to go on at after an
    /// error.
    put_back: Option<SpannedToken>,
    /// Given out before anything else after an error, last first, so that the parser is where we
    /// are.
    replay: Vec<Token>,
    /// The token given out last; what it opens or closes is noted when the next one is asked for,
    /// because the parser may refuse it.
    pub(crate) last: Option<SpannedToken>,
    /// The token before that.
    pub(crate) before_last: Option<SpannedToken>,
    /// Open blocks.
    pub(crate) blocks: Vec<OpenBlock>,
    /// Open brackets.
    brackets: usize,
    /// Most of both together.
    nesting: usize,
    /// What the blocks' memory is asked of; `None`: there is always room. Where it has none, a
    /// block is refused as too deep, and the budget knows.
    budget: Option<&'s MemoryBudget<'s>>,
    /// How far we are.
    pub(crate) state: ParserState,
    /// Where it went on after the last error, to be sure of getting ahead.
    pub(crate) resumed_at: Option<u32>,
    /// The first string that spans lines: the likely culprit when a string never ends.
    pub(crate) long_string: Option<Span>,
    /// Give out the tokens as they are written, without forgiving a missing or stray `endif`.
    verbatim: bool,
}

impl<'s> TokenStream<'s> {
    pub(crate) fn new(
        source: &'s [u8],
        nesting: usize,
        budget: Option<&'s MemoryBudget<'s>>,
    ) -> TokenStream<'s> {
        let mut lexer = Lexeme::lexer(source);
        if source.starts_with(BYTE_ORDER_MARK) {
            lexer.bump(BYTE_ORDER_MARK.len());
        }
        TokenStream {
            lexer,
            put_back: None,
            replay: Vec::new(),
            last: None,
            before_last: None,
            blocks: Vec::new(),
            brackets: 0,
            nesting,
            budget,
            state: ParserState::Start,
            resumed_at: None,
            long_string: None,
            verbatim: false,
        }
    }

    /// The tokens as they are written, for the formatter.
    pub(crate) fn verbatim(source: &'s [u8], nesting: usize) -> TokenStream<'s> {
        TokenStream { verbatim: true, ..TokenStream::new(source, nesting, None) }
    }

    /// The whole source.
    pub(crate) fn source(&self) -> &'s [u8] {
        self.lexer.source()
    }

    /// Makes ready for the next statement; false at the end of the script.
    pub(crate) fn begin(&mut self) -> bool {
        self.replay.clear();
        self.blocks.clear();
        self.brackets = 0;
        self.last = None;
        self.before_last = None;
        self.state = ParserState::Start;
        if self.put_back.is_some() {
            return true;
        }
        let rest = self.lexer.remainder();
        self.lexer.bump(gap_len(rest));
        !self.lexer.remainder().is_empty()
    }

    /// Where the next token is, after [`TokenStream::begin`].
    pub(crate) fn at(&self) -> usize {
        let read = self.source().len() - self.lexer.remainder().len();
        self.put_back.map_or(read, |placed| placed.span.start as usize)
    }

    /// The token behind the last one, which is not part of the statement: `on`, `config`, or the
    /// end.
    pub(crate) fn following(&self) -> Option<SpannedToken> {
        self.put_back
    }

    /// Reads a token without noting anything.
    pub(crate) fn pull(&mut self) -> Option<Result<SpannedToken, LexError>> {
        if let Some(placed) = self.put_back.take() {
            return Some(Ok(placed));
        }
        let lexeme = self.lexer.next()?;
        let range = self.lexer.span();
        let span = Span::new(range.start, range.end);
        let slice = self.lexer.slice();
        let token = match lexeme {
            Ok(Lexeme::Word) | Err(()) => match tokens::of_word(slice, self.lexer.remainder()) {
                Token::Word if self.starts_constant(slice) => Token::Const,
                Token::Word if self.starts_sub(slice) => Token::On,
                token => token,
            },
            Ok(Lexeme::Punctuation) => tokens::of_punctuation(slice[0]),
            Ok(Lexeme::String) => {
                if self.long_string.is_none() && slice.contains(&b'\n') {
                    self.long_string = Some(span);
                }
                Token::String
            }
            Ok(Lexeme::Unclosed) => {
                return Some(Err(LexError { code: Code::UnclosedString, span }));
            }
        };
        Some(Ok(SpannedToken { token, span }))
    }

    /// Whether a word is the `const` of a statement. It is no reserved word: where another could
    /// stand, `$name =` follows, and no value is due, of which two may stand side by side.
    fn starts_constant(&self, word: &[u8]) -> bool {
        if word != b"const" {
            return false;
        }
        match self.state {
            ParserState::Start | ParserState::ConfigEnd => return true,
            ParserState::Actions => {}
            _ => return false,
        }
        let before = self.last.or(self.before_last).map(|before| before.token);
        if let Some(Token::Side(_) | Token::PairAction(_)) = before {
            return false;
        }
        let mut behind = Lexeme::lexer(self.lexer.remainder());
        behind.next() == Some(Ok(Lexeme::Word))
            && behind.slice().starts_with(b"$")
            && behind.next() == Some(Ok(Lexeme::Punctuation))
            && behind.slice() == b"="
    }

    /// Whether a word is the `sub` of a statement. It is no reserved word: where another could
    /// stand, a name and `do` follow.
    fn starts_sub(&self, word: &[u8]) -> bool {
        if word != SUB {
            return false;
        }
        match self.state {
            ParserState::Start | ParserState::ConfigEnd => return true,
            ParserState::Actions => {}
            _ => return false,
        }
        let mut behind = Lexeme::lexer(self.lexer.remainder());
        behind.next() == Some(Ok(Lexeme::Word))
            && tokens::of_word(behind.slice(), behind.remainder()).is_name()
            && behind.next() == Some(Ok(Lexeme::Word))
            && behind.slice() == b"do"
    }

    /// Whether the statement at hand is a `sub` whose name comes next.
    pub(crate) fn wants_name(&self) -> bool {
        self.state == ParserState::Event
            && self.before_last.is_some_and(|before| {
                matches!(before.token, Token::On) && before.span.of(self.source()) == SUB
            })
    }

    /// Gives a token back, to be read again.
    pub(crate) fn put_back(&mut self, placed: SpannedToken) {
        self.put_back = Some(placed);
    }

    /// How much white space is before a token on its line, bytes; `None` unless it is the first
    /// there.
    pub(crate) fn indentation(&self, span: Span) -> Option<usize> {
        let before = &self.source()[..span.start as usize];
        let blanks = before.iter().rev().take_while(|&&byte| byte != b'\n' && byte <= b' ').count();
        let first = blanks == before.len() || before[before.len() - blanks - 1] == b'\n';
        first.then_some(blanks)
    }

    /// Whether a token is the first on its line.
    pub(crate) fn is_first_on_line(&self, span: Span) -> bool {
        self.indentation(span).is_some()
    }

    /// How much white space the line of a token begins with, bytes.
    pub(crate) fn line_indentation(&self, span: Span) -> usize {
        let before = &self.source()[..span.start as usize];
        let line = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        before[line..].iter().take_while(|&&byte| byte <= b' ').count()
    }

    /// Whether `on` or `config` starts a statement, as far as the next tokens show, and is not
    /// meant as a value.
    pub(crate) fn starts_statement(&self, placed: SpannedToken) -> bool {
        if self.is_first_on_line(placed.span) {
            return true;
        }
        let mut behind = Lexeme::lexer(&self.source()[placed.span.end as usize..]);
        placed.token == Token::Const
            || placed.span.of(self.source()) == SUB
            || placed.token == Token::On
                && behind.next() == Some(Ok(Lexeme::Word))
                && tokens::of_word(behind.slice(), behind.remainder()).starts_event()
    }

    /// Whether an `endif` just read ends no `if`, but stands last in its handler, or before the
    /// `else` of the only `if` that is open: the original device skips it there.
    fn is_stray_endif(&self, placed: SpannedToken) -> bool {
        if !matches!(placed.token, Token::EndIf)
            || self.state != ParserState::Actions
            || self.verbatim
            || self.before_last.is_some_and(|before| before.token.wants_value())
        {
            return false;
        }
        let before_else = match self.blocks.as_slice() {
            [] => false,
            [block] if !block.is_while && block.part == BlockPart::Body => true,
            _ => return false,
        };
        let mut behind = Lexeme::lexer(self.lexer.remainder());
        match behind.next() {
            None => !before_else,
            Some(Ok(Lexeme::Word)) if before_else => behind.slice() == b"else",
            Some(Ok(Lexeme::Word)) => matches!(behind.slice(), b"on" | b"config" | b"const" | SUB),
            _ => false,
        }
    }

    /// The `endif` of an `if` that its handler's end closes, `next` being what follows. The
    /// original device wants one only behind `else`. It takes no room in the source, and is given
    /// out at the end of what does.
    fn implied_endif(&mut self, next: Option<SpannedToken>) -> Option<SpannedToken> {
        let last = self.before_last?;
        let block = self.blocks.last().filter(|block| !block.is_while)?;
        let closes = match block.part {
            BlockPart::Condition => false,
            BlockPart::Body => true,
            BlockPart::Else => last.token == Token::EndIf,
        };
        let ends = next.is_none_or(|next| next.token != Token::On || self.starts_statement(next));
        if !closes || !ends || self.state != ParserState::Actions || self.verbatim {
            return None;
        }
        let end = Span { start: last.span.end, end: last.span.end };
        Some(SpannedToken { token: Token::EndIf, span: end })
    }

    /// Goes on after an error, at `at`: the parser starts again and is first given what brings it
    /// to where the stream is, among the actions of the open blocks.
    pub(crate) fn resume(&mut self, at: SpannedToken) {
        self.put_back = Some(at);
        self.resumed_at = Some(at.span.start);
        self.last = None;
        self.before_last = None;
        self.brackets = 0;
        self.replay.clear();
        self.replay.extend([Token::On, Token::SimpleEvent(Trigger::Init), Token::Do]);
        for block in &self.blocks {
            self.replay.extend(if block.is_while {
                [Token::While, Token::Word, Token::Do]
            } else {
                [Token::If, Token::Word, Token::Then]
            });
            if block.part == BlockPart::Else {
                self.replay.push(Token::Else);
            }
        }
        self.replay.reverse();
    }

    /// Notes what the token opens or closes.
    fn note(&mut self, placed: SpannedToken) {
        match (self.state, placed.token) {
            (ParserState::Start, Token::On) => self.state = ParserState::Event,
            (ParserState::Start, Token::Config) => self.state = ParserState::ConfigName,
            (ParserState::Start, Token::Const) => self.state = ParserState::Actions,
            (ParserState::ConfigName, _) => self.state = ParserState::ConfigValue,
            (ParserState::ConfigValue, _) => self.state = ParserState::ConfigEnd,
            (ParserState::Event, Token::Do) => self.state = ParserState::Actions,
            (ParserState::Actions, token) => self.note_block(token, placed.span),
            _ => {}
        }
    }

    fn note_block(&mut self, token: Token, opened: Span) {
        match token {
            Token::If | Token::While => self.blocks.push(OpenBlock {
                opened,
                is_while: token == Token::While,
                part: BlockPart::Condition,
            }),
            Token::Then | Token::Do => self.enter(BlockPart::Body),
            Token::ElseIf => self.enter(BlockPart::Condition),
            Token::Else => self.enter(BlockPart::Else),
            Token::EndIf | Token::Done => {
                self.blocks.pop();
            }
            _ => {}
        }
    }

    /// Goes on to another part of the innermost block.
    pub(crate) fn enter(&mut self, part: BlockPart) {
        if let Some(block) = self.blocks.last_mut() {
            block.part = part;
        }
    }

    /// Takes a block for open; false if that would be one too many.
    pub(crate) fn open(&mut self, block: OpenBlock) -> bool {
        let fits = self.blocks.len() < self.nesting && self.reserve_block();
        if fits {
            self.blocks.push(block);
        }
        fits
    }

    /// Makes room for one more block; false if there is none.
    fn reserve_block(&mut self) -> bool {
        self.budget.is_none_or(|budget| budget.grow(&mut self.blocks, 1))
    }

    /// The raw word behind a `config` line's name, if it is one.
    fn raw(&mut self) -> Option<SpannedToken> {
        let rest = self.lexer.remainder();
        self.lexer.bump(gap_len(rest));
        let start = self.lexer.source().len() - self.lexer.remainder().len();
        let rest = self.lexer.remainder();
        let len = raw_word_len(rest);
        if len == 0 || matches!(rest[..len], [b'"', ..] | [b'o', b'n']) || &rest[..len] == b"config"
        {
            return None;
        }
        self.lexer.bump(len);
        Some(SpannedToken { token: Token::Raw, span: Span::new(start, start + len) })
    }

    /// A `-` with the word of digits right behind it.
    fn negative(&mut self, minus: SpannedToken) -> SpannedToken {
        // It begins with a digit, so it is a word.
        self.lexer.next();
        let span = Span { start: minus.span.start, end: self.lexer.span().end as u32 };
        SpannedToken { token: Token::Negative, span }
    }

    /// Reads over the words behind `every` and `clock`, up to `do`; returns where they end. In the
    /// grammar they would need states of their own.
    fn skip_time(&mut self, start: u32) -> u32 {
        let mut end = start;
        for _ in 0..MOST_TIME_WORDS {
            let mut ahead = self.lexer.clone();
            match ahead.next() {
                Some(Ok(Lexeme::Word))
                    if !tokens::of_word(ahead.slice(), ahead.remainder()).is_reserved() => {}
                Some(Ok(Lexeme::Punctuation)) => {}
                _ => break,
            }
            end = ahead.span().end as u32;
            self.lexer = ahead;
        }
        end
    }

    /// Refuses what nests too deep; `opens` is one more level.
    fn check_depth(&self, opens: SpannedToken) -> Result<(), LexError> {
        if self.blocks.len() + self.brackets < self.nesting {
            return Ok(());
        }
        Err(too_deep(opens))
    }
}

fn too_deep(opens: SpannedToken) -> LexError {
    LexError { code: Code::NestedTooDeep, span: opens.span }
}

impl Iterator for TokenStream<'_> {
    type Item = Result<(u32, Token, u32), LexError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(token) = self.replay.pop() {
            let at = self.put_back.map_or(0, |placed| placed.span.start);
            return Some(Ok((at, token, at)));
        }
        if let Some(last) = self.last {
            self.note(last);
            if !last.span.is_empty() {
                self.before_last = Some(last);
            }
            self.last = None;
        }
        let raw = if self.state == ParserState::ConfigValue { self.raw() } else { None };
        let mut pulled = raw.map(Ok).or_else(|| self.pull());
        if let Some(Ok(placed)) = pulled
            && self.is_stray_endif(placed)
        {
            pulled = self.pull();
        }
        let mut placed = match pulled {
            Some(Ok(placed)) => placed,
            Some(Err(fault)) => return Some(Err(fault)),
            None => {
                self.last = self.implied_endif(None);
                return self.last.map(SpannedToken::given);
            }
        };
        match placed.token {
            token if token.starts_statement() && self.state != ParserState::Start => {
                self.put_back = Some(placed);
                self.last = self.implied_endif(Some(placed));
                return self.last.map(SpannedToken::given);
            }
            Token::Open => {
                if let Err(fault) = self.check_depth(placed) {
                    self.last = Some(placed);
                    return Some(Err(fault));
                }
                self.brackets += 1;
            }
            Token::Minus
                if self.state != ParserState::ConfigName
                    && self.lexer.remainder().first().is_some_and(u8::is_ascii_digit) =>
            {
                placed = self.negative(placed);
            }
            Token::SimpleEvent(Trigger::Every | Trigger::Clock)
                if self.state == ParserState::Event && !self.verbatim && !self.wants_name() =>
            {
                placed.span.end = self.skip_time(placed.span.end);
            }
            Token::Close => self.brackets = self.brackets.saturating_sub(1),
            Token::If | Token::While => {
                let opened = self.check_depth(placed);
                // Without room reading ends: the budget knows why.
                if opened.is_err() || !self.reserve_block() {
                    self.last = Some(placed);
                    return Some(opened.and(Err(too_deep(placed))));
                }
            }
            Token::String if self.state == ParserState::ConfigValue => placed.token = Token::Raw,
            token if self.state == ParserState::Event && token.is_name() && self.wants_name() => {
                placed.token = Token::SimpleEvent(Trigger::Sub);
            }
            // The name of a parameter may be any word, or a flash variable.
            _ if self.state == ParserState::ConfigName => {
                let first = placed.span.of(self.source()).first();
                if first.is_some_and(|first| first.is_ascii_alphanumeric() || *first == b'@') {
                    placed.token = Token::Word;
                }
            }
            _ => {}
        }
        self.last = Some(placed);
        Some(placed.given())
    }
}
