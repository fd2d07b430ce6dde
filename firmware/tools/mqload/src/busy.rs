//! A script that uses all its fuel in every event, and a client that keeps it at that: what others
//! are measured beside.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use umqtt_lang::umqtt_vm::{Profile, fuel};
use umqtt_lang::{Analysis, EmitOptions};
use umqtt_mqtt::QoS;
use umqtt_mqtt::wire::{Connect, PacketType, Publish, Subscribe, Version, emit_bare};

/// Retained topics the script looks through, again and again.
const RETAINED: u32 = 1000;
/// The fuel of one of these looks at all of them, and of what stands around it.
const SCAN: u32 = 20 * RETAINED + 100;
/// Flash variables written in each event.
const WRITES: u32 = 2;
/// Parts of a hundred of the fuel that are used: a handler whose fuel runs out is stopped, and
/// after three stops the script.
const USED: u32 = 95;
/// What the script is sent, and what it publishes when an event is over.
const GO: &str = "busy/go";
const DONE: &str = "busy/done";
/// The time between two messages to the script.
const PERIOD: Duration = Duration::from_millis(1);
/// How long the broker may take to answer at the start.
const STARTING: Duration = Duration::from_secs(30);

/// The script: wildcards over the retained topics and flash variables, on a timer of a millisecond
/// and on messages.
pub(crate) fn script() -> String {
    let all = Profile::DESKTOP.fuel;
    let scans = (all / 100 * USED - all / fuel::FLASH_WRITES * WRITES) / SCAN;
    let work = format!(
        "
    setvar $i = 0
    while $i lt {scans} do
        setvar $i = $i + 1
        setvar $found = retained_topic(\"+/+/none\")
    done
    setvar $events = $events + 1
    setvar @1 = $events
    setvar @2 = $events
    publish local {DONE} 1
"
    );
    format!(
        "on init do
    subscribe local {GO}
    settimer 1 1

on timer 1 do
    settimer 1 1{work}
on topic local {GO} do{work}"
    )
}

/// A script from a file, compiled for the desktop.
///
/// # Errors
/// It cannot be read, or does not compile.
pub(crate) fn compile(file: &Path) -> io::Result<umqtt_host::Script> {
    let source = std::fs::read(file)?;
    let options = EmitOptions::new().debug(true);
    let program = Analysis::new(&source, &Profile::DESKTOP, options).into_program();
    match program {
        Some(Ok(program)) => Ok(umqtt_host::Script { program, source: Some(source) }),
        _ => Err(io::Error::other(format!("{} does not compile", file.display()))),
    }
}

/// The client that keeps the script busy, until dropped.
pub(crate) struct Driver {
    stop: Arc<AtomicBool>,
    events: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Driver {
    /// Publishes the retained topics, and then to the script without end.
    pub(crate) fn start(address: SocketAddr) -> io::Result<Driver> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(STARTING))?;
        stream.write_all(&greeting())?;
        // CONNACK, SUBACK and PINGRESP are 11 bytes; what the script has done meanwhile is between
        // them.
        let mut came = [0; 11];
        stream.read_exact(&mut came)?;
        stream.set_read_timeout(Some(PERIOD))?;
        let (stop, events) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let thread = std::thread::spawn({
            let (stop, events) = (stop.clone(), events.clone());
            move || drive(stream, &stop, &events)
        });
        Ok(Driver { stop, events, thread: Some(thread) })
    }

    /// Events the script has had so far.
    pub(crate) fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // what became of it makes no difference
        }
    }
}

fn greeting() -> Vec<u8> {
    let mut out = Vec::new();
    let connect = Connect {
        version: Version::V311,
        bridge: false,
        client_id: "mqload-busy",
        clean_session: true,
        keep_alive: 0,
        will: None,
        user: None,
        password: None,
    };
    connect.emit(&mut out);
    for number in 0..RETAINED {
        out.extend(publish(&format!("busy/kept/{number}"), true));
    }
    Subscribe::emit(1, &[(DONE.as_bytes(), QoS::AtMostOnce)], &mut out);
    out.extend_from_slice(&emit_bare(PacketType::Pingreq));
    out
}

fn publish(topic: &str, retain: bool) -> Vec<u8> {
    let (topic, qos) = (topic.as_bytes(), QoS::AtMostOnce);
    let mut out = Vec::new();
    Publish { topic, payload: b"1", qos, retain, dup: false, packet_id: 0 }.emit(&mut out);
    out
}

fn drive(mut stream: TcpStream, stop: &AtomicBool, events: &AtomicU64) {
    let (go, done) = (publish(GO, false), publish(DONE, false).len());
    let mut buffer = vec![0; 64 * 1024];
    let mut bytes = 0;
    while !stop.load(Ordering::Relaxed) {
        if stream.write_all(&go).is_err() {
            return; // the device is gone
        }
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(n) => bytes += n,
            Err(error) if is_timeout(&error) => {}
            Err(_) => return,
        }
        events.store((bytes / done) as u64, Ordering::Relaxed);
    }
}

fn is_timeout(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_compiles_for_the_desktop() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("busy.script");
        std::fs::write(&file, script()).unwrap();
        assert!(compile(&file).is_ok());
        std::fs::write(&file, "on init do nothing").unwrap();
        assert!(compile(&file).is_err());
    }
}
