//! What an upload holds comes out of its share, and what the share has not is refused: measured by
//! what a heap as the chip's really gives, in the child of `chip_heap`; elsewhere nothing is
//! measured.

use umqtt_memory::{STEP_MARGIN, Share};
use umqtt_testkit::memory::free;

use crate::allocator::least_free;
use crate::world::{World, options};

/// Bytes of it.
const SHARE: usize = 4096;

/// So many variables in one handler, and behind it what is no script: nothing is loaded of it.
fn script(variables: usize) -> String {
    let set = |n| format!(" setvar $v{n} = \"{}\"\n", "0123456789".repeat(4));
    format!("on init do\n{}on nonsense\n", (0..variables).map(set).collect::<String>())
}

#[test]
fn an_upload_takes_what_is_booked_and_no_more_than_its_share() {
    if free().is_none() && std::env::var_os(crate::world::CHIP_HEAP).is_none() {
        return;
    }
    let plan = options().plan;
    let (mut taken, mut refused) = (0, 0);
    for variables in (10..100).step_by(10) {
        let mut world = World::with_upload_share(SHARE);
        world.wires.borrow_mut().measures = true;
        world.install("on init do println 1\n");
        let console = world.console();
        world.ask(console, "script 2000");
        let sender = world.connect(2000);
        let before = free().unwrap();
        least_free();
        world.send(sender, &*script(variables));
        world.finish(sender);
        let text = world.text(console);
        let account = world.account(Share::Upload);
        let really = before - least_free();
        // And what is said about it.
        assert!(really <= account.high_water + STEP_MARGIN, "{variables}: {really}, {account:?}");
        assert!(account.high_water <= SHARE + plan.idle(), "{variables}: {account:?}");
        if text.contains("Error in line") {
            assert_eq!(account.refused, 0);
            taken += 1;
        } else {
            // There was memory: it was the share that refused.
            assert!(text.contains("not enough memory to compile this script"), "{text}");
            assert_eq!(account.refused, 1);
            assert!(really + 4096 < before, "{really} of {before}");
            refused += 1;
        }
        // Whatever came of it, a short one is taken.
        world.ask(console, "script 2000");
        let sender = world.connect(2000);
        world.send(sender, "on init do println 2\n");
        world.finish(sender);
        assert!(world.text(console).contains("Syntax okay"));
    }
    assert!(taken > 0 && refused > 0, "{taken} taken, {refused} refused");
}

#[test]
fn a_download_asks_for_its_start() {
    let url = "http://server/new.script";
    for (share, starts) in [(100, false), (16 * 1024, true)] {
        let mut world = World::with_no_more_for_uploads_than(share);
        let console = world.console();
        let reply = world.ask(console, &format!("script {url}"));
        let account = world.account(Share::Upload);
        assert_eq!(
            (world.net.asked.len(), account.refused),
            (usize::from(starts), u32::from(!starts))
        );
        let said = match starts {
            true => format!("HTTP request to {url} started\r\n"),
            false => "HTTP script upload failed (not enough memory for the request)\r\n".to_owned(),
        };
        assert_eq!(reply, said);
        assert!(account.high_water <= share, "{account:?}");
        // What is started is within it.
        if starts {
            let (_, _, end) = world.take_asked();
            world.send(end, "HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\non init do println 1\n");
            assert!(world.text(console).contains("Script not stored: not enough memory to run"));
            assert!(world.account(Share::Upload).high_water <= share);
        }
    }
}
