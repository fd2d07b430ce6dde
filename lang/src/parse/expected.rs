//! What the parser would have taken where it stopped.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::token_stream::{ParserState, TokenStream};
use crate::tokens::Token;

/// The terminals the parser would have taken.
pub(super) struct Expected<'e> {
    names: &'e [String],
    /// The word before may be the end of a value. The parser does not list what could have gone on
    /// with the value once it has taken it for complete.
    behind_value: bool,
    /// A value, whatever the names are.
    a_value: bool,
    /// The name of a sub.
    a_name: bool,
}

impl<'e> Expected<'e> {
    /// A value, nothing else.
    pub(super) const A_VALUE: Expected<'static> =
        Expected { names: &[], behind_value: false, a_value: true, a_name: false };

    pub(super) fn new(names: &'e [String], tokens: &TokenStream<'_>) -> Expected<'e> {
        let behind_value = tokens.state == ParserState::Actions
            && tokens.before_last.is_some_and(|before| {
                matches!(
                    before.token,
                    Token::Word
                        | Token::Negative
                        | Token::String
                        | Token::Hex
                        | Token::Variable(_)
                        | Token::Flash
                        | Token::Close
                )
            });
        Expected { names, behind_value, a_value: false, a_name: tokens.wants_name() }
    }

    /// This one?
    pub(super) fn wants(&self, terminal: &str) -> bool {
        let behind_value = matches!(terminal, "SIGN" | "OPERATOR" | "LOGIC" | "MINUS" | "EQUAL")
            || (terminal == "RETAINED" && self.action());
        self.lists(terminal) || (behind_value && self.operator())
    }

    pub(super) fn lists(&self, terminal: &str) -> bool {
        self.names.iter().any(|name| name == terminal)
    }

    /// An operand of an expression, or the value of a `config` line.
    pub(super) fn value(&self) -> bool {
        self.a_value || self.lists("OPEN") && self.lists("STRING") || self.lists("RAW")
    }

    /// An operator, because the words before make a complete value.
    pub(super) fn operator(&self) -> bool {
        let ended = self.behind_value && self.is_complete();
        !self.value() && (self.lists("SIGN") || ended)
    }

    /// What may follow a complete expression.
    pub(super) fn ends_expression(&self) -> bool {
        !self.value() && (self.is_complete() || self.lists("SIGN"))
    }

    /// What follows an expression could come next.
    fn is_complete(&self) -> bool {
        self.action() || ["THEN", "DO", "CLOSE"].iter().any(|name| self.lists(name))
    }

    /// An action.
    pub(super) fn action(&self) -> bool {
        self.lists("IF")
    }

    /// `, expected ...`
    pub(super) fn in_words(&self) -> String {
        let mut words = self.words();
        let last = words.pop();
        match (words.len(), last) {
            (_, None) => String::new(),
            (0, Some(only)) => format!(", expected {only}"),
            (1, Some(last)) => format!(", expected {} or {last}", words[0]),
            (_, Some(last)) => format!(", expected one of {} or {last}", words.join(", ")),
        }
    }

    /// What it would have taken: kinds of words first, then the words themselves by name.
    pub(super) fn words(&self) -> Vec<&'static str> {
        let mut words = Vec::new();
        if self.a_name {
            words.push("the name of a sub");
            return words;
        }
        if self.value() {
            words.push("a value");
            return words;
        }
        if self.lists("HEX") {
            words.push("a variable");
            return words;
        }
        if self.lists("WORD") {
            let number = self.lists("STRING") || self.lists("MINUS");
            words.push(if number { "a number" } else { "the name of a parameter" });
            return words;
        }
        let kinds: [(bool, &'static str); 4] = [
            (self.wants("TOPIC"), "an event"),
            (self.operator(), "an operator"),
            (self.action(), "an action"),
            (self.wants("EQUAL") && !self.operator(), "`=`"),
        ];
        words.extend(kinds.iter().filter(|(wanted, _)| *wanted).map(|(_, kind)| *kind));
        let names: [(&str, &'static str); 19] = [
            ("CLOSE", "`)`"),
            ("COMMA", "`,`"),
            ("OPEN", "`(`"),
            ("CONFIG", "`config`"),
            ("CONST", "`const`"),
            ("DO", "`do`"),
            ("DONE", "`done`"),
            ("ELSE", "`else`"),
            ("ELSEIF", "`elseif`"),
            ("ENDIF", "`endif`"),
            ("MODE", "`input`"),
            ("SIDE", "`local`"),
            ("PULL", "`nopullup`"),
            ("ON", "`on`"),
            ("MODE", "`output`"),
            ("PULL", "`pullup`"),
            ("SIDE", "`remote`"),
            ("ON", "`sub`"),
            ("THEN", "`then`"),
        ];
        // A keyword that only may follow a complete action is no more than a distraction there.
        let optional = |name: &str| name == "PULL" && self.action();
        words.extend(
            names
                .iter()
                .filter(|(name, _)| self.wants(name) && !optional(name))
                .map(|(_, word)| *word),
        );
        words
    }
}
