//! Section 4.7: which filter matches which topic.

mod net;

use net::Net;
use proptest::prelude::*;
use umqtt_mqtt::wire::{Publish, Subscribe};
use umqtt_mqtt::{Limits, QoS};

const Q0: QoS = QoS::AtMostOnce;

/// Whether a message to `topic` reaches a subscriber of `filter`, live and as a retained one.
fn reaches(filter: &str, topic: &str) -> bool {
    let mut net = Net::with(Limits::DESKTOP.max_topic(65_535).max_packet(1 << 20));
    for (conn, id) in [(1, "a"), (2, "b"), (3, "c")] {
        net.join(conn, id);
    }
    let mut packet = Vec::new();
    assert!(Subscribe::emit(1, &[(filter.as_bytes(), Q0)], &mut packet));
    net.send(1, &packet);
    net.take(1, 5);
    let mut publish = Vec::new();
    let (topic, payload) = (topic.as_bytes(), &b"x"[..]);
    let (qos, retain, dup, packet_id) = (Q0, true, false, 0);
    assert!(Publish { topic, payload, qos, retain, dup, packet_id }.emit(&mut publish));
    net.send(2, &publish);
    net.send(3, &packet);
    net.take(3, 5);
    let (live, kept) = (net.messages(1).len(), net.messages(3).len());
    assert!(!net.is_closed(1) && !net.is_closed(2));
    assert_eq!(live, kept, "{filter:?} {topic:?}");
    live == 1
}

/// [MQTT-4.7.1-2], [MQTT-4.7.1-3], [MQTT-3.8.3-2], [MQTT-3.3.2-3]: the standard's own examples, and
/// those at the edges.
#[test]
fn the_examples_of_the_standard() {
    for (filter, matching, others) in [
        (
            "sport/tennis/player1/#",
            &[
                "sport/tennis/player1",
                "sport/tennis/player1/ranking",
                "sport/tennis/player1/score/wimbledon",
                "sport/tennis/player1/",
            ][..],
            &["sport/tennis/player2", "sport/tennis", "sport/tennis/player10"][..],
        ),
        ("sport/#", &["sport", "sport/", "sport/a/b/c"], &["sports", "/sport"]),
        ("#", &["a", "/", "a/b/c", "//"], &[]),
        (
            "sport/tennis/+",
            &["sport/tennis/player1", "sport/tennis/player2", "sport/tennis/"],
            &["sport/tennis/player1/ranking", "sport/tennis"],
        ),
        ("sport/+", &["sport/"], &["sport"]),
        ("+", &["sport"], &["/finance", "sport/"]),
        ("+/+", &["/finance", "a/b", "/"], &["finance", "a/b/c"]),
        ("/+", &["/finance", "/"], &["finance", "/finance/x"]),
        ("+/tennis/#", &["a/tennis", "/tennis/x/y"], &["a/b/tennis"]),
        ("sport/+/player1", &["sport/tennis/player1", "sport//player1"], &["sport/player1"]),
        ("a//b", &["a//b"], &["a/b", "a///b"]),
        ("/", &["/"], &["//"]),
    ] {
        for topic in matching {
            assert!(reaches(filter, topic), "{filter} should match {topic}");
        }
        for topic in others {
            assert!(!reaches(filter, topic), "{filter} should not match {topic}");
        }
    }
}

/// [MQTT-4.7.2-1]: only a wildcard at the very beginning is concerned.
#[test]
fn a_leading_wildcard_does_not_match_a_dollar() {
    for (filter, topic, matches) in [
        ("#", "$SYS/monitor/Clients", false),
        ("+/monitor/Clients", "$SYS/monitor/Clients", false),
        ("+/#", "$x/y", false),
        ("+", "$x", false),
        ("$x/#", "$x/y", true),
        ("$x/+", "$x/y", true),
        ("$x/monitor/+", "$x/monitor/Clients", true),
        ("#", "a/$x", true),
        ("a/+", "a/$x", true),
        ("+/$x", "a/$x", true),
        ("#", "x$", true),
    ] {
        let topic = topic.replace("$SYS", "$OUR"); // clients may not write to the broker's own
        assert_eq!(reaches(filter, &topic), matches, "{filter} {topic}");
    }
}

/// [MQTT-4.7.3-4]: upper and lower case, spaces and composed characters are told apart.
#[test]
fn nothing_is_normalized() {
    let names =
        ["ACCOUNTS", "Accounts", "Accounts payable", "Accounts  payable", " Accounts", "Accounts/"];
    let accents = ["\u{e9}", "e\u{301}", "\u{1e9b}\u{323}", "\u{1e9b}", "\u{feff}a", "a"];
    for filter in names.iter().chain(&accents) {
        for topic in names.iter().chain(&accents) {
            assert_eq!(reaches(filter, topic), filter == topic, "{filter:?} {topic:?}");
        }
    }
}

/// [MQTT-4.7.3-1], [MQTT-4.7.3-3]: from one character to as many bytes as a length can say, where
/// the limits allow it.
#[test]
fn the_shortest_and_the_longest() {
    assert!(reaches("a", "a") && reaches("/", "/"));
    let longest = "x".repeat(65_535);
    assert!(reaches(&longest, &longest) && reaches("#", &longest) && reaches("+", &longest));
    assert!(!reaches(&longest, &longest[1..]));
    let mut out = Vec::new();
    let longer = "x".repeat(65_536);
    assert!(!Subscribe::emit(1, &[(longer.as_bytes(), Q0)], &mut out) && out.is_empty());
}

fn level() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(""), Just("a"), Just("b"), Just("$c"), Just("+"), Just("#")]
}

/// The rules of section 4.7, level by level.
fn by_the_book(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let (filter, topic): (Vec<_>, Vec<_>) =
        (filter.split('/').collect(), topic.split('/').collect());
    let parents = if filter.last() == Some(&"#") { filter.len() - 1 } else { filter.len() };
    let enough =
        if parents < filter.len() { topic.len() >= parents } else { topic.len() == parents };
    enough && (0..parents).all(|n| filter[n] == "+" || filter[n] == topic[n])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// [MQTT-3.3.2-3]
    #[test]
    fn what_is_delivered_matches(
        filter in proptest::collection::vec(level(), 1..5),
        topic in proptest::collection::vec(level(), 1..5),
    ) {
        let (last, parents) = filter.split_last().expect("not empty");
        prop_assume!(!parents.contains(&"#"));
        let filter = [parents, &[*last]].concat().join("/");
        let topic = topic.join("/").replace(['+', '#'], "b");
        prop_assume!(!filter.is_empty() && !topic.is_empty());
        prop_assert_eq!(reaches(&filter, &topic), by_the_book(&filter, &topic), "{} {}", filter, topic);
    }
}
