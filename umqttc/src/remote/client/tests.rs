//! The client against servers that are no device, and such as misbehave.

use std::net::TcpListener;
use std::thread;

use super::*;
use crate::remote::unlocked::while_unlocked;

/// A server for one connection; it may do what it likes with it.
fn server(act: impl FnOnce(TcpStream) + Send + 'static) -> DeviceAddress {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string().parse().unwrap();
    thread::spawn(move || act(listener.accept().unwrap().0));
    address
}

/// One that sends this and then keeps the connection open until the other end closes it.
fn says(text: &'static [u8]) -> DeviceAddress {
    server(move |mut stream| {
        let _ = stream.write_all(text);
        let _ = io::copy(&mut stream, &mut io::sink());
    })
}

/// One that answers each line with the next of these texts.
fn answers(texts: &'static [&'static [u8]]) -> DeviceAddress {
    server(move |mut stream| {
        stream.write_all(b"CMD>").unwrap();
        let mut lines = io::BufRead::lines(io::BufReader::new(stream.try_clone().unwrap()));
        for text in texts {
            lines.next();
            if stream.write_all(text).is_err() {
                return;
            }
        }
        for _ in lines {}
    })
}

fn quick() -> Timeouts {
    Timeouts::of(Duration::from_millis(400))
}

fn refused(address: &DeviceAddress) -> RemoteError {
    ConsoleClient::connect(address, quick()).unwrap_err()
}

#[test]
fn what_is_no_console() {
    assert!(matches!(refused(&says(b"")), RemoteError::Silent(..)));
    assert!(matches!(refused(&says(b"SSH-2.0-OpenSSH_9.2\r\n")), RemoteError::NoConsole(..)));
    assert!(matches!(refused(&says(b"CM")), RemoteError::NoConsole(..)));
    let closes = server(drop);
    assert!(matches!(refused(&closes), RemoteError::ClosesAtOnce(..)));
    let full = server(|mut stream| stream.write_all(b"Too many console sessions\r\n").unwrap());
    assert!(matches!(refused(&full), RemoteError::TurnedAway(..)));
    let http = server(|mut stream| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n").unwrap());
    assert!(matches!(refused(&http), RemoteError::NoConsole(..)));
    // A port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    assert!(matches!(refused(&free.parse().unwrap()), RemoteError::Connect(..)));
}

#[test]
fn one_that_never_stops_is_left() {
    for piece in [&b"x"[..], b"x\r\n"] {
        let address = server(move |mut stream| {
            let _ = stream.write_all(b"CMD>");
            while stream.write_all(piece).is_ok() {}
        });
        let mut console = ConsoleClient::connect(&address, quick()).unwrap();
        let error = console.command("show stats").unwrap_err();
        assert!(matches!(error, RemoteError::Flood(..)), "{error}");
    }
}

#[test]
fn no_answer_and_an_end_in_the_middle() {
    let mut console = ConsoleClient::connect(&says(b"CMD>"), quick()).unwrap();
    assert!(matches!(console.command("time").unwrap_err(), RemoteError::NoAnswer(..)));
    let ends = server(|mut stream| {
        stream.write_all(b"CMD>").unwrap();
        stream.read_exact(&mut [0; 6]).unwrap();
        stream.write_all(b"Wed 1").unwrap();
    });
    let mut console = ConsoleClient::connect(&ends, quick()).unwrap();
    assert!(matches!(console.command("time").unwrap_err(), RemoteError::Closed(..)));
}

#[test]
fn replies_refusals_and_the_lock() {
    let address = answers(&[
        b"Wed 12:34:56\r\nCMD>",
        b"Invalid command. Config locked\r\nunlock PASSWORD first\r\nCMD>",
        b"Unlock failed. Invalid password\r\nCMD>",
        b"Unlock failed. After a wrong password: wait 1 s\r\nCMD>",
        b"Config unlocked\r\nCMD>",
        b"Unlock failed. After a wrong password: wait 64 s\r\nCMD>",
        b"No password defined\r\nUse lock PASSWORD\r\nCMD>",
    ]);
    let mut console = ConsoleClient::connect(&address, Timeouts::default()).unwrap();
    assert_eq!(console.command("time").unwrap().first(), b"Wed 12:34:56");
    assert!(matches!(console.order("save").unwrap_err(), RemoteError::Locked(_)));
    assert!(matches!(console.unlock(b"x").unwrap_err(), RemoteError::WrongPassword(_)));
    console.unlock(b"y").unwrap();
    assert!(matches!(console.unlock(b"y").unwrap_err(), RemoteError::TooSoon(_, 64)));
    assert!(matches!(console.unlock(b"y").unwrap_err(), RemoteError::Refused(..)));
    assert!(matches!(console.command("a\nb").unwrap_err(), RemoteError::Command));
}

#[test]
fn a_reply_behind_an_open_line() {
    // First the empty line, which ends it.
    let address = answers(&[b"\r\nCMD>", b"Config saved\r\nCMD>\r          \rlater\r\nCMD>"]);
    let mut console = ConsoleClient::connect(&address, Timeouts::default()).unwrap();
    console.session.receive(b"\rno end").unwrap();
    assert_eq!(console.command("save").unwrap().first(), b"Config saved");
    let until = Instant::now() + Duration::from_secs(10);
    for line in [b"no end".to_vec(), b"later".to_vec()] {
        assert_eq!(console.next_unasked(until).unwrap(), Some(Unasked::Line(line)));
        assert_eq!(console.next_unasked(until).unwrap(), Some(Unasked::Quiet));
    }
}

/// What was broken off while it was unlocked may have been unlocked all the same.
#[test]
fn one_whose_answer_to_unlock_is_late_is_locked_again() {
    let address =
        answers(&[b"", b"Config unlocked\r\nCMD>", b"\r\nCMD>", b"Config locked\r\nCMD>"]);
    let mut console = ConsoleClient::connect(&address, quick()).unwrap();
    let mut acted = false;
    let done: Result<(), RemoteError> =
        while_unlocked(&mut console, Some(b"secret"), quick(), |_| {
            acted = true;
            Ok(())
        });
    // Locked: else it would say that it was left unlocked.
    assert!(matches!(done, Err(RemoteError::NoAnswer(..))) && !acted, "{done:?}");

    let address = answers(&[b"Unlock failed. Invalid password\r\nCMD>", b"never asked"]);
    let mut console = ConsoleClient::connect(&address, quick()).unwrap();
    let done = while_unlocked(&mut console, Some(b"wrong"), quick(), |_| Ok::<_, RemoteError>(()));
    assert!(matches!(done, Err(RemoteError::WrongPassword(_))), "{done:?}");

    // It never says that it is locked.
    let address = answers(&[b"", b"Config unlocked\r\nCMD>", b"no\r\nCMD>", b"no\r\nCMD>"]);
    let mut console = ConsoleClient::connect(&address, quick()).unwrap();
    let done = while_unlocked(&mut console, Some(b"secret"), quick(), |_| Ok::<_, RemoteError>(()));
    assert!(matches!(done, Err(RemoteError::LeftUnlocked(..))), "{done:?}");
}
