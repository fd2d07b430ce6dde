//! Ports of this computer.

use std::net::{SocketAddr, TcpListener};

/// A port that is free now. Another process may take it before it is used.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(local(0)).expect("a free port");
    listener.local_addr().expect("has an address").port()
}

/// The address of a port on this computer.
pub fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
