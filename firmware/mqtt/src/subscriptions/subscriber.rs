//! A subscriber of a filter in four bytes, and the sorted lists of them.

use core::cmp::Reverse;

use smallvec::SmallVec;

use crate::wire::QoS;

/// A session and the quality of service it was granted, in four bytes; or a group of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subscriber(pub(super) u32);

/// What the lowest bits of a subscriber say besides the quality of service: it is a bridge, or a
/// group.
pub(super) const BRIDGE: u32 = 4;
pub(super) const GROUP: u32 = 3;

impl Subscriber {
    pub(super) fn new(session: u32, qos: QoS) -> Subscriber {
        Subscriber(session << 3 | qos as u32)
    }

    /// Its session, or what stands for a group in the place of one.
    pub(crate) fn session(self) -> u32 {
        self.0 >> 3
    }

    pub(crate) fn qos(self) -> QoS {
        QoS::from_u8(self.0 as u8 & 3).unwrap_or_default()
    }

    /// The quality of service, if it is a session that gets each message as any other does: no
    /// bridge, and no group.
    #[inline(always)]
    pub(crate) fn plain_qos(self) -> Option<QoS> {
        QoS::from_u8(self.0 as u8 & 7)
    }
}

/// Children and subscribers a node has room for by itself: as many as take no more place than a
/// reference to more.
pub(crate) const FEW: usize = size_of::<usize>() / 2;

/// By session, the highest quality of service first.
pub(super) fn sort(subscribers: &mut [Subscriber]) {
    if cfg!(target_pointer_width = "64") {
        subscribers.sort_unstable_by_key(order);
    } else {
        // The library's sort is 4 KB of code on a chip.
        shell_sort(subscribers);
    }
}

pub(super) fn order(subscriber: &Subscriber) -> (u32, Reverse<QoS>) {
    (subscriber.session(), Reverse(subscriber.qos()))
}

/// Insertion over steps that get smaller, at most n^1.5 of them: quick where few, or lists that are
/// sorted, stand one behind the other.
pub(super) fn shell_sort(subscribers: &mut [Subscriber]) {
    let mut step = 1;
    while step < subscribers.len() / 3 {
        step = step * 3 + 1;
    }
    while step > 0 {
        for end in step..subscribers.len() {
            let mut at = end;
            while at >= step && order(&subscribers[at - step]) > order(&subscribers[at]) {
                subscribers.swap(at - step, at);
                at -= step;
            }
        }
        step /= 3;
    }
}

/// Puts a subscriber in its place in a list, which is sorted; false if it replaced what was there
/// of its session.
pub(super) fn put(subscribers: &mut SmallVec<[Subscriber; FEW]>, new: Subscriber) -> bool {
    let place = subscribers.partition_point(|s| s.session() < new.session());
    match subscribers.get_mut(place) {
        Some(old) if old.session() == new.session() => {
            *old = new;
            false
        }
        _ => {
            subscribers.insert(place, new);
            true
        }
    }
}

/// Takes a subscriber out of a list.
pub(super) fn take(subscribers: &mut SmallVec<[Subscriber; FEW]>, place: usize) {
    subscribers.remove(place);
    if subscribers.len() <= FEW {
        subscribers.shrink_to_fit();
    }
}
