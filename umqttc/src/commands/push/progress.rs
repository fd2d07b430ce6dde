//! A line for each device on a terminal, while scripts are sent; elsewhere nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::remote::DeviceAddress;
use crate::remote::upload::Stage;

/// Between two pictures of what turns.
const TURN: Duration = Duration::from_millis(120);

/// The lines.
pub(super) struct Progress {
    all: MultiProgress,
    lines: BTreeMap<DeviceAddress, ProgressBar>,
}

impl Progress {
    /// One for each device, if they are to be shown.
    pub(super) fn new(hosts: &[DeviceAddress], shown: bool) -> Progress {
        let target = match shown {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let all = MultiProgress::with_draw_target(target);
        let line = |host: &DeviceAddress| {
            // What a template may be wrong in is tested below.
            let style = ProgressStyle::with_template("{spinner} {prefix}: {msg}");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
            let line = all.add(ProgressBar::new_spinner().with_style(style));
            line.set_prefix(host.to_string());
            line.enable_steady_tick(TURN);
            (host.clone(), line)
        };
        let lines = hosts.iter().map(line).collect();
        Progress { all, lines }
    }

    /// Shows what is done.
    pub(super) fn show(&self, host: &DeviceAddress, what: &'static str) {
        if let Some(line) = self.lines.get(host) {
            line.set_message(what);
        }
    }

    /// Shows how far an upload is.
    pub(super) fn stage(&self, host: &DeviceAddress, stage: Stage, all: usize) {
        let Some(line) = self.lines.get(host) else { return };
        match stage {
            Stage::Sending(sent) => line.set_message(format!("{sent} of {all} bytes sent")),
            Stage::Judging => line.set_message("checks it"),
        }
    }

    /// It is through with this one.
    pub(super) fn finish(&self, host: &DeviceAddress) {
        if let Some(line) = self.lines.get(host) {
            line.finish_and_clear();
        }
    }

    /// Takes the lines away while something else is on the terminal.
    pub(super) fn pause<T>(&self, act: impl FnOnce() -> T) -> T {
        self.all.suspend(act)
    }

    /// Takes the lines away.
    pub(super) fn end(&self) {
        // A terminal that is gone shows nothing anyway.
        let _ = self.all.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_one() {
        assert!(ProgressStyle::with_template("{spinner} {prefix}: {msg}").is_ok());
        let host: DeviceAddress = "lamp.lan".parse().unwrap();
        let progress = Progress::new(std::slice::from_ref(&host), false);
        progress.show(&host, "connects");
        progress.stage(&host, Stage::Sending(7), 9);
        progress.finish(&host);
        progress.end();
    }
}
