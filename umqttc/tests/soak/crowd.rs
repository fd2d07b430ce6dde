//! The clients, what they do, and what is to be seen from it.

use std::fmt;
use std::time::{Duration, Instant};

use umqtt_mqtt_model::{Action, Greeting, Model, Rules, STEP_BYTES, Step};

use crate::common::TIMEOUT;
use crate::player::{Player, Turn};

const PLAYERS: usize = 8;
/// Things that happen between two times of rest.
const STEPS: usize = 400;

/// See the module.
pub(crate) struct Crowd {
    model: Model,
    /// The last one only looks at what is retained.
    players: Vec<Player>,
    random: Random,
    pub(crate) counts: Counts,
}

/// What was done, to compare with what the device has counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    rounds: u64,
    steps: u64,
    connects: u64,
    cuts: u64,
    garbage: u64,
    arrived: u64,
}

impl Crowd {
    pub(crate) fn new(port: u16, seed: u64) -> Crowd {
        let rules = Rules {
            max_clients: usize::MAX,
            max_stored_sessions: usize::MAX,
            session_expiry: umqtt_mqtt::Duration::MAX,
            roomy: true,
        };
        Crowd {
            model: Model::new(rules),
            players: (0..=PLAYERS).map(|index| Player::new(index, port)).collect(),
            random: Random(seed),
            counts: Counts::default(),
        }
    }

    /// Some hundred things happen, then all come to rest; nothing may be missing.
    pub(crate) fn round(&mut self) -> Result<(), String> {
        for _ in 0..STEPS {
            let who = self.random.below(PLAYERS);
            self.step(who).map_err(|why| format!("client {who}: {why}"))?;
            // Mostly the device has time to answer, now and then for all it has to say.
            let turns = [0, 1, 1, 2, 2, 3, 10, 30][self.random.below(8)];
            for _ in 0..turns {
                if !self.turns()? {
                    std::thread::sleep(Duration::from_micros(100));
                }
            }
        }
        self.counts.rounds += 1;
        self.rest()
    }

    fn step(&mut self, who: usize) -> Result<(), String> {
        let step = Step::decode(self.random.bytes());
        let (model, player) = (&mut self.model, &mut self.players[who]);
        if player.client.is_linked() && !player.client.can_speak() {
            return Ok(()); // on its way out
        }
        self.counts.steps += 1;
        if !player.client.is_linked() {
            player.connect(model, player.client.last_greeting(), false);
            self.counts.connects += 1;
        }
        match step.action {
            Action::Publish { topic, qos, retain, delete } => {
                let padding = match self.random.below(40) {
                    0 => self.random.below(100_000),
                    1..=4 => self.random.below(5_000),
                    _ => self.random.below(60),
                };
                player.client.publish(model, topic, qos, retain, delete, padding);
            }
            Action::Subscribe { filters } => player.client.subscribe(&filters),
            Action::Unsubscribe { filter } => player.client.unsubscribe(filter),
            Action::Connect { clean, old, will, silent, keep_alive } => {
                let keep_alive = if keep_alive { 60 } else { 0 };
                player.connect(model, Greeting { clean, old, keep_alive, will }, silent);
                self.counts.connects += 1;
            }
            Action::Cut => {
                self.counts.cuts += 1;
                let most = self.random.below(player.client.outgoing().len() + 1);
                player.write(model, most)?;
                player.cut(model);
            }
            Action::Leave => player.client.leave(),
            Action::Hold(hold) => player.client.hold(hold),
            Action::Ping => player.client.ping(),
            Action::Garbage => {
                player.client.garbage();
                self.counts.garbage += 1;
            }
            Action::Pass(_) => player.paused = true,
            // The program in the device does nothing here.
            Action::Nothing | Action::LocalPublish { .. } | Action::LocalSubscribe { .. } => {
                player.paused = false;
            }
        }
        Ok(())
    }

    /// Every client says and hears what there is; whether any bytes moved.
    fn turns(&mut self) -> Result<bool, String> {
        let mut moved = false;
        for player in &mut self.players {
            moved |= player.turn(&mut self.model)? == Turn::Moved;
        }
        Ok(moved)
    }

    /// All come back, say and hear what is left, and look at what is retained.
    fn rest(&mut self) -> Result<(), String> {
        self.until("all to come back", |crowd| {
            for player in &mut crowd.players[..PLAYERS] {
                player.paused = false;
                player.client.hold(false);
                if !player.client.is_linked() {
                    player.connect(&mut crowd.model, player.client.last_greeting(), false);
                    crowd.counts.connects += 1;
                }
            }
            crowd.players[..PLAYERS].iter().all(|p| p.client.is_greeted() && p.client.can_speak())
        })?;
        let watcher = &mut self.players[PLAYERS];
        watcher.connect(&mut self.model, Greeting { clean: true, ..Greeting::default() }, false);
        self.counts.connects += 1;
        let qos = umqtt_mqtt::QoS::AtLeastOnce;
        watcher.client.subscribe(&[("#", qos), ("$own/#", qos)]);
        self.until("all to be answered, and connections let go of to be closed", |crowd| {
            crowd.players.iter().all(|p| p.client.is_content() && p.left() == 0)
        })?;
        self.until("everything to arrive", |crowd| crowd.model.missing(true).is_empty())?;
        // And time for what must not.
        self.players.iter_mut().for_each(|player| player.client.ping());
        self.until("all to be answered", |crowd| {
            crowd.players.iter().all(|p| p.client.is_content())
        })?;
        self.counts.arrived = self.model.arrivals();
        let watcher = &mut self.players[PLAYERS];
        watcher.client.leave();
        self.until("a farewell", |crowd| !crowd.players[PLAYERS].client.is_linked())?;
        self.model.prune();
        Ok(())
    }

    /// Everybody goes, and leaves nothing behind.
    pub(crate) fn disperse(&mut self) -> Result<(), String> {
        for player in &mut self.players {
            player.connect(&mut self.model, Greeting { clean: true, ..Greeting::default() }, false);
            self.counts.connects += 1;
        }
        self.until("all to be clean", |crowd| crowd.players.iter().all(|p| p.client.is_content()))?;
        self.players.iter_mut().for_each(|player| player.client.leave());
        self.until("all to be gone", |crowd| !crowd.players.iter().any(|p| p.client.is_linked()))
    }

    /// Lets bytes move until none do and what is waited for is there.
    fn until(&mut self, what: &str, done: impl Fn(&mut Crowd) -> bool) -> Result<(), String> {
        let start = Instant::now();
        loop {
            let moved = self.turns()?;
            if !moved && done(self) {
                return Ok(());
            }
            if start.elapsed() > TIMEOUT {
                let waiting: Vec<_> =
                    self.players.iter().filter(|p| !p.client.is_content()).collect();
                let missing = self.model.missing(true);
                let names: Vec<_> = waiting.iter().map(|p| &p.client).collect();
                return Err(format!(
                    "waited in vain for {what}; missing {missing:#?}; not content {names:?}"
                ));
            }
            if !moved {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

impl Counts {
    /// Whether the device has counted what there was, going by its `show mqtt`.
    pub(crate) fn judge(&self, shown: &str) -> Result<(), String> {
        let read = |line: &str, name: &str| {
            let line = shown.lines().find_map(|shown| shown.strip_prefix(line));
            let part = line
                .and_then(|line| line.split(',').find_map(|part| part.trim().strip_prefix(name)));
            part.and_then(|digits| digits.trim().parse::<u64>().ok())
                .ok_or(format!("no {line:?} {name}"))
        };
        let within =
            |what: &str, found: u64, least: u64, most: u64| match (least..=most).contains(&found) {
                true => Ok(()),
                false => Err(format!("{what}: {found}, not {least} to {most}")),
            };
        // The harness itself knocks a few times to learn that the device serves.
        within("connections", read("Came:", "connections")?, self.connects, self.connects + 200)?;
        within(
            "clients",
            read("Came:", "clients")?,
            self.connects - self.cuts.min(self.connects),
            self.connects,
        )?;
        within("bad packets", read("Closed:", "bad packets")?, 0, self.garbage)?;
        for (line, name) in [
            ("Refused:", "connections"),
            ("Refused:", "wrong passwords"),
            ("Refused:", "subscriptions"),
            ("Refused:", "retained"),
            ("Closed:", "too large"),
            ("Closed:", "silent"),
            ("Closed:", "slow"),
            ("Closed:", "unreleased"),
            ("Dropped:", "messages"),
        ] {
            within(&format!("{line} {name}"), read(line, name)?, 0, 0)?;
        }
        Ok(())
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { rounds, steps, connects, cuts, garbage, arrived } = self;
        write!(
            f,
            "{rounds} rounds, {steps} steps, {connects} connections, {cuts} cut, {garbage} with garbage, {arrived} messages arrived"
        )
    }
}

/// Vigna's splitmix64: bytes without pattern, the same for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn bytes(&mut self) -> [u8; STEP_BYTES] {
        std::array::from_fn(|_| self.next() as u8)
    }
}
