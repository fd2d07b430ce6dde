//! An MQTT broker inside a program of your own.
//!
//! ```text
//! cargo run -p embed_broker -- 127.0.0.1:1883
//! mosquitto_sub -u demo -P demo -t 'example/#' -v
//! mosquitto_pub -u demo -P demo -t example/say -m hello
//! mosquitto_pub -u demo -P demo -t example/listen -m off
//! ```
//!
//! The program itself is a client of its broker, without a connection: every second it publishes
//! how long it has been running (retained), and it prints what is published to `example/say`,
//! unless it was told by
//! `example/listen` not to listen. Only user `demo` with password `demo` may connect.
//!
//! | What a program wants | How, and where to look |
//! |---|---|
//! | publish | [`Broker::publish`], [`main`] |
//! | subscribe, unsubscribe | [`Broker::subscribe`], [`Broker::unsubscribe`], [`on_data`] |
//! | get its messages | [`Broker::poll_local`], [`on_data`] |
//! | know of a connection, and refuse it | [`Callbacks::on_connect`], [`hooks`] |
//! | know who logs in, and refuse it | [`Callbacks::on_auth`], [`hooks`] |
//! | bound what clients may use | [`Limits`], [`main`] |
//!
//! [`server`] joins the broker to sockets; there is no more to it than that.

mod server;

use std::io::Write;
use std::time::{Duration, Instant};

use server::Server;
use umqtt_mqtt::{
    Broker, Callbacks, Credentials, Hooks, Limits, Message, Peer, QoS, SubscribeError, Verdict,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let addr = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:1883".to_owned());

    let mut broker = Broker::new(Limits::DESKTOP.max_clients(100));
    broker.subscribe(b"example/say", QoS::AtLeastOnce)?;
    broker.subscribe(b"example/listen", QoS::AtLeastOnce)?;

    let mut server = Server::bind(addr.parse()?, broker, hooks())?;
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
            on_data(&mut server.broker, &message)?;
        }
        std::io::stdout().flush()?;
    }
}

/// Who may come in. The closures may keep what they like, and so may a type of your own with
/// [`Hooks`].
fn hooks() -> impl Hooks {
    let mut turned_away = 0;
    Callbacks {
        on_connect: |peer: &Peer| {
            println!("a connection from {}", peer.addr);
            true
        },
        on_auth: move |who: &Credentials<'_>| {
            if who.user == Some("demo") && who.password == Some(b"demo") {
                println!("{} logs in", who.client_id);
                return Verdict::Accept;
            }
            turned_away += 1;
            println!("{} may not connect ({turned_away} so far)", who.peer.addr);
            Verdict::BadCredentials
        },
    }
}

/// A message for the program. It may do with the broker what it likes.
fn on_data(broker: &mut Broker, message: &Message) -> Result<(), SubscribeError> {
    match (message.topic(), message.payload()) {
        (b"example/listen", b"on") => {
            broker.subscribe(b"example/say", QoS::AtLeastOnce)?;
            println!("all ears");
        }
        (b"example/listen", _) => {
            broker.unsubscribe(b"example/say");
            println!("no longer listening");
        }
        (_, payload) => println!("somebody says {}", String::from_utf8_lossy(payload)),
    }
    Ok(())
}
