//! Names, RFC 1035 section 3.1 and, compressed, section 4.1.4.

use core::fmt;

use heapless::Vec;

use crate::error::WireError;

/// Bytes of the longest name in a message, lengths and the root counted.
pub const MAX_NAME: usize = 255;
/// Bytes of the longest label.
pub const MAX_LABEL: usize = 63;
/// Bytes of the longest name that is kept or asked for. Longer ones are read and compared, but
/// refused where they would have to be stored.
pub const MAX_OWNED_NAME: usize = 128;

/// Most pointers of a name. A compressed name has one for a part that stood before; thousands, each
/// leading to the next, only make reading slow.
pub const MAX_POINTERS: usize = 32;

const POINTER: u8 = 0xc0;

/// A name in a message. It was walked through once: its labels lie in the message, its pointers
/// lead back only, there are [`MAX_POINTERS`] of them at most, and it has [`MAX_NAME`] bytes at
/// most.
#[derive(Clone, Copy)]
pub struct Name<'a> {
    message: &'a [u8],
    start: usize,
}

impl<'a> Name<'a> {
    /// Reads the name that begins there; returns also where it ends.
    pub(crate) fn parse(message: &'a [u8], start: usize) -> Result<(Name<'a>, usize), WireError> {
        let mut labels = Labels { message, at: start, before: start };
        let (mut len, mut end, mut pointers) = (1, None, 0);
        loop {
            match labels.step().ok_or(WireError::Name)? {
                Step::Label(label) => len += 1 + label.len(),
                Step::Pointer { after } => {
                    end.get_or_insert(after);
                    pointers += 1;
                }
                Step::Root { after } => {
                    return Ok((Name { message, start }, end.unwrap_or(after)));
                }
            }
            if len > MAX_NAME || pointers > MAX_POINTERS {
                return Err(WireError::Name);
            }
        }
    }

    /// The labels from left to right, without the root's.
    pub fn labels(&self) -> Labels<'a> {
        Labels { message: self.message, at: self.start, before: self.start }
    }

    /// Whether it is the same name; upper and lower case are the same, RFC 4343.
    pub fn is_same(&self, other: &Name<'_>) -> bool {
        let (mut ours, mut theirs) = (self.labels(), other.labels());
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(ours), Some(theirs)) if ours.eq_ignore_ascii_case(theirs) => {}
                _ => return false,
            }
        }
    }

    /// Whether it is the same name byte by byte.
    pub(crate) fn is_identical(&self, other: &Name<'_>) -> bool {
        self.labels().eq(other.labels())
    }

    /// Whether it is the name that is written so, with or without a dot at the end.
    pub fn is_text(&self, text: &str) -> bool {
        let mut labels = self.labels();
        let text = text.strip_suffix('.').unwrap_or(text);
        !text.is_empty()
            && text.split('.').all(|label| {
                labels.next().is_some_and(|own| own.eq_ignore_ascii_case(label.as_bytes()))
            })
            && labels.next().is_none()
    }

    /// Whether its last label is this one.
    pub fn ends_with(&self, label: &str) -> bool {
        self.labels().last().is_some_and(|last| last.eq_ignore_ascii_case(label.as_bytes()))
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, label) in self.labels().enumerate() {
            if n > 0 {
                f.write_str(".")?;
            }
            write_label(f, label)?;
        }
        Ok(())
    }
}

/// As in a zone file, RFC 1035 section 5.1: dots and what is not printable are escaped.
fn write_label(f: &mut fmt::Formatter<'_>, label: &[u8]) -> fmt::Result {
    for byte in label {
        match byte {
            b'.' | b'\\' => write!(f, "\\{}", char::from(*byte))?,
            b' '..=b'~' => write!(f, "{}", char::from(*byte))?,
            _ => write!(f, "\\{byte:03}")?,
        }
    }
    Ok(())
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

enum Step<'a> {
    Label(&'a [u8]),
    Pointer { after: usize },
    Root { after: usize },
}

/// The labels of a [`Name`].
#[derive(Clone, Debug)]
pub struct Labels<'a> {
    message: &'a [u8],
    at: usize,
    /// Where the part of the name begins that is read: pointers lead to before it, so no byte is
    /// read twice.
    before: usize,
}

impl<'a> Labels<'a> {
    fn step(&mut self) -> Option<Step<'a>> {
        let len = *self.message.get(self.at)?;
        match len & POINTER {
            0 if len == 0 => Some(Step::Root { after: self.at + 1 }),
            0 => {
                let start = self.at + 1;
                let label = self.message.get(start..start + usize::from(len))?;
                self.at = start + label.len();
                Some(Step::Label(label))
            }
            POINTER => {
                let low = *self.message.get(self.at + 1)?;
                let to = usize::from(len & !POINTER) << 8 | usize::from(low);
                if to >= self.before {
                    return None;
                }
                let after = self.at + 2;
                (self.at, self.before) = (to, to);
                Some(Step::Pointer { after })
            }
            _ => None,
        }
    }
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            match self.step()? {
                Step::Label(label) => return Some(label),
                Step::Pointer { .. } => {}
                Step::Root { .. } => return None,
            }
        }
    }
}

/// A name of [`MAX_OWNED_NAME`] bytes at most that is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct NameBuf {
    /// Labels and root, not compressed.
    bytes: Vec<u8, MAX_OWNED_NAME, u8>,
}

impl NameBuf {
    /// The name that is written so, with or without a dot at the end; `None` if it is none, or too
    /// long.
    pub fn from_text(text: &str) -> Option<NameBuf> {
        let text = text.strip_suffix('.').unwrap_or(text);
        NameBuf::from_labels(text.split('.').map(str::as_bytes))
    }

    /// The name of these labels; `None` if one of them is none, or if it is too long.
    pub fn from_labels<'l>(labels: impl IntoIterator<Item = &'l [u8]>) -> Option<NameBuf> {
        let mut bytes = Vec::new();
        for label in labels {
            let len =
                u8::try_from(label.len()).ok().filter(|len| (1..=MAX_LABEL as u8).contains(len))?;
            bytes.push(len).ok()?;
            bytes.extend_from_slice(label).ok()?;
        }
        bytes.push(0).ok()?;
        Some(NameBuf { bytes })
    }

    /// Keeps a name; `None` if it is too long.
    pub fn from_name(name: &Name<'_>) -> Option<NameBuf> {
        NameBuf::from_labels(name.labels())
    }

    /// The name.
    pub fn name(&self) -> Name<'_> {
        Name { message: &self.bytes, start: 0 }
    }

    /// Sets the case of its letters by the bits of a number, each used again and again.
    pub(crate) fn mix_case(&mut self, mut bits: u32) {
        for byte in self.bytes.iter_mut().filter(|byte| byte.is_ascii_alphabetic()) {
            // A length is no letter: it is 63 at most.
            *byte = byte.to_ascii_lowercase() ^ if bits & 1 != 0 { 0x20 } else { 0 };
            bits = bits.rotate_right(1);
        }
    }
}

impl fmt::Display for NameBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().fmt(f)
    }
}

impl fmt::Debug for NameBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.name(), f)
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn the_example_of_rfc_1035_section_4_1_4() {
        let mut message = [0; 93];
        message[20..32].copy_from_slice(b"\x01F\x03ISI\x04ARPA\0");
        message[40..46].copy_from_slice(b"\x03FOO\xc0\x14");
        message[64..66].copy_from_slice(b"\xc0\x1a");
        for (start, end, text) in
            [(20, 32, "F.ISI.ARPA"), (40, 46, "FOO.F.ISI.ARPA"), (64, 66, "ARPA"), (92, 93, "")]
        {
            let (name, after) = Name::parse(&message, start).unwrap();
            assert_eq!((name.to_string().as_str(), after), (text, end));
            assert!(text.is_empty() || name.is_text(&text.to_lowercase()));
        }
    }

    #[test]
    fn pointers_lead_back_only() {
        for message in [&b"\xc0\x00"[..], b"\x01a\xc0\x00", b"\x01a\xc0\x02", b"\xc0\x02\0"] {
            assert_eq!(Name::parse(message, 0).unwrap_err(), WireError::Name, "{message:?}");
        }
        // A ring of two, entered from outside.
        assert!(Name::parse(b"\xc0\x02\xc0\x00\xc0\x02", 4).is_err());
    }

    #[test]
    fn no_name_has_too_many_pointers() {
        // Each to the one before; the first one to the root.
        let mut message = std::vec![0];
        for at in 0..8000_u16 {
            let to = if at == 0 { 0 } else { 2 * at - 1 };
            message.extend((0xc000 | to).to_be_bytes());
        }
        let name = |pointers: usize| Name::parse(&message, 2 * pointers - 1);
        assert_eq!(name(MAX_POINTERS).unwrap().0.labels().count(), 0);
        for pointers in [MAX_POINTERS + 1, 2000, 8000] {
            assert_eq!(name(pointers).unwrap_err(), WireError::Name, "{pointers}");
        }
        // One for each label, as whoever writes names that become longer and longer has it.
        let mut message = b"\0".to_vec();
        let mut last = 0_u16;
        for _ in 0..MAX_POINTERS {
            let at = message.len() as u16;
            message.extend([1, b'a']);
            message.extend((0xc000 | last).to_be_bytes());
            last = at;
        }
        let name = Name::parse(&message, last.into()).unwrap().0;
        assert_eq!(name.labels().count(), MAX_POINTERS);
    }

    #[test]
    fn no_name_is_too_long() {
        let mut message = b"\x3f".to_vec();
        message.extend([b'a'; 63]);
        let mut message = message.repeat(3);
        message.push(61);
        message.extend([b'b'; 61]);
        message.push(0);
        assert_eq!(message.len(), MAX_NAME);
        assert!(Name::parse(&message, 0).is_ok());
        message[192] = 62;
        message.insert(193, b'b');
        assert_eq!(Name::parse(&message, 0).unwrap_err(), WireError::Name);
        for len in [64, 0x80, 0xbf] {
            assert!(Name::parse(&[&[len][..], &[0; 200]].concat(), 0).is_err(), "{len:#x}");
        }
        for cut in 0..5 {
            assert!(Name::parse(&b"\x03abc\0"[..cut], 0).is_err(), "{cut} bytes");
        }
    }

    #[test]
    fn names_of_ones_own() {
        let name = NameBuf::from_text("MQTT.local.").unwrap();
        assert!(name.name().is_text("mqtt.LOCAL"));
        assert!(!name.name().is_text("mqtt"));
        assert!(!name.name().is_text("mqtt.local.lan"));
        assert!(!name.name().is_text(""));
        assert!(name.name().ends_with("local"));
        assert!(name.name().is_same(&NameBuf::from_text("mqtt.local").unwrap().name()));
        assert!(!name.name().is_identical(&NameBuf::from_text("mqtt.local").unwrap().name()));
        let long = "a".repeat(64);
        for none in ["", ".", "a..b", ".a", &long, &"ab.".repeat(50)] {
            assert_eq!(NameBuf::from_text(none), None, "{none:?}");
        }
        assert_eq!(NameBuf::from_labels([&b"a.b\0"[..]]).unwrap().to_string(), "a\\.b\\000");
    }

    #[test]
    fn case_is_mixed() {
        let mut name = NameBuf::from_text("abc-1.de").unwrap();
        name.mix_case(0b10110);
        assert_eq!(name.to_string(), "aBC-1.dE");
    }
}
