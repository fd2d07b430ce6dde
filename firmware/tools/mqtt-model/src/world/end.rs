//! The end of a history: everything that is to come comes, and nothing stays behind.

use super::World;
use crate::{Broken, CLIENTS, Greeting, broken};
use umqtt_mqtt::Duration;

impl World {
    /// Lets everybody come back, say and hear what is left, and go; then looks at what has come of
    /// it all.
    ///
    /// # Errors
    /// Something is missing, is there and should not be, or stays behind.
    pub fn finish(&mut self) -> Result<(), Broken> {
        self.clients.iter_mut().for_each(|client| client.hold(false));
        self.flow()?;
        // Retained messages are looked up as time allows.
        self.pass(Duration::from_millis(10))?;
        self.flow()?;
        self.nothing_is_missing(false)?;
        if !self.model.rules.roomy {
            // Those nobody is at the other end of make room,
            let left: Vec<_> =
                self.lines.iter().filter(|(_, line)| !line.linked).map(|(id, _)| *id).collect();
            left.into_iter().try_for_each(|id| self.break_line(id))?;
        }
        // and those on which nothing was said.
        self.pass(self.broker.limits().connect_timeout)?;
        // Three rounds: where there is little room, the first sends away who is there; in the
        // second all say what they still have to say; and in the third they get it.
        for client in (0..3).flat_map(|_| 0..CLIENTS) {
            if self.model.is_stored(client) && !self.clients[client].is_greeted() {
                self.connect(client, Greeting::default(), false)?;
                self.flow()?;
                self.nothing_is_missing(false)?;
            }
            if !self.model.rules.roomy {
                self.clients[client].leave();
                self.flow()?;
            }
        }
        self.pass(Duration::from_millis(10))?;
        self.flow()?;
        self.nothing_is_missing(true)?;
        let unhappy =
            self.clients.iter().position(|c| c.is_greeted() && c.can_speak() && !c.is_content());
        if let Some(client) = unhappy {
            return broken!("client {client} waits for an answer: {:?}", self.clients[client]);
        }
        self.retained()?;
        self.nothing_stays()
    }

    fn nothing_is_missing(&self, away_too: bool) -> Result<(), Broken> {
        let missing = self.model.missing(away_too);
        // With little room messages may be dropped, but not without being counted.
        let dropped = if self.model.rules.roomy { 0 } else { self.broker.stats().messages_dropped };
        if missing.len() as u64 > dropped {
            return broken!("missing, {dropped} counted as dropped: {missing:#?}");
        }
        Ok(())
    }

    fn retained(&mut self) -> Result<(), Broken> {
        let broker = &self.broker;
        let filters = [&b"#"[..], b"$own/#", b"$SYS/#"];
        let all = filters.iter().flat_map(|filter| broker.retained(filter));
        let seen: Vec<_> = all.map(|message| (message.topic, message.payload)).collect();
        self.model.retained_is(&seen)
    }

    /// With all sessions ended, nothing of them is left.
    fn nothing_stays(&mut self) -> Result<(), Broken> {
        for client in 0..CLIENTS {
            self.cut(client)?;
        }
        self.pass(Duration::from_secs(20))?; // connections the broker still has end by themselves, or by those below
        for client in 0..CLIENTS {
            self.connect(client, Greeting { clean: true, ..Greeting::default() }, false)?;
            self.flow()?;
            self.clients[client].leave();
            self.flow()?;
        }
        let broker = &self.broker;
        let local = broker.subscriptions().filter(|found| found.client_id.is_empty()).count();
        let left = (
            broker.clients_len(),
            broker.stored_sessions_len(),
            broker.subscriptions_len() - local,
        );
        if left != (0, 0, 0) || broker.poll_at().is_some() || !self.lines.is_empty() {
            return broken!(
                "clients, sessions, subscriptions left: {left:?}, {:?}, {:?}",
                broker.poll_at(),
                self.lines
            );
        }
        Ok(())
    }
}
