//! Connections come and go, and sessions with them.

use umqtt_mqtt::Instant;

use super::{Attempt, Connection, Identity, Session};
use crate::life::{Life, Occurrence, Tick};
use crate::{ConnKey, Loose, MessageId, Model, SessionKey};

impl Model {
    /// A CONNECT may be at the broker.
    pub fn connect_began(
        &mut self,
        client: usize,
        clean: bool,
        will: Option<MessageId>,
    ) -> Attempt {
        let now = self.tick();
        let conn = ConnKey(self.number());
        let refused = self.is_full(client, clean);
        let mut attempt =
            Attempt { conn, refused, present: Some(false), client, before: None, ends: Vec::new() };
        if refused {
            return attempt;
        }
        let identity = self.clients.entry(client).or_default();
        let unsure = identity.unsure;
        if let Some(old) = identity.conn {
            attempt.ends.extend(self.cut_began(old, now));
        }
        let current = self.session_of(client);
        if !clean && (unsure || !self.is_stored(client)) {
            self.make_room(client, unsure, now);
        }
        let key = match current {
            Some(key) if !clean => key,
            _ => {
                attempt.before = current;
                if let Some(old) = current {
                    attempt.ends.push(self.end_began(old, now));
                }
                let key = SessionKey(self.number());
                self.sessions.insert(key, Session { client, clean, ..Session::default() });
                key
            }
        };
        attempt.present = if clean {
            Some(false)
        } else if unsure {
            None
        } else {
            Some(current.is_some())
        };
        let connection =
            Connection { client, session: key, will, life: Life::begins(now), abandoned: false };
        self.connections.insert(conn, connection);
        self.clients.insert(client, Identity { session: Some(key), conn: Some(conn), unsure });
        if let Some(session) = self.sessions.get_mut(&key) {
            (session.conn, session.away_since) = (Some(conn), None);
            session.away_from = None;
        }
        attempt
    }

    /// Whether there is no room for the client.
    fn is_full(&self, client: usize, clean: bool) -> bool {
        let others = || self.clients.iter().filter(|(other, _)| **other != client);
        let live = others().filter(|(_, identity)| identity.conn.is_some()).count();
        let places = self.rules.max_stored_sessions;
        let taken =
            self.stored_sessions(client).filter(|(_, session)| session.conn.is_some()).count();
        let new = !clean && !self.is_stored(client);
        live >= self.rules.max_clients || new && taken >= places
    }

    /// The stored sessions of all other clients.
    fn stored_sessions(&self, client: usize) -> impl Iterator<Item = (SessionKey, &Session)> {
        let others = self.clients.iter().filter(move |(other, _)| **other != client);
        let sessions = others.filter_map(|(_, identity)| {
            let key = identity.session?;
            Some((key, self.sessions.get(&key)?))
        });
        sessions.filter(|(_, session)| !session.clean)
    }

    /// A client gets a stored session: where there are too many, the one that has been away for
    /// longest is over. Where there is no telling which one that is, each of them may be.
    fn make_room(&mut self, client: usize, unsure: bool, now: Tick) {
        if self.stored_sessions(client).count() < self.rules.max_stored_sessions {
            return;
        }
        let away = self.stored_sessions(client).filter(|(_, session)| session.conn.is_none());
        let mut away: Vec<_> =
            away.map(|(key, session)| (session.away_from, key, session.client)).collect();
        away.sort_unstable();
        let unclear = unsure
            || away.iter().any(|(from, _, client)| from.is_none() || self.is_unsure(*client));
        if !unclear {
            if let Some((_, key, _)) = away.first() {
                let end = self.end_began(*key, now);
                self.over(end);
            }
            return;
        }
        for (_, key, client) in away {
            if let Some(session) = self.sessions.get_mut(&key) {
                session.subscriptions.iter_mut().for_each(|s| s.life.ends(now));
            }
            if let Some(identity) = self.clients.get_mut(&client) {
                identity.unsure = true;
            }
        }
    }

    /// The broker has dealt with the CONNECT; what it says of the session, if that is known.
    pub fn connect_done(&mut self, attempt: &Attempt, present: Option<bool>) {
        for loose in &attempt.ends {
            self.over(*loose);
        }
        let now = self.tick();
        if let Some(connection) = self.connections.get_mut(&attempt.conn) {
            connection.life.sure_from = connection.life.sure_from.min(now);
        }
        if attempt.refused {
            return;
        }
        let Some(identity) = self.clients.get_mut(&attempt.client) else { return };
        identity.unsure = false;
        if attempt.present.is_none()
            && let Some(key) = identity.session
            && let Some(session) = self.sessions.get_mut(&key)
        {
            session.unclear_to = now;
            if present != Some(false) {
                return;
            }
            // It begins anew: what was from before this connection is gone.
            let from = self.connections.get(&attempt.conn).map_or(now, |c| c.life.may_from);
            let old = session.subscriptions.iter_mut().filter(|s| s.life.may_from < from);
            old.for_each(|s| s.life.ended(now));
        }
    }

    /// The connection broke before the broker's answer was there.
    pub fn connect_unknown(&mut self, attempt: &Attempt) -> Vec<Loose> {
        let now = self.tick();
        if attempt.refused {
            return Vec::new();
        }
        let mut ends = self.cut_began(attempt.conn, now);
        ends.retain(|end| matches!(end, Loose::Publication(..)));
        for end in &ends {
            if let Loose::Publication(id, index) = end
                && let Some(event) = self.event(*id, *index)
            {
                event.sure = false;
            }
        }
        let Some(identity) = self.clients.get_mut(&attempt.client) else { return ends };
        identity.unsure |= attempt.present != Some(true);
        if let Some(before) = attempt.before
            && let Some(session) = self.sessions.get_mut(&before)
        {
            // Perhaps it lives on.
            session.over = false;
            identity.session = Some(before);
        }
        ends.extend(attempt.ends.iter().filter(|end| matches!(end, Loose::Publication(..))));
        ends
    }

    /// The connection ends without DISCONNECT, not before `from`.
    pub fn cut_began(&mut self, conn: ConnKey, from: Tick) -> Vec<Loose> {
        let will = self.connections.get_mut(&conn).and_then(|connection| connection.will.take());
        let mut ends = self.left_began(conn, from);
        if let Some(id) = will
            && let Some(message) = self.messages.get_mut(&id)
            && !message.topic.starts_with("$SYS/")
        {
            message.events.push(Occurrence { sure: true, ..Occurrence::begins(from) });
            ends.push(Loose::Publication(id, message.events.len() - 1));
        }
        ends
    }

    /// The connection ends in peace, not before `from`.
    pub fn left_began(&mut self, conn: ConnKey, from: Tick) -> Vec<Loose> {
        let now = self.tick();
        let Some(connection) = self.connections.get_mut(&conn) else { return Vec::new() };
        connection.life.ends(from);
        connection.will = None;
        let (client, key) = (connection.client, connection.session);
        if let Some(identity) = self.clients.get_mut(&client)
            && identity.conn == Some(conn)
        {
            identity.conn = None;
        }
        let Some(session) = self.sessions.get_mut(&key) else { return Vec::new() };
        if session.conn != Some(conn) {
            return Vec::new(); // Another connection has it by now.
        }
        session.conn = None;
        if session.clean {
            return vec![self.end_began(key, from)];
        }
        session.away_since = Some(self.now);
        session.away_from = Some(now);
        Vec::new()
    }

    /// The client has let go of the connection; the broker need not know.
    pub fn abandoned(&mut self, conn: ConnKey) {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.abandoned = true;
        }
    }

    fn end_began(&mut self, key: SessionKey, from: Tick) -> Loose {
        if let Some(session) = self.sessions.get_mut(&key) {
            session.over = true;
            session.subscriptions.iter_mut().for_each(|s| s.life.ends(from));
            if let Some(identity) = self.clients.get_mut(&session.client)
                && identity.session == Some(key)
            {
                identity.session = None;
            }
        }
        Loose::End(key)
    }

    /// Time has passed, during what began at `from`: sessions away for too long are forgotten.
    pub fn expire(&mut self, from: Tick) {
        let (now, expiry) = (self.now, self.rules.session_expiry);
        let due = |since: Instant| since.saturating_add(expiry) <= now;
        let sessions = self.sessions.iter();
        let gone: Vec<_> = sessions
            .filter(|(_, s)| !s.over && s.away_since.is_some_and(due))
            .map(|(key, _)| *key)
            .collect();
        for key in gone {
            let end = self.end_began(key, from);
            self.over(end);
        }
    }

    /// The client's session, if it has one.
    pub fn session_of(&self, client: usize) -> Option<SessionKey> {
        self.clients.get(&client)?.session
    }

    /// Whether the client has a session that outlives its connection.
    pub fn is_stored(&self, client: usize) -> bool {
        let session = self.session_of(client).and_then(|key| self.sessions.get(&key));
        session.is_some_and(|session| !session.clean)
    }

    /// Whether the session may have been another one at the broker at that time.
    pub(crate) fn is_unclear(&self, key: SessionKey, since: Tick) -> bool {
        self.sessions.get(&key).is_some_and(|session| since < session.unclear_to)
    }

    /// Whether there is no telling which session the client has.
    pub fn is_unsure(&self, client: usize) -> bool {
        self.clients.get(&client).is_some_and(|identity| identity.unsure)
    }
}
