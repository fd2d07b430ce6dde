//! What the system knows of a process.

use std::time::Duration;

/// A running process by its number.
#[derive(Clone, Copy)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// Resident memory in KiB.
    pub(crate) fn memory_kb(self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0)).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let digits = line.and_then(|line| line.split_whitespace().next());
        digits.and_then(|digits| digits.parse().ok()).expect("a number of KiB")
    }

    /// Open descriptors.
    pub(crate) fn descriptors(self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.0)).expect("it runs").count()
    }

    /// The same, once it does not change for a while.
    pub(crate) fn settled_descriptors(self) -> usize {
        let mut same = 0;
        let mut last = 0;
        crate::common::eventually("a steady number of descriptors", || {
            std::thread::sleep(Duration::from_millis(20));
            let now = self.descriptors();
            same = if now == last { same + 1 } else { 0 };
            last = now;
            (same >= 5).then_some(now)
        })
    }
}
