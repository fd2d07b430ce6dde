//! What a device says of a script it was sent: `Script upload completed (179 Bytes)` and so on, as
//! the console's page has it.

use serde::Serialize;

use super::reply::shown;

/// Most lines that are read of one: the device lists ten errors or warnings.
const MOST_LINES: usize = 40;

/// How the report of an upload begins.
const BEGINNINGS: [&str; 5] = [
    "Script upload completed (",
    "Script not taken (",
    "Script upload failed: ",
    "Script upload cancelled: ",
    "Script not stored: ",
];

/// What has come of an upload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The script runs.
    pub(crate) taken: bool,
    /// How many bytes the device says have come.
    pub(crate) bytes: Option<usize>,
    /// Errors and warnings with their places.
    pub(crate) remarks: Vec<Remark>,
    /// Everything else it says, as it may be shown.
    pub(crate) text: Vec<String>,
}

/// An error or a warning of the device's compiler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Remark {
    /// `error` or `warning`.
    pub(crate) severity: &'static str,
    /// Of a warning: `W0001`.
    pub(crate) code: Option<String>,
    /// From 1.
    pub(crate) line: usize,
    /// In characters, from 1.
    pub(crate) column: usize,
    /// As it may be shown.
    pub(crate) message: String,
}

/// Whether a line begins a report: where it stands behind what a script has printed, too.
pub(crate) fn begins(line: &[u8]) -> Option<usize> {
    BEGINNINGS
        .iter()
        .find_map(|text| line.windows(text.len()).position(|part| part == text.as_bytes()))
}

impl Verdict {
    /// Reads the lines of a report; `None` if there is none among them.
    pub(crate) fn read<'l>(lines: impl IntoIterator<Item = &'l [u8]>) -> Option<Verdict> {
        let mut lines = lines.into_iter().skip_while(|line| begins(line).is_none()).peekable();
        let first = lines.next()?;
        let first = first.get(begins(first)?..)?;
        let mut verdict = Verdict { bytes: bytes(first), ..Verdict::default() };
        let completed = first.starts_with(b"Script upload completed");
        if !completed {
            verdict.text.push(shown(first));
        }
        for line in lines.take(MOST_LINES) {
            verdict.add(line, completed);
        }
        Some(verdict)
    }

    /// What was sent to the uploading end of a device with little room, whose first lines may be
    /// missing.
    pub(crate) fn read_short(report: &[u8]) -> Option<Verdict> {
        let lines = || report.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
        if let Some(verdict) = Verdict::read(lines()) {
            return Some(verdict);
        }
        let mut verdict = Verdict::default();
        for line in lines().filter(|line| !line.is_empty()).take(MOST_LINES) {
            verdict.add(line, true);
        }
        (verdict.taken || !verdict.remarks.is_empty() || !verdict.text.is_empty())
            .then_some(verdict)
    }

    fn add(&mut self, line: &[u8], completed: bool) {
        if completed && line == b"Syntax okay" {
            self.taken = true;
        } else if let Some(remark) = Remark::read(line) {
            self.remarks.push(remark);
        } else if !is_count_of_warnings(line) && !line.starts_with(b"umqttc check FILE") {
            self.text.push(shown(line));
        }
    }
}

impl Remark {
    /// `Error in line 2, column 10: ...` or `Warning W0001 in line 2, column 10: ...`
    fn read(line: &[u8]) -> Option<Remark> {
        let (severity, code, rest) = match line.strip_prefix(b"Error in line ") {
            Some(rest) => ("error", None, rest),
            None => {
                let rest = line.strip_prefix(b"Warning ")?;
                let at = rest.iter().position(|byte| *byte == b' ')?;
                let rest_of = rest.get(at..)?.strip_prefix(b" in line ")?;
                ("warning", Some(shown(rest.get(..at)?)), rest_of)
            }
        };
        let (line, rest) = number(rest)?;
        let (column, rest) = number(rest.strip_prefix(b", column ")?)?;
        let message = shown(rest.strip_prefix(b": ")?);
        Some(Remark { severity, code, line, column, message })
    }
}

/// `... (179 Bytes)...`
fn bytes(line: &[u8]) -> Option<usize> {
    let at = line.iter().position(|byte| *byte == b'(')?;
    let (bytes, rest) = number(line.get(at + 1..)?)?;
    rest.starts_with(b" Bytes)").then_some(bytes)
}

/// `1 warning`, `12 warnings, of which the last 3 are not shown`.
fn is_count_of_warnings(line: &[u8]) -> bool {
    number(line).is_some_and(|(_, rest)| rest.starts_with(b" warning"))
}

/// The number at the beginning, and the rest.
fn number(text: &[u8]) -> Option<(usize, &[u8])> {
    let end = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let digits = str::from_utf8(text.get(..end)?).ok()?;
    Some((digits.parse().ok()?, text.get(end..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Verdict> {
        Verdict::read(text.lines().map(str::as_bytes))
    }

    #[test]
    fn a_script_that_is_taken_with_a_warning() {
        let verdict = read(
            "other\nScript upload completed (179 Bytes)\nSyntax okay\n\
             Warning W0001 in line 2, column 10: operators: group\n1 warning",
        )
        .unwrap();
        let remark = Remark {
            severity: "warning",
            code: Some("W0001".into()),
            line: 2,
            column: 10,
            message: "operators: group".into(),
        };
        let expected =
            Verdict { taken: true, bytes: Some(179), remarks: vec![remark], text: Vec::new() };
        assert_eq!(verdict, expected);
    }

    #[test]
    fn a_script_that_is_not() {
        let verdict = read(
            "Script not taken (94 Bytes), the one that was there goes on\n\
             Error in line 3, column 1: \x1b[2J\numqttc check FILE tells more",
        )
        .unwrap();
        assert!(!verdict.taken && verdict.bytes == Some(94));
        assert_eq!(verdict.remarks[0].message, "\\x1b[2J");
        assert_eq!(verdict.text, ["Script not taken (94 Bytes), the one that was there goes on"]);
        let failed = read("Script upload failed: the script is too long: at most 16384 bytes");
        assert!(!failed.unwrap().taken);
        assert_eq!(read("hello\nSyntax okay"), None);
    }

    #[test]
    fn what_an_esp8266_has_room_for() {
        let verdict = Verdict::read_short(b"Error in line 1, column 8: no\r\n...\r\n").unwrap();
        assert!(!verdict.taken);
        assert_eq!(
            (verdict.remarks[0].line, verdict.text.as_slice()),
            (1, &["...".to_owned()][..])
        );
        assert!(Verdict::read_short(b"Syntax okay\r\n").unwrap().taken);
        assert_eq!(Verdict::read_short(b"\r\n"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes(report: Vec<u8>, line in "(Error|Warning)[ a-zA-Z0-9,:]{0,40}") {
            let _ = Verdict::read_short(&report);
            let _ = Verdict::read([line.as_bytes(), &report]);
            let _ = Remark::read(line.as_bytes());
        }
    }
}
