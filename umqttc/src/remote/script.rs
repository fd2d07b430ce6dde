//! `show script`: the script a device runs, which it shows a kilobyte at a time.

use super::reply::shown;
use super::variables::escape;
use super::{ConsoleClient, RemoteError, Reply};

/// How the listing of an image begins.
const DISASSEMBLED: &[u8] = b"Bytecode without source, disassembled:";

/// Longest part of a line that is shown, bytes.
const LONGEST: usize = 512;

/// What stands behind a line that is not shown whole.
const CUT: &[u8] = b" ...";

/// Most lines of a script: longer ones are no device's.
const MAX_LINES: usize = 100_000;

/// What a device runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RunningScript {
    /// Nothing.
    None,
    /// A script, by the text it was made of.
    Source(ScriptLines),
    /// Bytecode, by its instructions.
    Bytecode(ScriptLines),
}

/// A text as the device shows it: without CR, and bytes that are no text as `\xhh`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ScriptLines {
    lines: Vec<Vec<u8>>,
}

impl RunningScript {
    /// Asks a device for it.
    ///
    /// # Errors
    /// Those of a command, [`RemoteError::Locked`], [`RemoteError::Unexpected`].
    pub(crate) fn ask(console: &mut ConsoleClient) -> Result<RunningScript, RemoteError> {
        let mut text = ScriptLines::default();
        let mut bytecode = false;
        loop {
            let next = text.lines.len() + 1;
            let reply = console.order(format!("show script {next}"))?;
            let page = Page::read(&reply, next);
            bytecode |= page.bytecode;
            let progress = !page.lines.is_empty();
            text.lines.extend(page.lines);
            match page.end {
                End::NoScript => return Ok(RunningScript::None),
                End::Last if bytecode => return Ok(RunningScript::Bytecode(text)),
                End::Last => return Ok(RunningScript::Source(text)),
                End::More if progress && text.lines.len() <= MAX_LINES => {}
                End::More | End::Missing => {
                    let address = console.address().clone();
                    return Err(RemoteError::Unexpected(address, shown(reply.first())));
                }
            }
        }
    }

    /// How many lines it has, without asking for them.
    ///
    /// # Errors
    /// Those of a command, [`RemoteError::Locked`].
    pub(crate) fn describe(console: &mut ConsoleClient) -> Result<String, RemoteError> {
        let reply = console.order(format!("show script {}", u32::MAX))?;
        if reply.has("No script") {
            return Ok("none".to_owned());
        }
        if reply.lines().any(|line| line.ends_with(DISASSEMBLED)) {
            return Ok("bytecode".to_owned());
        }
        let lines =
            reply.after("The script has ").and_then(|rest| rest.split(|b| *b == b' ').next());
        Ok(lines.map_or("?".to_owned(), |lines| {
            format!("{} line{}", shown(lines), if lines == b"1" { "" } else { "s" })
        }))
    }
}

impl ScriptLines {
    /// A text of ours as a device would show it.
    pub(crate) fn listed(text: &[u8]) -> ScriptLines {
        let whole = text.strip_suffix(b"\n").unwrap_or(text);
        let lines =
            if text.is_empty() { Vec::new() } else { whole.split(|b| *b == b'\n').collect() };
        ScriptLines { lines: lines.into_iter().map(listed).collect() }
    }

    /// The text, a line end behind each line.
    pub(crate) fn to_text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for line in &self.lines {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        text
    }

    /// The numbers of lines that were not shown whole.
    pub(crate) fn cut(&self) -> Vec<usize> {
        self.numbers(|line| line.len() >= LONGEST && line.ends_with(CUT))
    }

    /// The numbers of lines with bytes that may have been others.
    pub(crate) fn escaped(&self) -> Vec<usize> {
        self.numbers(|line| line.windows(4).any(|part| escape(part).is_some()))
    }

    fn numbers(&self, is: impl Fn(&[u8]) -> bool) -> Vec<usize> {
        let lines = self.lines.iter().zip(1..);
        lines.filter(|(line, _)| is(line)).map(|(_, number)| number).collect()
    }
}

/// A line as it is listed.
fn listed(line: &[u8]) -> Vec<u8> {
    let (shown_part, cut) = match line.get(..LONGEST) {
        Some(begins) if line.len() > LONGEST => (begins, CUT),
        _ => (line, &b""[..]),
    };
    let text: Vec<u8> = shown_part.iter().copied().filter(|byte| *byte != b'\r').collect();
    [shown(&text).as_bytes(), cut].concat()
}

/// How a page ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// More lines follow.
    More,
    /// That was all.
    Last,
    /// There is no script.
    NoScript,
    /// It does not say.
    Missing,
}

/// A piece of a listing.
struct Page {
    bytecode: bool,
    lines: Vec<Vec<u8>>,
    end: End,
}

impl Page {
    /// Reads the lines from this number on. What a script has printed meanwhile has no such number.
    fn read(reply: &Reply, first: usize) -> Page {
        let mut page = Page { bytecode: false, lines: Vec::new(), end: End::Missing };
        for line in reply.lines() {
            match line {
                b"..." => page.end = End::More,
                b"--end--" => page.end = End::Last,
                line if line.ends_with(b"No script") && page.lines.is_empty() => {
                    page.end = End::NoScript;
                }
                line if line.ends_with(DISASSEMBLED) => page.bytecode = true,
                line => {
                    let number = format!("{:4}: ", first + page.lines.len());
                    if let Some(text) = behind(line, number.as_bytes(), page.lines.is_empty()) {
                        // As it should be already: a terminal must not obey what lies.
                        page.lines.push(shown(text).into_bytes());
                    }
                }
            }
        }
        page
    }
}

/// What stands behind the number of a line: the first may stand behind what a script has printed.
fn behind<'l>(line: &'l [u8], number: &[u8], is_first: bool) -> Option<&'l [u8]> {
    line.strip_prefix(number).or_else(|| {
        let at = line.windows(number.len()).position(|part| part == number)?;
        line.get(at + number.len()..).filter(|_| is_first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str, first: usize) -> Page {
        Page::read(&Reply::new(text.lines().map(|line| line.as_bytes().to_vec()).collect()), first)
    }

    #[test]
    fn a_page_with_what_a_script_prints_between() {
        let page = page("   3: on init do\nhello\n   4:   \tprint 1 % ...\n   6: no\n...\n", 3);
        assert_eq!(page.lines, [&b"on init do"[..], b"  \tprint 1 % ..."]);
        assert_eq!((page.end, page.bytecode), (End::More, false));
    }

    #[test]
    fn the_other_pages() {
        assert_eq!(page("No script", 1).end, End::NoScript);
        let bytecode = page("Bytecode without source, disassembled:\n   1: x\n--end--", 1);
        assert!(bytecode.bytecode && bytecode.end == End::Last && bytecode.lines == [b"x"]);
        assert_eq!(page("Config locked", 1).end, End::Missing);
        assert_eq!(page("no end   1: % a\n--end--", 1).lines, [b"% a"]);
    }

    #[test]
    fn lines_as_a_device_lists_them() {
        let long = [&[b'x'; 600][..], b"\r\n\ta\x07\xff\r\n\n"].concat();
        let listed = ScriptLines::listed(&long);
        let expected = [&[b'x'; LONGEST][..], b" ...\n\ta\\x07\\xff\n\n"].concat();
        assert_eq!(listed.to_text(), expected);
        assert_eq!((listed.cut(), listed.escaped()), (vec![1], vec![2]));
        assert_eq!(ScriptLines::listed(b"").to_text(), b"");
        assert!(ScriptLines::listed(b"a\\x41\\xz").escaped().is_empty());
    }

    proptest::proptest! {
        #[test]
        fn any_reply(lines: Vec<Vec<u8>>, first in 0usize..3) {
            let page = Page::read(&Reply::new(lines), first);
            let lines = ScriptLines { lines: page.lines };
            let _ = (lines.cut(), lines.escaped(), lines.to_text());
        }

        #[test]
        fn a_listing_comes_back(text in "[ -~\n\t]{0,300}") {
            let listed = ScriptLines::listed(text.as_bytes());
            let shown: Vec<Vec<u8>> = listed.lines.iter().zip(1..)
                .map(|(line, number)| [format!("{number:4}: ").as_bytes(), line].concat()).collect();
            let page = Page::read(&Reply::new(shown), 1);
            proptest::prop_assert_eq!(page.lines, listed.lines);
        }
    }
}
