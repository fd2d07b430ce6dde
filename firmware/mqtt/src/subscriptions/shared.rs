//! Shared subscriptions, `$share/GROUP/FILTER`: of those who are in a group, one gets each message.
//!
//! In the tree a group is a subscriber like any other, at the node of its filter, and one more of
//! what a lookup costs: a client may be in many groups of the same filter, and gets a message once
//! for each of them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use smallvec::SmallVec;

use super::{FEW, GROUP, LOCAL, NodeId, SUBSCRIPTION, Subscriber, Subscriptions, put, take};
use crate::memory::BLOCK;
use crate::wire::QoS;

/// Members of a group that are looked at for one message: where more of them cannot take it at
/// once, it waits for one of these.
const RANKED: usize = 1024;

/// Bytes of a group besides its name; its members are counted as subscriptions.
pub(super) const GROUP_BYTES: usize = size_of::<Group>() + SUBSCRIPTION;

/// What a group costs: it is one more client that gets the message.
pub(super) const GROUP_COST: u32 = 1;

/// What a group has in the place of a session, with its number added: more than any session, and
/// less than [`LOCAL`].
const GROUPS: u32 = 1 << 28;

/// In a [`NodeId`]: it is a group's number instead.
const SHARED: NodeId = 1 << 31;

/// Whether a node's name is that of a shared subscription.
pub(crate) fn is_shared(node: NodeId) -> bool {
    node & SHARED != 0
}

/// A group in 15 bits, for messages to remember by which they came; 0 for none, and for what has no
/// room in them.
pub(crate) fn group_tag(name: NodeId) -> u16 {
    u16::try_from((name & !SHARED) + 1).ok().filter(|tag| *tag < 1 << 15).unwrap_or(0)
}

/// The group of a tag that is not 0.
pub(crate) fn group_of_tag(tag: u16) -> NodeId {
    SHARED | (u32::from(tag) - 1)
}

/// Those who share a subscription.
#[derive(Debug)]
pub(super) struct Group {
    name: Box<[u8]>,
    /// The node of its filter.
    node: NodeId,
    /// Sorted by session.
    members: SmallVec<[Subscriber; FEW]>,
    /// Which of them is next, if it is one.
    turn: u32,
}

/// Bytes of a group's name on the heap.
pub(super) fn name_bytes(name: &[u8]) -> usize {
    name.len() + BLOCK
}

/// The group's name, if it is a shared subscription, and the filter within.
pub(super) fn parts(filter: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match umqtt_topic::split_shared(filter) {
        Ok(Some(shared)) => (Some(shared.group), shared.filter),
        _ => (None, filter),
    }
}

/// How many groups are in a node's list.
pub(super) fn groups_in(subscribers: &[Subscriber]) -> u32 {
    let from = subscribers.partition_point(|s| s.session() < GROUPS);
    let rest = subscribers.get(from..).unwrap_or_default();
    (rest.len() - usize::from(rest.last().is_some_and(|s| s.session() == LOCAL))) as u32
}

impl Subscriber {
    fn group(number: u32) -> Subscriber {
        Subscriber((GROUPS + number) << 3 | GROUP)
    }

    /// The name of a group, if it is one.
    pub(crate) fn as_group(self) -> Option<NodeId> {
        (self.0 & 7 == GROUP).then(|| SHARED | (self.session() - GROUPS))
    }
}

impl Subscriptions {
    /// The group of this name at a node.
    pub(super) fn find_group(&self, node: NodeId, name: &[u8]) -> Option<NodeId> {
        let subscribers = &self.nodes.get(node)?.subscribers;
        let from = subscribers.partition_point(|s| s.session() < GROUPS);
        let mut groups = subscribers.get(from..)?.iter().filter_map(|s| s.as_group());
        groups.find(|group| self.group(*group).is_some_and(|group| *group.name == *name))
    }

    /// Makes a subscriber a member of a group, which is made if need be; its name, and whether the
    /// member is new.
    pub(super) fn join(&mut self, node: NodeId, name: &[u8], new: Subscriber) -> (NodeId, bool) {
        let group = self.find_group(node, name).unwrap_or_else(|| {
            let members = SmallVec::new();
            let number = self.groups.insert(Group { name: name.into(), node, members, turn: 0 });
            put(&mut self.nodes[node].subscribers, Subscriber::group(number));
            self.long_levels += name_bytes(name);
            self.cost_changed(node, GROUP_COST.cast_signed());
            SHARED | number
        });
        let added = self.groups.get_mut(group & !SHARED).is_some_and(|g| put(&mut g.members, new));
        self.len += usize::from(added);
        (group, added)
    }

    /// Ends a membership; false if there was none. A group without members is no more.
    pub(super) fn leave(&mut self, session: u32, name: NodeId) -> bool {
        let number = name & !SHARED;
        let Some(group) = self.groups.get_mut(number) else { return false };
        let Ok(place) = group.members.binary_search_by_key(&session, |s| s.session()) else {
            return false;
        };
        self.topic.clear();
        take(&mut group.members, place);
        group.turn -= u32::from(group.turn as usize > place);
        self.len -= 1;
        if !group.members.is_empty() {
            return true;
        }
        let Some(group) = self.groups.remove(number) else { return true };
        self.long_levels -= name_bytes(&group.name);
        if let Some(place) = self.place(Subscriber::group(number).session(), group.node) {
            take(&mut self.nodes[group.node].subscribers, place);
            self.cost_changed(group.node, -GROUP_COST.cast_signed());
        }
        self.prune(group.node);
        true
    }

    /// What a member of a group was granted.
    pub(super) fn member(&self, session: u32, name: NodeId) -> Option<QoS> {
        let members = &self.group(name)?.members;
        let place = members.binary_search_by_key(&session, |s| s.session()).ok()?;
        members.get(place).map(|member| member.qos())
    }

    /// Whether a session is a member of a group that was found last.
    pub(crate) fn is_member_found(&self, session: u32, name: NodeId) -> bool {
        let group = Subscriber::group(name & !SHARED).session();
        let found = self.found.binary_search_by_key(&group, |s| s.session());
        found.is_ok() && self.member(session, name).is_some()
    }

    pub(super) fn shared_filter(&self, name: NodeId) -> Vec<u8> {
        let Some(group) = self.group(name) else { return Vec::new() };
        [b"$share", &*group.name, &self.filter(group.node)].join(&b'/')
    }

    /// Whose turn it is in a group: the first, from the next one on, of the highest rank. What has
    /// the rank `best` is taken at once.
    pub(crate) fn choose(
        &mut self,
        name: NodeId,
        best: u8,
        mut rank: impl FnMut(Subscriber) -> u8,
    ) -> Option<Subscriber> {
        let group = self.groups.get_mut(name & !SHARED)?;
        let (before, from) = group.members.split_at_checked(group.turn as usize)?;
        let mut chosen: Option<(u8, Subscriber)> = None;
        for member in from.iter().chain(before).take(RANKED) {
            let rank = rank(*member);
            if chosen.is_none_or(|(highest, _)| rank > highest) {
                chosen = Some((rank, *member));
            }
            if rank >= best {
                break;
            }
        }
        let (_, chosen) = chosen?;
        let place = group.members.binary_search_by_key(&chosen.session(), |s| s.session()).ok()?;
        group.turn = (place as u32 + 1) % group.members.len() as u32;
        Some(chosen)
    }

    fn group(&self, name: NodeId) -> Option<&Group> {
        self.groups.get(name & !SHARED)
    }
}
