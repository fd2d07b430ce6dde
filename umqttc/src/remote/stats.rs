//! `show stats` and `show mqtt`: what goes on on a device, in figures.

use super::Reply;
use super::reply::shown;

/// Figures of a device, as far as it has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeviceStats {
    /// Seconds since its start.
    pub(crate) uptime: Option<u64>,
    /// Bytes of free memory: chips have it.
    pub(crate) free_memory: Option<u64>,
    /// Bytes that its parts hold.
    pub(crate) used_memory: Option<u64>,
    /// Events of the script.
    pub(crate) script_events: Option<u64>,
    /// Its clock, as it shows it.
    pub(crate) clock: Option<String>,
}

impl DeviceStats {
    /// Reads `show stats`.
    pub(crate) fn read(reply: &Reply) -> DeviceStats {
        let behind = |text: &str| {
            reply.lines().find_map(|line| {
                let at = line.windows(text.len()).position(|part| part == text.as_bytes())?;
                line.get(at + text.len()..)
            })
        };
        DeviceStats {
            uptime: behind("System uptime: ").and_then(seconds),
            free_memory: behind("Free mem: ").and_then(number),
            used_memory: used_memory(reply),
            script_events: behind("Script events: ").and_then(number),
            clock: behind("Clock set: ").map(shown),
        }
    }
}

/// How many clients the broker has, of `show mqtt`.
pub(crate) fn clients(reply: &Reply) -> Option<u64> {
    reply.after("Current clients: ").and_then(number)
}

/// Whether the script runs, of `show mqtt`; `None` if there is none.
pub(crate) fn script_runs(reply: &Reply) -> Option<bool> {
    match (reply.has("Script enabled"), reply.has("Script disabled")) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}

/// The sum of the ledger's second column.
fn used_memory(reply: &Reply) -> Option<u64> {
    let rows = reply.lines().skip_while(|line| !line.starts_with(b"Memory ")).skip(1);
    let used = rows.filter(|line| line.starts_with(b"  ")).filter_map(|line| {
        let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        words.nth(2).and_then(number)
    });
    used.fold(None, |sum: Option<u64>, used| Some(sum.unwrap_or(0).saturating_add(used)))
}

/// The number at the beginning.
fn number(text: &[u8]) -> Option<u64> {
    let end = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    str::from_utf8(text.get(..end)?).ok()?.parse().ok()
}

/// `h:mm:ss`
fn seconds(text: &[u8]) -> Option<u64> {
    let mut parts = text.split(|byte| *byte == b':').map(number);
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_add(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(text: &str) -> Reply {
        Reply::new(text.lines().map(|line| line.as_bytes().to_vec()).collect())
    }

    #[test]
    fn figures_of_the_console_page() {
        let page = include_str!("../../../firmware/device/docs/console.md");
        let (_, shown) = page.split_once("CMD>show stats\n").unwrap();
        let stats = DeviceStats::read(&reply(shown.split("```").next().unwrap()));
        let expected = DeviceStats {
            uptime: Some(36_125),
            free_memory: Some(21_344),
            used_memory: Some(2_499),
            script_events: Some(42),
            clock: Some("Wed 12:34:56".to_owned()),
        };
        assert_eq!(stats, expected);
        let (_, shown) = page.split_once("CMD>show mqtt\n").unwrap();
        let shown = reply(shown.split("```").next().unwrap());
        assert_eq!((clients(&shown), script_runs(&shown)), (Some(2), Some(true)));
    }

    proptest::proptest! {
        #[test]
        fn any_reply(lines: Vec<Vec<u8>>, uptime in "System uptime: [0-9:]{0,60}") {
            let _ = DeviceStats::read(&Reply::new(lines));
            let _ = DeviceStats::read(&reply(&format!("{uptime}\nMemory x\n  a {0} {0}\n  b 1 {0}", u64::MAX)));
        }
    }
}
