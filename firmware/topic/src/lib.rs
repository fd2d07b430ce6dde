//! MQTT topic names and topic filters: which byte strings are valid, and which names a filter
//! matches (MQTT 3.1.1 section 4.7).
//!
//! Also here are MQTT's other strings, which obey the same rules ([`check_text`]).
//!
//! A leaf of the house: the broker, the virtual machine's handler lookup and the compiler's checks all
//! mean the same thing by "matches" because they all ask here. No allocation, no recursion.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod text;

pub use text::{TextError, check_text, is_allowed};

/// The longest topic name or filter MQTT can carry, in bytes (its length field is 16 bits wide).
pub const MAX_LEN: usize = 65_535;

/// Why a byte string is not a topic name or not a topic filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicError {
    /// No bytes at all ([MQTT-4.7.3-1]).
    Empty,
    /// More than [`MAX_LEN`] bytes ([MQTT-4.7.3-3]).
    TooLong,
    /// Holds U+0000 ([MQTT-4.7.3-2]).
    Nul,
    /// Not UTF-8 ([MQTT-1.5.3-1]).
    NotUtf8,
    /// Holds a control character or a non-character (section 1.5.3): see [`TextError::Disallowed`].
    Disallowed,
    /// `#` or `+` in a topic name ([MQTT-3.3.2-2]).
    Wildcard,
    /// `#` that is not the whole last level ([MQTT-4.7.1-2]).
    HashNotLast,
    /// `+` that is not a whole level ([MQTT-4.7.1-3]).
    PlusNotAlone,
}

impl core::fmt::Display for TopicError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            TopicError::Empty => "the topic is empty",
            TopicError::TooLong => "the topic is longer than 65535 bytes",
            TopicError::Nul => "the topic holds a NUL byte",
            TopicError::NotUtf8 => "the topic is not UTF-8",
            TopicError::Disallowed => "the topic holds a control character or a non-character",
            TopicError::Wildcard => "a topic to publish to cannot hold the wildcards '#' and '+'",
            TopicError::HashNotLast => "'#' must be the whole last level of a filter",
            TopicError::PlusNotAlone => "'+' must be a whole level of a filter",
        })
    }
}

impl core::error::Error for TopicError {}

impl From<TextError> for TopicError {
    fn from(why: TextError) -> TopicError {
        match why {
            TextError::Nul => TopicError::Nul,
            TextError::NotUtf8 => TopicError::NotUtf8,
            TextError::Disallowed => TopicError::Disallowed,
        }
    }
}

/// Checks a topic name: what a message is published to.
///
/// # Errors
/// The first [`TopicError`] that applies; never [`TopicError::HashNotLast`] or
/// [`TopicError::PlusNotAlone`].
pub fn check_name(name: &[u8]) -> Result<(), TopicError> {
    // One look at each byte tells for nearly all names that nothing is wrong.
    let plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'#' | b'+');
    if !name.is_empty() && name.len() <= MAX_LEN && name.iter().all(plain) {
        return Ok(());
    }
    check_odd_name(name)
}

#[cold]
fn check_odd_name(name: &[u8]) -> Result<(), TopicError> {
    check_bytes(name)?;
    if name.iter().any(|b| matches!(b, b'#' | b'+')) {
        return Err(TopicError::Wildcard);
    }
    Ok(())
}

/// Checks a topic filter: what a subscription asks for.
///
/// # Errors
/// The first [`TopicError`] that applies; never [`TopicError::Wildcard`].
pub fn check_filter(filter: &[u8]) -> Result<(), TopicError> {
    check_bytes(filter)?;
    let mut levels = filter.split(|&b| b == b'/').peekable();
    while let Some(level) = levels.next() {
        if level.contains(&b'#') && (level.len() > 1 || levels.peek().is_some()) {
            return Err(TopicError::HashNotLast);
        }
        if level.contains(&b'+') && level.len() > 1 {
            return Err(TopicError::PlusNotAlone);
        }
    }
    Ok(())
}

/// Whether the filter holds a wildcard. A filter without one matches only the name equal to it.
pub fn has_wildcard(filter: &[u8]) -> bool {
    filter.iter().any(|b| matches!(b, b'#' | b'+'))
}

/// Whether a valid filter matches a valid topic name (MQTT 3.1.1 section 4.7).
///
/// A filter that starts with a wildcard does not match names that start with `$` ([MQTT-4.7.2-1]);
/// `a/#` matches `a` too. Never panics: on invalid input the answer is only unspecified.
pub fn matches(filter: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'$') && matches!(filter.first(), Some(b'#' | b'+')) {
        return false;
    }
    let (mut f, mut n) = (filter, name);
    // One byte after the other, so that most topics that differ are told apart at once.
    loop {
        match (f.split_first(), n.split_first()) {
            (None, rest) => return rest.is_none(),
            (Some((b'#', _)), _) => return true,
            (Some((b'+', after)), _) => {
                let level = n.iter().position(|&byte| byte == b'/').unwrap_or(n.len());
                (f, n) = (after, &n[level..]);
            }
            (Some((a, f_rest)), Some((b, n_rest))) if a == b => (f, n) = (f_rest, n_rest),
            (Some(_), Some(_)) => return false,
            (Some(_), None) => return f == b"/#",
        }
    }
}

fn check_bytes(topic: &[u8]) -> Result<(), TopicError> {
    if topic.is_empty() {
        return Err(TopicError::Empty);
    }
    if topic.len() > MAX_LEN {
        return Err(TopicError::TooLong);
    }
    check_text(topic)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching_follows_section_4_7() {
        for (filter, name, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a/b/", false),
            ("a/b", "a/c", false),
            ("a/+", "a/b", true),
            ("a/+", "a", false),
            ("a/+", "a/", true),
            ("+", "a", true),
            ("+", "/a", false),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
            ("sport/#", "sport", true),
            ("sport/#", "sports", false),
            ("#", "a/b/c", true),
            ("#", "/", true),
            ("+/b/#", "a/b", true),
            ("+/b/#", "a/c", false),
            ("#", "$SYS/x", false),
            ("+/x", "$SYS/x", false),
            ("$SYS/#", "$SYS/x", true),
            ("$SYS/+", "$SYS/x", true),
        ] {
            assert_eq!(matches(filter.as_bytes(), name.as_bytes()), expected, "{filter} ~ {name}");
        }
    }

    #[test]
    fn validity() {
        assert_eq!(check_filter(b"#"), Ok(()));
        assert_eq!(check_filter(b"a/+/b/#"), Ok(()));
        assert_eq!(check_filter(b"a/#/b"), Err(TopicError::HashNotLast));
        assert_eq!(check_filter(b"a#"), Err(TopicError::HashNotLast));
        assert_eq!(check_filter(b"a/b+"), Err(TopicError::PlusNotAlone));
        assert_eq!(check_filter(b""), Err(TopicError::Empty));
        assert_eq!(check_name(b"a/\0"), Err(TopicError::Nul));
        assert_eq!(check_name(b"a/\xff"), Err(TopicError::NotUtf8));
        assert_eq!(check_name(b"a/+"), Err(TopicError::Wildcard));
        assert_eq!(check_name("stat/\u{e9}".as_bytes()), Ok(()));
        for good in ["\u{feff}a", "a b/ ", "\u{1f600}/\u{a0}", "~"] {
            assert_eq!(check_name(good.as_bytes()), Ok(()));
            assert_eq!(check_filter(good.as_bytes()), Ok(()));
        }
        for bad in
            ["\u{1}", "a/\u{1f}", "\u{7f}", "a/\u{9f}/b", "\u{fdd0}", "\u{ffff}", "\u{10fffe}"]
        {
            assert_eq!(check_name(bad.as_bytes()), Err(TopicError::Disallowed));
            assert_eq!(check_filter(bad.as_bytes()), Err(TopicError::Disallowed));
        }
        assert_eq!(check_name(&[b'a'; MAX_LEN + 1]), Err(TopicError::TooLong));
    }
}
