//! Starts the program and talks to it over a real socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use umqtt_broker::QoS;
use umqtt_broker::wire::{Connect, Publish, Subscribe, Version};

/// The program, stopped when the test is over.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start() -> (Program, BufReader<ChildStdout>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_embed_broker"))
        .arg("127.0.0.1:0")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut output = BufReader::new(child.stdout.take().expect("it was asked for"));
    let mut line = String::new();
    output.read_line(&mut line).expect("it says where it listens");
    let addr = line.trim().strip_prefix("listening on ").expect("an address").to_owned();
    (Program(child), output, addr)
}

fn connect(addr: &str, password: &[u8]) -> (TcpStream, [u8; 4]) {
    let mut socket = TcpStream::connect(addr).expect("it listens");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a valid time");
    let mut packet = Vec::new();
    let connect = Connect {
        version: Version::V311,
        client_id: "tester",
        clean_session: true,
        keep_alive: 60,
        will: None,
        user: Some("demo"),
        password: Some(password),
    };
    assert!(connect.emit(&mut packet));
    let mut connack = [0; 4];
    socket.write_all(&packet).expect("it reads");
    socket.read_exact(&mut connack).expect("it answers");
    (socket, connack)
}

/// The next packet, header and all; they are all short here.
fn read_packet(socket: &mut TcpStream) -> Vec<u8> {
    let mut packet = vec![0; 2];
    socket.read_exact(&mut packet).expect("it answers");
    packet.resize(2 + usize::from(packet[1]), 0);
    socket.read_exact(&mut packet[2..]).expect("it answers");
    packet
}

/// [MQTT-7.1.1-1]
#[test]
fn a_client_and_the_program_hear_each_other() {
    let (_program, mut output, addr) = start();
    let (mut socket, connack) = connect(&addr, b"demo");
    assert_eq!(connack, [0x20, 2, 0, 0]);

    let mut packet = Vec::new();
    Subscribe::emit(1, &[(b"example/uptime", QoS::AtMostOnce)], &mut packet);
    socket.write_all(&packet).expect("it reads");
    assert_eq!(read_packet(&mut socket), [0x90, 3, 0, 1, 0]);
    let retained = read_packet(&mut socket);
    assert_eq!((retained[0], &retained[4..18]), (0x31, &b"example/uptime"[..]));

    packet.clear();
    let (topic, payload) = (&b"example/say"[..], &b"hello"[..]);
    let (qos, packet_id) = (QoS::AtLeastOnce, 2);
    Publish { topic, payload, qos, packet_id, retain: false, dup: false }.emit(&mut packet);
    socket.write_all(&packet).expect("it reads");
    // The clock may strike first.
    while read_packet(&mut socket) != [0x40, 2, 0, 2] {}

    let mut line = String::new();
    output.read_line(&mut line).expect("it prints");
    assert_eq!(line, "somebody says hello\n");
}

#[test]
fn a_wrong_password_is_refused_and_the_connection_closed() {
    let (_program, _output, addr) = start();
    let (mut socket, connack) = connect(&addr, b"guess");
    assert_eq!(connack, [0x20, 2, 0, 4]);
    assert_eq!(socket.read(&mut [0; 1]).expect("it closes in good order"), 0);
}
