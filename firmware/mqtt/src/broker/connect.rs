//! CONNECT: who comes in, and to which session (section 3.1).

use core::ops::ControlFlow;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use super::Broker;
use super::receive::{ProtocolError, Stop};
use crate::connection::{LastWill, Phase};
use crate::journal::SessionLog;
use crate::message::Publication;
use crate::wire::{Connack, Connect, ReturnCode, Version};
use crate::{Credentials, Hooks, Instant, Verdict};

impl Broker {
    pub(super) fn connect(
        &mut self,
        slot: u32,
        body: &[u8],
        now: Instant,
        hooks: &mut dyn Hooks,
    ) -> Result<ControlFlow<Stop>, ProtocolError> {
        let Some(connect) = Connect::parse(body)? else {
            return Ok(self.refuse(slot, ReturnCode::UnacceptableProtocol, now));
        };
        if connect.will.is_some_and(|will| will.topic.len() > self.limits.max_topic) {
            return Err(ProtocolError::TooLarge);
        }
        match self.authorize(slot, &connect, hooks) {
            ReturnCode::Accepted => {
                self.complete_connect(slot, &connect, now)?;
                Ok(ControlFlow::Continue(()))
            }
            code => Ok(self.refuse(slot, code, now)),
        }
    }

    fn refuse(&mut self, slot: u32, code: ReturnCode, now: Instant) -> ControlFlow<Stop> {
        self.stats.refused += 1;
        if matches!(code, ReturnCode::BadCredentials | ReturnCode::NotAuthorized) {
            self.stats.unauthorized += 1;
        }
        // Without memory for it the connection is closed all the same.
        let _ = self.send_control(slot, &Connack { session_present: false, code }.emit());
        self.leave(slot, now);
        ControlFlow::Break(Stop::Left)
    }

    /// Whether the client may come in. Changes nothing but that stored sessions of others make
    /// room.
    fn authorize(&mut self, slot: u32, connect: &Connect<'_>, hooks: &mut dyn Hooks) -> ReturnCode {
        let id = connect.client_id;
        // An empty id asks for one to be made up: in MQTT 3.1.1, and for one connection only
        // ([MQTT-3.1.3-8]).
        let nameless = id.is_empty() && (connect.version == Version::V31 || !connect.clean_session);
        if nameless || id.len() > self.limits.max_client_id {
            return ReturnCode::IdentifierRejected;
        }
        let Some(connection) = self.connection(slot) else { return ReturnCode::ServerUnavailable };
        let peer = connection.peer();
        let (user, password) = (connect.user, connect.password);
        match hooks.on_auth(&Credentials { client_id: id, user, password, peer }) {
            Verdict::Accept => {}
            Verdict::BadCredentials => return ReturnCode::BadCredentials,
            Verdict::NotAuthorized => return ReturnCode::NotAuthorized,
        }
        let known = self.find_name(id).ok().and_then(|place| self.names.get(place));
        let known_key = known.copied();
        let known = known_key.and_then(|key| self.sessions.get(key));
        let takes_over = known.is_some_and(|session| session.connection().is_some());
        let was_stored = known.is_some_and(|session| !session.clean);
        let full = self.live - usize::from(takes_over) >= self.limits.max_clients;
        // The one that was offline for longest makes room for one more.
        let new = !connect.clean_session && !was_stored;
        let no_place = new && self.has_no_place_for_session() && self.offline.oldest().is_none();
        let will = connect.will.map_or(0, |will| will.topic.len() + will.payload.len());
        let behind = self.journal.is_full() && !connect.clean_session;
        if full || no_place || behind || !self.make_memory_for_client(id, will, known_key) {
            return ReturnCode::ServerUnavailable;
        }
        ReturnCode::Accepted
    }

    fn complete_connect(
        &mut self,
        slot: u32,
        connect: &Connect<'_>,
        now: Instant,
    ) -> Result<(), ProtocolError> {
        let made_up;
        let client_id = if connect.client_id.is_empty() {
            made_up = self.make_up_id();
            &made_up
        } else {
            connect.client_id
        };
        let (key, present, changed) = self.begin_session(client_id, connect.clean_session, now);
        self.set_expiry(key, None);
        self.offline.remove(key, &mut self.sessions);
        if let Some(session) = self.sessions.get_mut(key) {
            session.connect(slot);
        }
        self.recount_session(key);
        let will = connect.will.and_then(|will| {
            let publication = Publication::counted(will.topic, will.payload, &self.store)?;
            Some(Box::new(LastWill { publication, qos: will.qos, retain: will.retain }))
        });
        self.live += 1;
        self.end_wait(slot);
        let connection = self.connection(slot).ok_or(ProtocolError::Malformed)?;
        connection.phase = Phase::Live(key);
        connection.version = connect.version;
        connection.bridge = connect.bridge;
        connection.keep_alive = connect.keep_alive;
        connection.touch(now);
        connection.will = will;
        self.watch(slot, true, now);
        self.stats.accepted += 1;

        let session_present = present && connect.version == Version::V311;
        let connack = Connack { session_present, code: ReturnCode::Accepted };
        if changed
            && self.journal.is_waiting()
            && let Some(connection) = self.connection(slot)
        {
            connection.outbox.block();
        }
        if !self.send_control(slot, &connack.emit()) {
            return Err(ProtocolError::NoMemory);
        }
        if let Some(session) = self.sessions.get(key) {
            session.log.back();
        }
        self.resume(key, slot);
        Ok(())
    }

    /// The session to go on with, whether there was one ([MQTT-3.1.2-4], [MQTT-3.1.2-6]), and
    /// whether the answer is about anything that is kept. Takeover: a connection that has this
    /// client id already gives way ([MQTT-3.1.4-2]).
    fn begin_session(&mut self, client_id: &str, clean: bool, now: Instant) -> (u32, bool, bool) {
        let mut found = self.find_name(client_id);
        if found.is_ok() && self.disconnect(client_id, now) {
            self.stats.takeovers += 1;
            found = self.find_name(client_id);
        }
        // Most clients are new, and are looked for once.
        if let (Err(place), true) = (found, clean) {
            let key = self.add_session(client_id, place, SessionLog::default(), clean);
            return (key, false, false);
        }
        let known = found.ok().and_then(|place| self.names.get(place).copied());
        match known {
            Some(key) if !clean => return (key, true, true),
            Some(key) => self.forget_session(key),
            None => {}
        }
        if !clean
            && self.has_no_place_for_session()
            && let Some(oldest) = self.offline.oldest()
        {
            self.displace_session(oldest);
        }
        // What was forgotten has moved the others.
        let place = self.find_name(client_id).unwrap_or_else(|place| place);
        let log = match clean {
            true => SessionLog::default(),
            false => self.journal.new_session(client_id),
        };
        let key = self.add_session(client_id, place, log, clean);
        (key, false, known.is_some() || !clean)
    }

    /// Whether there are as many stored sessions as there may be.
    fn has_no_place_for_session(&self) -> bool {
        self.stored >= self.limits.max_stored_sessions
    }

    /// Sends what an earlier connection of the session left.
    fn resume(&mut self, key: u32, slot: u32) {
        let Some(session) = self.sessions.get_mut(key) else { return };
        let Some(connection) = self.connections.get_mut(slot) else { return };
        if let Some(inflight) = session.inflight_if_any() {
            inflight.resend(&mut connection.outbox);
        }
        self.pump(key);
        self.note_gate(slot);
    }

    fn make_up_id(&mut self) -> String {
        loop {
            self.made_up = self.made_up.wrapping_add(1);
            let id = format!("auto-{:08x}", self.made_up);
            if self.find_name(&id).is_err() {
                return id;
            }
        }
    }
}
