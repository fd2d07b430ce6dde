//! Lines of a device's trace beside the lines of the script.

use umqtt_device::trace::LEAD;

use crate::remote::reply::shown;

/// Columns for the line of the script.
const SOURCE: usize = 40;

/// Shows the lines of a trace, one after the other.
pub(crate) struct TraceView<'s> {
    source: Vec<&'s [u8]>,
    /// The line of the script that stands above.
    last: Option<usize>,
}

impl<'s> TraceView<'s> {
    /// Beside this script; without its text there are only the numbers of its lines.
    pub(crate) fn new(source: &'s [u8]) -> TraceView<'s> {
        TraceView { source: source.split(|byte| *byte == b'\n').collect(), last: None }
    }

    /// A line that came, as it is shown: those that are none of the trace as they are.
    pub(crate) fn shown(&mut self, line: &[u8]) -> String {
        let text = shown(line);
        let Some(words) = text.strip_prefix(LEAD) else { return text };
        match numbered(words) {
            Some((number, what)) => self.beside(number, what),
            None => {
                self.last = None;
                match words.starts_with('+') {
                    true => words.to_owned(),
                    false => format!("       {words}"),
                }
            }
        }
    }

    fn beside(&mut self, number: usize, what: &str) -> String {
        let source = number.checked_sub(1).and_then(|at| self.source.get(at)).copied();
        let repeated = self.last.replace(number) == Some(number);
        let source = match source {
            Some(source) if !repeated => shown(source.trim_ascii()),
            _ => String::new(),
        };
        let number = if repeated { String::new() } else { number.to_string() };
        let cut: String = source.chars().take(SOURCE).collect();
        let cut = if cut.len() < source.len() { format!("{}...", shortened(&cut)) } else { cut };
        format!("{number:>5}  {cut:<SOURCE$}  {what}")
    }
}

/// Without its last three characters.
fn shortened(text: &str) -> String {
    text.chars().take(SOURCE - 3).collect()
}

/// `line 12: what`
fn numbered(words: &str) -> Option<(usize, &str)> {
    let (number, what) = words.strip_prefix("line ")?.split_once(": ")?;
    Some((number.parse().ok()?, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// Whatever a device sends: a line that a terminal may be given.
        #[test]
        fn any_bytes_are_a_line(line in "(trace )?(line [0-9]{0,12}: )?(\\PC|[\\x00-\\x1f]){0,80}", source: Vec<u8>) {
            let mut view = TraceView::new(&source);
            for _ in 0..2 {
                let text = view.shown(line.as_bytes());
                proptest::prop_assert!(!text.contains(|c: char| c.is_control() && c != '\t'), "{text:?}");
            }
        }
    }

    #[test]
    fn lines_of_the_script_stand_beside() {
        let source =
            "on init do\n    if $a_rather_long_name = \"something\" then\n  gpio_out 1 1\n";
        let mut view = TraceView::new(source.as_bytes());
        let mut shown = String::new();
        for line in [
            "trace +1.500 init",
            "trace line 2: the handler begins",
            "trace line 2: \"\" = \"something\" is false, goes on at the end",
            "trace line 3: gpio_out 1 1",
            "a line of the log",
            "trace line 9: beyond the source",
            "trace line 99999999999999999999: none",
            "trace +2.000 timer 1",
            "trace no handler",
            "trace 7 lines left out",
            "trace off: Config locked\u{1b}[2J",
        ] {
            shown.push_str(view.shown(line.as_bytes()).trim_end());
            shown.push('\n');
        }
        insta::assert_snapshot!(shown);
    }
}
