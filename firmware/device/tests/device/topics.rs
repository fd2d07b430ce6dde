//! Topics with characters that make most clients close their connection: refused wherever they may
//! come from.

use crate::world::{World, publish_packet};

/// Bytes of topics that are none, as the console takes them.
const BAD: [&str; 6] = ["a%01", "a%0d%0a", "%7f", "a%c2%85/b", "%ef%bf%bf", "a/%f0%9f%bf%be"];

#[test]
fn the_console_refuses_them() {
    let mut world = World::new();
    let phone = world.client("phone", "#");
    let console = world.console();
    for topic in BAD {
        let said = world.ask(console, &format!("publish local {topic} x retained"));
        let why = "Publish failed: the topic holds a control character or a non-character";
        assert!(said.contains(why), "{topic}: {said}");
    }
    assert_eq!(world.messages(phone), Vec::<String>::new());
    for topic in ["%ef%bb%bfa", "a%20b", "%f0%9f%98%80", "%c2%a0"] {
        world.ask(console, &format!("publish local {topic} x"));
        assert_eq!(world.messages(phone).len(), 1, "{topic}");
    }
}

#[test]
fn scripts_are_refused_and_warned() {
    let script = "on init do subscribe local in\n\
        on topic local in do\n publish local $this_data x\n subscribe local $this_data\n \
        unsubscribe local $this_data\n";
    let mut world = World::running(script);
    let phone = world.client("phone", "#");
    for (data, shown) in [("a\u{1}", r"a\x01"), ("b\u{fffe}", r"b\xef\xbf\xbe"), ("c\r", r"c\x0d")]
    {
        world.advance(60_000); // the same warning is not told again and again
        world.serial();
        world.send(phone, publish_packet("in", data));
        assert_eq!(world.messages(phone).len(), 1, "only the question");
        let log = world.serial();
        let why = "the topic holds a control character or a non-character";
        assert!(log.contains(why) && log.contains(shown), "{log}");
    }
    assert_eq!(world.broker().subscriptions_len(), 2);
}
