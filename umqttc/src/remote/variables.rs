//! Flash variables, `@1` to `@N`: as `show vars` shows them, and as they are.

use super::{ConsoleClient, RemoteError, Reply};

/// Most flash variables a device may have.
const MOST: u8 = 99;

/// A flash variable's number and its bytes.
pub(crate) type FlashVariable = (u8, Vec<u8>);

/// Asks a device for its flash variables, in their order; those that cannot be read are left out.
///
/// # Errors
/// Those of a command, [`RemoteError::Locked`].
pub(crate) fn ask(console: &mut ConsoleClient) -> Result<Vec<FlashVariable>, RemoteError> {
    Ok(read(&console.order("show vars")?))
}

/// Reads `show vars`.
fn read(reply: &Reply) -> Vec<FlashVariable> {
    let mut found: Vec<FlashVariable> = Vec::new();
    for line in reply.lines() {
        // Behind the script's variables, whose names begin with a letter.
        let next = found.last().map_or(1, |(number, _)| number.saturating_add(1));
        if let Some((number, value)) = variable(line)
            && (next..=MOST).contains(&number)
        {
            found.push((number, unescape(value)));
        }
    }
    found
}

/// `@3: value`
fn variable(line: &[u8]) -> Option<(u8, &[u8])> {
    let rest = line.strip_prefix(b"@")?;
    let end = rest.iter().position(|byte| *byte == b':')?;
    let number = str::from_utf8(rest.get(..end)?).ok()?.parse().ok()?;
    Some((number, rest.get(end..)?.strip_prefix(b": ")?))
}

/// The bytes of a text in which those that are no text stand as `\xhh`. A backslash that the device
/// would have shown as one stays.
pub(crate) fn unescape(shown: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(shown.len());
    let mut rest = shown;
    while let Some((first, tail)) = rest.split_first() {
        match escape(rest) {
            Some(byte) => {
                bytes.push(byte);
                rest = rest.get(4..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    bytes
}

/// The byte that is shown so at the beginning of a text, if it is one that is no text.
pub(crate) fn escape(text: &[u8]) -> Option<u8> {
    let [b'\\', b'x', high, low, ..] = text else { return None };
    let digit = |digit: &u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let byte = digit(high)? << 4 | digit(low)?;
    (!(b' '..=b'~').contains(&byte)).then_some(byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use umqtt_device::printable::Printable;

    #[test]
    fn the_console_page() {
        let text = "count: 7\nraw: a\\x00b\n@1: \n@2: a b\\x0d\\x41\n@3 cannot be read: x\n@4: \\y\n@2: no";
        let reply = Reply::new(text.lines().map(|line| line.as_bytes().to_vec()).collect());
        let expected: [FlashVariable; 3] =
            [(1, Vec::new()), (2, b"a b\r\\x41".to_vec()), (4, b"\\y".to_vec())];
        assert_eq!(read(&reply), expected);
    }

    proptest::proptest! {
        #[test]
        fn values_come_back(value: Vec<u8>) {
            // Of a backslash before such digits nobody can tell.
            proptest::prop_assume!(!value.windows(4).any(|part| escape(part).is_some()));
            let shown = Printable(&value).to_string();
            proptest::prop_assert_eq!(unescape(shown.as_bytes()), value);
        }

        #[test]
        fn any_lines(lines: Vec<Vec<u8>>) {
            let _ = read(&Reply::new(lines));
        }
    }
}
