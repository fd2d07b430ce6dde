use super::{LONGEST, Token, functions, keywords, of_punctuation, of_word};

#[test]
fn the_longest_word_is_known() {
    let longest = keywords().chain(functions()).map(|(word, _)| word.len()).max();
    assert_eq!(longest, Some(LONGEST));
}

#[test]
fn words_are_what_the_tables_say() {
    for (word, token) in keywords() {
        assert_eq!(of_word(word.as_bytes(), b" ("), token, "{word}");
    }
    for (word, token) in functions() {
        assert_eq!(of_word(word.as_bytes(), b" % why\n ("), token, "{word}");
        assert_eq!(of_word(word.as_bytes(), b" x("), Token::Word, "{word}");
    }
    for word in ["$", "@", "On", "\\on", "printlnprintlnprintln", ""] {
        assert_eq!(of_word(word.as_bytes(), b""), Token::Word, "{word}");
    }
    assert_eq!(of_word(b"#", b""), Token::Hex);
    assert_eq!(of_word(b"@x", b""), Token::Flash);
    assert_eq!(of_word(b"$this_datum", b""), Token::Variable(None));
}

/// The names by which the parser reports what it expected.
#[test]
fn terminals_are_named_as_in_the_grammar() {
    let grammar = include_str!("../parse/grammar.lalrpop");
    let signs = b"()=-+,".map(of_punctuation);
    let other = [Token::String, Token::Word, Token::Raw, Token::Hex, Token::Flash];
    let words = keywords().chain(functions()).map(|(_, token)| token);
    for token in words.chain(signs).chain(other).chain([Token::Variable(None)]) {
        let kind = alloc::format!("{token:?}");
        let kind = kind.split('(').next().unwrap_or_default();
        let line = alloc::format!("        {} => Token::{kind}", token.terminal());
        assert!(grammar.contains(&line), "{line}");
    }
}
