//! An MQTT broker inside a program of your own.
//!
//! ```text
//! cargo run -p embed_broker -- 127.0.0.1:1883
//! mosquitto_sub -u demo -P demo -t 'example/#' -v
//! mosquitto_pub -u demo -P demo -t example/say -m hello
//! ```
//!
//! The program itself is a client of its broker, without a connection: every second it publishes how long
//! it has been running (retained), and it prints what is published to `example/say`. Only user `demo` with
//! password `demo` may connect. [`server`] joins the broker to sockets; there is no more to it than that.

mod server;

use std::io::Write;
use std::time::{Duration, Instant};

use server::Server;
use umqtt_broker::{Broker, Callbacks, Credentials, Limits, Peer, QoS, Verdict};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let addr = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:1883".to_owned());

    let mut broker = Broker::new(Limits { max_clients: 100, ..Limits::DESKTOP });
    broker.subscribe(b"example/say", QoS::AtLeastOnce)?;

    let mut turned_away = 0;
    let hooks = Callbacks {
        on_connect: |_: &Peer| true,
        on_auth: move |who: &Credentials<'_>| {
            if who.user == Some("demo") && who.password == Some(b"demo") {
                return Verdict::Accept;
            }
            turned_away += 1;
            println!("{} may not connect ({turned_away} so far)", who.peer.addr);
            Verdict::BadCredentials
        },
    };

    let mut server = Server::bind(addr.parse()?, broker, hooks)?;
    println!("listening on {}", server.local_addr()?);
    std::io::stdout().flush()?;

    let start = Instant::now();
    let mut next = start;
    loop {
        if Instant::now() >= next {
            next += Duration::from_secs(1);
            let uptime = start.elapsed().as_secs().to_string();
            server.broker.publish(b"example/uptime", uptime.as_bytes(), QoS::AtMostOnce, true)?;
        }
        server.turn(next.saturating_duration_since(Instant::now()))?;
        while let Some(message) = server.broker.poll_local() {
            println!("somebody says {}", String::from_utf8_lossy(message.payload()));
            std::io::stdout().flush()?;
        }
    }
}
