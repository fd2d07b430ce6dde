//! A client of the broker, by an implementation that is not ours: rumqttc.

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rumqttc::{Client, Event, MqttOptions, Packet, QoS};

use super::TIMEOUT;

/// A connected client.
pub struct Mqtt {
    client: Client,
    events: Receiver<Packet>,
}

/// A message that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub topic: String,
    pub data: String,
    pub retained: bool,
}

impl Mqtt {
    /// Connects and waits for the broker's consent.
    #[track_caller]
    pub fn connect(port: u16, id: &str) -> Mqtt {
        let mut options = MqttOptions::new(id, "127.0.0.1", port);
        options.set_keep_alive(Duration::from_secs(30));
        Mqtt::with(options).expect("the broker accepts")
    }

    /// Connects with other options; the error is what the broker or the client said.
    pub fn with(options: MqttOptions) -> Result<Mqtt, String> {
        let (client, mut connection) = Client::new(options, 64);
        let (sender, events) = channel();
        let (failed, failure) = channel();
        std::thread::spawn(move || {
            for event in connection.iter() {
                match event {
                    Ok(Event::Incoming(packet)) => {
                        if sender.send(packet).is_err() {
                            break;
                        }
                    }
                    Ok(Event::Outgoing(_)) => {}
                    Err(error) => {
                        let _ = failed.send(error.to_string());
                        break;
                    }
                }
            }
        });
        let mqtt = Mqtt { client, events };
        match mqtt.next(TIMEOUT) {
            Some(Packet::ConnAck(_)) => Ok(mqtt),
            other => Err(failure.recv_timeout(TIMEOUT).unwrap_or(format!("{other:?}"))),
        }
    }

    /// Subscribes and waits until the broker has confirmed.
    #[track_caller]
    pub fn subscribe(&self, filter: &str) {
        self.client.subscribe(filter, QoS::AtMostOnce).expect("is connected");
        loop {
            match self.next(TIMEOUT) {
                Some(Packet::SubAck(_)) => return,
                Some(_) => {}
                None => panic!("no answer to the subscription of {filter}"),
            }
        }
    }

    /// Publishes.
    pub fn publish(&self, topic: &str, data: impl Into<Vec<u8>>) {
        self.client.publish(topic, QoS::AtMostOnce, false, data).expect("is connected");
    }

    /// Publishes with the retain flag.
    pub fn retain(&self, topic: &str, data: &str) {
        self.client.publish(topic, QoS::AtMostOnce, true, data).expect("is connected");
    }

    /// Publishes with the retain flag and at QoS 1, and waits for the acknowledgement.
    #[track_caller]
    pub fn retain_acknowledged(&self, topic: &str, data: &str) {
        self.client.publish(topic, QoS::AtLeastOnce, true, data).expect("is connected");
        loop {
            match self.next(TIMEOUT) {
                Some(Packet::PubAck(_)) => return,
                Some(_) => {}
                None => panic!("no acknowledgement of {topic}"),
            }
        }
    }

    /// The next message.
    #[track_caller]
    pub fn message(&self) -> Message {
        self.message_within(TIMEOUT).expect("a message arrives")
    }

    /// The next message, if it comes in time.
    pub fn message_within(&self, patience: Duration) -> Option<Message> {
        let end = Instant::now() + patience;
        loop {
            match self.next(end.saturating_duration_since(Instant::now()))? {
                Packet::Publish(publish) => {
                    return Some(Message {
                        topic: publish.topic,
                        data: String::from_utf8_lossy(&publish.payload).into_owned(),
                        retained: publish.retain,
                    });
                }
                _ => continue,
            }
        }
    }

    /// Waits for a message on a topic, passing over others; returns its data.
    #[track_caller]
    pub fn on(&self, topic: &str) -> String {
        let end = Instant::now() + TIMEOUT;
        let mut passed = Vec::new();
        while let Some(message) = self.message_within(end.saturating_duration_since(Instant::now()))
        {
            if message.topic == topic {
                return message.data;
            }
            passed.push(message);
        }
        panic!("nothing on {topic}, only {passed:?}");
    }

    fn next(&self, patience: Duration) -> Option<Packet> {
        self.events.recv_timeout(patience).ok()
    }
}

impl Drop for Mqtt {
    fn drop(&mut self) {
        let _ = self.client.disconnect();
    }
}
