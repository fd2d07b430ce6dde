//! Two clients who do nothing wrong, while others do.

#![allow(dead_code)] // each test file uses its part

use umqtt_mqtt::QoS;
use umqtt_mqtt::wire::Subscribe;

use crate::net::{Net, message};

/// Their connections.
const TALKER: u32 = 9_000;
const LISTENER: u32 = 9_001;

/// See the module.
pub(crate) struct Bystanders {
    said: u32,
}

impl Bystanders {
    /// They come early, and may stay.
    pub(crate) fn join(net: &mut Net) -> Bystanders {
        net.join(TALKER, "talker");
        net.join(LISTENER, "listener");
        net.subscribe(LISTENER, "bystanders/+", QoS::AtMostOnce);
        Bystanders { said: 0 }
    }

    /// What the one says reaches the other at once: no time passes, and nobody else does anything.
    #[track_caller]
    pub(crate) fn are_served(&mut self, net: &mut Net) {
        self.said += 1;
        let word = self.said.to_string();
        net.publish(TALKER, "bystanders/word", word.as_bytes());
        assert_eq!(net.messages(LISTENER), [format!("bystanders/word={word}")]);
        assert!(!net.is_closed(TALKER) && !net.is_closed(LISTENER));
    }
}

/// A SUBSCRIBE for these filters at QoS 0.
pub(crate) fn subscribe_to<F: AsRef<[u8]>>(filters: &[F]) -> Vec<u8> {
    let filters: Vec<_> = filters.iter().map(|f| (f.as_ref(), QoS::AtMostOnce)).collect();
    let mut packet = Vec::new();
    assert!(Subscribe::emit(1, &filters, &mut packet));
    packet
}

/// A QoS 0 message.
pub(crate) fn publish_to(topic: &str, payload: &[u8]) -> Vec<u8> {
    message(topic, payload, QoS::AtMostOnce, 0, false)
}
