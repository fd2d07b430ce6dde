//! What differs between cores.

use umqtt_lang::umqtt_vm::Profile;
use umqtt_memory::Plan;

use super::bench::figures::Figures;

/// The program that is built when none is named.
pub(crate) const DEVICE: &str = "device";

/// A core, and the machine QEMU has around it.
pub struct Chip {
    /// The subcommand, and the folder of what is built below `target/`.
    pub name: &'static str,
    /// In a sentence: "building for ... needs".
    pub core: &'static str,
    /// The board in the device's first line.
    pub board: &'static str,
    /// The workspace of its crates, below the project's folder.
    pub(crate) workspace: &'static str,
    /// The compiler's target: a file in the workspace, or a name.
    pub(crate) target: CompilerTarget,
    /// Programs it takes besides the compiler and the emulator.
    pub(crate) tools: &'static [&'static str],
    /// Debian's packages of all tools.
    pub(crate) packages: &'static str,
    /// The emulator.
    pub machine: Machine,
    /// What scripts may need.
    pub profile: Profile,
    /// What each part of the device may hold of the heap.
    pub plan: Plan,
    /// Programs in place of [`DEVICE`], by the feature that asks for them. They keep to its
    /// budgets.
    pub(crate) variants: &'static [(&'static str, &'static str)],
    /// What the device may take.
    pub(crate) limits: Limits,
    /// What it takes to do things.
    pub(crate) figures: Figures,
}

/// The compiler's target.
pub(crate) enum CompilerTarget {
    /// A file that describes it. The compiler's assembly is assembled and linked by other tools.
    File(&'static str),
    /// One the compiler knows, with a linker script. The compiler links.
    Known(&'static str, &'static str),
}

/// A machine of QEMU's.
pub struct Machine {
    /// The emulator.
    pub(crate) program: &'static str,
    /// Its first arguments.
    pub(crate) arguments: &'static str,
    /// How the program is given a command line: the option, and what comes before the line in its
    /// value.
    pub(crate) command_line: (&'static str, &'static str),
    /// The flash's drive, without the file.
    pub(crate) drive: &'static str,
    /// Bytes of the file with the flash.
    pub(crate) drive_size: u64,
    /// Bytes of the flash that the device uses.
    pub flash_size: usize,
    /// Bytes of a sector of the flash.
    pub sector: usize,
    /// Sectors of the device's map, and of each of the two paths of a script behind it.
    pub map_sectors: usize,
    /// See [`map_sectors`](Self::map_sectors).
    pub slot_sectors: usize,
    /// The Ethernet.
    pub(crate) ethernet: Ethernet,
    /// Bytes of the program's stack.
    pub stack: usize,
}

/// How an Ethernet is had.
pub(crate) enum Ethernet {
    /// The machine has one of this model.
    Onboard(&'static str),
    /// It is a device of this name.
    Device(&'static str),
}

/// What a core's device may take, bytes.
pub(crate) struct Limits {
    /// Flash for the program: code, constants, data.
    pub(crate) image: u64,
    /// All RAM of ours: static, stack and heap.
    pub(crate) ram: u64,
    /// Code in RAM.
    pub(crate) fast_code: u64,
    /// Code of the virtual machine and the script engine.
    pub(crate) engine: u64,
}
