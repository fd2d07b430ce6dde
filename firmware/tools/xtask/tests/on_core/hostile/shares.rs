//! No share of the ledger ever holds more than its limit, by what `show stats` prints on the core:
//! the figures are of the structures as they are there, which no test on the desktop knows.

use umqtt_memory::{Account, Plan, Share};

use super::Witness;
use crate::device::{Console, Device};

/// The accounts, by `show stats`.
pub(super) fn accounts(console: &mut Console) -> impl Iterator<Item = (Share, Account)> {
    let stats = console.ask_for("show stats", "  margin");
    Share::ALL.into_iter().map(move |share| {
        let head = format!("  {:<7} ", share.name());
        let row = stats.lines().find_map(|line| line.strip_prefix(&head)).unwrap();
        let figures: Vec<usize> =
            row.split_whitespace().map(|word| word.parse().unwrap()).collect();
        let [budget, used, high_water, refused] = figures[..] else { panic!("{row}") };
        (share, Account { budget, used, high_water, refused: refused as u32 })
    })
}

/// Each share has its budget of the plan, and has held no more than that and what is lent to it.
#[track_caller]
pub(super) fn keep_their_limits(console: &mut Console, after: &str) {
    for (share, account) in accounts(console) {
        assert_eq!(account.budget, Plan::ESP8266.budget(share), "{}", share.name());
        let (most, limit) = (account.high_water, Plan::ESP8266.most(share));
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
        device.client(&topic).retain(&topic, &[b'r'; 100]);
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
    keep_their_limits(&mut console, "a script and a console");
}
