//! The network as the device sees it: [`umqtt_net`].

pub use umqtt_net::{
    Addressing, CloseReason, ConnId, Interface, InterfaceAddr, Net, NetError, NetEvent, Peer,
};
