//! The tree against matching one filter after the other.

use super::subscriber::{order, shell_sort};
use super::*;
use alloc::string::String;
use proptest::prelude::*;

fn found(tree: &mut Subscriptions, topic: &[u8]) -> Vec<(u32, u8)> {
    let count = tree.matching(topic).unwrap();
    assert_eq!(Some(count), tree.matching(topic), "from memory");
    tree.found[..count].iter().map(|s| (s.session(), s.qos() as u8)).collect()
}

#[test]
fn overlapping_filters_give_one_delivery_at_the_highest_qos() {
    let mut tree = Subscriptions::new();
    tree.subscribe(5, b"a/+", QoS::AtMostOnce);
    tree.subscribe(5, b"a/#", QoS::ExactlyOnce);
    tree.subscribe(5, b"a/b", QoS::AtLeastOnce);
    tree.subscribe(LOCAL, b"#", QoS::AtMostOnce);
    assert_eq!(found(&mut tree, b"a/b"), [(5, 2), (LOCAL, 0)]);
    assert_eq!(found(&mut tree, b"a"), [(5, 2), (LOCAL, 0)]);
    assert_eq!(found(&mut tree, b"$a/b"), []);
}

#[test]
fn the_dearest_topic_costs_what_was_foretold() {
    let mut tree = Subscriptions::new();
    for mask in 0..1 << 8 {
        let level = |bit| if mask >> bit & 1 == 1 { "+" } else { "a" };
        let filter = (0..8).map(level).collect::<Vec<_>>().join("/");
        let foretold = tree.cost_with(filter.as_bytes()) as u32;
        tree.subscribe(1, filter.as_bytes(), QoS::AtMostOnce);
        found(&mut tree, b"a/a/a/a/a/a/a/a");
        assert_eq!((tree.visits, tree.nodes[ROOT].cost), (foretold, foretold));
    }
    assert_eq!(tree.visits, (1 << 9) - 1);
    found(&mut tree, b"b/a/b");
    assert!(tree.visits < 1 << 4);
}

#[test]
fn subscribing_again_replaces() {
    let mut tree = Subscriptions::new();
    let (node, new) = tree.subscribe(1, b"a//b", QoS::AtMostOnce);
    assert!(new);
    assert_eq!(tree.subscribe(1, b"a//b", QoS::AtLeastOnce), (node, false));
    assert_eq!((tree.len(), tree.granted(1, node)), (1, Some(QoS::AtLeastOnce)));
    assert_eq!(tree.filter(node), b"a//b");
    assert_eq!(tree.find(b"a//b"), Some(node));
    assert_eq!(tree.find(b"a//c"), None);
}

/// The cost of a node by its definition.
fn recounted(tree: &Subscriptions, at: NodeId) -> u32 {
    let node = &tree.nodes[at];
    let of = |child| if child == NONE { 0 } else { recounted(tree, child) };
    let heaviest = node.children.iter().map(|child| of(*child)).max().unwrap_or(0);
    let groups = node.subscribers.iter().filter(|s| s.as_group().is_some()).count() as u32;
    1 + groups + node.level.len() as u32 / 256 + heaviest + of(node.plus) + of(node.hash)
}

fn level() -> impl Strategy<Value = &'static str> {
    const LONG: &str = match str::from_utf8(&[b'x'; 600]) {
        Ok(long) => long,
        Err(_) => "",
    };
    prop_oneof![Just(""), Just("a"), Just("b"), Just("$c"), Just("+"), Just(LONG)]
}

fn filter() -> impl Strategy<Value = String> {
    let share = prop_oneof![4 => Just(""), 1 => Just("$share/g/"), 1 => Just("$share/h/")];
    (share, proptest::collection::vec(level(), 1..4), any::<bool>()).prop_map(
        |(share, mut levels, hash)| {
            if hash {
                levels.push("#");
            }
            match levels.join("/") {
                filter if filter.is_empty() => filter,
                filter => String::from(share) + &filter,
            }
        },
    )
}

/// The filter within one that is shared.
fn inner(filter: &str) -> Option<&str> {
    filter.strip_prefix("$share/")?.split_once('/').map(|(_, inner)| inner)
}

proptest! {
    /// The tree agrees with matching one filter after the other, at any point of a history.
    #[test]
    fn agrees_with_pairwise_matching(
        history in proptest::collection::vec((0u32..4, filter(), any::<bool>()), 0..40),
        topic in proptest::collection::vec(level(), 1..5),
    ) {
        let topic = topic.join("/").replace('+', "a");
        prop_assume!(!topic.is_empty());
        let mut tree = Subscriptions::new();
        let mut plain: Vec<(u32, String)> = Vec::new();
        for (session, filter, add) in history {
            if filter.is_empty() {
                continue;
            }
            let known = plain.iter().position(|s| *s == (session, filter.clone()));
            if add {
                tree.subscribe(session, filter.as_bytes(), QoS::AtMostOnce);
                if known.is_none() {
                    plain.push((session, filter));
                }
            } else {
                let node = tree.find(filter.as_bytes());
                let gone = node.is_some_and(|node| tree.unsubscribe(session, node));
                prop_assert_eq!(gone, known.is_some());
                if let Some(known) = known {
                    plain.remove(known);
                }
            }
        }
        let mut wanted: Vec<_> = plain
            .iter()
            .filter(|(_, f)| umqtt_topic::matches(f.as_bytes(), topic.as_bytes()))
            .map(|(session, _)| (*session, 0))
            .collect();
        wanted.sort();
        wanted.dedup();
        let mut groups: Vec<_> = plain
            .iter()
            .filter_map(|(_, filter)| Some((filter, inner(filter)?)))
            .filter(|(_, inner)| umqtt_topic::matches(inner.as_bytes(), topic.as_bytes()))
            .map(|(filter, _)| filter.clone().into_bytes())
            .collect();
        groups.sort();
        groups.dedup();
        let (found, mut found_groups) = (found(&mut tree, topic.as_bytes()), Vec::new());
        let sessions: Vec<_> = found.iter().copied().filter(|(session, _)| *session < 1 << 28).collect();
        prop_assert_eq!(sessions, wanted);
        for at in 0..found.len() {
            found_groups.extend(tree.found(at).and_then(Subscriber::as_group).map(|g| tree.filter(g)));
        }
        found_groups.sort();
        prop_assert_eq!(found_groups, groups);
        prop_assert_eq!(tree.len(), plain.len());
        prop_assert!(tree.visits <= tree.nodes[ROOT].cost);
        for (id, node) in tree.nodes.iter() {
            prop_assert_eq!(node.cost, recounted(&tree, id));
        }
        let before = tree.nodes[ROOT].cost;
        tree.subscribe(9, b"a/+/b/new/#", QoS::AtMostOnce);
        let after = tree.nodes[ROOT].cost as usize;
        let node = tree.find(b"a/+/b/new/#").unwrap();
        tree.unsubscribe(9, node);
        prop_assert_eq!(tree.nodes[ROOT].cost, before);
        prop_assert_eq!(tree.cost_with(b"a/+/b/new/#"), after);
        for (session, filter) in plain {
            let node = tree.find(filter.as_bytes()).unwrap();
            prop_assert_eq!(tree.filter(node), filter.as_bytes());
            prop_assert!(tree.unsubscribe(session, node));
        }
        prop_assert_eq!((tree.len(), tree.nodes.len()), (0, 1));
    }
}

proptest! {
    /// What a chip sorts by, against the library.
    #[test]
    fn the_small_sort_sorts(all in proptest::collection::vec((0u32..20, 0u8..3), 0..200)) {
        let subscriber = |&(session, qos): &(u32, u8)| {
            Subscriber::new(session, QoS::from_u8(qos).unwrap_or_default())
        };
        let mut sorted: Vec<Subscriber> = all.iter().map(subscriber).collect();
        let mut expected = sorted.clone();
        expected.sort_by_key(order);
        shell_sort(&mut sorted);
        prop_assert_eq!(sorted, expected);
    }
}
