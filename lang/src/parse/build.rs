//! What the grammar's actions need to build the tree: the source to read numbers from, the limits, and a list
//! for the mistakes that do not keep the rest of the statement from being understood.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::ast::{
    Chain, ConfigValue, Expr, ExprKind, Link, Logic, Number, Operator, Span, Special, Target,
};
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::text;

/// Built anew for each statement.
pub(crate) struct Builder<'s> {
    source: &'s [u8],
    /// Most operands in one chain.
    longest_chain: usize,
    /// Mistakes inside words, in the order of the source, no more than `most`.
    pub(crate) found: Vec<Diagnostic>,
    most: usize,
}

impl<'s> Builder<'s> {
    pub(crate) fn new(source: &'s [u8], longest_chain: usize, most: usize) -> Builder<'s> {
        Builder { source, longest_chain, found: Vec::new(), most }
    }

    /// Keeps a diagnostic; they are made only where there is room for them.
    fn tell(&mut self, make: impl FnOnce(&'s [u8]) -> Diagnostic) {
        if self.found.len() < self.most {
            self.found.push(make(self.source));
        }
    }

    /// Where a number must stand. What is none reads as 0, as on the device, but is an error.
    pub(crate) fn number(&mut self, span: Span) -> Number {
        let raw = span.of(self.source);
        let value = text::number(raw).unwrap_or_else(|| {
            self.tell(|_| {
                Diagnostic::new(Code::BadNumber, span, format!("`{}` is not a number", shown(raw)))
            });
            0
        });
        Number { span, value }
    }

    /// `-2`, which is two words; `start` is where the sign stands.
    pub(crate) fn negative(&mut self, start: u32, digits: Span) -> Number {
        let number = self.number(digits);
        Number { span: Span { start, end: digits.end }, value: number.value.saturating_neg() }
    }

    /// The `$name` a `setvar` sets. What the device sets itself is read as a variable all the same.
    pub(crate) fn variable(&mut self, span: Span, special: Option<Special>) -> Target {
        if special.is_some() {
            self.tell(|source| {
                let name = shown(span.of(source));
                let message = format!("`{name}` is what the device knows, it cannot be set");
                Diagnostic::new(Code::SetSpecial, span, message)
                    .help("give the variable a name of its own")
            });
        }
        Target::Variable(span)
    }

    /// `@N`
    pub(crate) fn flash(&mut self, span: Span) -> Number {
        let value = text::number(&span.of(self.source)[1..]).unwrap_or_else(|| {
            self.tell(|source| {
                let word = shown(span.of(source));
                Diagnostic::new(
                    Code::BadNumber,
                    span,
                    format!("`{word}` is not a flash variable, which are `@1`, `@2`, ..."),
                )
                .help(format!("put quotes around it if it is meant as text: `\"{word}\"`"))
                .fix("quote it", quote(source, span))
            });
            0
        });
        Number { span, value }
    }

    /// `#0d0a`
    pub(crate) fn hex(&mut self, span: Span) -> Expr {
        if text::unhex(span.of(self.source)).is_none() {
            self.tell(|source| {
                let word = shown(span.of(source));
                Diagnostic::new(
                    Code::BadHex,
                    span,
                    format!("`{word}` is not a hex value: `#` and two hex digits for each byte"),
                )
                .help(format!("put quotes around it if it is meant as text: `\"{word}\"`"))
                .fix("quote it", quote(source, span))
            });
        }
        Expr { span, kind: ExprKind::Hex }
    }

    /// The raw word of a `config` line.
    pub(crate) fn config_value(&mut self, span: Span) -> ConfigValue {
        match span.of(self.source) {
            [b'@', ..] => ConfigValue::Flash(self.flash(span)),
            _ => ConfigValue::Text(span),
        }
    }

    /// Adds to a chain, as long as it is not too long. What does not fit is told once and left out.
    pub(crate) fn link<O>(&mut self, links: &mut Vec<Link<O>>, link: Link<O>) {
        // The first operand is not in the list, so the last link that fits makes it one shorter.
        if links.len() + 1 < self.longest_chain {
            links.push(link);
        } else if self.found.last().is_none_or(|last| last.code != Code::ChainTooLong) {
            let most = self.longest_chain;
            self.tell(|_| {
                Diagnostic::new(
                    Code::ChainTooLong,
                    link.operand.span,
                    format!("expression of more than {most} values"),
                )
                .help("compute it in steps, with `setvar`")
            });
        }
    }

    /// `a op b op c`
    pub(crate) fn chain(first: Expr, rest: Vec<Link<Operator>>) -> Expr {
        let span = whole(&first, &rest);
        Expr { span, kind: ExprKind::Chain(Box::new(Chain { first, rest })) }
    }

    /// `a and b or c`
    pub(crate) fn logic(first: Expr, rest: Vec<Link<Logic>>) -> Expr {
        let span = whole(&first, &rest);
        Expr { span, kind: ExprKind::Logic(Box::new(Chain { first, rest })) }
    }
}

/// From the first operand to the last.
fn whole<O>(first: &Expr, rest: &[Link<O>]) -> Span {
    rest.last().map_or(first.span, |last| first.span.to(last.operand.span))
}

/// The edits that put quotes around a word.
pub(crate) fn quote(source: &[u8], span: Span) -> Vec<Edit> {
    let mut text = Vec::with_capacity(span.of(source).len() + 2);
    text.push(b'"');
    text.extend_from_slice(span.of(source));
    text.push(b'"');
    alloc::vec![Edit { span, text }]
}

/// A piece of source as a message shows it: one line, not too long, no control characters.
pub(crate) fn shown(raw: &[u8]) -> String {
    const MOST: usize = 32;
    let line = raw.split(|&byte| byte == b'\n' || byte == b'\r').next().unwrap_or_default();
    let cut = &line[..line.len().min(MOST)];
    let mut text: String = String::from_utf8_lossy(cut)
        .chars()
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if cut.len() < raw.len() {
        text.push_str("...");
    }
    text
}
