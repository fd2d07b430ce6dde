use super::*;

#[test]
fn words_are_found_by_their_keywords() {
    for word in ActionWord::ALL {
        assert_eq!(ActionWord::from_keyword(word.keyword()), Some(*word));
        assert!(!word.documentation().is_empty() && !word.usage().is_empty());
    }
    for word in FunctionWord::ALL {
        assert_eq!(FunctionWord::from_keyword(word.keyword()), Some(*word));
        // What only says how a value is meant has no instruction of its own.
        let keyword = if *word == FunctionWord::Text { "set" } else { word.keyword() };
        assert_eq!(word.op().mnemonic().split('_').next(), keyword.split('_').next());
    }
    for special in Special::ALL {
        for keyword in special.keywords() {
            assert_eq!(Special::from_keyword(keyword), Some(*special));
        }
        let arguments = special.event().map_or(0, Trigger::arguments);
        match special.source() {
            SpecialSource::Argument(number) => assert!(number < arguments, "{special:?}"),
            SpecialSource::Instruction(op) => assert_eq!(op.values(), 0, "{special:?}"),
        }
    }
    for (code, trigger) in (0..).zip(Trigger::ALL) {
        assert_eq!((*trigger as u8, Trigger::from_code(code)), (code, Some(*trigger)));
        assert_eq!(trigger.keyword().split(' ').next(), Some(trigger.event_word()));
    }
    assert_eq!(Trigger::from_code(Trigger::COUNT as u8), None);
}

#[test]
fn operands_are_those_of_the_instructions() {
    use crate::isa::Format;
    for word in ActionWord::ALL {
        let (values, format) = (word.op().values(), word.op().format());
        let numbered = matches!(format, Format::Pin | Format::Timer | Format::Alarm);
        let right = match word.operands() {
            ActionOperands::Value | ActionOperands::Filter => {
                values == 1 && format == Format::Values
            }
            ActionOperands::Pair | ActionOperands::Message => {
                values == 2 && format == Format::Values
            }
            ActionOperands::Numbered => values == 1 && numbered,
            ActionOperands::Assignment => true,
            ActionOperands::PinMode => format == Format::PinMode,
            ActionOperands::Name => values == 0 && format == Format::Call,
        };
        assert!(right, "{word:?}");
    }
    for word in FunctionWord::ALL {
        let op = word.op();
        let right = match word.operands() {
            FunctionOperands::Value => op.values() == 1 && op.format() == Format::Result,
            FunctionOperands::Pair | FunctionOperands::Index => {
                op.values() == 2 && op.format() == Format::Result
            }
            FunctionOperands::Triple => op.values() == 2 && op.format() == Format::LongResult,
            FunctionOperands::Part => op.format() == Format::LongResult,
            FunctionOperands::Pin => op.format() == Format::PinResult,
            FunctionOperands::Kept => op.values() == 1 && op.format() == Format::Kept,
            FunctionOperands::Members | FunctionOperands::List => op.format() == Format::List,
        };
        assert!(right, "{word:?}");
    }
}

#[test]
fn what_looks_like_a_keyword_is_none() {
    const WORDS: &[&str; 4] = &["on", "config", "in", "rising"];
    const INDEX: Index<4> = Index::of(WORDS);
    for (place, word) in WORDS.iter().enumerate() {
        assert_eq!(INDEX.find(word.as_bytes(), WORDS), Some(place));
    }
    for word in [&b""[..], b"o", b"ons", b"an", b"config_", b"n", b"\x0en", b"falling"] {
        assert_eq!(INDEX.find(word, WORDS), None, "{word:?}");
    }
    for word in ["", "called", "callable", "prints", "\u{ec}all"] {
        assert_eq!(ActionWord::from_keyword(word), None);
        assert_eq!(Trigger::from_keyword(word), None);
        assert_eq!(Special::from_keyword(word), None);
    }
}
