//! A server that passes for a device's console and says what a test wants.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};

/// Its address. Each line of each connection is answered by what `answer` makes of it; `None`
/// closes the connection.
pub fn console(answer: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) -> SocketAddr {
    let answer = std::sync::Arc::new(answer);
    serve(move |stream| {
        let mut to = stream.try_clone().expect("a socket");
        let _ = to.write_all(b"CMD>");
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { return };
            let Some(bytes) = answer(&line) else { return };
            if to.write_all(&bytes).is_err() {
                return;
            }
        }
    })
}

/// Any server: `act` has each connection.
pub fn serve(act: impl Fn(std::net::TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("has one");
    let act = std::sync::Arc::new(act);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let act = act.clone();
            std::thread::spawn(move || act(stream));
        }
    });
    address
}

/// What a device with few settings answers to the questions every command begins with.
pub fn as_device(line: &str) -> Option<Vec<u8>> {
    let reply = match line {
        "show config" => "umqtt 0.1.0\r\nconfig_port: 7777\r\nbroker_persistence: 1\r\n",
        "set" => "Invalid number of arguments\r\n",
        "quit" => return None,
        _ => "Invalid Command\r\n",
    };
    Some(format!("{reply}CMD>").into_bytes())
}
