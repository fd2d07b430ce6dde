//! Clients that want all memory, at random, on a heap as the chip's: whatever they hold when they
//! do no more, a client that was there before is answered soon, on the connection it has had all
//! the time.

use umqtt_device::device::DeviceOptions;
use umqtt_device::net::ConnId;
use umqtt_device::storage::ram::RamFlash;

use crate::allocator;
use crate::story::{connect_with, packet, publish, subscribe};
use crate::world::World;

/// Milliseconds in which the witness is answered: a second in which those wait who publish, or in
/// which nothing finds memory, and then until enough of those who hold it have given way.
const SOON: u64 = 2_000;
/// Milliseconds in which a client comes in that tries again and again, once all others have left.
const SOON_IN: u64 = 5_000;
/// Clients that want memory.
const CLIENTS: usize = 15;
/// Times they come and go.
const ROUNDS: usize = 6;

/// A script that keeps long values and publishes more than it is sent.
const SCRIPT: &str = "on init do\n subscribe local \"#\"\n\
on topic local \"#\" do\n if substr($this_topic,0,4) neq \"sum/\" then\n  setvar $all = $this_data | $a | $b\n  \
setvar $a = substr($this_data,0,200)\n  setvar $b = $a | \"x\"\n  println $all\n  \
publish local \"sum/\" | $this_topic $all retained\n endif\n";

/// Numbers that differ from seed to seed.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        // Knuth's, and the upper half of it.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }

    fn one_in(&mut self, most: usize) -> bool {
        self.below(most) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// One story; what is wrong with it. Newcomers are let in on a heap of the chip's size; on a
/// smaller one it may take longer than [`SOON_IN`] until enough has given way.
pub(crate) fn story(seed: u64, options: DeviceOptions, newcomers: bool) -> Result<(), String> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut world = World::boot(RamFlash::new(options.layout.sectors()), options);
    if random.one_in(2) {
        world.install(SCRIPT)?;
    }
    let witness = world.connect_buffered().ok_or("no memory for the first client")?;
    world.push(witness, &connect_with("witness", true, None));
    world.push(witness, &subscribe(1, &[("witness", 1)]));
    is_served(&mut world, witness, 0, "the start")?;
    for round in 1..=ROUNDS {
        let held = pressure(&mut world, &mut random);
        is_served(&mut world, witness, round as u8, &format!("round {round}"))?;
        let all_leave = random.one_in(2);
        for conn in held {
            if all_leave || !random.one_in(4) {
                world.vanish(conn);
            }
        }
        world.pass(random.of(&[0, 10, 1000]));
        if all_leave && newcomers {
            comes_in(&mut world, "client0", round)?;
            comes_in(&mut world, "newcomer", round)?;
        }
    }
    Ok(())
}

/// Clients come and do what takes memory; those that are left.
fn pressure(world: &mut World, random: &mut Random) -> Vec<ConnId> {
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let Some(conn) = world.connect_buffered() else { continue };
        let name = format!("client{number}");
        let will = [0, 10, 60, 200][random.below(4)];
        let will = (will > 0).then(|| "w".repeat(will));
        world.push(conn, &connect_with(&name, random.one_in(2), will.as_deref()));
        let filter = random.of(&["#", "all/#", "+/1/#", "none"]);
        world.push(conn, &subscribe(1, &[(filter, random.of(&[0, 1, 2]))]));
        world.set_read(conn, random.one_in(2));
        clients.push(conn);
        if random.one_in(3) {
            world.pass(random.of(&[0, 5, 50]));
        }
    }
    for _ in 0..random.below(80) {
        if clients.is_empty() {
            break;
        }
        let conn = clients[random.below(clients.len())];
        match random.below(12) {
            0 => world.vanish(conn),
            1 => {
                let reads = random.one_in(2);
                world.set_read(conn, reads);
            }
            2 => world.pass(random.of(&[1, 20, 300, 1500])),
            3 => {
                let filter = format!("all/{}/{}", random.below(9), "l".repeat(random.below(60)));
                world.push(conn, &subscribe(2, &[(&filter, 1)]));
            }
            _ => {
                let size = random.of(&[10, 30, 100, 300, 500, 1000, 1500, 1900, 3000]);
                let kind = 0x30 | random.of(&[0, 0, 2, 4]) | u8::from(random.one_in(3));
                let topic = format!("all/{}/x", random.below(9));
                let id = 1 + random.below(200) as u8;
                let mut packet = publish(kind, &topic, id, &vec![b'p'; size]);
                if random.one_in(4) {
                    packet.truncate(1 + random.below(packet.len()));
                }
                world.push(conn, &packet);
            }
        }
        if random.one_in(3) {
            world.pass(random.of(&[0, 1, 10]));
        }
    }
    clients
}

/// The witness is answered soon.
fn is_served(world: &mut World, witness: ConnId, id: u8, after: &str) -> Result<(), String> {
    let start = world.now();
    world.push(witness, &publish(0x32, "witness/none", id + 1, after.as_bytes()));
    let answer = packet(0x40, &[0, id + 1]);
    let mut came = Vec::new();
    while world.now() < start + SOON {
        world.pass(10);
        came.extend(world.take(witness));
        if came.windows(answer.len()).any(|bytes| bytes == answer) {
            return Ok(());
        }
        if world.is_closed(Some(witness)) {
            return Err(format!("the witness is sent away after {after}: {}", state(world)));
        }
    }
    Err(format!("no answer within {SOON} ms after {after}: {}", state(world)))
}

/// A client comes in, whatever the others have left behind.
fn comes_in(world: &mut World, name: &str, round: usize) -> Result<(), String> {
    let start = world.now();
    let answer = packet(0x20, &[0, 0]);
    let mut answers = Vec::new();
    while world.now() < start + SOON_IN {
        if let Some(conn) = world.connect_buffered() {
            world.push(conn, &connect_with(name, true, None));
            world.pass(100);
            let came = world.take(conn);
            world.vanish(conn);
            if came.starts_with(&answer) {
                world.pass(10);
                return Ok(());
            }
            answers.push(came);
        }
        world.pass(100);
    }
    answers.dedup();
    Err(format!(
        "{name} does not come in after round {round}, but gets {answers:x?}: {}",
        state(world)
    ))
}

fn state(world: &mut World) -> String {
    let free = allocator::heap_free();
    let broker = world.device().broker();
    format!(
        "{free} bytes of the heap are free, in pieces; {} clients, {} stored, {} messages for the script, broker {} bytes, {:?}",
        broker.clients_len(),
        broker.stored_sessions_len(),
        broker.local_waiting(),
        broker.memory(),
        broker.stats(),
    )
}
