//! A little HTTP server, for scripts that are fetched.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// Serves until the test process ends.
pub struct Server {
    pub port: u16,
}

impl Server {
    /// Answers every request with what `answer` makes of its path: a whole response, header and
    /// body.
    pub fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("has an address").port();
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = Arc::clone(&answer);
                std::thread::spawn(move || serve(stream, &*answer));
            }
        });
        Server { port }
    }

    /// A URL on this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

fn serve(mut stream: TcpStream, answer: &dyn Fn(&str) -> Vec<u8>) {
    let Ok(copy) = stream.try_clone() else { return };
    let mut lines = BufReader::new(copy).lines().map_while(Result::ok);
    let Some(request) = lines.next() else { return };
    let path = request.split(' ').nth(1).unwrap_or("/").to_owned();
    // The rest of the header, up to the empty line.
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let _ = stream.write_all(&answer(&path));
}

/// A response with its length.
pub fn whole(body: &[u8]) -> Vec<u8> {
    let mut response =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    response.extend_from_slice(body);
    response
}

/// A response in chunks of a few bytes.
pub fn chunked(body: &[u8]) -> Vec<u8> {
    let mut response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.chunks(7) {
        response.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        response.extend_from_slice(chunk);
        response.extend_from_slice(b"\r\n");
    }
    response.extend_from_slice(b"0\r\n\r\n");
    response
}

/// A response that ends where the connection ends.
pub fn until_close(body: &[u8]) -> Vec<u8> {
    [b"HTTP/1.0 200 OK\r\n\r\n", body].concat()
}

/// A redirect.
pub fn redirect(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

/// A refusal.
pub fn refusal(status: u16) -> Vec<u8> {
    format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n").into_bytes()
}
