//! By what a client is known.

use heapless::Vec;

use crate::message::{DhcpRequest, Mac};

/// Bytes of a client identifier that are kept. A client whose identifier is longer is known by its
/// hardware address.
pub const MAX_CLIENT_ID: usize = 32;

/// By what a client is known: its identifier, or its hardware address if it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientKey {
    /// Empty if the hardware address is the key.
    id: Vec<u8, MAX_CLIENT_ID, u8>,
    mac: Mac,
}

impl ClientKey {
    /// The key of the client that sent this.
    pub fn of(request: &DhcpRequest<'_>) -> ClientKey {
        ClientKey::new(request.client_id.unwrap_or_default(), request.mac)
    }

    pub(crate) fn new(id: &[u8], mac: Mac) -> ClientKey {
        ClientKey { id: Vec::from_slice(id).unwrap_or_default(), mac }
    }

    /// The client identifier, empty if it has none that is kept.
    pub fn id(&self) -> &[u8] {
        &self.id
    }

    /// The hardware address.
    pub const fn mac(&self) -> Mac {
        self.mac
    }

    /// Whether both are the same client: one that has an identifier may change its network card.
    pub fn is_same_client(&self, other: &ClientKey) -> bool {
        self.id == other.id && (!self.id.is_empty() || self.mac == other.mac)
    }

    /// A number that is the same for the same client: where its address is looked for first.
    pub(crate) fn hash(&self) -> u32 {
        let bytes: &[u8] = if self.id.is_empty() { &self.mac } else { &self.id };
        // FNV-1a.
        bytes
            .iter()
            .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
    }
}
