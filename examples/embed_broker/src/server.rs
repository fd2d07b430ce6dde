//! A broker joined to the operating system's sockets: one thread, one loop, nothing blocks but the
//! wait.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use umqtt_mqtt::{Broker, ConnId, Hooks, Peer};

const LISTENER: Token = Token(usize::MAX);

/// See the module.
pub(crate) struct Server<H> {
    /// The broker; publish and subscribe on it between the turns.
    pub(crate) broker: Broker,
    hooks: H,
    poll: Poll,
    events: Events,
    listener: TcpListener,
    sockets: HashMap<u32, TcpStream>,
    next_id: u32,
    start: Instant,
    /// For reading and for writing: many small packets go out in one write.
    buffer: Vec<u8>,
}

impl<H: Hooks> Server<H> {
    pub(crate) fn bind(addr: SocketAddr, broker: Broker, hooks: H) -> io::Result<Server<H>> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(addr)?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Server {
            broker,
            hooks,
            poll,
            events: Events::with_capacity(256),
            listener,
            sockets: HashMap::new(),
            next_id: 0,
            start: Instant::now(),
            buffer: vec![0; 64 * 1024],
        })
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Sends what waits, sleeps until something happens or `patience` is over, and tells the
    /// broker.
    pub(crate) fn turn(&mut self, patience: Duration) -> io::Result<()> {
        self.drain();
        let now = self.now();
        let due = self.broker.poll_at().map(|at| at.saturating_duration_since(now).as_millis());
        let sleep = patience.min(Duration::from_millis(due.unwrap_or(u64::MAX)));
        match self.poll.poll(&mut self.events, Some(sleep)) {
            Err(why) if why.kind() == ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        let ready: Vec<_> =
            self.events.iter().map(|e| (e.token(), e.is_readable(), e.is_writable())).collect();
        for (token, readable, writable) in ready {
            if token == LISTENER {
                self.accept();
                continue;
            }
            let conn = ConnId(token.0 as u32);
            if readable {
                self.read(conn);
            }
            if writable {
                self.write(conn);
            }
        }
        let now = self.now();
        self.broker.handle_timeout(now);
        self.drain();
        Ok(())
    }

    /// Does what the broker wishes.
    fn drain(&mut self) {
        while let Some(conn) = self.broker.poll_writable() {
            self.write(conn);
        }
        while let Some(conn) = self.broker.poll_close() {
            self.sockets.remove(&conn.0);
        }
    }

    fn accept(&mut self) {
        // An error is "no more for now", or a connection that has failed already.
        while let Ok((mut socket, addr)) = self.listener.accept() {
            let conn = ConnId(self.next_id);
            let interest = Interest::READABLE | Interest::WRITABLE;
            let token = Token(conn.0 as usize);
            let now = self.now();
            if self.poll.registry().register(&mut socket, token, interest).is_ok()
                && self.broker.open(conn, Peer::from(addr), now, &mut self.hooks).is_ok()
            {
                let _ = socket.set_nodelay(true); // slower without, but no less right
                self.next_id = self.next_id.wrapping_add(1);
                self.sockets.insert(conn.0, socket);
            }
        }
    }

    fn read(&mut self, conn: ConnId) {
        let now = self.now();
        while let Some(socket) = self.sockets.get_mut(&conn.0) {
            match socket.read(&mut self.buffer) {
                Ok(n) if n > 0 => {
                    self.broker.receive(conn, &self.buffer[..n], now, &mut self.hooks);
                    self.drain();
                }
                Err(why) if why.kind() == ErrorKind::WouldBlock => return,
                Err(why) if why.kind() == ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => self.lost(conn),
            }
        }
    }

    fn write(&mut self, conn: ConnId) {
        while let Some(socket) = self.sockets.get_mut(&conn.0) {
            let n = self.broker.copy_outgoing(conn, &mut self.buffer);
            if n == 0 {
                return;
            }
            match socket.write(&self.buffer[..n]) {
                Ok(sent) if sent > 0 => self.broker.sent(conn, sent),
                // The socket says when it takes more; the broker need not remind us.
                Err(why) if why.kind() == ErrorKind::WouldBlock => return,
                Err(why) if why.kind() == ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => self.lost(conn),
            }
        }
    }

    fn lost(&mut self, conn: ConnId) {
        self.sockets.remove(&conn.0);
        let now = self.now();
        self.broker.closed(conn, now);
    }

    fn now(&self) -> umqtt_mqtt::Instant {
        umqtt_mqtt::Instant::from_millis(self.start.elapsed().as_millis() as u64)
    }
}
