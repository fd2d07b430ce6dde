//! No share of the ledger ever holds more than its limit, by what `show stats` prints on the core:
//! the figures are of the structures as they are there, which no test on the desktop knows.

use umqtt_memory::{Account, Share};

use super::Witness;
use super::memory::hungry_script;
use crate::device::{Console, Device, chip, eventually};

/// The accounts, by `show stats`. What a script prints may come in the middle of a row: then it is
/// asked again.
pub(super) fn accounts(console: &mut Console) -> Vec<(Share, Account)> {
    eventually("whole rows of show stats", || {
        let stats = console.ask_for("show stats", "  margin");
        Share::ALL.into_iter().map(|share| Some((share, account(&stats, share)?))).collect()
    })
}

fn account(stats: &str, share: Share) -> Option<Account> {
    let head = format!("  {:<7} ", share.name());
    let row = stats.lines().find_map(|line| line.strip_prefix(&head))?;
    let figures: Result<Vec<usize>, _> = row.split_whitespace().map(str::parse).collect();
    let [budget, used, high_water, refused] = figures.ok()?[..] else { return None };
    Some(Account { budget, used, high_water, refused: refused as u32 })
}

/// Each share has its budget of the plan, and has held no more than that and what is lent to it.
#[track_caller]
pub(crate) fn keep_their_limits(console: &mut Console, after: &str) {
    for (share, account) in accounts(console) {
        assert_eq!(account.budget, chip().plan.budget(share), "{}", share.name());
        let (most, limit) = (account.high_water, chip().plan.most(share));
        assert!(most <= limit, "{} held {most} of {limit} after {after}", share.name());
    }
}

#[test]
fn no_share_holds_more_than_its_limit() {
    let device = Device::boot();
    let mut console = device.console();
    keep_their_limits(&mut console, "the start");

    let mut witness = Witness::new(&device);
    for number in 0..8 {
        let topic = format!("kept/{number}");
        device.client(&topic).publish_retained(&topic, &[b'r'; 100]);
    }
    console.ask("set broker_user someone");
    console.ask("save_retained");
    console.ask("set broker_user none");
    assert!(console.ask("save").contains("Config saved"));
    keep_their_limits(&mut console, "settings and retained messages in flash");

    let verdict = device.push(b"on init do\n println \"here\"\n setvar @1 = 5\n");
    assert!(verdict.contains("Syntax okay"), "{verdict}");
    witness.is_served(&device, "a script");
    for command in ["help", "show config", "show mqtt", "show script", "show backlog"] {
        console.ask(command);
    }
    // A long one, and the next of its kind while it runs.
    for _ in 0..2 {
        let verdict = device.push(hungry_script().as_bytes());
        assert!(verdict.contains("Syntax okay"), "{verdict}");
    }
    keep_their_limits(&mut console, "a script and a console");
}
