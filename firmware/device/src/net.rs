//! The network as the device sees it: [`umqtt_net`].

pub use umqtt_net::{
    Addressing, CloseReason, ConnId, Duration, Instant, Interface, InterfaceAddr, Net, NetError,
    NetEvent, Peer,
};
