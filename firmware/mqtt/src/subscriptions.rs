//! Who subscribed to what: a tree of topic levels.
//!
//! One node per level of a filter, shared by all filters that begin alike; `+` and `#` hang apart
//! from the literal children, so a lookup follows at most three ways per level and never compares
//! filters. Each way is walked once, so a lookup costs at most one visit per node. How many visits
//! the worst topic can cost is known at any time, and a subscription that makes it too many can be
//! refused. No recursion.
//!
//! Those who share a subscription are one subscriber here, a group: see `shared`.

mod cost;
mod node;
mod shared;
mod subscriber;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use umqtt_memory::{try_extend, try_push, try_room};

use crate::arena::Arena;
use crate::wire::QoS;
use cost::Way;
use node::{Level, Node, long};
use shared::Group;
pub(crate) use shared::{group_of_tag, group_tag, is_shared};
use subscriber::{BRIDGE, GROUP, put, sort, take};
pub(crate) use subscriber::{FEW, Subscriber};

/// A node of the tree; as long as a subscription lasts it names its filter.
pub(crate) type NodeId = u32;

/// The subscriber that is no client session: the program the broker is part of.
pub(crate) const LOCAL: u32 = u32::MAX >> 3;

const ROOT: NodeId = 0;
/// In the place of a child: none (the root is no child).
const NONE: NodeId = 0;
/// In the place of an offset into a topic: behind its last level.
const END: usize = usize::MAX;

/// Bytes of a topic that is remembered together with its subscribers.
const KNOWN_TOPIC: usize = 16 * size_of::<usize>();

const NODE: usize = size_of::<Node>() + 2 * size_of::<NodeId>();
/// The list of a node with many subscribers grows by doubling; the session counts its own list.
const SUBSCRIPTION: usize = 2 * size_of::<Subscriber>();

/// See the module.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    nodes: Arena<Node>,
    len: usize,
    /// The costs below nodes with many children.
    wide: BTreeMap<NodeId, cost::Costs>,
    groups: Arena<Group>,
    /// Bytes of the levels that are not stored in place, and of the names of groups.
    long_levels: usize,
    /// The topic looked up last, empty if that is not known any more: the next message is often for
    /// the same.
    topic: Vec<u8>,
    /// Who was found then.
    found: Vec<Subscriber>,
    /// Ways still to walk in a lookup, kept to save the allocation.
    ways: Vec<(NodeId, usize)>,
    /// Nodes the last lookup visited.
    #[cfg(test)]
    visits: u32,
}

impl Subscriptions {
    pub(crate) fn new() -> Subscriptions {
        let mut nodes = Arena::new();
        nodes.insert(Node { cost: 1, ..Node::default() }); // key 0, the root
        Subscriptions { nodes, ..Subscriptions::empty() }
    }

    /// Without a root.
    fn empty() -> Subscriptions {
        Subscriptions {
            nodes: Arena::new(),
            len: 0,
            wide: BTreeMap::new(),
            groups: Arena::new(),
            long_levels: 0,
            topic: Vec::new(),
            found: Vec::new(),
            ways: Vec::new(),
            #[cfg(test)]
            visits: 0,
        }
    }

    /// Subscriptions, of all sessions together.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes of the heap: each node with its place among the children, each subscription with its
    /// place here.
    pub(crate) fn held(&self) -> usize {
        let groups = self.groups.len() * shared::GROUP_BYTES;
        (self.nodes.len() - 1) * NODE + self.len * SUBSCRIPTION + self.long_levels + groups
    }

    /// Bytes that subscribing to a filter takes at most.
    pub(crate) fn held_with(filter: &[u8]) -> usize {
        let (group, filter) = shared::parts(filter);
        let group = group.map_or(0, |name| shared::GROUP_BYTES + shared::name_bytes(name));
        let levels = filter.split(|b| *b == b'/');
        levels.map(|level| NODE + long(level)).sum::<usize>() + SUBSCRIPTION + group
    }

    /// Subscribes to a valid filter, or changes the granted quality of service; the filter's node,
    /// and whether the subscription is new.
    pub(crate) fn subscribe(&mut self, session: u32, filter: &[u8], qos: QoS) -> (NodeId, bool) {
        self.topic.clear();
        let (group, filter) = shared::parts(filter);
        let at = self.grow(filter);
        let new = Subscriber::new(session, qos);
        if let Some(name) = group {
            return self.join(at, name, new);
        }
        let added = put(&mut self.nodes[at].subscribers, new);
        self.len += usize::from(added);
        (at, added)
    }

    /// Marks a subscription as one that a bridge has made.
    pub(crate) fn mark_bridge(&mut self, session: u32, node: NodeId) {
        if let Some(place) = self.place(session, node) {
            self.nodes[node].subscribers[place].0 |= BRIDGE;
        }
    }

    /// Whether a bridge has made a subscription.
    #[cfg(feature = "journal")]
    pub(crate) fn is_bridge(&self, session: u32, node: NodeId) -> bool {
        let place = self.place(session, node);
        place.is_some_and(|place| self.nodes[node].subscribers[place].0 & BRIDGE != 0)
    }

    /// The node of a filter, made if need be.
    fn grow(&mut self, filter: &[u8]) -> NodeId {
        let mut at = ROOT;
        let mut grown = None;
        let mut levels = filter.split(|b| *b == b'/');
        while let Some(level) = levels.next() {
            at = match self.child(at, level) {
                NONE => {
                    // From here on all nodes are new, each with one child.
                    let cost = cost::of_levels(core::iter::once(level).chain(levels.clone()));
                    grown.get_or_insert((at, level, cost));
                    self.add_child(at, level, cost)
                }
                child => child,
            };
        }
        if let Some((parent, level, cost)) = grown {
            self.recost(parent, Way::of(level), 0, cost);
        }
        at
    }

    /// Ends a subscription; false if there was none.
    pub(crate) fn unsubscribe(&mut self, session: u32, node: NodeId) -> bool {
        if is_shared(node) {
            return self.leave(session, node);
        }
        let Some(place) = self.place(session, node) else { return false };
        self.topic.clear();
        take(&mut self.nodes[node].subscribers, place);
        self.len -= 1;
        self.prune(node);
        true
    }

    /// The node of a filter that has subscribers, or that leads to one.
    pub(crate) fn find(&self, filter: &[u8]) -> Option<NodeId> {
        let (group, filter) = shared::parts(filter);
        let mut at = ROOT;
        for level in filter.split(|b| *b == b'/') {
            at = self.child(at, level);
            if at == NONE {
                return None;
            }
        }
        match group {
            Some(name) => self.find_group(at, name),
            None => Some(at),
        }
    }

    /// What a session was granted at a node, if it subscribes there.
    pub(crate) fn granted(&self, session: u32, node: NodeId) -> Option<QoS> {
        if is_shared(node) {
            return self.member(session, node);
        }
        let place = self.place(session, node)?;
        Some(self.nodes[node].subscribers[place].qos())
    }

    /// The filter a node stands for.
    pub(crate) fn filter(&self, node: NodeId) -> Vec<u8> {
        if is_shared(node) {
            return self.shared_filter(node);
        }
        let mut levels = Vec::new();
        let mut at = node;
        while at != ROOT {
            let Some(node) = self.nodes.get(at) else { break };
            levels.push(&*node.level);
            at = node.parent;
        }
        levels.reverse();
        levels.join(&b'/')
    }

    /// Looks up who subscribes to a valid topic name: each session once, with the highest quality
    /// of service of its matching filters, in ascending order. How many there are;
    /// [`found`](Self::found) has them. `None` if there is no memory for them.
    pub(crate) fn matching(&mut self, topic: &[u8]) -> Option<usize> {
        if self.topic != topic {
            let mut found = core::mem::take(&mut self.found);
            found.clear();
            let all = self.look_up(topic, &mut found);
            self.found = found;
            self.topic.clear();
            if all.is_none() {
                self.found.clear();
                return None;
            }
            // Without memory for it, it is looked up again next time.
            if topic.len() <= KNOWN_TOPIC {
                let _ = try_extend(&mut self.topic, topic);
            }
        }
        Some(self.found.len())
    }

    /// How many were found last.
    pub(crate) fn last_found(&self) -> usize {
        self.found.len()
    }

    /// One of those found last.
    pub(crate) fn found(&self, number: usize) -> Option<Subscriber> {
        self.found.get(number).copied()
    }

    fn look_up(&mut self, topic: &[u8], found: &mut Vec<Subscriber>) -> Option<()> {
        let mut hits = 0;
        #[cfg(test)]
        {
            self.visits = 0;
        }
        let dollar = topic.first() == Some(&b'$'); // [MQTT-4.7.2-1]
        let mut ways = core::mem::take(&mut self.ways);
        try_push(&mut ways, (ROOT, 0)).ok()?;
        while let Some((mut at, mut offset)) = ways.pop() {
            while let Some(node) = self.nodes.get(at) {
                let wild = !(dollar && at == ROOT);
                #[cfg(test)]
                {
                    self.visits += 1 + u32::from(node.hash != NONE);
                }
                if node.hash != NONE && wild {
                    hits += self.collect(node.hash, found)?; // `a/#` matches `a` too
                }
                if offset == END {
                    hits += self.collect(at, found)?;
                    break;
                }
                let rest = topic.get(offset..).unwrap_or_default();
                let (level, next) = match rest.iter().position(|b| *b == b'/') {
                    Some(len) => (&rest[..len], offset + len + 1),
                    None => (rest, END),
                };
                if node.plus != NONE && wild {
                    try_push(&mut ways, (node.plus, next)).ok()?;
                }
                at = self.literal(node, level);
                offset = next;
                if at == NONE {
                    break;
                }
            }
        }
        self.ways = ways;
        if hits > 1 {
            // Highest quality of service first, then only the first of each session.
            sort(found);
            found.dedup_by_key(|subscriber| subscriber.session());
        }
        Some(())
    }

    fn collect(&self, node: NodeId, found: &mut Vec<Subscriber>) -> Option<usize> {
        match self.nodes.get(node) {
            Some(node) if !node.subscribers.is_empty() => {
                if !try_room(found, node.subscribers.len()) {
                    return None;
                }
                found.extend_from_slice(&node.subscribers);
                Some(1)
            }
            _ => Some(0),
        }
    }

    fn place(&self, session: u32, node: NodeId) -> Option<usize> {
        let subscribers = &self.nodes.get(node)?.subscribers;
        subscribers.binary_search_by_key(&session, |s| s.session()).ok()
    }

    fn child(&self, at: NodeId, level: &[u8]) -> NodeId {
        let Some(node) = self.nodes.get(at) else { return NONE };
        match level {
            b"+" => node.plus,
            b"#" => node.hash,
            _ => self.literal(node, level),
        }
    }

    fn literal(&self, node: &Node, level: &[u8]) -> NodeId {
        self.search(node, level).map_or(NONE, |place| node.children[place])
    }

    fn search(&self, node: &Node, level: &[u8]) -> Result<usize, usize> {
        // Most levels differ in length, which is quicker to see.
        node.children.binary_search_by(|child| {
            let known = self.nodes.get(*child).map_or(&[][..], |node| &node.level);
            known.len().cmp(&level.len()).then_with(|| known.cmp(level))
        })
    }

    fn add_child(&mut self, parent: NodeId, level: &[u8], cost: u32) -> NodeId {
        let place = self.search(&self.nodes[parent], level).unwrap_or_else(|place| place);
        let new = Node { parent, cost, level: Level::from_slice(level), ..Node::default() };
        let child = self.nodes.insert(new);
        self.long_levels += long(level);
        let parent = &mut self.nodes[parent];
        match level {
            b"+" => parent.plus = child,
            b"#" => parent.hash = child,
            _ => {
                parent.children.insert(place, child);
            }
        }
        child
    }

    /// Gives back all memory but the root's, and takes none for that: it may be for want of memory
    /// that the last one ended.
    fn give_back_memory(&mut self) {
        let mut nodes = core::mem::replace(&mut self.nodes, Arena::new());
        nodes.keep_first();
        nodes[ROOT] = Node { cost: 1, ..Node::default() };
        *self = Subscriptions { nodes, ..Subscriptions::empty() };
    }

    /// Removes the node and its ancestors as far up as nothing needs them.
    fn prune(&mut self, mut at: NodeId) {
        let mut gone = None;
        while at != ROOT {
            let Some(node) = self.nodes.get(at) else { break };
            let leaf = node.children.is_empty() && node.plus == NONE && node.hash == NONE;
            if !leaf || !node.subscribers.is_empty() {
                break;
            }
            let parent_id = node.parent;
            gone = Some((Way::of(&node.level), node.cost));
            self.long_levels -= long(&node.level);
            let place = self.search(&self.nodes[parent_id], &node.level);
            let parent = &mut self.nodes[parent_id];
            if parent.plus == at {
                parent.plus = NONE;
            } else if parent.hash == at {
                parent.hash = NONE;
            } else if let Ok(place) = place {
                parent.children.remove(place);
                if parent.children.len() <= FEW {
                    parent.children.shrink_to_fit();
                }
            }
            self.nodes.remove(at);
            at = parent_id;
        }
        if let Some((way, cost)) = gone {
            self.recost(at, way, cost, 0);
        }
        if self.nodes.len() == 1 {
            self.give_back_memory();
        }
    }
}

#[cfg(test)]
mod tests;
