//! The server as another implementation's client sees it.

#![allow(clippy::unwrap_used, missing_docs)]

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;

use sntpc::{Error, NtpContext, NtpTimestampGenerator, NtpUdpSocket, Result};
use umqtt_net::Instant;
use umqtt_ntp::{LEN, LOCAL_STRATUM, Server, ServerClock};

/// A network of which the server is the only other end.
struct Wire {
    server: RefCell<Server>,
    clock: ServerClock,
    answer: Cell<Option<[u8; LEN]>>,
}

fn address() -> SocketAddr {
    "192.0.2.1:123".parse().unwrap()
}

impl NtpUdpSocket for Wire {
    async fn send_to(&self, bytes: &[u8], _: SocketAddr) -> Result<usize> {
        let mut server = self.server.borrow_mut();
        self.answer.set(server.handle_datagram(Instant::ZERO, Some(&self.clock), bytes));
        Ok(bytes.len())
    }

    async fn recv_from(&self, into: &mut [u8]) -> Result<(usize, SocketAddr)> {
        let answer = self.answer.take().ok_or(Error::Network)?;
        into[..LEN].copy_from_slice(&answer);
        Ok((LEN, address()))
    }
}

/// A clock that stands.
#[derive(Clone, Copy)]
struct Stands(u64);

impl NtpTimestampGenerator for Stands {
    fn init(&mut self) {}
    fn timestamp_sec(&self) -> u64 {
        self.0 / 1000
    }
    fn timestamp_subsec_micros(&self) -> u32 {
        (self.0 % 1000) as u32 * 1000
    }
}

#[test]
fn sntpc_takes_our_answers() {
    // Now, and in the era after 2036.
    for now in [1_800_000_000_250, 2_200_000_000_750] {
        for behind in [-86_400_000_i64, -1, 0, 1, 90_000] {
            let clock = ServerClock { unix_millis: now, ..ServerClock::local() };
            let server = RefCell::new(Server::default());
            let wire = Wire { server, clock, answer: Cell::new(None) };
            let own = Stands(now.saturating_add_signed(-behind));
            let got = sntpc::sync::get_time(address(), &wire, NtpContext::new(own)).unwrap();
            assert_eq!(got.sec(), now / 1000);
            assert!((got.offset() - behind * 1000).abs() <= 2, "{} us", got.offset());
            assert_eq!((got.stratum(), got.leap_indicator()), (LOCAL_STRATUM, 0));
        }
    }
}
