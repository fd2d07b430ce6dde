//! What a lookup in the tree may cost, for whatever topic: known at any time, and before a filter
//! comes in.
//!
//! A lookup visits a node, one of its literal children at most, its `+` and its `#`. So the cost of
//! a node is its own, the highest cost of its literal children, and those of the other two; each
//! node knows its own. By itself it costs 1, and more if its level is long: a topic has to be
//! compared with all of that; and for each group that subscribes there.

use alloc::collections::BTreeMap;

use super::shared::{self, GROUP_COST, groups_in};
use super::{NONE, Node, NodeId, ROOT, Subscriptions};

/// Bytes of a level that cost one more: what can be compared in the time of a visit.
const LONG_LEVEL: usize = 256;

/// Literal children that are looked at one by one for the highest cost; the costs of more are
/// counted. A chip has no more.
const WIDE: usize = match size_of::<usize>() {
    _ if cfg!(test) => 2,
    4 => usize::MAX,
    _ => 32,
};

/// How many literal children of a node have which cost.
pub(super) type Costs = BTreeMap<u32, u32>;

/// What the node of a level costs by itself, without subscribers.
fn of_level(level: &[u8]) -> u32 {
    1 + (level.len() / LONG_LEVEL) as u32
}

/// What a node costs by itself.
fn own(node: &Node) -> u32 {
    of_level(&node.level) + groups_in(&node.subscribers) * GROUP_COST
}

/// What the nodes of levels that follow each other cost, each with no child but the next.
pub(super) fn of_levels<'l>(levels: impl Iterator<Item = &'l [u8]>) -> u32 {
    levels.map(of_level).sum()
}

/// Which kind of child a level is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Literal,
    Plus,
    Hash,
}

impl Way {
    pub(super) fn of(level: &[u8]) -> Way {
        match level {
            b"+" => Way::Plus,
            b"#" => Way::Hash,
            _ => Way::Literal,
        }
    }
}

impl Subscriptions {
    /// Nodes that a lookup could visit in the worst case, for whatever topic, if a valid filter
    /// were subscribed to.
    pub(crate) fn cost_with(&self, filter: &[u8]) -> usize {
        let (group, filter) = shared::parts(filter);
        let mut more = group.map_or(0, |_| GROUP_COST);
        let mut at = ROOT;
        let mut levels = filter.split(|b| *b == b'/');
        while let Some(level) = levels.next() {
            let child = self.child(at, level);
            if child == NONE {
                more += of_level(level) + of_levels(levels);
                return self.cost_at_root(at, level, more) as usize;
            }
            at = child;
        }
        if group.is_some_and(|name| self.find_group(at, name).is_some()) {
            more = 0;
        }
        let node = &self.nodes[at];
        self.cost_at_root(node.parent, &node.level, node.cost + more) as usize
    }

    /// A node's own cost has changed.
    pub(super) fn cost_changed(&mut self, at: NodeId, by: i32) {
        let node = &mut self.nodes[at];
        let old = node.cost;
        node.cost = old.saturating_add_signed(by);
        let (parent, way, new) = (node.parent, Way::of(&node.level), node.cost);
        self.recost(parent, way, old, new);
    }

    /// Nodes that a lookup could visit in the worst case, for whatever topic.
    pub(crate) fn lookup_cost(&self) -> usize {
        self.nodes[ROOT].cost as usize
    }

    /// The cost of the root if a child of this level had this cost.
    fn cost_at_root(&self, mut at: NodeId, level: &[u8], mut cost: u32) -> u32 {
        let mut way = Way::of(level);
        while let Some(node) = self.nodes.get(at) {
            let (plus, hash) = (self.cost(node.plus), self.cost(node.hash));
            let own = own(node);
            let heaviest = node.cost - own - plus - hash;
            cost = match way {
                Way::Literal => own + heaviest.max(cost) + plus + hash,
                Way::Plus => own + heaviest + cost + hash,
                Way::Hash => own + heaviest + plus + cost,
            };
            if at == ROOT {
                break;
            }
            (at, way) = (node.parent, Way::of(&node.level));
        }
        cost
    }

    /// A child's cost has changed, from or to 0 if it came or went: so do those of the nodes above.
    pub(super) fn recost(&mut self, mut at: NodeId, mut way: Way, mut old: u32, mut new: u32) {
        while self.nodes.get(at).is_some() {
            if way == Way::Literal {
                self.note_wide(at, old, new);
            }
            let node = &self.nodes[at];
            let before = node.cost;
            let after = if way == Way::Literal {
                let rest = own(node) + self.cost(node.plus) + self.cost(node.hash);
                match before - rest {
                    heaviest if new >= heaviest => rest + new,
                    heaviest if old < heaviest => return,
                    heaviest => rest + self.heaviest(at, heaviest),
                }
            } else {
                before - old + new
            };
            if after == before {
                return;
            }
            let (parent, next) = (node.parent, Way::of(&node.level));
            self.nodes[at].cost = after;
            if at == ROOT {
                return;
            }
            (at, way, old, new) = (parent, next, before, after);
        }
    }

    /// Counts the costs of the literal children where they are many; one of them has changed.
    fn note_wide(&mut self, at: NodeId, old: u32, new: u32) {
        let children = &self.nodes[at].children;
        if children.len() <= WIDE {
            self.wide.remove(&at);
            return;
        }
        let Some(costs) = self.wide.get_mut(&at) else {
            let mut costs = Costs::new();
            for child in children {
                *costs.entry(self.cost(*child)).or_default() += 1;
            }
            self.wide.insert(at, costs);
            return;
        };
        if new > 0 {
            *costs.entry(new).or_default() += 1;
        }
        if let Some(count) = costs.get_mut(&old) {
            *count -= 1;
            if *count == 0 {
                costs.remove(&old);
            }
        }
    }

    /// The highest cost of the literal children, which is no more than `most`.
    fn heaviest(&self, at: NodeId, most: u32) -> u32 {
        if let Some(costs) = self.wide.get(&at) {
            return costs.last_key_value().map_or(0, |(cost, _)| *cost);
        }
        let mut heaviest = 0;
        for child in &self.nodes[at].children {
            heaviest = heaviest.max(self.cost(*child));
            if heaviest == most {
                break;
            }
        }
        heaviest
    }

    fn cost(&self, node: NodeId) -> u32 {
        match node {
            NONE => 0,
            node => self.nodes.get(node).map_or(0, |node| node.cost),
        }
    }
}
