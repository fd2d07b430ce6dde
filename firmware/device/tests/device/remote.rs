//! The remote broker: connecting, losing it, and what scripts and users see of it.

use std::collections::BTreeMap;
use umqtt_net::Instant;

use umqtt_device::net::CloseReason;
use umqtt_mqtt::{AllowAll, Broker, ConnId, Interface, Limits, Peer};

use umqtt_memory::Share;

use crate::world::{End, World};

/// Another broker, which the device reaches over the network in memory.
pub(crate) struct Far {
    pub(crate) broker: Broker,
    /// Whether it can be reached.
    pub(crate) up: bool,
    lines: BTreeMap<u32, End>,
    next: u32,
    /// All that came over the last connection.
    pub(crate) log: Vec<u8>,
    /// When the device tried to connect.
    pub(crate) attempts: Vec<u64>,
}

impl Far {
    pub(crate) fn new() -> Far {
        Far {
            broker: Broker::new(Limits::DESKTOP),
            up: true,
            lines: BTreeMap::new(),
            next: 0,
            log: Vec::new(),
            attempts: Vec::new(),
        }
    }

    /// Moves what there is between the two until both are at rest.
    pub(crate) fn settle(&mut self, world: &mut World) {
        world.settle();
        let mut moved = true;
        while moved {
            moved = self.answer(world);
            for (number, end) in self.lines.clone() {
                moved |= self.exchange(world, number, end);
            }
            while let Some(ConnId(number)) = self.broker.poll_close() {
                if let Some(end) = self.lines.remove(&number) {
                    world.finish(end);
                    moved = true;
                }
            }
        }
    }

    fn answer(&mut self, world: &mut World) -> bool {
        if world.net.asked.is_empty() {
            return false;
        }
        self.attempts.push(world.now());
        if !self.up {
            world.refuse_asked(CloseReason::Refused);
            return true;
        }
        self.next += 1;
        let peer = Peer::new(([10, 0, 0, 1], 4000).into(), Interface::Station);
        self.broker
            .open(ConnId(self.next), peer, Instant::from_millis(world.now()), &mut AllowAll)
            .unwrap();
        self.log.clear();
        let (_, _, end) = world.take_asked();
        self.lines.insert(self.next, end);
        true
    }

    fn exchange(&mut self, world: &mut World, number: u32, end: End) -> bool {
        let conn = ConnId(number);
        let bytes = world.received(end);
        self.log.extend_from_slice(&bytes);
        self.broker.receive(conn, &bytes, Instant::from_millis(world.now()), &mut AllowAll);
        if world.is_closed(end) {
            self.broker.closed(conn, Instant::from_millis(world.now()));
            self.lines.remove(&number);
            return true;
        }
        let mut buffer = [0; 700];
        let n = self.broker.copy_outgoing(conn, &mut buffer);
        self.broker.sent(conn, n);
        if n > 0 {
            world.send(end, &buffer[..n]);
        }
        n > 0 || !bytes.is_empty()
    }

    /// It is killed; what it has retained goes with it unless it is written down.
    pub(crate) fn kill(&mut self, world: &mut World, keeps: bool) {
        let kept: Vec<_> = self
            .broker
            .retained(b"#")
            .map(|message| (message.topic.to_vec(), message.payload.to_vec(), message.qos))
            .collect();
        self.broker = Broker::new(Limits::DESKTOP);
        if keeps {
            for (topic, payload, qos) in kept {
                self.broker.retain(&topic, &payload, qos).unwrap();
            }
        }
        self.up = false;
        for end in std::mem::take(&mut self.lines).into_values() {
            world.reset(end);
        }
    }

    /// Lets time pass on both sides.
    pub(crate) fn pass(&mut self, world: &mut World, ms: u64) {
        let until = world.now() + ms;
        while world.now() < until {
            world.advance(50.min(until - world.now()));
            self.broker.handle_timeout(Instant::from_millis(world.now()));
            self.settle(world);
        }
    }

    /// Somebody publishes there.
    pub(crate) fn publish(&mut self, world: &mut World, topic: &str, data: &str) {
        let qos = umqtt_mqtt::QoS::AtMostOnce;
        self.broker.publish(topic.as_bytes(), data.as_bytes(), qos, false).unwrap();
        self.settle(world);
    }

    /// What came for whoever listens there, as `topic: payload`.
    pub(crate) fn heard(&mut self) -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        std::iter::from_fn(|| self.broker.poll_local())
            .map(|message| format!("{}: {}", text(message.topic()), text(message.payload())))
            .collect()
    }

    fn filters(&self) -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let of_clients = self.broker.subscriptions().filter(|s| !s.client_id.is_empty());
        of_clients.map(|s| text(&s.filter)).collect()
    }
}

const LISTENS: &str = "config mqtt_host far\non mqttconnect do\n println \"up\"\n subscribe remote a/#\n\
    on topic remote a/# do\n println $this_topic | \"=\" | $this_data\n publish remote b $this_data retained\n";

/// A device whose script listens to the far broker, and a console.
fn listening() -> (World, Far, End) {
    let mut world = World::running(LISTENS);
    let mut far = Far::new();
    let console = world.console();
    far.broker.subscribe(b"b", umqtt_mqtt::QoS::AtMostOnce).unwrap();
    far.settle(&mut world);
    assert_eq!(world.text(console), "up\r\n");
    (world, far, console)
}

#[test]
fn a_script_talks_to_the_far_broker() {
    let (mut world, mut far, console) = listening();
    assert!(world.ask(console, "show mqtt").contains("MQTT client connected"));
    assert_eq!(far.filters(), ["a/#"]);
    far.publish(&mut world, "a/x", "1");
    assert_eq!(world.text(console), "a/x=1\r\n");
    assert_eq!(far.heard(), ["b: 1"]);
    assert_eq!(far.broker.retained(b"b").count(), 1);
    assert_eq!(world.ask(console, "publish remote b hello"), "Published topic\r\n");
    far.settle(&mut world);
    assert_eq!(far.heard(), ["b: hello"]);
}

#[test]
fn it_says_who_it_is_and_where_it_connects_to() {
    let mut world = World::new();
    let console = world.console();
    for line in ["mqtt_user me", "mqtt_password secret", "mqtt_port 1999", "mqtt_host far.example"]
    {
        world.ask(console, &format!("set {line}"));
    }
    let (host, port, end) = world.take_asked();
    assert_eq!((host.as_str(), port), ("far.example", 1999));
    let connect = b"\x10\x28\0\x04MQTT\x04\xc2\0\x3c\0\x10ESPRouter_010203\0\x02me\0\x06secret";
    assert_eq!(world.received(end), connect);
    assert_eq!(world.net.asked.len(), 0);
}

#[test]
fn without_a_connection_nothing_happens_and_that_is_logged() {
    let mut world = World::running(
        "on init do\n publish remote t x\n subscribe remote t\n unsubscribe remote t\n println \"on\"\n",
    );
    let log = world.serial();
    for action in ["publish", "subscribe", "unsubscribe"] {
        let line = format!("Script warning: {action} remote t: the client is not connected\r\n");
        assert!(log.contains(&line), "{log}");
    }
    assert!(log.contains("on\r\n"));
    let console = world.console();
    assert!(world.ask(console, "show mqtt").contains("MQTT client disconnected"));
    let reply = world.ask(console, "publish remote t x");
    assert_eq!(reply, "Publish failed: the client is not connected: mqtt_host is not set\r\n");
    world.advance(60_000);
    assert!(world.net.asked.is_empty(), "no host, no connection");
}

#[test]
fn settings_count_at_once() {
    let (mut world, mut far, console) = listening();
    // The script's word counts, and goes with it.
    world.ask(console, "script delete");
    far.settle(&mut world);
    assert!(far.log.ends_with(&[0xe0, 0]), "it says goodbye");
    assert!(world.ask(console, "show mqtt").contains("MQTT client disconnected"));
    world.ask(console, "set mqtt_host far");
    far.settle(&mut world);
    assert!(world.ask(console, "show mqtt").contains("MQTT client connected"));
    world.ask(console, "set mqtt_id other");
    far.settle(&mut world);
    let ids: Vec<_> = far.broker.clients().map(|client| client.id.to_string()).collect();
    assert_eq!(ids, ["other"]);
    let attempts = far.attempts.len();
    world.ask(console, "set mqtt_id other");
    far.pass(&mut world, 1000);
    assert_eq!(far.attempts.len(), attempts, "nothing has changed");
    world.ask(console, "set mqtt_host none");
    far.pass(&mut world, 120_000);
    assert_eq!((far.attempts.len(), far.broker.clients_len()), (attempts, 0));
}

#[test]
fn a_connection_that_should_be_encrypted_is_not_made() {
    let mut world = World::running("config mqtt_host far\nconfig mqtt_ssl 1\n");
    world.advance(60_000);
    assert!(world.net.asked.is_empty());
    let log = world.serial();
    let told = "no connection to the remote broker: mqtt_ssl is 1, and this device cannot encrypt";
    assert!(log.contains(told), "{log}");
    let console = world.console();
    let reply = world.ask(console, "set mqtt_ssl 1");
    let right = "mqtt_ssl must be 0: this device cannot encrypt connections yet";
    assert_eq!(reply, format!("Invalid argument: {right}\r\n"));
    world.ask(console, "set mqtt_ssl 0");
    assert_eq!(world.net.asked.len(), 1);
}

#[test]
fn a_new_script_starts_with_the_connection_and_without_the_old_subscriptions() {
    let (mut world, mut far, console) = listening();
    let attempts = far.attempts.len();
    world.install(
        "config mqtt_host far\non mqttconnect do\n println \"new\"\n subscribe remote c\n\
         on topic remote c do\n println $this_data\non topic remote a/# do\n println \"old\"\n",
    );
    far.settle(&mut world);
    assert_eq!(far.attempts.len(), attempts, "the same connection");
    assert_eq!(far.filters(), ["c"]);
    far.publish(&mut world, "a/x", "1");
    far.publish(&mut world, "c", "2");
    let text = world.text(console);
    assert!(text.ends_with("new\r\n2\r\n"), "{text}");
    // One that is stopped leaves nothing behind either.
    world.ask(console, "script delete");
    far.settle(&mut world);
    assert_eq!(far.filters(), [""; 0]);
}

#[test]
fn unsubscribing_ends_messages_at_once() {
    let mut world = World::running(
        "config mqtt_host far\non mqttconnect do\n subscribe remote a\n subscribe remote b\n\
         on topic remote \"#\" do\n println $this_topic\n unsubscribe remote a\n",
    );
    let mut far = Far::new();
    far.settle(&mut world);
    let console = world.console();
    for topic in ["a", "a", "b"] {
        far.broker.publish(topic.as_bytes(), b"", umqtt_mqtt::QoS::AtMostOnce, false).unwrap();
    }
    far.settle(&mut world);
    assert_eq!(world.text(console), "a\r\nb\r\n");
    assert_eq!(far.filters(), ["b"]);
}

#[test]
fn it_comes_back_later_and_later_and_tells_it_once() {
    let (mut world, mut far, console) = listening();
    far.attempts.clear();
    world.serial();
    far.kill(&mut world, false);
    let lost_at = world.now();
    assert!(world.ask(console, "show mqtt").contains("MQTT client disconnected"));
    far.pass(&mut world, 600_000);
    let mut last = lost_at;
    for (round, at) in far.attempts.iter().enumerate() {
        let full = (1000 << round.min(10)).min(60_000);
        let gap = at - last;
        assert!((full / 2..=full + 100).contains(&gap), "attempt {round} after {gap} ms");
        last = *at;
    }
    assert!(far.attempts.len() >= 12, "{:?}", far.attempts);
    let log = world.serial();
    assert_eq!(log.matches("nobody listens there; will try again").count(), 1, "{log}");
    assert_eq!(log.matches("lost the remote broker").count(), 1, "{log}");
    far.up = true;
    far.pass(&mut world, 60_000);
    let log = world.serial();
    assert!(log.contains("connected to the remote broker far:1883\r\n"), "{log}");
    assert!(log.contains("up\r\n"), "{log}");
    assert_eq!(far.filters(), ["a/#"]);
}

#[test]
fn one_that_falls_silent_is_noticed() {
    let (mut world, mut far, _) = listening();
    // Nothing is moved any more: no answer to the ping after a minute.
    world.advance(75_000);
    assert!(world.serial().contains("lost the remote broker: it is silent"));
    far.settle(&mut world);
    assert_eq!(far.filters(), ["a/#"]);
}

#[test]
fn a_refusal_is_told_in_words() {
    let mut world = World::running("config mqtt_host far\n");
    let (_, _, end) = world.take_asked();
    world.send(end, [0x20, 2, 0, 4]);
    assert!(world.is_closed(end));
    let log = world.serial();
    assert!(log.contains("far:1883: wrong mqtt_user or mqtt_password; will try again"), "{log}");
}

#[test]
fn nonsense_from_there_ends_that_connection_alone() {
    for nonsense in [
        &b"\0\0\0\0"[..],
        b"\x20\x02\0\x09",
        b"\x30\xff\xff\xff\xff\x01",
        b"\x20\x02\0\0\x20\x02\0\0",
    ] {
        let mut world = World::running("config mqtt_host far\n");
        let (_, _, end) = world.take_asked();
        world.send(end, nonsense);
        assert!(world.is_closed(end), "{nonsense:?}");
        let console = world.console();
        assert!(world.ask(console, "show mqtt").contains("MQTT client disconnected"));
        world.advance(2000);
        assert_eq!(world.net.asked.len(), 1, "it tries again");
    }
}

#[test]
fn a_restart_says_goodbye_first() {
    let (mut world, mut far, console) = listening();
    world.send(console, "publish remote b last\r\nreset\r\n");
    far.settle(&mut world);
    assert!(far.log.ends_with(&[0xe0, 0]));
    assert_eq!(far.heard(), ["b: last"], "what was said before still goes out");
    world.advance(2000);
    assert!(world.wires.borrow().restarted);
}

#[test]
fn a_flood_from_there_waits_for_the_script_and_none_is_lost() {
    let mut world = World::running(
        "config mqtt_host far\non init do\n setvar $n = 0\n\
         on mqttconnect do\n subscribe remote n\n\
         on topic remote n do\n if $this_data = $n then\n setvar $n = $n + 1\n endif\n",
    );
    let mut far = Far::new();
    far.settle(&mut world);
    for n in 0..5000 {
        let data = n.to_string();
        let qos = umqtt_mqtt::QoS::AtMostOnce;
        far.broker.publish(b"n", data.as_bytes(), qos, false).unwrap();
    }
    far.settle(&mut world);
    let console = world.console();
    let shown = world.ask(console, "show vars");
    assert!(shown.contains("n: 5000\r\n"), "{shown}");
}

#[test]
fn without_a_script_what_comes_is_thrown_away() {
    let (mut world, mut far, console) = listening();
    world.ask(console, "set mqtt_host far");
    world.ask(console, "script delete");
    far.settle(&mut world);
    assert_eq!(far.filters(), [""; 0]);
    assert!(world.ask(console, "show mqtt").contains("MQTT client connected"));
    assert_eq!(world.ask(console, "publish remote b still"), "Published topic\r\n");
    far.settle(&mut world);
    assert_eq!(far.heard(), ["b: still"]);
}

#[test]
fn a_network_that_is_not_up_yet_is_no_failure() {
    let mut world = World::new();
    let console = world.console();
    world.net.down = true;
    world.ask(console, "set mqtt_host far");
    world.advance(5_000);
    assert!(world.net.asked.is_empty());
    let log = world.serial();
    assert!(!log.contains("far"), "{log}");
    // It comes up: the remote broker is tried at once.
    world.net.down = false;
    world.wires.borrow_mut().link = Some(true);
    world.settle();
    assert_eq!(world.take_asked().0, "far");
}

#[test]
fn what_finds_no_room_on_its_way_there_is_counted() {
    let long = "x".repeat(1000);
    let script = format!(
        "config mqtt_host far\non mqttconnect do\n settimer 1 10\non timer 1 do\n \
        while 1 do\n publish remote up \"{long}\"\n done\n"
    );
    let mut world = World::running(&script);
    let mut far = Far::new();
    far.settle(&mut world);
    assert_eq!(world.account(Share::Upstream).refused, 0);
    // From now on nobody reads there.
    world.advance(1_000);
    assert!(world.account(Share::Upstream).refused > 0);
    assert!(world.serial().contains("too many messages are waiting to be sent"));
}

/// The far end of a connection of which the test writes every byte.
fn accepted(world: &mut World) -> End {
    let (_, _, far) = world.take_asked();
    assert!(!world.received(far).is_empty(), "CONNECT");
    world.send(far, [0x20, 2, 0, 0]);
    far
}

fn comes_in(world: &mut World, name: &str) {
    let client = world.client(name, "t");
    assert!(!world.is_closed(client), "{name}");
    world.finish(client);
    world.settle();
}

/// Short messages take many times their length in memory: they wait on the connection.
#[test]
fn a_remote_broker_that_floods_shuts_nobody_out() {
    let mut world = World::running(
        "config mqtt_host far\non mqttconnect do\n subscribe remote r/#\n\
         on topic remote r/# do\n setvar $n = $n + 1\n publish local got $n retained\n",
    );
    let far = accepted(&mut world);
    world.send(far, b"\x90\x03\xff\xff\0");
    for round in 0..20 {
        world.send(far, b"\x30\x05\0\x03r/a".repeat(1_000));
        let account = world.account(Share::Upstream);
        assert!(account.high_water <= account.budget, "{account:?}");
        comes_in(&mut world, &format!("n{round}"));
    }
    let console = world.console();
    world.advance(1_000);
    assert!(world.ask(console, "show vars").contains("n: 20000"), "none is lost");
    assert!(!world.wires.borrow().restarted);
}

#[test]
fn one_that_does_not_read_shuts_nobody_out() {
    let mut world = World::running(
        "config mqtt_host far\non init do settimer 1 10\n\
         on timer 1 do\n setvar $n = 0\n while $n lt 100 do\n publish remote r \"\"\n\
         setvar $n = $n + 1\n done\n settimer 1 10\n",
    );
    let far = accepted(&mut world);
    for round in 0..40 {
        world.advance(500);
        comes_in(&mut world, &format!("n{round}"));
    }
    assert!(world.account(Share::Upstream).refused > 0);
    let console = world.console();
    assert!(world.ask(console, "show mqtt").contains("MQTT client connected"));
    assert!(!world.is_closed(far));
}

#[test]
fn who_is_its_own_remote_broker_is_told_so() {
    let mut world = World::new();
    let console = world.console();
    world.ask(console, "set mqtt_host localhost");
    world.settle();
    // Its connection ends at its own broker.
    let (host, port, there) = world.take_asked();
    assert_eq!((host.as_str(), port), ("localhost", 1883));
    let here = world.connect(1883);
    for _ in 0..10 {
        let bytes = world.received(there);
        world.send(here, bytes);
        let bytes = world.received(here);
        world.send(there, bytes);
    }
    let told = world.serial();
    assert!(told.contains("connected to the remote broker localhost:1883"), "{told}");
    assert!(told.contains("the remote broker is this device itself"), "{told}");
}

#[test]
fn another_broker_is_not_taken_for_the_device_itself() {
    let mut world = World::new();
    let mut far = Far::new();
    world.client("other", "#");
    let console = world.console();
    world.ask(console, "set mqtt_host far");
    far.settle(&mut world);
    let told = world.serial();
    assert!(told.contains("connected to the remote broker"), "{told}");
    assert!(!told.contains("itself"), "{told}");
}
