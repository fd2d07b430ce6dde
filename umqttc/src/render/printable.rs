//! Any bytes as text of the same length that a terminal may be given.

/// The bytes as text, byte offsets unchanged: what is not UTF-8, and what a terminal would take for
/// an order (escape sequences, changes of writing direction), becomes `?`, one per byte.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut chars = chunk.valid().chars().peekable();
        while let Some(char) = chars.next() {
            let line_end = char == '\r' && chars.peek() == Some(&'\n');
            if matches!(char, '\n' | '\t') || line_end || !commands(char) {
                out.push(char);
            } else {
                out.extend(std::iter::repeat_n('?', char.len_utf8()));
            }
        }
        out.extend(chunk.invalid().iter().map(|_| '?'));
    }
    out
}

/// Control characters, and the invisible ones that reorder or hide text.
fn commands(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn keeps_offsets() {
        let odd = b"a\xff\xfe\xc3\xa9\x1b[31m\xc2\x9b\xe2\x80\xae\xe2\x82\0\r\n\rz";
        let text = printable(odd);
        assert_eq!(text.len(), odd.len());
        assert_eq!(text, "a??\u{e9}?[31m????????\r\n?z");
    }
}
