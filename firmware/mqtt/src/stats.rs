//! What the broker counts.

/// Counters since the broker was made. They only grow; all count events, unless the name says
/// bytes.
///
/// What clients do wrong, or too much of, is counted by its kind: see the table in `docs/abuse.md`.
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections opened.
    pub opened: u64,
    /// Clients whose CONNECT was accepted.
    pub accepted: u64,
    /// Connections refused: by a hook, a limit, or a CONNACK other than 0; and those that made room
    /// for another before they sent CONNECT.
    pub refused: u64,
    /// Of those: by [`Hooks::on_auth`](crate::Hooks::on_auth), which is CONNACK 4 and 5.
    pub unauthorized: u64,
    /// Connections closed because of what the client sent: malformed, or out of order.
    pub protocol_errors: u64,
    /// Connections closed because a packet passed `max_packet`, or its topic `max_topic`.
    pub too_large: u64,
    /// Connections closed because there was no memory for a packet they had begun (`max_memory`).
    pub no_memory: u64,
    /// Connections closed because CONNECT did not come within `connect_timeout`.
    pub connect_timeouts: u64,
    /// Connections closed because nothing came for one and a half keep-alive times.
    pub keep_alive_timeouts: u64,
    /// Connections closed because the client does not read its answers (`max_control_bytes`), takes
    /// nothing of what waits for it, or does not end a packet it has begun (`stall_timeout`).
    pub slow: u64,
    /// Connections closed because of too many QoS 2 messages that the client does not release
    /// (`max_unreleased`).
    pub unreleased: u64,
    /// Takeovers: connections closed because another one came with the same client id.
    pub takeovers: u64,
    /// Stored sessions forgotten for another one, as there were `max_stored_sessions`: those
    /// offline for longest.
    pub sessions_displaced: u64,
    /// Subscriptions granted, the local client's too; again when a client asks again.
    pub subscribed: u64,
    /// Times a subscriber had to wait for its retained messages because others have them looked for
    /// too.
    pub scans_put_off: u64,
    /// Will Messages published.
    pub wills: u64,
    /// PINGREQ packets.
    pub pings: u64,
    /// PUBACK, PUBREC, PUBREL and PUBCOMP packets that belong to no transfer. After a lost session
    /// that is nothing bad.
    pub unknown_acks: u64,
    /// Messages published to the broker, by clients and by the local client.
    pub messages_received: u64,
    /// Of those: by the local client.
    pub local_received: u64,
    /// Messages queued for delivery, to clients and to the local client.
    pub messages_sent: u64,
    /// Of those: to the local client, and to any client on the broker's own topics (`$SYS/...`).
    pub internal_sent: u64,
    /// Messages a subscriber did not get because its queue was full, or there was no memory for
    /// them; and those of QoS 1 and 2 that were lost with a session which made room.
    pub messages_dropped: u64,
    /// Messages from clients thrown away because their topic is the broker's own (`$SYS/...`).
    pub messages_denied: u64,
    /// Subscriptions refused by a limit.
    pub subscriptions_refused: u64,
    /// Messages not retained because of a limit.
    pub retained_refused: u64,
    /// Times something was refused, dropped or put off for want of memory: that of `max_memory`, or
    /// of the heap.
    pub out_of_memory: u64,
    /// Bytes handed in by `receive`.
    pub bytes_received: u64,
    /// Bytes reported by `sent`.
    pub bytes_sent: u64,
}

impl Stats {
    /// Messages that clients have published.
    pub fn received_from_clients(&self) -> u64 {
        self.messages_received - self.local_received
    }

    /// Messages queued for clients, those about the broker itself not counted.
    pub fn sent_to_clients(&self) -> u64 {
        self.messages_sent - self.internal_sent
    }

    /// Connections closed by the broker for what their client did, or did not do. Takeovers are
    /// not among them: mostly a client that comes back takes over from itself.
    pub fn closed(&self) -> u64 {
        let sent = self.protocol_errors + self.too_large + self.unreleased + self.no_memory;
        sent + self.connect_timeouts + self.keep_alive_timeouts + self.slow
    }
}
