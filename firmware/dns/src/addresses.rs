//! The addresses of a host.

use core::net::Ipv4Addr;

/// Addresses of a host that are told; those beyond are not.
pub const MAX_ADDRESSES: usize = 4;

/// The addresses of a host, one at least, in the order in which they were told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    all: [Ipv4Addr; MAX_ADDRESSES],
    len: u8,
}

impl Addresses {
    /// The first one.
    pub const fn first(&self) -> Ipv4Addr {
        self.all[0]
    }

    /// All of them.
    pub fn as_slice(&self) -> &[Ipv4Addr] {
        self.all.get(..usize::from(self.len)).unwrap_or(&self.all)
    }

    /// One more, if there is room.
    pub(crate) fn push(&mut self, address: Ipv4Addr) {
        if let Some(place) = self.all.get_mut(usize::from(self.len)) {
            *place = address;
            self.len += 1;
        }
    }
}

impl From<Ipv4Addr> for Addresses {
    fn from(address: Ipv4Addr) -> Addresses {
        let mut all = [Ipv4Addr::UNSPECIFIED; MAX_ADDRESSES];
        all[0] = address;
        Addresses { all, len: 1 }
    }
}
