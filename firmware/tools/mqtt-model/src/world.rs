//! A broker, some clients and the bytes between them, in virtual time.
//!
//! Bytes move only when told to, so a connection can break at any of them: what a client has said
//! and the broker has not got is lost, and so is what the broker has sent and the client has not
//! got.

mod end;
mod kept;

use std::collections::{BTreeMap, BTreeSet};

use umqtt_mqtt::{AllowAll, Broker, ConnId, Duration, Instant, Interface, Limits, Peer, QoS};

use crate::life::Tick;
use crate::model::{ConnKey, LOCAL};
use crate::{Action, Arrival, Broken, CLIENTS, Client, Flow, Greeting, Model, Rules, Step, broken};

/// Seconds of keep-alive, where a step asks for one.
const KEEP_ALIVE: u16 = 20;

/// See the module.
#[derive(Debug)]
pub struct World {
    /// The broker under test.
    pub broker: Broker,
    /// What must be.
    pub model: Model,
    clients: Vec<Client>,
    /// The connections the broker knows.
    lines: BTreeMap<ConnId, Line>,
    /// Connections with something to send, as the broker has told.
    announced: BTreeSet<ConnId>,
    now: Instant,
    conns: u32,
    /// What the broker has given to be kept, in a world that keeps it.
    kept: Option<kept::Kept>,
}

/// One connection.
#[derive(Debug)]
struct Line {
    client: usize,
    /// The client is still at the other end.
    linked: bool,
    key: Option<ConnKey>,
    /// Sent by the broker, and not yet there.
    down: Vec<u8>,
    opened: Instant,
    last_fed: Instant,
    keep_alive: u16,
    /// Time has passed while either side waited for the other to go on.
    stuck: bool,
    /// What was said on it calls for its end.
    doomed: bool,
    /// It has been without its CONNECT for longest, and another one comes for whom there is no
    /// room.
    gives_way: bool,
}

impl World {
    /// A broker with these limits, and clients without connections.
    pub fn new(limits: Limits) -> World {
        let roomy = limits.max_queue_bytes > 10_000
            && limits.max_subscriptions > 100
            && limits.max_retained > 20;
        let rules = Rules {
            max_clients: limits.max_clients,
            max_stored_sessions: limits.max_stored_sessions,
            session_expiry: limits.session_expiry,
            roomy,
        };
        World {
            broker: Broker::new(limits),
            model: Model::new(rules),
            clients: (0..CLIENTS).map(|index| Client::new(index, limits.max_unreleased)).collect(),
            lines: BTreeMap::new(),
            announced: BTreeSet::new(),
            now: Instant::ZERO,
            conns: 0,
            kept: None,
        }
    }

    /// Lets one thing happen.
    ///
    /// # Errors
    /// The broker does what it must not.
    pub fn step(&mut self, step: &Step) -> Result<(), Broken> {
        self.act(step.client, &step.action)?;
        match step.flow {
            Flow::All => self.flow(),
            Flow::Some { up, down } => {
                self.feed(step.client, up)?;
                self.pull(step.client, down)?;
                Ok(())
            }
        }
    }

    /// Lets a client do something, of which no byte moves yet.
    ///
    /// # Errors
    /// As for [`step`](Self::step).
    pub fn act(&mut self, client: usize, action: &Action) -> Result<(), Broken> {
        let speaks = matches!(
            action,
            Action::Publish { .. }
                | Action::Subscribe { .. }
                | Action::Unsubscribe { .. }
                | Action::Garbage
        );
        if speaks && !self.clients[client].can_speak() {
            self.connect(client, self.clients[client].last_greeting(), false)?;
        }
        let who = &mut self.clients[client];
        match action {
            Action::Nothing => {}
            Action::Publish { topic, qos, retain, delete } => {
                who.publish(&mut self.model, topic, *qos, *retain, *delete, 0);
            }
            Action::Subscribe { filters } => who.subscribe(filters),
            Action::Unsubscribe { filter } => who.unsubscribe(filter),
            Action::Connect { clean, old, keep_alive, will, silent } => {
                let keep_alive = if *keep_alive { KEEP_ALIVE } else { 0 };
                let greeting = Greeting { clean: *clean, old: *old, keep_alive, will: *will };
                self.connect(client, greeting, *silent)?;
            }
            Action::Cut => self.cut(client)?,
            Action::Leave => who.leave(),
            Action::Hold(hold) => who.hold(*hold),
            Action::Ping => who.ping(),
            Action::Garbage => who.garbage(),
            Action::Pass(span) => self.pass(Duration::from_millis(*span))?,
            Action::LocalPublish { topic, qos, retain } => self.publish(topic, *qos, *retain)?,
            Action::LocalSubscribe { filter, end } => self.subscribe(filter, *end)?,
        }
        Ok(())
    }

    // What clients do, as far as it is more than words.

    fn connect(&mut self, client: usize, greeting: Greeting, silent: bool) -> Result<(), Broken> {
        if let Some(id) = self.line_of(client) {
            if silent {
                self.abandon(id);
            } else {
                self.cut(client)?;
            }
        }
        self.conns += 1;
        let id = ConnId(self.conns);
        let peer = Peer::new(([192, 168, 4, 2], 1000).into(), Interface::Station);
        let from = self.model.tick();
        let full = self.not_live() >= self.broker.limits().max_waiting;
        // Those that came in the same millisecond came in the order of their ids.
        let waits = |(_, line): &(&ConnId, &mut Line)| line.key.is_none();
        let longest =
            self.lines.iter_mut().filter(waits).min_by_key(|(id, line)| (line.opened, id.0));
        let one_waits = longest.is_some();
        if let Some((_, line)) = longest.filter(|_| full) {
            line.gives_way = true;
        }
        if let Err(why) = self.broker.open(id, peer, self.now, &mut AllowAll) {
            self.clients[client].forget_link();
            if one_waits || !full {
                return broken!(
                    "client {client} is refused, {why}, and one gives way: {one_waits}"
                );
            }
            return Ok(());
        }
        let line = Line {
            client,
            linked: true,
            key: None,
            down: Vec::new(),
            opened: self.now,
            last_fed: self.now,
            keep_alive: greeting.keep_alive,
            stuck: false,
            doomed: false,
            gives_way: false,
        };
        self.lines.insert(id, line);
        self.clients[client].connect(&mut self.model, greeting);
        self.look(from)?;
        match self.not_live().checked_sub(self.broker.limits().max_waiting) {
            Some(more @ 1..) => broken!("{more} more connections wait than may"),
            _ => Ok(()),
        }
    }

    /// Connections that wait for their CONNECT or to be closed.
    fn not_live(&self) -> usize {
        self.lines.len() - self.broker.clients_len()
    }

    fn line_of(&self, client: usize) -> Option<ConnId> {
        let mine = |line: &Line| line.linked && line.client == client;
        self.lines.iter().find(|(_, line)| mine(line)).map(|(id, _)| *id)
    }

    /// The client lets go of its connection, and the broker does not learn of it.
    fn abandon(&mut self, id: ConnId) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        line.linked = false;
        line.stuck = true;
        if let Some(key) = line.key {
            self.model.abandoned(key);
        }
        self.clients[line.client].forget_link();
    }

    fn cut(&mut self, client: usize) -> Result<(), Broken> {
        let Some(id) = self.line_of(client) else { return Ok(()) };
        self.clients[client].forget_link();
        self.break_line(id)
    }

    fn break_line(&mut self, id: ConnId) -> Result<(), Broken> {
        let from = self.model.tick();
        let line = self.lines.remove(&id);
        self.announced.remove(&id);
        self.broker.closed(id, self.now);
        if let Some(key) = line.and_then(|line| line.key) {
            self.ended(key, from);
        }
        self.look(from)
    }

    fn ended(&mut self, key: ConnKey, from: Tick) {
        let ends = self.model.cut_began(key, from);
        ends.into_iter().for_each(|end| self.model.over(end));
    }

    fn publish(&mut self, topic: &str, qos: QoS, retain: bool) -> Result<(), Broken> {
        let id = self.model.message(LOCAL, topic, qos, retain, false);
        let payload = self.model.payload(id, 0);
        let loose = self.model.publish_began(id, None, false);
        let published = self.broker.publish(topic.as_bytes(), &payload, qos, retain);
        if self.model.rules.roomy && published.is_err() {
            return broken!("the program cannot publish: {published:?}");
        }
        loose.into_iter().for_each(|loose| self.model.happened(loose));
        let from = self.model.tick();
        self.look(from)
    }

    fn subscribe(&mut self, filter: &str, end: bool) -> Result<(), Broken> {
        if end {
            let began = self.model.unsubscribe_began(Model::LOCAL, filter);
            self.broker.unsubscribe(filter.as_bytes());
            self.model.unsubscribe_done(Model::LOCAL, filter, began);
        } else {
            let key = self.model.subscribe_began(Model::LOCAL, filter, QoS::ExactlyOnce);
            let subscribed = self.broker.subscribe(filter.as_bytes(), QoS::ExactlyOnce);
            self.model.subscribe_done(key);
            self.model.granted(key, subscribed.ok().map(|()| QoS::ExactlyOnce))?;
        }
        let from = self.model.tick();
        self.look(from)
    }

    // Bytes and time.

    /// Moves bytes until nothing is left to say.
    ///
    /// # Errors
    /// As for [`step`](Self::step).
    pub fn flow(&mut self) -> Result<(), Broken> {
        self.flow_within(0, usize::MAX, usize::MAX).map(|_| ())
    }

    /// The same, but of one client's bytes only so many arrive at the broker, and so many at the
    /// client; how many did.
    ///
    /// # Errors
    /// As for [`step`](Self::step).
    pub fn flow_within(
        &mut self,
        of: usize,
        up: usize,
        down: usize,
    ) -> Result<(usize, usize), Broken> {
        let (mut sent, mut got) = (0, 0);
        for _ in 0..10_000 {
            let (mut moved, commits) = (0, self.commits());
            for client in 0..CLIENTS {
                let mine = client == of;
                let (up, down) =
                    if mine { (up - sent, down - got) } else { (usize::MAX, usize::MAX) };
                let fed = self.feed(client, up)?;
                let pulled = self.pull(client, down)?;
                if mine {
                    (sent, got) = (sent + fed, got + pulled);
                }
                moved += fed + pulled;
            }
            if moved == 0 && commits == self.commits() && !self.commit()? {
                return Ok((sent, got));
            }
        }
        broken!("there is no end of talking")
    }

    /// So many bytes of a client arrive at the broker; how many did.
    fn feed(&mut self, client: usize, most: usize) -> Result<usize, Broken> {
        let Some(id) = self.line_of(client) else { return Ok(0) };
        let who = &mut self.clients[client];
        let bytes = who.outgoing();
        let bytes = bytes[..bytes.len().min(most)].to_vec();
        if bytes.is_empty() {
            return Ok(0);
        }
        let from = self.model.tick();
        who.wrote(bytes.len(), &mut self.model);
        self.broker.receive(id, &bytes, self.now, &mut AllowAll);
        who.took(&mut self.model);
        if let Some(line) = self.lines.get_mut(&id) {
            line.last_fed = self.now;
            line.stuck = false;
            line.key = who.conn();
            line.doomed = who.is_doomed();
        }
        self.look(from)?;
        Ok(bytes.len())
    }

    /// So many bytes of the broker arrive at a client, while a few more are on their way; how many
    /// did.
    fn pull(&mut self, client: usize, most: usize) -> Result<usize, Broken> {
        let Some(id) = self.line_of(client) else { return Ok(0) };
        let mut buffer = [0; 64];
        let n = self.broker.copy_outgoing(id, &mut buffer);
        if n > 0 && !self.announced.contains(&id) {
            return broken!("connection {} has something to send, and was not named", id.0);
        }
        self.broker.sent(id, n);
        if self.broker.copy_outgoing(id, &mut [0]) == 0 {
            self.announced.remove(&id);
        }
        let Some(line) = self.lines.get_mut(&id) else { return Ok(0) };
        line.down.extend_from_slice(&buffer[..n]);
        let arrived: Vec<u8> = line.down.drain(..line.down.len().min(most)).collect();
        self.clients[client].receive(&arrived, &mut self.model)?;
        let from = self.model.tick();
        self.look(from)?;
        Ok(arrived.len())
    }

    /// Asks the broker for its wishes; what it did began at `from`.
    fn look(&mut self, from: Tick) -> Result<(), Broken> {
        self.keep()?;
        while let Some(id) = self.broker.poll_writable() {
            self.announced.insert(id);
        }
        while let Some(id) = self.broker.poll_close() {
            self.announced.remove(&id);
            let Some(mut line) = self.lines.remove(&id) else {
                return broken!("connection {} is to be closed, and is not there", id.0);
            };
            if line.linked {
                let bytes = std::mem::take(&mut line.down);
                self.clients[line.client].receive(&bytes, &mut self.model)?;
                self.clients[line.client].forget_link();
            }
            if !self.may_close(&line) {
                return broken!("client {} is sent away for nothing: {line:?}", line.client);
            }
            if let Some(key) = line.key {
                self.ended(key, from);
            }
        }
        while let Some(message) = self.broker.poll_local() {
            let (topic, payload) = (message.topic(), message.payload());
            let arrival = Arrival {
                topic,
                payload,
                qos: message.qos(),
                retain: message.retain(),
                dup: false,
            };
            self.model.arrived(Model::LOCAL, None, &arrival)?;
        }
        Ok(())
    }

    /// Whether there is a reason to close a connection.
    fn may_close(&self, line: &Line) -> bool {
        let silent = self.now - line.last_fed;
        let overdue = line.keep_alive > 0
            && silent >= Duration::from_millis(u64::from(line.keep_alive) * 1500);
        let no_connect =
            line.key.is_none() && self.now - line.opened >= self.broker.limits().connect_timeout;
        let taken_over = !line.linked;
        line.doomed || overdue || no_connect || taken_over || line.stuck || line.gives_way
    }

    fn pass(&mut self, span: Duration) -> Result<(), Broken> {
        let end = self.now + span;
        for _ in 0..100_000 {
            for (id, line) in &mut self.lines {
                let waits = self.broker.copy_outgoing(*id, &mut [0]) > 0;
                line.stuck |= waits || line.linked && self.clients[line.client].is_amid_packet();
            }
            let Some(at) = self.broker.poll_at().filter(|at| *at <= end) else {
                (self.now, self.model.now) = (end, end);
                return self.nobody_is_overdue();
            };
            self.now = self.now.max(at);
            self.model.now = self.now;
            let from = self.model.tick();
            self.broker.handle_timeout(self.now);
            // Before what the program gets is looked at: it may be what a session that is over has
            // left to its group.
            self.model.expire(from);
            self.look(from)?;
        }
        broken!("asks to come back at {:?} for ever", self.broker.poll_at())
    }

    fn nobody_is_overdue(&self) -> Result<(), Broken> {
        let overdue = |line: &&Line| {
            line.key.is_some()
                && line.keep_alive > 0
                && self.now - line.last_fed
                    >= Duration::from_millis(u64::from(line.keep_alive) * 1500)
        };
        match self.lines.values().find(overdue) {
            Some(line) => broken!("a silent client is not sent away: {line:?}"),
            None => Ok(()),
        }
    }
}
