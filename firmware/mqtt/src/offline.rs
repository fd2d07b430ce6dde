//! The stored sessions without a connection, in the order in which they lost it: the first makes
//! room when there are too many (eviction).
//!
//! A list through the sessions themselves, so that none is looked for: its ends are here.

use crate::arena::Arena;
use crate::session::{Presence, Session};

/// In the place of a session: none.
pub(crate) const NONE: u32 = u32::MAX;

/// See the module.
#[derive(Debug)]
pub(crate) struct Offline {
    oldest: u32,
    newest: u32,
}

impl Default for Offline {
    fn default() -> Offline {
        Offline { oldest: NONE, newest: NONE }
    }
}

impl Offline {
    /// The one that has been offline for longest.
    pub(crate) fn oldest(&self) -> Option<u32> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// All of them, the one that has been offline for longest first.
    pub(crate) fn iter(&self, sessions: &Arena<Session>) -> impl Iterator<Item = u32> {
        let there = |key: u32| (key != NONE).then_some(key);
        core::iter::successors(there(self.oldest), move |key| there(sessions.get(*key)?.place[1]))
    }

    /// Adds a session that has just lost its connection.
    pub(crate) fn add(&mut self, key: u32, sessions: &mut Arena<Session>) {
        let Some(session) = sessions.get_mut(key) else { return };
        session.presence = Presence::Offline;
        session.place = [self.newest, NONE];
        self.join(self.newest, key, sessions);
        self.join(key, NONE, sessions);
    }

    /// Takes out a session, if it is there: it has a connection again, or ends.
    pub(crate) fn remove(&mut self, key: u32, sessions: &mut Arena<Session>) {
        let Some(session) = sessions.get_mut(key) else { return };
        if session.presence == Presence::Offline {
            session.presence = Presence::New;
            let [older, newer] = session.place;
            self.join(older, newer, sessions);
        }
    }

    /// Makes two of them neighbours, each of which may be the end of the list.
    fn join(&mut self, older: u32, newer: u32, sessions: &mut Arena<Session>) {
        match sessions.get_mut(older) {
            Some(session) => session.place[1] = newer,
            None => self.oldest = newer,
        }
        match sessions.get_mut(newer) {
            Some(session) => session.place[0] = older,
            None => self.newest = older,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_oldest_comes_first_whoever_left_meanwhile(steps in proptest::collection::vec(0u32..16, 0..80)) {
            let mut sessions = Arena::new();
            for n in 0..8 {
                sessions.insert(Session::new(&alloc::format!("{n}"), false, Default::default()));
            }
            let (mut offline, mut plain) = (Offline::default(), alloc::vec::Vec::new());
            for step in steps {
                let key = step % 8;
                offline.remove(key, &mut sessions);
                plain.retain(|other| *other != key);
                if step >= 8 {
                    offline.add(key, &mut sessions);
                    plain.push(key);
                }
                prop_assert_eq!(offline.oldest(), plain.first().copied());
                prop_assert!(offline.iter(&sessions).eq(plain.iter().copied()));
            }
            for key in plain {
                prop_assert_eq!(offline.oldest(), Some(key));
                offline.remove(key, &mut sessions);
            }
            prop_assert_eq!((offline.oldest, offline.newest), (NONE, NONE));
        }
    }
}
