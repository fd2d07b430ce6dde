//! Ports, ids, and what happens at the bounds.

use std::vec::Vec;

use super::{Bed, Case, Far, FarState, Testbed, cases};
use crate::{CloseReason, ConnId, Net, NetError, NetEvent};

/// The ids that were accepted.
fn accepted(events: &[NetEvent]) -> Vec<ConnId> {
    let ids = events.iter().filter_map(|event| match event {
        NetEvent::Accepted { conn, .. } => Some(*conn),
        _ => None,
    });
    ids.collect()
}

fn count<T: Testbed>(bed: &mut T, all: &[Far], state: FarState) -> usize {
    let states = all.iter().filter(|far| {
        bed.far_read(**far);
        bed.far_state(**far) == state
    });
    states.count()
}

cases! {
    fn port_0_is_one_of_its_own(bed: 4) {
        let (first, second) = (bed.listen(), bed.listen());
        assert!(first != 0 && second != 0 && first != second);
        bed.accepted(first);
        bed.accepted(second);
    }

    fn a_port_is_had_once_and_again_when_it_is_free(bed: 4) {
        let port = bed.listen();
        assert_eq!(bed.net().listen(port), Err(NetError::PortInUse));
        let (far, conn) = bed.accepted(port);
        bed.net().unlisten(port);
        let refused = bed.0.far_connect(port);
        bed.far_is(refused, FarState::Reset);
        bed.send(conn, b"what is up stays");
        assert_eq!(bed.far_receive(far, 16), b"what is up stays");
        assert_eq!(bed.net().listen(port), Ok(port));
        bed.accepted(port);
    }

    fn ports_have_a_bound_or_are_plenty(bed: 4) {
        let mut open = Vec::new();
        let refused = loop {
            match bed.net().listen(0) {
                Ok(port) => open.push(port),
                Err(error) => break Some(error),
            }
            if open.len() == 64 {
                break None;
            }
        };
        assert!(refused.is_none_or(|error| error == NetError::Full), "{refused:?}");
        bed.accepted(open[0]);
        bed.net().unlisten(open[1]);
        bed.listen();
    }

    fn the_newcomer_is_refused_and_the_others_stay(bed: 6) {
        let port = bed.listen();
        let all: Vec<_> = (0..9).map(|_| bed.0.far_connect(port)).collect();
        let mut events = Vec::new();
        bed.until("six are in and three are refused", |bed| {
            events.extend(core::iter::from_fn(|| bed.net().poll_event()));
            let refused = count(bed, &all, FarState::Reset);
            (accepted(&events).len() == 6 && refused == 3).then_some(())
        });
        let ids = accepted(&events);
        assert_eq!(count(&mut bed.0, &all, FarState::Open), 6);
        assert!(bed.net().is_full());
        assert!(ids.iter().all(|id| (id.0 as usize) < 64), "ids are small: {ids:?}");

        bed.net().abort(ids[2]);
        bed.expect(NetEvent::Closed(ids[2], CloseReason::Done));
        bed.quiet();
        assert!(!bed.net().is_full(), "there is room for one again");
        let free = loop {
            bed.0.far_connect(port);
            if let [free] = accepted(&bed.quiet())[..] {
                break free;
            }
        };
        assert_eq!(free, ids[2], "the id is given out again");
    }

    fn an_id_is_given_out_again_only_after_its_end_was_taken(bed: 2) {
        let port = bed.listen();
        let (_, first) = bed.accepted(port);
        let (_, second) = bed.accepted(port);
        bed.net().abort(first);
        bed.net().abort(second);
        let newcomer = bed.0.far_connect(port);
        let mut events = bed.quiet();
        if accepted(&events).is_empty() {
            // It was refused, as the places were not free yet.
            bed.far_is(newcomer, FarState::Reset);
            bed.0.far_connect(port);
            events.extend(bed.quiet());
        }
        let at = |wanted: NetEvent| events.iter().position(|event| *event == wanted);
        let again = accepted(&events)[0];
        let begin = events.iter().position(|event| matches!(event, NetEvent::Accepted { .. }));
        let end = at(NetEvent::Closed(again, CloseReason::Done));
        assert!(end < begin && end.is_some(), "{events:?}");
    }

    fn ids_that_are_none_do_nothing(bed: 2) {
        for id in [0, 1, 99, u32::MAX].map(ConnId) {
            assert_eq!(bed.net().send(id, b"x"), 0);
            assert_eq!(bed.net().recv(id, &mut |bytes| bytes.len()), 0);
            assert_eq!(bed.net().peek(id, &mut [0; 4]), 0);
            bed.net().close(id);
            bed.net().abort(id);
        }
        bed.net().unlisten(1);
        bed.net().unlisten(0);
        assert_eq!(bed.quiet(), []);
    }

    fn many_come_and_go_and_nothing_is_left(bed: 4) {
        let port = bed.listen();
        for round in 0..20 {
            let (far, conn) = bed.accepted(port);
            assert!(conn.0 < 64, "{conn:?} in round {round}");
            match round % 4 {
                0 => {
                    bed.net().abort(conn);
                    bed.expect(NetEvent::Closed(conn, CloseReason::Done));
                }
                1 => {
                    bed.0.far_reset(far);
                    bed.expect_end(conn, NetEvent::Closed(conn, CloseReason::Reset));
                }
                2 => {
                    bed.0.far_shutdown(far);
                    bed.expect_end(conn, NetEvent::PeerClosed(conn));
                    bed.net().close(conn);
                    bed.expect(NetEvent::Closed(conn, CloseReason::Done));
                }
                _ => {
                    bed.net().close(conn);
                    bed.far_is(far, FarState::Ended);
                    bed.0.far_shutdown(far);
                    bed.expect(NetEvent::Closed(conn, CloseReason::Done));
                }
            }
        }
    }
}
