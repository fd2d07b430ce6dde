//! Connections: how they begin, carry bytes, and end.

use std::string::ToString;
use std::vec::Vec;

use super::{Bed, Case, FarState, Testbed, cases};
use crate::{CloseReason, Net, NetEvent};

/// Bytes that differ.
fn text(len: usize) -> Vec<u8> {
    (0..len as u32).map(|n| (n / 7) as u8).collect()
}

cases! {
    fn bytes_go_both_ways(bed: 4) {
        let port = bed.listen();
        let (far, conn) = bed.accepted(port);
        bed.far_send(far, b"hello");
        assert_eq!(bed.receive(conn, 5), b"hello");
        bed.send(conn, b"welcome");
        assert_eq!(bed.far_receive(far, 7), b"welcome");
    }

    fn what_there_is_room_for_is_sent(bed: 4) {
        let port = bed.listen();
        let (far, conn) = bed.accepted(port);
        let room = bed.net().send_room(conn).min(4096);
        assert!(room >= 16, "{room}");
        let bytes = text(room);
        assert_eq!(bed.net().send(conn, &bytes[..7]), 7);
        assert!(bed.net().send_room(conn) >= room - 7);
        assert_eq!(bed.net().send(conn, &bytes[7..]), room - 7);
        assert_eq!(bed.far_receive(far, room), bytes);
    }

    fn the_stack_connects(bed: 4) {
        let port = bed.0.far_listen();
        let host = bed.0.far_address().to_string();
        let conn = bed.net().connect(&host, port).expect("it can start");
        bed.expect(NetEvent::Connected(conn));
        let far = bed.until("the far end accepts", |bed| bed.far_accept(port));
        bed.send(conn, b"hello");
        assert_eq!(bed.far_receive(far, 5), b"hello");
        bed.far_send(far, b"welcome");
        assert_eq!(bed.receive(conn, 7), b"welcome");
        bed.net().close(conn);
        bed.far_is(far, FarState::Ended);
        bed.0.far_shutdown(far);
        bed.closed(conn, CloseReason::Done);
    }

    fn an_address_is_looked_up_as_it_stands(bed: 2) {
        let far = bed.0.far_address();
        let looking = bed.net().resolve(&std::format!("{far}")).expect("there is room");
        bed.expect(NetEvent::Resolved(looking, far));
        // The place is free again, and nothing follows.
        let next = bed.net().resolve(&std::format!("{far}")).expect("there is room");
        assert_eq!(next, looking);
        bed.expect(NetEvent::Resolved(next, far));
        assert_eq!(bed.quiet(), []);
        for end in [T::Net::close, T::Net::abort] {
            let looking = bed.net().resolve(&std::format!("{far}")).expect("there is room");
            end(bed.net(), looking);
            bed.expect(NetEvent::Closed(looking, CloseReason::Done));
            assert_eq!(bed.quiet(), []);
        }
    }

    fn a_port_on_which_nothing_listens_refuses(bed: 4) {
        let port = bed.listen();
        bed.net().unlisten(port);
        let far = bed.0.far_connect(port);
        bed.far_is(far, FarState::Reset);
        assert_eq!(bed.quiet(), []);

        // A port above those that are given out.
        let host = bed.0.far_address().to_string();
        let conn = bed.net().connect(&host, 1).expect("it can start");
        bed.closed(conn, CloseReason::Refused);
    }

    fn after_a_half_close_the_answer_still_goes(bed: 4) {
        let port = bed.listen();
        let (far, conn) = bed.accepted(port);
        bed.far_send(far, b"question");
        bed.0.far_shutdown(far);
        assert_eq!(bed.receive(conn, 8), b"question");
        bed.expect(NetEvent::PeerClosed(conn));
        bed.send(conn, b"answer");
        assert_eq!(bed.far_receive(far, 6), b"answer");
        bed.net().close(conn);
        bed.far_is(far, FarState::Ended);
        bed.closed(conn, CloseReason::Done);
    }

    fn the_half_close_is_reported_once_and_only_behind_the_bytes(bed: 4) {
        let port = bed.listen();
        let (far, conn) = bed.accepted(port);
        bed.far_send(far, b"all of it");
        bed.0.far_shutdown(far);
        bed.expect(NetEvent::Readable(conn));
        assert_eq!(bed.net().recv(conn, &mut |bytes| bytes.len().min(4)), 4);
        let events = bed.quiet();
        assert!(!events.contains(&NetEvent::PeerClosed(conn)), "{events:?}");
        assert_eq!(bed.take(conn), b"of it");
        // A stack may need another look to find the end.
        bed.take(conn);
        bed.expect(NetEvent::PeerClosed(conn));
        let events = bed.quiet();
        assert!(!events.contains(&NetEvent::PeerClosed(conn)), "{events:?}");
    }

    fn a_reset_is_reported(bed: 4) {
        let port = bed.listen();
        let (far, conn) = bed.accepted(port);
        bed.far_send(far, b"half a");
        bed.0.far_reset(far);
        bed.expect_end(conn, NetEvent::Closed(conn, CloseReason::Reset));
        assert_eq!(bed.quiet(), []);
        assert_eq!(bed.net().send(conn, b"late"), 0);
    }

    fn an_abort_resets_the_far_end(bed: 4) {
        let port = bed.listen();
        let (far, conn) = bed.accepted(port);
        bed.net().abort(conn);
        bed.closed(conn, CloseReason::Done);
        bed.far_is(far, FarState::Reset);
    }

    fn an_abort_leaves_bytes_that_came_unread(bed: 4) {
        let port = bed.listen();
        let (far, conn) = bed.accepted(port);
        bed.far_send(far, b"for nobody");
        bed.expect(NetEvent::Readable(conn));
        bed.net().abort(conn);
        bed.closed(conn, CloseReason::Done);
        bed.far_is(far, FarState::Reset);
    }

    fn a_close_sends_what_waits_first(bed: 4) {
        let port = bed.listen();
        let (far, conn) = bed.accepted(port);
        let all = text(1 << 20);
        let sent = bed.net().send(conn, &all);
        assert!(sent > 0);
        bed.net().close(conn);
        assert_eq!(bed.net().send(conn, b"late"), 0);
        assert!(bed.far_receive(far, sent) == all[..sent], "as it was sent");
        bed.far_is(far, FarState::Ended);
        bed.0.far_shutdown(far);
        bed.closed(conn, CloseReason::Done);
    }

    fn a_close_takes_no_more_bytes_but_loses_none_of_its_own(bed: 4) {
        let port = bed.listen();
        let (far, conn) = bed.accepted(port);
        bed.far_send(far, b"unread");
        bed.expect(NetEvent::Readable(conn));
        bed.send(conn, b"last words");
        bed.net().close(conn);
        bed.0.far_write(far, b"too late");
        assert_eq!(bed.far_receive(far, 10), b"last words");
        bed.far_is(far, FarState::Ended);
        bed.0.far_shutdown(far);
        bed.closed(conn, CloseReason::Done);
    }

    fn a_close_ends_though_the_far_end_does_not(bed: 4) {
        let port = bed.listen();
        let (far, conn) = bed.accepted(port);
        bed.net().close(conn);
        bed.closed(conn, CloseReason::Done);
        bed.0.far_read(far);
    }

    fn after_a_close_only_its_end_is_reported(bed: 4) {
        let port = bed.listen();
        let far = bed.0.far_connect(port);
        let conn = match bed.event() {
            NetEvent::Accepted { conn, .. } => conn,
            event => panic!("{event:?}"),
        };
        bed.far_send(far, b"hello");
        bed.0.far_shutdown(far);
        // The stack may know of both already.
        bed.0.step();
        bed.net().close(conn);
        assert_eq!(bed.event(), NetEvent::Closed(conn, CloseReason::Done));
        assert_eq!(bed.quiet(), []);
    }

    fn a_connection_that_is_not_up_can_be_closed_and_aborted(bed: 4) {
        let port = bed.0.far_listen();
        let host = bed.0.far_address().to_string();
        let first = bed.net().connect(&host, port).expect("it can start");
        bed.net().close(first);
        assert_eq!(bed.event(), NetEvent::Closed(first, CloseReason::Done));
        let second = bed.net().connect(&host, port).expect("it can start");
        bed.net().abort(second);
        assert_eq!(bed.event(), NetEvent::Closed(second, CloseReason::Done));
        assert_eq!(bed.quiet(), []);
    }

    fn a_far_end_that_does_not_read_holds_up_only_itself(bed: 4) {
        let port = bed.listen();
        let (far, conn) = bed.accepted(port);
        let (other, other_conn) = bed.accepted(port);
        // More than both ends have room for.
        let all = text(24 << 20);
        let mut sent = 0;
        loop {
            let more = bed.net().send(conn, &all[sent..]);
            sent += more;
            assert!(sent < all.len(), "there is a bound to what is taken");
            let writable = bed.quiet().contains(&NetEvent::Writable(conn));
            if more == 0 && !writable {
                break;
            }
        }
        bed.far_send(other, b"still there?");
        bed.expect(NetEvent::Readable(other_conn));
        assert_eq!(bed.take(other_conn), b"still there?");

        let end = sent + 2_000;
        let mut heard = Vec::new();
        bed.until("what was sent arrives, and room is reported", |bed| {
            heard.extend(bed.far_read(far));
            while let Some(event) = bed.net().poll_event() {
                if event == NetEvent::Writable(conn) {
                    sent += bed.net().send(conn, &all[sent..end]);
                }
            }
            (heard.len() >= end).then_some(())
        });
        assert!(heard == all[..end], "in order, and nothing is lost");
    }

    fn bytes_that_are_not_taken_hold_up_the_far_end(bed: 4) {
        let port = bed.listen();
        let (far, conn) = bed.accepted(port);
        let all = text(24 << 20);
        let mut sent = 0;
        loop {
            let more = bed.0.far_write(far, &all[sent..]);
            sent += more;
            assert!(sent < all.len(), "there is a bound to what is taken");
            bed.quiet();
            if more == 0 {
                break;
            }
        }
        let mut taken = Vec::new();
        bed.until("all of it arrives", |bed| {
            bed.net().recv(conn, &mut |bytes| {
                taken.extend_from_slice(bytes);
                bytes.len()
            });
            (taken.len() >= sent).then_some(())
        });
        assert!(taken == all[..sent], "in order, and nothing is lost");
    }

    fn readable_comes_for_each_new_piece(bed: 4) {
        let port = bed.listen();
        let (far, conn) = bed.accepted(port);
        bed.far_send(far, b"one");
        bed.expect(NetEvent::Readable(conn));
        bed.quiet();
        // Not taken, and yet there is something new.
        bed.far_send(far, b"two");
        bed.expect(NetEvent::Readable(conn));
        let mut all = bed.take(conn);
        while all.len() < 6 {
            bed.expect(NetEvent::Readable(conn));
            all.extend(bed.take(conn));
        }
        assert_eq!(all, b"onetwo");
        assert_eq!(bed.take(conn), b"");
    }

    fn what_is_not_taken_is_shown_again(bed: 4) {
        let port = bed.listen();
        let (far, conn) = bed.accepted(port);
        bed.far_send(far, b"abc");
        bed.expect(NetEvent::Readable(conn));
        assert_eq!(bed.net().recv(conn, &mut |bytes| usize::from(bytes == b"abc")), 1);
        assert_eq!(bed.net().recv(conn, &mut |_| 0), 0);
        assert_eq!(bed.net().recv(conn, &mut |bytes| usize::from(bytes == b"bc") * 2), 2);
        assert_eq!(bed.net().recv(conn, &mut |_| unreachable!()), 0);
    }

    fn peek_leaves_and_consume_takes(bed: 4) {
        let port = bed.listen();
        let (far, conn) = bed.accepted(port);
        let mut into = [0; 4];
        assert_eq!(bed.net().peek(conn, &mut into), 0);
        bed.net().consume(conn, 4);
        bed.far_send(far, b"abcdef");
        bed.expect(NetEvent::Readable(conn));
        assert_eq!((bed.net().peek(conn, &mut into), &into), (4, b"abcd"));
        assert_eq!((bed.net().peek(conn, &mut into), &into), (4, b"abcd"));
        bed.net().consume(conn, 0);
        bed.net().consume(conn, 3);
        let mut into = [0; 4];
        assert_eq!((bed.net().peek(conn, &mut into), &into), (3, b"def\0"));
        bed.net().consume(conn, 99);
        assert_eq!(bed.net().peek(conn, &mut into), 0);
        bed.far_send(far, b"g");
        bed.expect(NetEvent::Readable(conn));
        assert_eq!(bed.take(conn), b"g");
    }

    fn the_address_is_that_of_the_interface(bed: 4) {
        let mut all = Vec::new();
        bed.net().addresses(&mut |own| all.push((own.interface, own.address)));
        assert!(all.contains(&(bed.0.interface(), bed.0.address())), "{all:?}");
    }
}
