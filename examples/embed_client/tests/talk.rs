//! The example against a server of a few bytes.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

/// Reads a packet whose length takes one byte.
fn packet(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    let mut packet = head.to_vec();
    packet.resize(2 + usize::from(head[1]), 0);
    stream.read_exact(&mut packet[2..]).unwrap();
    packet
}

#[test]
fn it_subscribes_prints_and_comes_back() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap().to_string();
    let mut child = Command::new(env!("CARGO_BIN_EXE_embed_client"))
        .args([&server, "room/#"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    for payload in ["on", "off"] {
        let (mut stream, _) = listener.accept().unwrap();
        assert_eq!(packet(&mut stream)[0], 0x10, "CONNECT");
        stream.write_all(b"\x20\x02\0\0").unwrap();
        assert_eq!(lines.next().unwrap(), format!("connected to {server}"));
        let subscribe = packet(&mut stream);
        assert_eq!((subscribe[0], &subscribe[4..]), (0x82, &b"\0\x06room/#\x01"[..]));
        stream.write_all(&[0x90, 3, subscribe[2], subscribe[3], 1]).unwrap();
        let mut publish = vec![0x30, 8 + payload.len() as u8, 0, 6];
        publish.extend_from_slice(b"room/a");
        publish.extend_from_slice(payload.as_bytes());
        stream.write_all(&publish).unwrap();
        let mut line = lines.next().unwrap();
        while line.starts_with("Subscribed") {
            line = lines.next().unwrap();
        }
        assert_eq!(line, format!("room/a {payload}"));
        drop(stream);
        assert_eq!(lines.next().unwrap(), "disconnected: Network");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
