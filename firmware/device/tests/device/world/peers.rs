//! Hosts in the network: connections, consoles, clients of the broker.

use std::net::SocketAddr;

use umqtt_device::net::{CloseReason, Interface, Net, NetEvent, Peer};

use super::{End, World, connect_packet};

impl World {
    /// What is there from the device, which does nothing meanwhile.
    pub(crate) fn there(&mut self, end: End) -> Vec<u8> {
        std::mem::take(&mut self.net.line(end.0).from_device)
    }

    /// Connects from a host in the network; fails if nobody listens.
    pub(crate) fn connect(&mut self, port: u16) -> End {
        self.connect_from(port, true)
    }

    pub(crate) fn connect_from(&mut self, port: u16, internal: bool) -> End {
        let end = self.connect_quietly_from(port, internal);
        self.settle();
        end
    }

    /// Connects from an address, if the network has room for it.
    pub(crate) fn connect_at(&mut self, port: u16, address: [u8; 4]) -> Option<End> {
        let room = !self.net.is_full();
        let end = room.then(|| self.accept_quietly(port, address, Interface::AccessPoint));
        self.settle();
        end
    }

    /// Connects without letting the device run.
    pub(crate) fn connect_quietly(&mut self, port: u16) -> End {
        self.connect_quietly_from(port, true)
    }

    fn connect_quietly_from(&mut self, port: u16, internal: bool) -> End {
        let interface = if internal { Interface::AccessPoint } else { Interface::Station };
        self.accept_quietly(port, [192, 168, 4, 2], interface)
    }

    fn accept_quietly(&mut self, port: u16, address: [u8; 4], interface: Interface) -> End {
        assert!(self.net.listening.contains(&port), "nobody listens on port {port}");
        let conn = self.net.new_line();
        let peer = Peer::new(SocketAddr::from((address, 5000)), interface);
        self.net.events.push_back(NetEvent::Accepted { port, conn, peer });
        End(conn)
    }

    /// The other end took the connection the device asked for.
    pub(crate) fn take_asked(&mut self) -> (String, u16, End) {
        let asked = self.net.asked.pop_front().expect("the device did not connect to anybody");
        self.net.events.push_back(NetEvent::Connected(asked.2.0));
        self.settle();
        asked
    }

    /// The other end cannot be reached.
    pub(crate) fn refuse_asked(&mut self, reason: CloseReason) {
        let (_, _, end) = self.net.asked.pop_front().expect("the device did not connect");
        self.net.gone(end.0, reason);
        self.settle();
    }

    pub(crate) fn send(&mut self, end: End, bytes: impl AsRef<[u8]>) {
        self.send_quietly(end, bytes);
        self.settle();
    }

    /// Sends without letting the device run.
    pub(crate) fn send_quietly(&mut self, end: End, bytes: impl AsRef<[u8]>) {
        self.net.line(end.0).to_device.extend(bytes.as_ref());
        self.net.events.push_back(NetEvent::Readable(end.0));
    }

    /// The outside sends nothing more.
    pub(crate) fn finish(&mut self, end: End) {
        let line = self.net.line(end.0);
        line.finishing = true;
        if line.to_device.is_empty() && std::mem::take(&mut line.finishing) {
            self.net.events.push_back(NetEvent::PeerClosed(end.0));
        }
        self.settle();
    }

    /// The outside is gone without a word.
    pub(crate) fn reset(&mut self, end: End) {
        self.net.gone(end.0, CloseReason::Reset);
        self.settle();
    }

    /// What the device sent.
    pub(crate) fn received(&mut self, end: End) -> Vec<u8> {
        self.settle();
        let mut all = Vec::new();
        loop {
            let line = self.net.line(end.0);
            all.append(&mut line.from_device);
            if !std::mem::take(&mut line.device_blocked) {
                return all;
            }
            self.net.events.push_back(NetEvent::Writable(end.0));
            self.settle();
        }
    }

    /// What the device sent, as text; without a prompt whose place something has taken, and the one
    /// behind that.
    pub(crate) fn text(&mut self, end: End) -> String {
        let raw = self.raw_text(end);
        let text = raw.replace("\r\n", "\n").replace("CMD>\r", "\r");
        if !text.contains('\r') || text.contains("\rScript upload") {
            return raw;
        }
        let mut shown = String::new();
        for part in text.split('\r') {
            shown += if part.trim_matches(' ').is_empty() { "" } else { part };
        }
        shown.strip_suffix("CMD>").unwrap_or(&shown).replace('\n', "\r\n")
    }

    /// The same with all that is in it.
    pub(crate) fn raw_text(&mut self, end: End) -> String {
        String::from_utf8_lossy(&self.received(end)).into_owned()
    }

    pub(crate) fn is_closed(&mut self, end: End) -> bool {
        self.net.line(end.0).closed
    }

    /// Opens a console and reads its prompt.
    pub(crate) fn console(&mut self) -> End {
        let console = self.connect(7777);
        assert_eq!(self.text(console), "CMD>");
        console
    }

    /// Types a line and reads the reply.
    pub(crate) fn ask(&mut self, console: End, line: &str) -> String {
        self.send(console, format!("{line}\r\n"));
        let reply = self.text(console);
        reply.strip_suffix("CMD>").unwrap_or(&reply).to_owned()
    }

    /// A client that has connected and subscribed to a filter.
    pub(crate) fn client(&mut self, id: &str, filter: &str) -> End {
        let end = self.connect(1883);
        self.send(end, connect_packet(id));
        assert_eq!(self.received(end), [0x20, 2, 0, 0]);
        let mut packet = vec![0x82, 5 + filter.len() as u8, 0, 1, 0, filter.len() as u8];
        packet.extend(filter.bytes());
        packet.push(0);
        self.send(end, packet);
        let replies = self.received(end);
        let (granted, retained) = replies.split_at(5);
        assert_eq!(granted, [0x90, 3, 0, 1, 0]);
        self.net.line(end.0).from_device.splice(0..0, retained.iter().copied());
        end
    }

    /// The messages a client received, as `topic: payload`.
    pub(crate) fn messages(&mut self, end: End) -> Vec<String> {
        let bytes = self.received(end);
        let mut rest = &bytes[..];
        let mut all = Vec::new();
        while let [head, len, 0, topic_len, tail @ ..] = rest {
            assert_eq!(head & 0xf0, 0x30, "{rest:?}");
            assert!(*len < 128, "only short messages");
            let (body, after) = tail.split_at(usize::from(*len) - 2);
            let (topic, payload) = body.split_at(usize::from(*topic_len));
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            all.push(format!("{}: {}", text(topic), text(payload)));
            rest = after;
        }
        assert!(rest.is_empty());
        all
    }
}
