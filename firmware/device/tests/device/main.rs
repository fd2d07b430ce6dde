//! Stories of the whole device, in memory and virtual time.
#![allow(clippy::unwrap_used)]

mod abuse;
mod acknowledged;
#[path = "../common/allocator.rs"]
#[expect(dead_code, reason = "of failing allocations only the heap is used here")]
mod allocator;
mod bad_servers;
mod browsers;
mod chip_heap;
mod crowd;
mod cuts;
mod dhcp;
mod fair;
mod fuel;
mod full_house;
mod http;
mod limit;
mod living;
mod long_lines;
mod mapped;
mod mdns;
mod name_server;
mod ntp;
mod refused;
mod remote;
mod remote_bridge;
mod remote_wire;
mod retained;
mod script_share;
mod security;
mod serial;
mod signed;
mod silence;
mod topics;
mod traced;
mod upload;
mod upload_share;
mod wifi;
mod world;
mod worst;
