//! Consoles, web servers, scripts and clients that want more memory than there is.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::shares::{accounts, keep_their_limits};
use super::{ANSWER, Witness};
use crate::client::{CONNECT, PUBLISH, SUBSCRIBE, packet, text};
use crate::device::{Device, TIMEOUT};

/// All a console says until it has shown its prompt so many times.
fn read_prompts(stream: &mut TcpStream, prompts: usize) -> Vec<String> {
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    let (mut all, mut bytes) = (Vec::new(), [0; 1024]);
    while String::from_utf8_lossy(&all).matches("CMD>").count() < prompts {
        match stream.read(&mut bytes).unwrap() {
            0 => panic!("it hung up after {}", String::from_utf8_lossy(&all)),
            count => all.extend_from_slice(&bytes[..count]),
        }
    }
    String::from_utf8(all).unwrap().split("CMD>").take(prompts).map(str::to_owned).collect()
}

fn console(device: &Device) -> TcpStream {
    let mut stream = TcpStream::connect(device.addresses()[1]).unwrap();
    assert_eq!(read_prompts(&mut stream, 1), [""]);
    stream
}

#[test]
fn replies_that_are_asked_for_at_once_all_arrive() {
    let device = Device::boot();
    let mut witness = Witness::new(&device);
    let mut one = console(&device);
    one.write_all(b"help\r\n").unwrap();
    let [help] = &read_prompts(&mut one, 1)[..] else { panic!("one reply") };
    assert!(help.starts_with("help [COMMAND]") && help.contains("sim adc N"), "{help}");

    one.write_all(&b"help\r\n".repeat(10)).unwrap();
    assert!(read_prompts(&mut one, 10).iter().all(|reply| reply == help));
    witness.is_served(&device, "ten times help");

    one.write_all(b"show\r\n").unwrap();
    let [show] = &read_prompts(&mut one, 1)[..] else { panic!("one reply") };
    let mut all = vec![one, console(&device), console(&device), console(&device)];
    for stream in &mut all {
        stream.write_all(&b"help\r\nshow\r\n".repeat(4)).unwrap();
    }
    witness.is_served(&device, "help and show in four sessions, not read");
    for stream in &mut all {
        for (number, reply) in read_prompts(stream, 8).iter().enumerate() {
            assert_eq!(reply, if number % 2 == 0 { help } else { show });
        }
    }
    witness.is_served(&device, "help and show in four sessions");
}

/// A web server that answers once with this, as fast as it is taken.
fn serve(answer: Vec<u8>) -> u16 {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        // The device hangs up on what it does not want.
        let _ = stream.write_all(&answer);
        thread::sleep(Duration::from_secs(1));
    });
    port
}

#[test]
fn heads_of_web_servers_are_bounded() {
    let device = Device::boot();
    let mut witness = Witness::new(&device);
    device.push(
        b"on init do\n subscribe local ask\non topic local ask do\n http_get $this_data\n\
          on http_response do\n publish local code $this_http_code retained\n",
    );
    let mut client = device.client("asks");
    client.subscribe("code", 0);
    let status = "HTTP/1.1 200 OK\r\n";
    let end = "Content-Length: 2\r\n\r\nhi";
    for (name, head, code) in [
        ("fifty lines", format!("{status}{}{end}", "X: y\r\n".repeat(50)), "200"),
        (
            "a long line that does not matter",
            format!("{status}X: {}\r\n{end}", "y".repeat(4000)),
            "200",
        ),
        ("20 KB", format!("{status}X: {}\r\n{end}", "y".repeat(20_000)), "000"),
        ("hundreds of lines", format!("{status}{}{end}", "X: y\r\n".repeat(500)), "000"),
        ("a head without an end", format!("{status}{}", "Header: value\r\n".repeat(20_000)), "000"),
        ("a line without an end", "HTTP/1.1 200 ".to_owned() + &"x".repeat(100_000), "000"),
    ] {
        let port = serve(head.into_bytes());
        client.publish("ask", format!("http://10.0.2.2:{port}/").as_bytes());
        assert_eq!(client.next().payload, code.as_bytes(), "{name}");
        witness.is_served(&device, name);
    }
}

/// A client with a will, subscribed to everything, that has begun a packet of 4 KB.
fn glutton(device: &Device, number: usize) -> TcpStream {
    let mut stream = TcpStream::connect(device.addresses()[0]).unwrap();
    stream.set_nodelay(true).unwrap();
    let name = text(&format!("glutton{number}"));
    let will = [text("will/topic"), text(&"w".repeat(60))].concat();
    let connect = [text("MQTT"), vec![4, 6, 0, 0], name, will].concat();
    let subscribe = [vec![0, 1], text("#"), vec![0]].concat();
    let _ = stream.write_all(&[packet(CONNECT, &connect), packet(SUBSCRIBE, &subscribe)].concat());
    stream
}

/// A script that keeps long values, wants every message, and publishes a longer one for each.
pub(crate) fn hungry_script() -> String {
    let mut script = "on init do\n subscribe local \"#\"\n".to_owned();
    let forty = "0123456789012345678901234567890123456789";
    for number in 0..40 {
        script += &format!(" setvar $v{number} = \"{forty}\"\n");
    }
    script += "on topic local \"#\" do\n if substr($this_topic,0,4) neq \"sum/\" then\n  setvar $all = $this_data";
    for number in 0..24 {
        script += &format!(" | $v{number}");
    }
    script += "\n  println $all\n  publish local \"sum/\" | $this_topic $all retained\n endif\n";
    script
}

#[test]
fn a_script_and_clients_that_want_all_memory() {
    let device = Device::boot();
    let script = hungry_script();
    let verdict = device.push(script.as_bytes());
    assert!(verdict.contains("Syntax okay"), "{verdict}");

    let mut witness = Witness::new(&device);
    let mut gluttons: Vec<TcpStream> = (0..15).map(|number| glutton(&device, number)).collect();
    witness.is_answered(&device, "fifteen clients with wills");
    let half = packet(PUBLISH, &[&text("half")[..], &[b'h'; 4000]].concat());
    for stream in &mut gluttons[5..] {
        let _ = stream.write_all(&half[..2000]);
    }
    witness.is_answered(&device, "packets that do not end");
    for size in [10, 100, 500, 1000, 1500, 3000] {
        for (number, stream) in gluttons[..5].iter_mut().enumerate() {
            let body = [text(&format!("t/{number}/{size}")), vec![b'p'; size]].concat();
            let _ = stream.write_all(&packet(PUBLISH | 1, &body));
        }
        witness.is_answered(&device, &format!("messages of {size} bytes"));
    }
    drop(gluttons);
    witness.is_answered(&device, "fifteen wills");
    witness.is_served(&device, "all have gone");
    keep_their_limits(&mut device.console(), "all have gone");
}

/// Bytes of the payloads of a burst.
const SIZES: [usize; 7] = [10, 100, 500, 1000, 1500, 1900, 3000];
/// Times the attackers come, send and go.
const ATTACKS: usize = 12;

/// One of nine: with a will, subscribed to what all of them send; every other one has a session
/// that stays.
fn attacker(device: &Device, number: usize) -> TcpStream {
    let mut stream = TcpStream::connect(device.addresses()[0]).unwrap();
    stream.set_nodelay(true).unwrap();
    let flags = 4 | if number.is_multiple_of(2) { 2 } else { 0 };
    let name = text(&format!("attacker{number}"));
    let will = [text(&format!("all/will/{number}")), text(&"w".repeat(60))].concat();
    let connect = [text("MQTT"), vec![4, flags, 0, 0], name, will].concat();
    let subscribe = [vec![0, 1], text("all/#"), vec![(number % 3) as u8]].concat();
    let _ = stream.write_all(&[packet(CONNECT, &connect), packet(SUBSCRIBE, &subscribe)].concat());
    stream.set_nonblocking(true).unwrap();
    stream
}

#[test]
fn nine_clients_that_come_burst_and_vanish_again_and_again() {
    let device = Device::boot();
    let verdict = device.push(hungry_script().as_bytes());
    assert!(verdict.contains("Syntax okay"), "{verdict}");
    let mut witness = Witness::new(&device);
    let mut console = device.console();
    for attack in 0..ATTACKS {
        let mut attackers: Vec<TcpStream> =
            (0..9).map(|number| attacker(&device, number)).collect();
        for burst in 0..4 {
            for (number, stream) in attackers.iter_mut().enumerate() {
                let what = attack * 31 + burst * 7 + number * 5;
                let qos = what % 3;
                let id = if qos > 0 { vec![1, what as u8] } else { vec![] };
                let payload = vec![b'p'; SIZES[what % SIZES.len()]];
                let topic = text(&format!("all/{number}/{}", what % 5));
                let kind = PUBLISH | (qos as u8) << 1 | u8::from(what % 4 == 0);
                let whole = packet(kind, &[topic, id, payload].concat());
                // Some are half sent; what does not fit into the computer's own buffers is left
                // out.
                let sent = if what % 4 == 1 { whole.len() / 2 } else { whole.len() };
                let _ = stream.write(&whole[..sent]);
            }
        }
        witness.is_answered(&device, &format!("attack {attack}"));
        keep_their_limits(&mut console, &format!("attack {attack}"));
        drop(attackers);
        witness.is_answered(&device, &format!("the end of attack {attack}"));
    }
    witness.is_served(&device, "all attacks");
    let shares = ["broker", "script", "margin"];
    let refused = accounts(&mut console).into_iter();
    let refused = refused.filter(|(share, _)| shares.contains(&share.name()));
    assert!(refused.map(|(_, account)| account.refused).sum::<u32>() > 0, "nothing was refused");
}

/// Clients of this test, of whom sixteen at most are connected.
const VISITORS: usize = 20;
/// Times they come, leave what they can, and go.
const VISITS: usize = 6;

/// A client that leaves behind as much as it can: a will, a session that stays every other time,
/// retained messages, half a packet.
fn visitor(device: &Device, number: usize, visit: usize) -> TcpStream {
    let mut stream = TcpStream::connect(device.addresses()[0]).unwrap();
    stream.set_nodelay(true).unwrap();
    let flags = 4 | if number.is_multiple_of(2) { 2 } else { 0 };
    let name = text(&format!("s{number}"));
    let will = [text("o"), text(&"w".repeat([1, 200, 800][visit % 3]))].concat();
    let connect = [text("MQTT"), vec![4, flags, 0, 0], name, will].concat();
    let filter = ["#", "+/+", "p/#", "o"][(number + visit) % 4];
    let subscribe = [vec![0, 1], text(filter), vec![1]].concat();
    let mut bytes = [packet(CONNECT, &connect), packet(SUBSCRIBE, &subscribe)].concat();
    for (burst, size) in [1, 40, 150, 400, 900, 1500].into_iter().enumerate() {
        let topic = text(&format!("p/{}", (number + burst + visit) % 12));
        let body = [topic, vec![1, burst as u8 + 1], vec![b'p'; size]].concat();
        bytes.extend(packet(PUBLISH | 2 | u8::from((number + burst) % 5 < 2), &body));
    }
    let half = packet(PUBLISH, &[text("p/half"), vec![b'h'; 1500]].concat());
    bytes.extend(&half[..half.len() / 2]);
    stream.set_nonblocking(true).unwrap();
    let _ = stream.write(&bytes);
    stream
}

/// What a client that comes gets for an answer; nothing if it is sent away without one.
pub(super) fn connack(device: &Device, name: &str) -> Vec<u8> {
    let Ok(mut stream) = TcpStream::connect(device.addresses()[0]) else { return Vec::new() };
    stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let connect = [text("MQTT"), vec![4, 2, 0, 60], text(name)].concat();
    let mut answer = vec![0; 4];
    let sent = stream.write_all(&packet(CONNECT, &connect));
    match sent.and_then(|()| stream.read_exact(&mut answer)) {
        Ok(()) => answer,
        Err(_) => Vec::new(),
    }
}

#[test]
fn those_who_have_left_shut_nobody_out() {
    let device = Device::boot();
    let verdict = device.push(hungry_script().as_bytes());
    assert!(verdict.contains("Syntax okay"), "{verdict}");
    let mut witness = Witness::new(&device);
    let mut here: Vec<TcpStream> = Vec::new();
    for visit in 0..VISITS {
        for number in 0..VISITORS {
            if here.len() >= 15 {
                here.remove((number * 7 + visit) % here.len());
            }
            here.push(visitor(&device, number, visit));
        }
        witness.is_answered(&device, &format!("visit {visit}"));
    }
    drop(here);
    witness.is_answered(&device, "the last visit");
    let end = Instant::now() + ANSWER;
    for name in ["s0", "s1", "newcomer"] {
        let mut answers = Vec::new();
        while answers.last().is_none_or(|answer| *answer != [0x20, 2, 0, 0]) {
            assert!(Instant::now() < end, "{name} is shut out: {answers:x?}, {}", {
                device.console().ask_for("show stats", "  margin")
            });
            answers.push(connack(&device, name));
        }
    }
    witness.is_served(&device, "they are back");
    keep_their_limits(&mut device.console(), "they are back");
}
