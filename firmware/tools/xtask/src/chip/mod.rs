//! An emulated core: building its programs, running them in QEMU, testing and measuring them there.
//! The same for every core; what differs between them is in a [`Chip`](description::Chip).
//!
//! | file | job |
//! |---|---|
//! | [`description`] | what differs between cores |
//! | `paths` | where things lie |
//! | `toolchain` | the toolchain, or what to install |
//! | `cargo` | the commands for cargo, and a program's crate |
//! | `build` | from a crate to an ELF file |
//! | `size` | what takes how much of it |
//! | `budget` | what the device may take |
//! | [`emulator`] | QEMU: its command line, running a program in it |
//! | `run` | the device in the emulator, for people |
//! | `data` | the folder with its flash: one device at a time |
//! | `ports` | its ports on this computer |
//! | `precheck` | whether a script can run on it, before it is started |
//! | [`push`] | gives it a script |
//! | `test` | the tests of the device on the core |
//! | `lint` | lints and documentation of the core's workspace |
//! | `corpus` | the language's tests, on the core |
//! | `bench` | counts instructions on the core |
//! | `commands` | what can be asked for |

pub(crate) mod bench;
pub(crate) mod budget;
mod build;
pub(crate) mod cargo;
pub(crate) mod commands;
mod corpus;
mod data;
pub mod description;
pub mod emulator;
mod lint;
pub(crate) mod paths;
mod ports;
mod precheck;
pub mod push;
mod run;
pub(crate) mod size;
mod test;
pub(crate) mod toolchain;
