//! Clients that misbehave while others are measured: some flood the broker with large messages, one
//! subscribes to them and reads slowly.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use umqtt_mqtt::QoS;
use umqtt_mqtt::wire::{Connect, Publish, Subscribe, Version};

/// How long a read or a write may block before it is looked whether to stop.
const IO_TIMEOUT: Duration = Duration::from_millis(100);
/// Bytes the slow reader takes at a time, and its pause between two.
const SIP: usize = 4096;
const PAUSE: Duration = Duration::from_millis(50);

/// Who misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Misbehaving {
    /// Clients that publish as fast as they can.
    pub(crate) flooders: usize,
    /// Bytes of payload of each of their messages.
    pub(crate) payload: usize,
    /// Clients that subscribe to all that and hardly read.
    pub(crate) slow_readers: usize,
}

/// They are at work.
pub(crate) struct Running {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Running {
    /// Ends them; how many bytes the broker took from the flooders.
    pub(crate) fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            let _ = thread.join(); // what became of it makes no difference
        }
        self.sent.load(Ordering::Relaxed)
    }
}

/// Sets them to work.
pub(crate) fn start(address: SocketAddr, misbehaving: Misbehaving) -> io::Result<Running> {
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut threads = Vec::new();
    for number in 0..misbehaving.slow_readers {
        let stream = connect(address, &format!("mqload-slow-{number}"), Some("flood/#"))?;
        let stop = stop.clone();
        threads.push(std::thread::spawn(move || sip(stream, &stop)));
    }
    for number in 0..misbehaving.flooders {
        let stream = connect(address, &format!("mqload-flood-{number}"), None)?;
        let (stop, sent) = (stop.clone(), sent.clone());
        let mut packet = Vec::new();
        let publish = Publish {
            topic: b"flood/all",
            payload: &vec![number as u8; misbehaving.payload],
            qos: QoS::AtMostOnce,
            retain: false,
            dup: false,
            packet_id: 0,
        };
        if !publish.emit(&mut packet) {
            return Err(io::Error::other("a flooder's message would be too long for MQTT"));
        }
        threads.push(std::thread::spawn(move || flood(stream, &packet, &stop, &sent)));
    }
    Ok(Running { stop, sent, threads })
}

fn connect(address: SocketAddr, client_id: &str, filter: Option<&str>) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(IO_TIMEOUT))?;
    stream.set_write_timeout(Some(IO_TIMEOUT))?;
    let mut out = Vec::new();
    let connect = Connect {
        version: Version::V311,
        bridge: false,
        client_id,
        clean_session: true,
        keep_alive: 0,
        will: None,
        user: None,
        password: None,
    };
    connect.emit(&mut out);
    if let Some(filter) = filter {
        Subscribe::emit(1, &[(filter.as_bytes(), QoS::AtMostOnce)], &mut out);
    }
    stream.write_all(&out)?;
    Ok(stream)
}

fn flood(mut stream: TcpStream, packet: &[u8], stop: &AtomicBool, sent: &AtomicU64) {
    let mut at = 0;
    while !stop.load(Ordering::Relaxed) {
        match stream.write(&packet[at..]) {
            Ok(n) => {
                sent.fetch_add(n as u64, Ordering::Relaxed);
                at = (at + n) % packet.len();
            }
            Err(error) if is_patient(&error) => {}
            Err(_) => return, // the broker has thrown it out, as it may
        }
    }
}

fn sip(mut stream: TcpStream, stop: &AtomicBool) {
    let mut buffer = [0; SIP];
    while !stop.load(Ordering::Relaxed) {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(_) => std::thread::sleep(PAUSE),
            Err(error) if is_patient(&error) => {}
            Err(_) => return,
        }
    }
}

fn is_patient(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}
