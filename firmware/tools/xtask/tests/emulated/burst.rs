//! Many messages at once: all of them arrive, and soon.

use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Outgoing, TestClient};
use crate::device::Device;

const CLIENTS: usize = 16;
/// For each client.
const MESSAGES: usize = 10;
/// They take some ten milliseconds. A frame that is lost costs a second or more: its sender has to
/// notice.
const SOON: Duration = Duration::from_secs(5);

/// A message for client `number`, on a topic of its own.
fn to(number: usize, message: usize, qos: u8) -> Outgoing {
    (format!("own/{}", number % CLIENTS), format!("message {message}").into_bytes(), qos)
}

/// Every client publishes what `from` says at once; each receives as many messages as the others,
/// and all answers.
fn burst(from: impl Fn(usize, u8) -> Vec<Outgoing>) {
    let device = Device::boot();
    let mut clients: Vec<TestClient> =
        (0..CLIENTS).map(|n| device.client(&format!("client{n}"))).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        client.subscribe("all", 1);
        client.subscribe(&format!("own/{n}"), 1);
    }
    for qos in [0, 1, 0, 1] {
        let end = Instant::now() + SOON;
        for (n, client) in clients.iter_mut().enumerate() {
            client.publish_batch(&from(n, qos));
        }
        let readers: Vec<_> = clients
            .into_iter()
            .enumerate()
            .map(|(n, mut client)| {
                let answers = from(n, qos).len() * usize::from(qos > 0);
                thread::spawn(move || {
                    let came = client.collect(MESSAGES, answers, end).len();
                    (client, came)
                })
            })
            .collect();
        let (back, came): (Vec<TestClient>, Vec<usize>) =
            readers.into_iter().map(|reader| reader.join().unwrap()).unzip();
        let figures =
            |device: &Device| device.console().ask("losses") + &device.console().ask("show mqtt");
        assert!(came == [MESSAGES; CLIENTS], "at QoS {qos}: {came:?}\n{}", figures(&device));
        assert!(Instant::now() < end, "at QoS {qos}: not soon");
        clients = back;
    }
    let shown = device.console().ask("show mqtt");
    assert!(shown.contains("Dropped: messages 0,"), "{shown}");
}

#[test]
fn a_burst_to_everybody_arrives() {
    burst(|n, qos| match n {
        0 => (0..MESSAGES).map(|m| ("all".into(), m.to_string().into_bytes(), qos)).collect(),
        _ => Vec::new(),
    });
}

#[test]
fn a_burst_of_one_message_after_another_to_each_arrives() {
    burst(|n, qos| match n {
        0 => (0..CLIENTS * MESSAGES).map(|m| to(m, m, qos)).collect(),
        _ => Vec::new(),
    });
}

/// At QoS 1 the acknowledgements of all lie behind their own messages, and there is not memory for
/// all of these.
#[test]
fn bursts_of_everybody_to_somebody_arrive() {
    burst(|n, qos| (0..MESSAGES).map(|m| to(n + 1, m, qos)).collect());
}
