//! What the broker counts.

/// Counters since the broker was made. They only grow; all count events, unless the name says bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connections opened.
    pub opened: u64,
    /// Clients whose CONNECT was accepted.
    pub accepted: u64,
    /// Connections refused: by a hook, a limit, or a CONNACK other than 0.
    pub refused: u64,
    /// Connections closed because of what the client sent (malformed, out of order, over a limit).
    pub protocol_errors: u64,
    /// Connections closed because nothing came for one and a half keep-alive times.
    pub timeouts: u64,
    /// Connections closed because another one came with the same client id.
    pub take_overs: u64,
    /// Messages published to the broker, by clients and by the local client.
    pub messages_received: u64,
    /// Messages queued for delivery, to clients and to the local client.
    pub messages_sent: u64,
    /// Messages a subscriber did not get because its queue was full.
    pub messages_dropped: u64,
    /// Messages from clients thrown away because their topic is the broker's own (`$SYS/...`).
    pub messages_denied: u64,
    /// Subscriptions refused by a limit.
    pub subscriptions_refused: u64,
    /// Messages not retained because of a limit.
    pub retained_refused: u64,
    /// Bytes handed in by `receive`.
    pub bytes_received: u64,
    /// Bytes reported by `sent`.
    pub bytes_sent: u64,
}
