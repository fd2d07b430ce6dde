//! The retained messages: the last one of each topic that asked to be kept (section 3.3.1.3).

use alloc::borrow::Borrow;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Bound;

use crate::Limits;
use crate::message::Publication;
use crate::subscriptions::NodeId;
use crate::wire::QoS;

/// A message that orders by its topic alone, so that the topic is stored once.
#[derive(Debug)]
struct ByTopic(Publication);

impl Borrow<[u8]> for ByTopic {
    fn borrow(&self) -> &[u8] {
        self.0.topic()
    }
}

impl PartialEq for ByTopic {
    fn eq(&self, other: &Self) -> bool {
        self.0.topic() == other.0.topic()
    }
}

impl Eq for ByTopic {}

impl PartialOrd for ByTopic {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByTopic {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.topic().cmp(other.0.topic())
    }
}

/// Bytes of a topic that cost one look more: what it takes to compare.
const LONG_TOPIC: usize = 128;

/// There is no room for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// See the module. Sorted by topic.
#[derive(Debug, Default)]
pub(crate) struct RetainedStore {
    messages: BTreeMap<ByTopic, QoS>,
    bytes: usize,
    /// How many are under `$SYS`.
    own: usize,
    revision: u32,
}

impl RetainedStore {
    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Bytes of the heap, those of the messages not counted.
    pub(crate) fn held(&self) -> usize {
        self.messages.len() * 3 * size_of::<usize>()
    }

    /// Moves whenever anything changes.
    pub(crate) fn revision(&self) -> u32 {
        self.revision
    }

    /// Keeps a message in place of the one its topic had; if it does not fit, that one stays.
    pub(crate) fn set(&mut self, new: Publication, qos: QoS, limits: &Limits) -> Result<(), Full> {
        let old = self.messages.get_key_value(new.topic());
        if let Some((old, old_qos)) = old
            && old.0 == new
            && *old_qos == qos
        {
            return Ok(());
        }
        let freed = old.map_or(0, |(old, _)| old.0.packet().len());
        let bytes = (self.bytes - freed).saturating_add(new.packet().len());
        let new_own = old.is_none() && is_own(new.topic());
        // What the device says about itself must not take the room its user left for messages.
        let counted = self.messages.len() - self.own;
        let full = old.is_none() && !new_own && counted >= limits.max_retained;
        if full || bytes > limits.max_retained_bytes {
            return Err(Full);
        }
        self.messages.remove(new.topic());
        self.messages.insert(ByTopic(new), qos);
        self.bytes = bytes;
        self.own += usize::from(new_own);
        self.revision = self.revision.wrapping_add(1);
        Ok(())
    }

    /// Forgets the message of a topic; false if it had none.
    pub(crate) fn remove(&mut self, topic: &[u8]) -> bool {
        let Some((old, _)) = self.messages.remove_entry(topic) else { return false };
        self.bytes -= old.0.packet().len();
        self.own -= usize::from(is_own(topic));
        self.revision = self.revision.wrapping_add(1);
        true
    }

    pub(crate) fn clear(&mut self) {
        *self = RetainedStore { revision: self.revision.wrapping_add(1), ..Self::default() };
    }

    /// The messages from a topic on, those of the broker's own topics left out, in the order of
    /// their topics.
    pub(crate) fn all(
        &self,
        from: Bound<&[u8]>,
    ) -> impl Iterator<Item = (&Publication, QoS)> + use<'_> {
        let range = self.messages.range::<[u8], _>((from, Bound::Unbounded));
        let all = range.map(|(message, qos)| (&message.0, *qos));
        all.filter(|(message, _)| !is_own(message.topic()))
    }

    /// The messages a valid filter matches, in the order of their topics.
    pub(crate) fn matching<'a>(
        &'a self,
        filter: &'a [u8],
    ) -> impl Iterator<Item = (&'a Publication, QoS)> + use<'a> {
        self.candidates(filter, None)
            .filter(move |(message, _)| umqtt_topic::matches(filter, message.topic()))
    }

    /// The messages a valid filter may match, going by how it begins, from behind a given topic on.
    fn candidates<'a>(
        &'a self,
        filter: &'a [u8],
        after: Option<&[u8]>,
    ) -> impl Iterator<Item = (&'a Publication, QoS)> + use<'a> {
        let (name, prefix) = literal_parts(filter);
        let name = name.filter(|name| after.is_none_or(|after| *name > after));
        let named = name.and_then(|name| self.messages.get_key_value(name));
        let below = prefix.map(|prefix| {
            let from = match after {
                Some(topic) if topic >= prefix => Bound::Excluded(topic),
                _ => Bound::Included(prefix),
            };
            let range = self.messages.range::<[u8], _>((from, Bound::Unbounded));
            range.take_while(move |(message, _)| message.0.topic().starts_with(prefix))
        });
        named
            .into_iter()
            .chain(below.into_iter().flatten())
            .map(|(message, qos)| (&message.0, *qos))
    }

    /// The first message a valid filter matches. Takes from `looks` how many it looked at, and
    /// looks at no more.
    pub(crate) fn first<'a>(
        &'a self,
        filter: &'a [u8],
        looks: &mut u32,
    ) -> Option<(&'a Publication, QoS)> {
        for (message, qos) in self.candidates(filter, None) {
            let (left, enough) = (looks.saturating_sub(looks_at(message)), *looks > 0);
            *looks = left;
            if !enough {
                return None;
            }
            if umqtt_topic::matches(filter, message.topic()) {
                return Some((message, qos));
            }
        }
        None
    }
}

/// Whether clients may not publish to it: all under `$SYS`, but for the topics where bridges say
/// whether they are connected.
pub(crate) fn is_own(topic: &[u8]) -> bool {
    topic == b"$SYS"
        || topic.starts_with(b"$SYS/")
            && !umqtt_topic::matches(b"$SYS/broker/connection/+/state", topic)
}

/// The one topic that a filter names, and what all others that it matches begin with.
fn literal_parts(filter: &[u8]) -> (Option<&[u8]>, Option<&[u8]>) {
    match filter.iter().position(|b| matches!(b, b'#' | b'+')) {
        // `a/#` matches `a` too.
        Some(at) if at > 0 && filter[at] == b'#' => (Some(&filter[..at - 1]), Some(&filter[..at])),
        Some(at) => (None, Some(&filter[..at])),
        None => (Some(filter), None),
    }
}

/// Looks that it costs to see whether a filter matches a message.
fn looks_at(message: &Publication) -> u32 {
    (1 + message.topic().len() / LONG_TOPIC) as u32
}

/// What a look for the next retained message came to.
#[derive(Debug)]
pub(crate) enum ReplayStep {
    /// It, and the quality of service to deliver it at.
    Found(Publication, QoS),
    /// The budget is used up; go on from here later.
    Later,
    /// There is none.
    Done,
}

/// Retained messages on their way to a new subscriber. They are looked up as its queue drains, so
/// that however many there are, none is lost for want of room.
#[derive(Debug)]
pub(crate) struct Replay {
    filter: Vec<u8>,
    qos: QoS,
    /// The one handed over last.
    after: Option<Publication>,
}

/// Takes away the replay of a subscription that is over.
pub(crate) fn end_replay(replays: &mut BTreeMap<NodeId, Replay>, node: NodeId) {
    replays.remove(&node);
    if replays.is_empty() {
        // A map that was emptied keeps a node for eleven, on every client that ever subscribed.
        *replays = BTreeMap::new();
    }
}

impl Replay {
    pub(crate) fn new(filter: &[u8], qos: QoS) -> Replay {
        Replay { filter: filter.to_vec(), qos, after: None }
    }

    /// Looks for the next message, at no more than `budget` of them, fewer if their topics are
    /// long. Without [`advance`](Self::advance) it is found again.
    pub(crate) fn next(&mut self, store: &RetainedStore, budget: &mut usize) -> ReplayStep {
        let after = self.after.as_ref().map(Publication::topic);
        let mut last: Option<&Publication> = None;
        for (message, qos) in store.candidates(&self.filter, after) {
            if *budget == 0 {
                self.after = last.cloned().or(self.after.take());
                return ReplayStep::Later;
            }
            *budget = budget.saturating_sub(looks_at(message) as usize);
            if umqtt_topic::matches(&self.filter, message.topic()) {
                return ReplayStep::Found(message.clone(), qos.min(self.qos));
            }
            last = Some(message);
        }
        ReplayStep::Done
    }

    pub(crate) fn advance(&mut self, past: Publication) {
        self.after = Some(past);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn store(topics: &[&str]) -> RetainedStore {
        let mut store = RetainedStore::default();
        for topic in topics {
            let message = Publication::new(topic.as_bytes(), b"x").unwrap();
            store.set(message, QoS::AtMostOnce, &Limits::SMALL).unwrap();
        }
        store
    }

    fn topics(store: &RetainedStore, filter: &str) -> Vec<String> {
        store
            .matching(filter.as_bytes())
            .map(|(m, _)| String::from_utf8(m.topic().to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn lookups_by_filter() {
        let store = store(&["$s/a", "a", "a/b", "a/b/c", "a0", "ab", "b/b"]);
        assert_eq!(topics(&store, "a/#"), ["a", "a/b", "a/b/c"]);
        assert_eq!(topics(&store, "a/+"), ["a/b"]);
        assert_eq!(topics(&store, "+/b"), ["a/b", "b/b"]);
        assert_eq!(topics(&store, "a"), ["a"]);
        assert_eq!(topics(&store, "#"), ["a", "a/b", "a/b/c", "a0", "ab", "b/b"]);
        assert_eq!(topics(&store, "$s/#"), ["$s/a"]);
    }

    #[test]
    fn a_look_up_looks_only_where_the_filter_may_match() {
        let store = store(&["a!/b", "a/b", "a/b/c", "a/c", "a0", "ab/c", "b/b"]);
        for (filter, found, looked) in [
            ("a", None, 0),
            ("a/b", Some("a/b"), 1),
            ("a/#", Some("a/b"), 1),
            ("a/+/c", Some("a/b/c"), 2),
            ("a/+/d", None, 3),
            ("+/+/d", None, 7),
            ("ab/#", Some("ab/c"), 1),
            ("c/#", None, 0),
        ] {
            let mut looks = 100;
            let topic = store.first(filter.as_bytes(), &mut looks).map(|(m, _)| m.topic());
            assert_eq!(topic, found.map(str::as_bytes), "{filter}");
            assert_eq!(100 - looks, looked, "{filter}");
        }
        let mut looks = 6;
        assert!(store.first(b"+/+/d", &mut looks).is_none() && looks == 0);
    }

    #[test]
    fn a_replay_finds_all_whatever_its_budget() {
        let store = store(&["$s/a", "a", "a/b", "a/b/c", "a0", "ab", "b/b"]);
        for filter in ["#", "+/b", "a/#", "b/+", "none/+"] {
            for step in 1..9 {
                let mut replay = Replay::new(filter.as_bytes(), QoS::AtMostOnce);
                let (mut found, mut budget) = (Vec::new(), 0);
                loop {
                    match replay.next(&store, &mut budget) {
                        ReplayStep::Found(message, _) => {
                            found.push(String::from_utf8(message.topic().to_vec()).unwrap());
                            replay.advance(message);
                        }
                        ReplayStep::Later => budget = step,
                        ReplayStep::Done => break,
                    }
                }
                assert_eq!(found, topics(&store, filter), "{filter} by {step}");
            }
        }
    }

    #[test]
    fn limits_refuse_the_newcomer_and_keep_the_rest() {
        let limits = Limits { max_retained: 2, max_retained_bytes: 14, ..Limits::SMALL };
        let mut store = RetainedStore::default();
        let message = |topic: &[u8], len| Publication::new(topic, &[b'x'; 99][..len]).unwrap();
        let mut set = |topic: &[u8], len| store.set(message(topic, len), QoS::AtMostOnce, &limits);
        assert_eq!(set(b"a", 1), Ok(())); // 6 bytes
        assert_eq!(set(b"b", 1), Ok(()));
        assert_eq!(set(b"c", 1), Err(Full));
        assert_eq!(set(b"a", 3), Ok(()));
        assert_eq!(set(b"a", 4), Err(Full));
        assert_eq!(store.matching(b"a").next().unwrap().0.payload(), b"xxx");
        assert!(store.remove(b"b") && !store.remove(b"b"));
        assert_eq!((store.len(), store.bytes), (1, 8));
    }

    #[test]
    fn the_devices_own_topics_do_not_count_but_their_bytes_do() {
        let limits = Limits { max_retained: 1, max_retained_bytes: 60, ..Limits::SMALL };
        let mut store = RetainedStore::default();
        let message = |topic: &[u8]| Publication::new(topic, b"x").unwrap();
        let mut set = |topic: &[u8]| store.set(message(topic), QoS::AtMostOnce, &limits);
        for own in [&b"$SYS/a"[..], b"$SYS/b", b"$SYS/b"] {
            assert_eq!(set(own), Ok(()));
        }
        assert_eq!(set(b"a"), Ok(()));
        assert_eq!(set(b"b"), Err(Full));
        assert_eq!(set(b"$SYS/c"), Ok(()));
        assert_eq!(set(b"$SYS/long/very/long"), Err(Full));
        assert!(store.remove(b"$SYS/a") && store.remove(b"a"));
        assert_eq!(store.set(message(b"b"), QoS::AtMostOnce, &limits), Ok(()));
        assert_eq!(store.own, 2);
    }

    #[test]
    fn the_revision_moves_with_changes_only() {
        let mut store = store(&["a"]);
        let before = store.revision();
        let same = Publication::new(b"a", b"x").unwrap();
        store.set(same, QoS::AtMostOnce, &Limits::SMALL).unwrap();
        assert_eq!(store.revision(), before);
        store.remove(b"a");
        assert_ne!(store.revision(), before);
    }
}
