//! MQTT topic names and topic filters: which byte strings are valid, and which names a filter
//! matches (MQTT 3.1.1 section 4.7).
//!
//! Also here are MQTT's other strings, which obey the same rules ([`check_text`]).
//!
//! A leaf of the house: the broker, the virtual machine's handler lookup and the compiler's checks
//! all mean the same thing by "matches" because they all ask here. No allocation, no recursion.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
extern crate std;

mod text;

pub use text::{TextError, check_text, is_allowed};

/// The longest topic name or filter MQTT can carry, in bytes (its length field is 16 bits wide).
pub const MAX_LEN: usize = 65_535;

/// Why a byte string is not a topic name or not a topic filter.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
    if !name.is_empty() && name.len() <= MAX_LEN && is_plain(name) {
        return Ok(());
    }
    check_odd_name(name)
}

/// Bytes looked at together.
const WORD: usize = size_of::<usize>();

/// Whether all bytes are printable ASCII and none is a wildcard, a machine word at a time.
fn is_plain(name: &[u8]) -> bool {
    let Some(last) = name.last_chunk() else {
        return name.iter().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'#' | b'+'));
    };
    // The last ones may be looked at twice.
    let words = name.as_chunks().0.iter().chain(core::iter::once(last));
    words.fold(0, |odd, word| odd | odd_bytes(*word)) == 0
}

/// Whether all bytes are printable ASCII, a machine word at a time.
fn is_printable(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk() else {
        return text.iter().all(|byte| matches!(byte, b' '..=b'~'));
    };
    let words = text.as_chunks().0.iter().chain(core::iter::once(last));
    words.fold(0, |odd, word| odd | unprintable_bytes(usize::from_ne_bytes(*word))) & TOP == 0
}

/// In the highest bit of each byte's place: see [`odd_bytes`].
fn unprintable_bytes(word: usize) -> usize {
    let below_blank = word.wrapping_sub(EACH * 0x20) & !word;
    let above_tilde = word | word.wrapping_add(EACH);
    below_blank | above_tilde
}

/// A byte of 1 in each place of a word, and the highest bit of each.
const EACH: usize = usize::MAX / 255;
const TOP: usize = EACH << 7;

/// Not 0 if one of the bytes is no printable ASCII, or a wildcard: each is tested in the highest
/// bit of its place. One that is odd may make its neighbour seem so too.
fn odd_bytes(word: [u8; WORD]) -> usize {
    let word = usize::from_ne_bytes(word);
    // '#' and '+' differ in one bit; what is left is 0 for either.
    let wildcard = (word & !(EACH * (b'#' ^ b'+') as usize)) ^ (EACH * b'#' as usize);
    let wildcard = wildcard.wrapping_sub(EACH) & !wildcard;
    (unprintable_bytes(word) | wildcard) & TOP
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

/// A filter that asks for a share of the messages, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedFilter<'f> {
    /// Which group: of those who name the same one with the same filter, one gets each message.
    pub group: &'f [u8],
    /// For which messages.
    pub filter: &'f [u8],
}

/// Takes a filter apart that asks for a share of the messages: `$share/GROUP/FILTER` (MQTT 5
/// section 4.8.2). `None` for any other filter, which asks for all.
///
/// # Errors
/// [`NotShared`] if it begins so and does not go on so.
pub fn split_shared(filter: &[u8]) -> Result<Option<SharedFilter<'_>>, NotShared> {
    let Some(rest) = filter.strip_prefix(b"$share/") else { return Ok(None) };
    let end = rest.iter().position(|byte| *byte == b'/').ok_or(NotShared)?;
    let (group, filter) = (&rest[..end], &rest[end + 1..]);
    if group.is_empty() || filter.is_empty() || has_wildcard(group) {
        return Err(NotShared);
    }
    Ok(Some(SharedFilter { group, filter }))
}

/// A filter begins with `$share/`, and no group and filter follow.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotShared;

impl core::fmt::Display for NotShared {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("a shared subscription is $share/GROUP/FILTER")
    }
}

impl core::error::Error for NotShared {}

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

    /// Every byte at every place of names of every length up to some words.
    #[test]
    fn the_quick_look_agrees_with_the_thorough_one() {
        for len in 1..=3 * WORD + 1 {
            for at in 0..len {
                for byte in 0..=255 {
                    let mut name = [b'~'; 3 * WORD + 1];
                    name[at] = byte;
                    let plain = matches!(byte, b' '..=b'~') && !matches!(byte, b'#' | b'+');
                    assert_eq!(is_plain(&name[..len]), plain, "{byte:#x} at {at} of {len}");
                    let printable = matches!(byte, b' '..=b'~');
                    assert_eq!(is_printable(&name[..len]), printable, "{byte:#x} at {at} of {len}");
                    assert_eq!(check_name(&name[..len]).is_ok(), plain);
                    for other in [b' ', b'!', b'"', b'$', b'*', b',', b'3', b';'] {
                        name[(at + 1) % len] = other;
                        assert_eq!(
                            is_plain(&name[..len]),
                            plain || len == 1,
                            "{byte:#x} {other:#x}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn shared_filters() {
        assert_eq!(split_shared(b"a/b"), Ok(None));
        assert_eq!(split_shared(b"$share"), Ok(None));
        assert_eq!(split_shared(b"$shared/a/b"), Ok(None));
        for (text, filter) in [(&b"$share/g/a/#"[..], &b"a/#"[..]), (b"$share/g//", b"/")] {
            assert_eq!(split_shared(text), Ok(Some(SharedFilter { group: b"g", filter })));
        }
        for wrong in [&b"$share/"[..], b"$share/g", b"$share/g/", b"$share//a", b"$share/+/a"] {
            assert_eq!(split_shared(wrong), Err(NotShared));
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
