//! A node of the tree: a level of a filter, and who subscribed there.

use smallvec::SmallVec;

use super::NodeId;
use super::subscriber::{FEW, Subscriber};
use crate::memory::BLOCK;

/// What a level takes besides its node.
pub(super) fn long(level: &[u8]) -> usize {
    if level.len() > SHORT_LEVEL { level.len() + BLOCK } else { 0 }
}

/// Bytes of a level that is stored in its node.
pub(super) const SHORT_LEVEL: usize = 2 * size_of::<usize>();

/// A level of a filter; a short one is stored in place.
pub(super) type Level = SmallVec<[u8; SHORT_LEVEL]>;

#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) parent: NodeId,
    /// The one-level wildcard below this level.
    pub(super) plus: NodeId,
    /// The rest-of-topic wildcard below this level.
    pub(super) hash: NodeId,
    /// Nodes from here down that the lookup of one topic may visit, this one included, each with
    /// its own cost: of the literal children it goes on to one at most.
    pub(super) cost: u32,
    pub(super) level: Level,
    /// Literal levels below this one, sorted by length first.
    pub(super) children: SmallVec<[NodeId; FEW]>,
    /// Sorted by session; each session once.
    pub(super) subscribers: SmallVec<[Subscriber; FEW]>,
}
