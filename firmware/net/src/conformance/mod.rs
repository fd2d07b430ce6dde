//! The suite that every stack passes: what [`Net`] and [`Udp`](crate::Udp) promise, seen from both
//! ends.
//!
//! The tests of a stack make a [`Testbed`] of it, whose far end is *not* made of the same stack,
//! and call [`run`] with each of [`TCP`](tcp::cases), [`LIMITS`](limits::cases) and
//! [`UDP`](udp::cases). Time is the testbed's: virtual for smoltcp, the computer's for sockets. No
//! verdict depends on how long something takes, except that [`TIMEOUT`] is enough.

pub mod limits;
pub mod tcp;
pub mod udp;

use core::net::{IpAddr, SocketAddr};
use std::vec::Vec;
use std::{format, panic, println};

use crate::{CloseReason, ConnId, Duration, Instant, Interface, Net, NetEvent, UdpId};

/// How long something that has to happen may take.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// How long nothing may happen where nothing is to happen.
const QUIET: Duration = Duration::from_millis(300);

/// The far end's number of a connection of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Far(pub usize);

/// The far end's number of a UDP socket of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FarUdp(pub usize);

/// Where a connection stands, as the far end sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FarState {
    /// It is not up yet.
    Connecting,
    /// It is up.
    Open,
    /// The stack has finished sending, and all of that was read.
    Ended,
    /// It was refused or reset.
    Reset,
}

/// A stack under test, and a far host in the same network.
pub trait Testbed {
    /// The stack.
    type Net: Net;

    /// A stack that has its address, listens nowhere, and accepts at most so many connections, and
    /// a far host.
    fn new(connections: usize) -> Self;
    /// The stack.
    fn net(&mut self) -> &mut Self::Net;
    /// Lets both ends do what they can do, and a little time pass.
    fn step(&mut self);
    /// The time.
    fn now(&self) -> Instant;

    /// The stack's address, as the far end sees it.
    fn address(&self) -> IpAddr;
    /// The far end's address, as the stack sees it.
    fn far_address(&self) -> IpAddr;
    /// The interface through which the stack reaches the far end.
    fn interface(&self) -> Interface;

    /// The far end starts a connection to a port of the stack.
    fn far_connect(&mut self, port: u16) -> Far;
    /// The far end listens on a port, and says on which.
    fn far_listen(&mut self) -> u16;
    /// A connection to a port the far end listens on, if there is one.
    fn far_accept(&mut self, port: u16) -> Option<Far>;
    /// The far end sends what there is room for; returns how much.
    fn far_write(&mut self, far: Far, bytes: &[u8]) -> usize;
    /// What the far end has received.
    fn far_read(&mut self, far: Far) -> Vec<u8>;
    /// Where the connection stands.
    fn far_state(&mut self, far: Far) -> FarState;
    /// The far end finishes sending.
    fn far_shutdown(&mut self, far: Far);
    /// The far end resets the connection.
    fn far_reset(&mut self, far: Far);

    /// The far end binds a UDP socket to some port; with a group it receives what is sent to that
    /// group.
    fn far_bind(&mut self, group: Option<core::net::Ipv4Addr>) -> (FarUdp, u16);
    /// The far end sends a datagram.
    fn far_send_to(&mut self, socket: FarUdp, bytes: &[u8], to: SocketAddr);
    /// A datagram the far end has received.
    fn far_recv_from(&mut self, socket: FarUdp) -> Option<(Vec<u8>, SocketAddr)>;
}

/// A case of the suite.
pub type Case = (&'static str, fn());

/// Runs the cases, all of them, and fails if any of them did.
///
/// # Panics
/// With the names of the cases that failed.
pub fn run(cases: &[Case]) {
    let failed = |case: &&Case| {
        println!("case {}", case.0);
        panic::catch_unwind(case.1).is_err()
    };
    let failed: Vec<_> = cases.iter().filter(failed).map(|(name, _)| *name).collect();
    assert!(failed.is_empty(), "{} of {} cases failed: {failed:?}", failed.len(), cases.len());
}

/// Defines the cases of a file, each a function of a testbed, and lists them.
macro_rules! cases {
    ($($(#[$doc:meta])* fn $name:ident($bed:ident: $bound:expr) $body:block)*) => {
        $($(#[$doc])* fn $name<T: Testbed>() {
            let $bed = &mut Bed(T::new($bound));
            $body
        })*

        /// The cases of this file.
        pub fn cases<T: Testbed>() -> Vec<Case> {
            std::vec![$((stringify!($name), $name::<T> as fn())),*]
        }
    };
}
use cases;

/// A testbed with what the cases say often.
struct Bed<T>(T);

impl<T: Testbed> Bed<T> {
    fn net(&mut self) -> &mut T::Net {
        self.0.net()
    }

    /// Goes on until something has come to pass.
    fn until<R>(&mut self, what: &str, mut done: impl FnMut(&mut T) -> Option<R>) -> R {
        let end = self.0.now() + TIMEOUT;
        loop {
            if let Some(result) = done(&mut self.0) {
                return result;
            }
            assert!(self.0.now() < end, "this did not happen: {what}");
            self.0.step();
        }
    }

    /// The next event that is no repeated edge of `Readable` or `Writable`.
    fn event(&mut self) -> NetEvent {
        self.until("an event", |bed| bed.net().poll_event())
    }

    /// Waits for an event; others than edges must not come before it.
    fn expect(&mut self, wanted: NetEvent) {
        loop {
            match self.event() {
                event if event == wanted => return,
                NetEvent::Readable(_) | NetEvent::Writable(_) | NetEvent::Datagram(_) => {}
                event => panic!("{event:?} in place of {wanted:?}"),
            }
        }
    }

    /// Waits for an event as a device does, which takes what there is: the end may show only then.
    fn expect_end(&mut self, conn: ConnId, wanted: NetEvent) {
        loop {
            match self.event() {
                NetEvent::Readable(readable) if readable == conn => drop(self.take(conn)),
                event if event == wanted => return,
                event => panic!("{event:?} in place of {wanted:?}"),
            }
        }
    }

    /// Some time passes. Returns what happened, without edges that may come without need.
    fn quiet(&mut self) -> Vec<NetEvent> {
        let end = self.0.now() + QUIET;
        let mut all = Vec::new();
        while self.0.now() < end {
            self.0.step();
            while let Some(event) = self.net().poll_event() {
                all.push(event);
            }
        }
        all
    }

    /// Listens on a port the stack chooses.
    fn listen(&mut self) -> u16 {
        self.net().listen(0).expect("a port is free")
    }

    /// A connection from the far end.
    fn accepted(&mut self, port: u16) -> (Far, ConnId) {
        let far = self.0.far_connect(port);
        match self.event() {
            NetEvent::Accepted { port: at, conn, peer } => {
                assert_eq!((at, peer.addr.ip()), (port, self.0.far_address()));
                assert_eq!(peer.interface, self.0.interface());
                (far, conn)
            }
            event => panic!("{event:?} in place of a connection"),
        }
    }

    /// The far end's connection is in this state.
    fn far_is(&mut self, far: Far, wanted: FarState) {
        self.until(&format!("the far end finds it {wanted:?}"), |bed| {
            bed.far_read(far);
            (bed.far_state(far) == wanted).then_some(())
        });
    }

    /// The far end sends all of it.
    fn far_send(&mut self, far: Far, bytes: &[u8]) {
        let mut sent = 0;
        self.until("the far end sends", |bed| {
            sent += bed.far_write(far, &bytes[sent..]);
            (sent == bytes.len()).then_some(())
        });
    }

    /// The far end receives so many bytes.
    fn far_receive(&mut self, far: Far, len: usize) -> Vec<u8> {
        let mut all = Vec::new();
        self.until("the far end receives", |bed| {
            all.extend(bed.far_read(far));
            (all.len() >= len).then_some(())
        });
        all
    }

    /// Takes everything that was received.
    fn take(&mut self, conn: ConnId) -> Vec<u8> {
        let mut all = Vec::new();
        self.net().recv(conn, &mut |bytes| {
            all.extend_from_slice(bytes);
            bytes.len()
        });
        all
    }

    /// Receives so many bytes, led by events alone.
    fn receive(&mut self, conn: ConnId, len: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < len {
            self.expect(NetEvent::Readable(conn));
            all.extend(self.take(conn));
        }
        all
    }

    /// Sends all of it, led by events alone.
    fn send(&mut self, conn: ConnId, bytes: &[u8]) {
        let mut sent = self.net().send(conn, bytes);
        while sent < bytes.len() {
            self.expect(NetEvent::Writable(conn));
            sent += self.net().send(conn, &bytes[sent..]);
        }
    }

    fn closed(&mut self, conn: ConnId, reason: CloseReason) {
        self.expect(NetEvent::Closed(conn, reason));
        assert_eq!(self.quiet(), [], "nothing follows the end");
        assert_eq!(self.net().send(conn, b"late"), 0);
        assert_eq!(self.take(conn), b"");
    }

    /// The next datagram, led by events alone.
    fn datagram(&mut self, socket: UdpId) -> (Vec<u8>, crate::Peer) {
        let mut found = None;
        loop {
            let udp = self.net().udp().expect("the stack has UDP");
            udp.recv_from(socket, &mut |bytes, peer| found = Some((bytes.to_vec(), peer)));
            match found {
                Some(found) => return found,
                None => self.expect(NetEvent::Datagram(socket)),
            }
        }
    }
}
