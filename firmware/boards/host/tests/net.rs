//! The network of the desktop board against plain sockets of the standard library.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use umqtt_host::net::HostNet;
use umqtt_net::{CloseReason, ConnId, Net, NetError, NetEvent};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The next event; waits for it up to ten seconds.
fn event(net: &mut HostNet) -> NetEvent {
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until {
        if let Some(event) = net.poll_event() {
            return event;
        }
        net.wait(Some(Duration::from_millis(100))).unwrap();
    }
    panic!("nothing happened")
}

/// A network that listens on some free port.
fn listening() -> (HostNet, u16) {
    let mut net = HostNet::new(LOCALHOST).unwrap();
    let port = net.listen(0).unwrap();
    (net, port)
}

fn accepted(net: &mut HostNet) -> ConnId {
    match event(net) {
        NetEvent::Accepted { conn, peer, .. } => {
            assert!(peer.is_internal());
            conn
        }
        other => panic!("{other:?}"),
    }
}

fn received(net: &mut HostNet, conn: ConnId) -> Vec<u8> {
    let mut all = Vec::new();
    net.recv(conn, &mut |bytes| {
        all.extend_from_slice(bytes);
        bytes.len()
    });
    all
}

#[test]
fn one_that_finishes_sending_still_gets_its_answer() {
    let (mut net, port) = listening();
    let mut client = TcpStream::connect((LOCALHOST, port)).unwrap();
    client.write_all(b"question").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let conn = accepted(&mut net);
    assert_eq!(event(&mut net), NetEvent::Readable(conn));
    assert_eq!(received(&mut net, conn), b"question");
    assert_eq!(event(&mut net), NetEvent::PeerClosed(conn));
    assert_eq!(net.send(conn, b"answer"), 6);
    net.close(conn);
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "answer");
    assert_eq!(event(&mut net), NetEvent::Closed(conn, CloseReason::Done));
}

#[test]
fn what_is_not_taken_is_shown_again() {
    let (mut net, port) = listening();
    let mut client = TcpStream::connect((LOCALHOST, port)).unwrap();
    client.write_all(b"abc").unwrap();
    let conn = accepted(&mut net);
    assert_eq!(event(&mut net), NetEvent::Readable(conn));
    assert_eq!(net.recv(conn, &mut |bytes| usize::from(bytes == b"abc")), 1);
    assert_eq!(net.recv(conn, &mut |bytes| usize::from(bytes == b"bc") * 2), 2);
    assert_eq!(net.recv(conn, &mut |_| unreachable!()), 0);
}

#[test]
fn a_slow_reader_holds_up_only_itself_and_loses_nothing() {
    let (mut net, port) = listening();
    let mut client = TcpStream::connect((LOCALHOST, port)).unwrap();
    let conn = accepted(&mut net);
    let all: Vec<u8> = (0..16 << 20).map(|i: u32| (i / 7) as u8).collect();
    let mut sent = net.send(conn, &all);
    assert!(sent < all.len(), "the kernel takes 16 MiB at once");
    let expected = all.clone();
    let reader = std::thread::spawn(move || {
        let mut got = vec![0; expected.len()];
        client.read_exact(&mut got).unwrap();
        assert!(got == expected);
    });
    while sent < all.len() {
        match event(&mut net) {
            NetEvent::Writable(c) if c == conn => sent += net.send(conn, &all[sent..]),
            NetEvent::Readable(_) => {}
            other => panic!("{other:?}"),
        }
    }
    reader.join().unwrap();
}

#[test]
fn a_fast_sender_does_not_keep_the_others_out() {
    const BOUND: usize = 4 * 64 * 1024;
    let (mut net, port) = listening();
    let mut client = TcpStream::connect((LOCALHOST, port)).unwrap();
    let conn = accepted(&mut net);
    // All that the system takes is there before any of it is read.
    assert!(fill(&client) > BOUND);
    client.set_nonblocking(false).unwrap();
    std::thread::spawn(move || while client.write_all(&[0; 65536]).is_ok() {});
    assert_eq!(event(&mut net), NetEvent::Readable(conn));
    assert!(received(&mut net, conn).len() <= BOUND);
    assert_eq!(event(&mut net), NetEvent::Readable(conn));
}

/// Sends until the system takes no more.
fn fill(stream: &TcpStream) -> usize {
    stream.set_nonblocking(true).unwrap();
    let block = vec![0; 1 << 20];
    let mut filled = 0;
    while let Ok(n) = (&*stream).write(&block) {
        filled += n;
    }
    filled
}

#[test]
fn what_one_says_waits_for_a_bounded_number_of_the_flooders_bytes() {
    const FLOODERS: usize = 10;
    const READ: usize = 64 * 1024;
    let (mut net, port) = listening();
    let mut good = TcpStream::connect((LOCALHOST, port)).unwrap();
    good.set_nodelay(true).unwrap();
    let quiet = accepted(&mut net);
    let bad: Vec<_> =
        (0..FLOODERS).map(|_| TcpStream::connect((LOCALHOST, port)).unwrap()).collect();
    for _ in 0..FLOODERS {
        accepted(&mut net);
    }
    let flooded: usize = bad.iter().map(fill).sum();
    let mut all = 0;
    for _ in 0..3 {
        good.write_all(b"hello").unwrap();
        let (mut taken, mut heard) = (0, Vec::new());
        while heard != b"hello" {
            match event(&mut net) {
                NetEvent::Readable(conn) if conn == quiet => heard.extend(received(&mut net, conn)),
                NetEvent::Readable(conn) => taken += received(&mut net, conn).len(),
                other => panic!("{other:?}"),
            }
        }
        assert!(taken <= 2 * FLOODERS * READ, "{taken} bytes of theirs came first");
        all += taken;
    }
    assert!(all < flooded, "there is more of it: {all} of {flooded}");
}

#[test]
fn a_connection_we_close_ends_even_if_the_other_end_does_not() {
    let (mut net, port) = listening();
    let client = TcpStream::connect((LOCALHOST, port)).unwrap();
    let conn = accepted(&mut net);
    net.close(conn);
    assert_eq!(net.send(conn, b"late"), 0);
    assert_eq!(event(&mut net), NetEvent::Closed(conn, CloseReason::Done));
    drop(client);
}

#[test]
fn connecting_by_name_tries_every_address() {
    let listener = TcpListener::bind((LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut net = HostNet::new(LOCALHOST).unwrap();
    let conn = net.connect("localhost", port).unwrap();
    assert_eq!(event(&mut net), NetEvent::Connected(conn));
    let (mut server, _) = listener.accept().unwrap();
    assert_eq!(net.send(conn, b"hello"), 5);
    net.close(conn);
    let mut got = String::new();
    server.read_to_string(&mut got).unwrap();
    assert_eq!(got, "hello");
}

#[test]
fn an_address_is_looked_up_by_name() {
    let mut net = HostNet::new(IpAddr::V4(Ipv4Addr::LOCALHOST)).unwrap();
    let looking = net.resolve("localhost").unwrap();
    assert_eq!(event(&mut net), NetEvent::Resolved(looking, Ipv4Addr::LOCALHOST.into()));
    // No name can be that long.
    let looking = net.resolve(&"x".repeat(300)).unwrap();
    assert_eq!(event(&mut net), NetEvent::Closed(looking, CloseReason::NameNotFound));
}

#[test]
fn failures_have_their_reasons() {
    let (mut net, port) = listening();
    assert_eq!(net.listen(port), Err(NetError::PortInUse));
    net.unlisten(port);
    let conn = net.connect("127.0.0.1", port).unwrap();
    assert_eq!(event(&mut net), NetEvent::Closed(conn, CloseReason::Refused));
    let conn = net.connect("no-such-host.invalid", port).unwrap();
    assert_eq!(event(&mut net), NetEvent::Closed(conn, CloseReason::NameNotFound));
    // The number of a name that is still being looked up may be used again; its answer must not be.
    let first = net.connect("no-such-host.invalid", port).unwrap();
    net.abort(first);
    assert_eq!(event(&mut net), NetEvent::Closed(first, CloseReason::Done));
    let listener = TcpListener::bind((LOCALHOST, 0)).unwrap();
    let second = net.connect("localhost", listener.local_addr().unwrap().port()).unwrap();
    assert_eq!(second, first);
    assert_eq!(event(&mut net), NetEvent::Connected(second));
}
