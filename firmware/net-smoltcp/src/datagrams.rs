//! Buffers for datagrams.

use alloc::vec::Vec;

use smoltcp::socket::udp;

use crate::UdpLimits;

/// A buffer for datagrams; `None` when memory is short.
pub(crate) fn buffer(limits: &UdpLimits) -> Option<udp::PacketBuffer<'static>> {
    let mut metadata = Vec::new();
    metadata.try_reserve_exact(limits.datagrams).ok()?;
    metadata.resize(limits.datagrams, udp::PacketMetadata::EMPTY);
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(limits.bytes).ok()?;
    bytes.resize(limits.bytes, 0);
    Some(udp::PacketBuffer::new(metadata, bytes))
}
