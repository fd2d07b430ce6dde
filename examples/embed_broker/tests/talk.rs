//! Starts the program and talks to it over a real socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use umqtt_mqtt::QoS;
use umqtt_mqtt::wire::{Connect, PacketType, Publish, Subscribe, Version, emit_ack};

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
        bridge: false,
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

/// The client's address, as the program sees it.
fn local(socket: &TcpStream) -> String {
    socket.local_addr().expect("it is connected").to_string()
}

/// The next packet, header and all; they are all short here.
fn read_packet(socket: &mut TcpStream) -> Vec<u8> {
    let mut packet = vec![0; 2];
    socket.read_exact(&mut packet).expect("it answers");
    packet.resize(2 + usize::from(packet[1]), 0);
    socket.read_exact(&mut packet[2..]).expect("it answers");
    packet
}

/// The next line the program prints that begins like this.
fn line(output: &mut BufReader<ChildStdout>, start: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(output.read_line(&mut line).expect("it prints") > 0, "it has ended");
        if line.starts_with(start) {
            return line.trim_end().to_owned();
        }
    }
}

/// Publishes at QoS 1 and waits for the answer.
fn publish(socket: &mut TcpStream, packet_id: u16, topic: &[u8], payload: &[u8]) {
    let mut packet = Vec::new();
    let qos = QoS::AtLeastOnce;
    Publish { topic, payload, qos, packet_id, retain: false, dup: false }.emit(&mut packet);
    socket.write_all(&packet).expect("it reads");
    // The clock may strike first.
    while read_packet(socket) != emit_ack(PacketType::Puback, packet_id) {}
}

/// [MQTT-7.1.1-1]
#[test]
fn a_client_and_the_program_hear_each_other() {
    let (_program, mut output, addr) = start();
    let (mut socket, connack) = connect(&addr, b"demo");
    assert_eq!(connack, [0x20, 2, 0, 0]);
    assert!(line(&mut output, "a connection from").ends_with(&local(&socket)));
    assert_eq!(line(&mut output, "tester"), "tester logs in");

    let mut packet = Vec::new();
    Subscribe::emit(1, &[(b"example/uptime", QoS::AtMostOnce)], &mut packet);
    socket.write_all(&packet).expect("it reads");
    assert_eq!(read_packet(&mut socket), [0x90, 3, 0, 1, 0]);
    let retained = read_packet(&mut socket);
    assert_eq!((retained[0], &retained[4..18]), (0x31, &b"example/uptime"[..]));

    publish(&mut socket, 2, b"example/say", b"hello");
    assert_eq!(line(&mut output, "somebody"), "somebody says hello");
}

#[test]
fn the_program_unsubscribes_and_subscribes() {
    let (_program, mut output, addr) = start();
    let (mut socket, _) = connect(&addr, b"demo");
    publish(&mut socket, 1, b"example/say", b"one");
    assert_eq!(line(&mut output, "somebody"), "somebody says one");
    publish(&mut socket, 2, b"example/listen", b"off");
    line(&mut output, "no longer listening");
    publish(&mut socket, 3, b"example/say", b"two");
    publish(&mut socket, 4, b"example/listen", b"on");
    line(&mut output, "all ears");
    publish(&mut socket, 5, b"example/say", b"three");
    assert_eq!(line(&mut output, "somebody"), "somebody says three");
}

#[test]
fn a_wrong_password_is_refused_and_the_connection_closed() {
    let (_program, mut output, addr) = start();
    let (mut socket, connack) = connect(&addr, b"guess");
    assert_eq!(connack, [0x20, 2, 0, 4]);
    let wanted = format!("{} may not connect (1 so far)", local(&socket));
    assert_eq!(line(&mut output, "127.0.0.1"), wanted);
    assert_eq!(socket.read(&mut [0; 1]).expect("it closes in good order"), 0);
}
