//! An MQTT client in a program of your own, on a blocking socket: the client is a state machine
//! that is given bytes and the time, and says what it wants.
//!
//! Run it: `cargo run -p embed_client -- 127.0.0.1:1883 'room/#'`. It prints a line for each
//! message, and connects again whenever the broker goes away.

use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use umqtt_mqtt::client::{Client, ClientEvent, ClientOptions, NetworkRequest};
use umqtt_mqtt::{Instant, QoS};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(server), Some(filter)) = (arguments.next(), arguments.next()) else {
        return Err("usage: embed_client HOST:PORT FILTER".into());
    };
    let mut client = Client::new(ClientOptions::new("embed_client"), std::process::id());
    client.subscribe(filter.as_bytes(), QoS::AtLeastOnce)?;

    let started = std::time::Instant::now();
    let now = || Instant::from_millis(started.elapsed().as_millis() as u64);
    client.start(now());
    let (mut stream, mut unread): (Option<TcpStream>, Vec<u8>) = (None, Vec::new());
    loop {
        // What the client wants of the network.
        while let Some(wish) = client.poll_network() {
            unread.clear();
            stream = match wish {
                NetworkRequest::Connect => TcpStream::connect(&server).ok(),
                NetworkRequest::Close => None,
            };
            match &stream {
                Some(_) => client.connected(now()),
                None if wish == NetworkRequest::Connect => client.closed(now()),
                None => {}
            }
        }
        // What it has to send.
        if let Some(socket) = &mut stream {
            while !client.outgoing().is_empty() {
                match socket.write(client.outgoing()) {
                    Ok(sent) => client.sent(sent),
                    Err(_) => break, // reading notices it too
                }
            }
        }
        // What it has to tell.
        while let Some(event) = client.poll_event() {
            match event {
                ClientEvent::Connected { .. } => println!("connected to {server}"),
                ClientEvent::Disconnected(reason) => println!("disconnected: {reason:?}"),
                ClientEvent::Message(message) => {
                    println!(
                        "{} {}",
                        message.topic().escape_ascii(),
                        message.payload().escape_ascii()
                    );
                }
                other => println!("{other:?}"),
            }
        }
        // Nothing to do before something comes, or before the time the client wants to be asked
        // again.
        let wait = client.poll_at().map(|at| at.saturating_duration_since(now()).as_millis());
        let wait = wait.unwrap_or(1000).clamp(1, 1000);
        match &mut stream {
            Some(socket) if unread.is_empty() => match receive(socket, Duration::from_millis(wait))
            {
                Ok(bytes) => unread = bytes,
                Err(_) => {
                    stream = None;
                    client.closed(now());
                }
            },
            Some(_) => {}
            None => std::thread::sleep(Duration::from_millis(wait)),
        }
        // What it does not take yet it takes once its events are taken.
        let taken = client.receive(&unread, now());
        unread.drain(..taken);
        if client.poll_at().is_some_and(|at| at <= now()) {
            client.handle_timeout(now());
        }
    }
}

/// What comes within a time; an error if the connection is over.
fn receive(socket: &mut TcpStream, within: Duration) -> std::io::Result<Vec<u8>> {
    socket.set_read_timeout(Some(within))?;
    let mut bytes = vec![0; 4096];
    match socket.read(&mut bytes) {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Ok(len) => {
            bytes.truncate(len);
            Ok(bytes)
        }
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}
