//! All stories once more, on a heap as the chip's: a first-fit heap of its size, where memory comes
//! to be in pieces, with the chip's limits and shares. An allocation that the device has not asked
//! for and does not find ends the program.
//!
//! There is one heap, so the stories run in a child, one after the other. To run one of them there:
//!
//! ```sh
//! UMQTT_CHIP_HEAP=1 cargo test -p umqtt-device --test device -- --test-threads 1 fair::
//! ```

use std::process::Command;

use crate::world::CHIP_HEAP;

/// Stories that the chip's limits leave no room for, with the reason.
const DOES_NOT_FIT: [(&str, &str); 22] = [
    ("crowd::a_burst_larger_than_the_memory_is_delivered_whole", CROWD),
    ("crowd::clients_that_publish_before_they_acknowledge_get_through_one_by_one", CROWD),
    ("crowd::subscribers_that_take_nothing_hold_nobody_up_for_long", CROWD),
    ("dhcp::", IMAGE),
    ("fair::a_console_and_a_script_go_on_while_others_flood", "40 clients"),
    ("fair::a_message_waits_for_a_bounded_number_of_the_flooders_bytes", "41 clients"),
    ("fuel::finding_goes_on_no_longer_than_it_is_paid_for", RETAINED),
    ("fuel::looks_at_retained_messages_are_paid_for", RETAINED),
    ("fuel::numbers_as_texts_and_texts_as_numbers_are_paid_for", RETAINED),
    ("fuel::others_are_served_between_two_events_of_a_script_at_its_limit", WAIT),
    ("fuel::whatever_a_script_does_its_event_ends", RETAINED),
    ("limit::others_wait_for_one_event_of_a_script_at_its_limit", RETAINED),
    ("name_server::", IMAGE),
    ("retained::others_have_their_turn_while_many_are_saved", RETAINED),
    ("retained::what_changes_while_they_are_saved_is_saved_next", RETAINED),
    ("retained::what_there_is_no_room_for_is_named_and_the_rest_is_saved", RETAINED),
    ("silence::a_flood_of_one_port_keeps_nobody_from_the_other", NUMBERS),
    ("silence::a_script_gets_to_the_port_that_waits_for_it", NUMBERS),
    ("silence::clients_get_into_the_broker_at_once_and_stay", NUMBERS),
    ("silence::the_owner_gets_to_the_console_and_has_the_time_to_type", NUMBERS),
    (
        "upload::warnings_about_a_script_that_is_taken_are_told_with_their_places",
        "the chip's compiler has no warnings",
    ),
    (
        "wifi::a_scan_shows_the_strongest_networks_beside_a_connection",
        "a quarter of a share of 64 KB",
    ),
];
const CROWD: &str = "16 queues for a broker of 40 KB, which is four times the chip's";
const IMAGE: &str = "32 leases and 16 questions under way, which the chip's image has no room for";
const WAIT: &str = "a thousand messages for the script fill the memory: those who publish wait";
const NUMBERS: &str =
    "thousands of connections, to each of which the stories' network gives a number of its own";
const RETAINED: &str = "more retained messages than the chip's 32";

#[test]
fn the_stories_run_within_the_chips_heap() {
    if std::env::var_os(CHIP_HEAP).is_some() {
        return;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--test-threads", "1"]).env(CHIP_HEAP, "1").env("RUST_BACKTRACE", "0");
    for (story, _) in DOES_NOT_FIT {
        child.args(["--skip", story]);
    }
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
}
