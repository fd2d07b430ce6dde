//! Whether the broker's work grows with what it holds: for each thing that can grow, the
//! instructions for `FEW` of them and for four times as many, counted by valgrind, so that they are
//! the same on a busy machine. `cargo bench -p umqtt-mqtt --bench scaling`; with a word only the
//! cases whose name has it. Fails where making or ending all of them is worse than linear, or a
//! look at one depends on how many there are.

use std::process::{Command, ExitCode};

use umqtt_mqtt::wire::{
    Connect, PacketType, Publish, Subscribe, Unsubscribe, Version, Will, emit_ack, emit_bare,
};
use umqtt_mqtt::{AllowAll, Broker, ConnId, Duration, Instant, Interface, Limits, Peer, QoS};

/// The smaller number of things.
const FEW: u32 = 500;
/// Looks at one of them.
const LOOKS: u32 = 200;
/// What four times as many may cost in all; quadratic would be 16. More than 4 as the lists that
/// are sorted by client move up when one goes: 32 bytes in an instruction.
const MOST_TOTAL: f64 = 6.5;
/// What a look may cost with four times as many.
const MOST_LOOK: f64 = 1.5;

/// The client that looks, and the one that holds what one client holds.
const LOOKER: u32 = 1_000_000;
const HOLDER: u32 = 1_000_001;

struct Case {
    name: &'static str,
    add: fn(&mut World, u32),
    look: fn(&mut World, u32),
    end: fn(&mut World, u32),
}

const CASES: [Case; 8] = [
    Case {
        name: "retained messages",
        add: |world, n| (0..n).for_each(|i| world.publish(&topic(i), QoS::AtMostOnce, b"on", true)),
        look: |world, i| {
            world.subscribe(LOOKER, &topic(i), QoS::AtMostOnce);
            world.unsubscribe(LOOKER, &topic(i));
        },
        end: |world, n| (0..n).for_each(|i| world.publish(&topic(i), QoS::AtMostOnce, b"", true)),
    },
    Case {
        name: "stored sessions",
        add: |world, n| {
            for i in 0..n {
                world.connect(i, false, false);
                world.close(i);
            }
        },
        look: |world, i| {
            world.connect(i, false, false);
            world.close(i);
        },
        end: |world, _| world.pass(2 * 86_400_000),
    },
    Case {
        name: "subscriptions of a client",
        add: |world, n| {
            world.connect(HOLDER, true, false);
            (0..n).for_each(|i| world.subscribe(HOLDER, &topic(i), QoS::AtMostOnce));
        },
        look: |world, i| world.publish(&topic(i), QoS::AtMostOnce, b"on", false),
        end: |world, n| (0..n).for_each(|i| world.unsubscribe(HOLDER, &topic(i))),
    },
    Case {
        name: "the same, and its end",
        add: |world, n| {
            world.connect(HOLDER, true, false);
            (0..n).for_each(|i| world.subscribe(HOLDER, &topic(i), QoS::AtMostOnce));
        },
        look: |world, i| world.subscribe(LOOKER, &topic(i), QoS::AtMostOnce),
        end: |world, _| world.close(HOLDER),
    },
    Case {
        name: "members of a shared group",
        add: |world, n| {
            for i in 0..n {
                world.connect(i, true, false);
                world.subscribe(i, "$share/group/work", QoS::AtMostOnce);
            }
        },
        look: |world, _| world.publish("work", QoS::AtMostOnce, b"on", false),
        end: |world, n| (0..n).for_each(|i| world.close(i)),
    },
    Case {
        name: "shared groups",
        add: |world, n| {
            world.connect(HOLDER, true, false);
            let filter = |i| format!("$share/group{i}/{}", topic(i));
            (0..n).for_each(|i| world.subscribe(HOLDER, &filter(i), QoS::AtMostOnce));
        },
        look: |world, i| world.publish(&topic(i), QoS::AtMostOnce, b"on", false),
        end: |world, _| world.close(HOLDER),
    },
    Case {
        name: "queued messages",
        add: |world, n| {
            world.connect(HOLDER, false, false);
            world.subscribe(HOLDER, "work", QoS::AtLeastOnce);
            world.close(HOLDER);
            (0..n).for_each(|_| world.publish("work", QoS::AtLeastOnce, b"on", false));
        },
        look: |world, _| world.publish("work", QoS::AtLeastOnce, b"on", false),
        end: |world, n| {
            world.connect(HOLDER, false, false);
            for id in 1..=n {
                world.receive(HOLDER, &emit_ack(PacketType::Puback, id as u16));
                world.flush();
            }
        },
    },
    Case {
        name: "clients with wills",
        add: |world, n| (0..n).for_each(|i| world.connect(i, true, true)),
        look: |world, i| world.receive(i, &emit_bare(PacketType::Pingreq)),
        end: |world, _| world.pass(600_000),
    },
];

fn topic(i: u32) -> String {
    format!("house/room{}/{i}", i % 20)
}

struct World {
    broker: Broker,
    now: Instant,
    buffer: Vec<u8>,
}

impl World {
    fn new() -> World {
        const MANY: usize = 100_000;
        let limits = Limits::DESKTOP
            .max_clients(MANY)
            .max_waiting(MANY)
            .max_stored_sessions(MANY)
            .max_subscriptions(MANY)
            .max_client_subscriptions(MANY)
            .max_retained(MANY)
            .max_retained_bytes(usize::MAX)
            .max_queue_messages(MANY)
            .max_queue_bytes(usize::MAX / 2)
            .max_memory(usize::MAX);
        World { broker: Broker::new(limits), now: Instant::ZERO, buffer: vec![0; 16 * 1024] }
    }

    fn connect(&mut self, number: u32, clean_session: bool, will: bool) {
        let peer = Peer::new(([127, 0, 0, 1], 1).into(), Interface::Station);
        // In no order, as client ids are.
        let client_id = format!("client-{:08x}", number.wrapping_mul(0x9e37_79b9));
        let will = will.then_some(Will {
            topic: b"gone",
            payload: b"gone",
            qos: QoS::AtMostOnce,
            retain: false,
        });
        let connect = Connect {
            version: Version::V311,
            bridge: false,
            client_id: &client_id,
            clean_session,
            keep_alive: 60,
            will,
            user: None,
            password: None,
        };
        let mut packet = Vec::new();
        connect.emit(&mut packet);
        let opened = self.broker.open(ConnId(number), peer, self.now, &mut AllowAll);
        opened.expect("there is room for everybody");
        self.receive(number, &packet);
    }

    fn close(&mut self, number: u32) {
        self.broker.closed(ConnId(number), self.now);
    }

    fn receive(&mut self, number: u32, bytes: &[u8]) {
        self.broker.receive(ConnId(number), bytes, self.now, &mut AllowAll);
        self.flush();
    }

    fn subscribe(&mut self, number: u32, filter: &str, qos: QoS) {
        let mut packet = Vec::new();
        Subscribe::emit(1, &[(filter.as_bytes(), qos)], &mut packet);
        self.receive(number, &packet);
    }

    fn unsubscribe(&mut self, number: u32, filter: &str) {
        let mut packet = Vec::new();
        Unsubscribe::emit(1, &[filter.as_bytes()], &mut packet);
        self.receive(number, &packet);
    }

    fn publish(&mut self, topic: &str, qos: QoS, payload: &[u8], retain: bool) {
        let (topic, packet_id) = (topic.as_bytes(), u16::from(qos != QoS::AtMostOnce));
        let mut packet = Vec::new();
        Publish { topic, payload, qos, retain, dup: false, packet_id }.emit(&mut packet);
        self.receive(LOOKER, &packet);
    }

    fn pass(&mut self, span: u64) {
        let end = self.now + Duration::from_millis(span);
        while let Some(at) = self.broker.poll_at().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.broker.handle_timeout(self.now);
            while self.broker.poll_close().is_some() {}
            self.flush();
        }
        self.now = end;
    }

    fn flush(&mut self) {
        while let Some(conn) = self.broker.poll_writable() {
            while let n @ 1.. = self.broker.copy_outgoing(conn, &mut self.buffer) {
                self.broker.sent(conn, n);
            }
        }
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    match &args[..] {
        [name, part, n] => run(name, part, n.parse().unwrap_or(0)),
        _ => measure(args.first().map_or("", String::as_str)),
    }
}

/// What happens under valgrind.
fn run(name: &str, part: &str, n: u32) -> ExitCode {
    let Some(case) = CASES.iter().find(|case| case.name == name) else {
        return ExitCode::FAILURE;
    };
    let mut world = World::new();
    world.connect(LOOKER, true, false);
    if part == "none" {
        return ExitCode::SUCCESS;
    }
    (case.add)(&mut world, n);
    match part {
        "look" => (0..LOOKS).for_each(|look| (case.look)(&mut world, look * 7 % n)),
        "end" => (case.end)(&mut world, n),
        _ => {}
    }
    // What is left goes with the process: its end is no part of this.
    std::mem::forget(world);
    ExitCode::SUCCESS
}

fn measure(word: &str) -> ExitCode {
    println!("{:<28}{:>9}{:>12}{:>12}{:>8}", "", "", FEW, 4 * FEW, "ratio");
    let mut fine = true;
    for case in CASES.iter().filter(|case| case.name.contains(word)) {
        let costs = |n| {
            let none = count(case.name, "none", n)?;
            let add = count(case.name, "add", n)?;
            let behind = |part| Some(count(case.name, part, n)?.saturating_sub(add).max(1));
            Some([add - none, behind("look")? / u64::from(LOOKS), behind("end")?])
        };
        let (Some(few), Some(many)) = (costs(FEW), costs(4 * FEW)) else {
            eprintln!(
                "cannot count: install valgrind, for instance with `apt-get install valgrind`"
            );
            return ExitCode::FAILURE;
        };
        for (at, part) in ["add all", "one look", "end all"].into_iter().enumerate() {
            let ratio = many[at] as f64 / few[at].max(1) as f64;
            let most = if part == "one look" { MOST_LOOK } else { MOST_TOTAL };
            let word = if ratio > most { "  too much" } else { "" };
            println!("{:<28}{part:>9}{:>12}{:>12}{ratio:>8.2}{word}", case.name, few[at], many[at]);
            fine &= ratio <= most;
        }
    }
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Instructions of a run.
fn count(name: &str, part: &str, n: u32) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        // Valgrind counts each byte that `rep movsb` moves as an instruction.
        .env("GLIBC_TUNABLES", "glibc.cpu.x86_rep_movsb_threshold=1000000000")
        .arg(std::env::current_exe().ok()?)
        .args([name, part, &n.to_string()])
        .output()
        .ok()?;
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    }
    let log = String::from_utf8(output.stderr).ok()?;
    let (_, collected) = log.split_once("Collected : ")?;
    collected.split_whitespace().next()?.parse().ok()
}
