//! A RISC-V core like the ESP32-C3's, with that chip's memory: its programs are linked by the
//! compiler. What is the same for every core is in [`crate::chip`].

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use umqtt_lang::umqtt_vm::Profile;
use umqtt_memory::Plan;

use crate::chip::bench::figures::{Aim, Figures};
use crate::chip::commands::{self, ChipCommand};
use crate::chip::description::{Chip, CompilerTarget, Ethernet, Limits, Machine};
use crate::chip::paths::Paths;
use crate::chip::size::KIB;
use crate::chip::toolchain;

/// The core.
pub static QEMU_RISCV: Chip = Chip {
    name: "qemu-riscv",
    core: "the RISC-V core",
    board: "an emulated RISC-V core",
    workspace: "firmware/chips/riscv",
    target: CompilerTarget::Known("riscv32imc-unknown-none-elf", "virt/link.ld"),
    tools: &[],
    packages: "rustc-web cargo-web rust-web-src lld qemu-system-misc",
    machine: Machine {
        program: "qemu-system-riscv32",
        // Without what the chip's core has not: atomics, floating point, virtual memory.
        // The program is its firmware: a kernel would not be loaded beside the second flash.
        arguments: "-M virt -cpu rv32,a=off,f=off,d=off,mmu=off -m 32M \
                    -global virtio-mmio.force-legacy=false -device virtio-rng-device \
                    -semihosting -serial stdio -display none -monitor none -bios",
        command_line: ("-semihosting-config", "enable=on,arg="),
        drive: "if=pflash,unit=1,format=raw",
        drive_size: 32 << 20,
        flash_size: 4 << 20,
        sector: 256 << 10,
        map_sectors: 4,
        slot_sectors: 2,
        ethernet: Ethernet::Device("virtio-net-device"),
        stack: 16 << 10,
    },
    profile: Profile::ESP32,
    plan: Plan::ESP32C3,
    variants: &[],
    limits: Limits {
        // Of 4 MiB: 64 KiB for the boot loader and the tables, 640 for the storage, and the rest
        // for two images, so that a new one can come over the air. 731 KiB of each are the radio's
        // libraries in the smallest program with them.
        image: (4096 - 64 - 640) * KIB / 2 - 731 * KIB,
        ram: 128 * KIB,
        fast_code: 0,
        engine: 52 * KIB,
    },
    figures: Figures {
        page: "firmware/chips/docs/riscv.md",
        events: [
            Aim { aim: None, most: 2_560 },
            Aim { aim: None, most: 485 },
            Aim { aim: None, most: 1_145 },
            Aim { aim: None, most: 1_830 },
        ],
        loaded: Aim { aim: None, most: 1_000 },
        peers: None,
        compile: Aim { aim: None, most: 1_600_000 },
        compile_heap: Aim { aim: None, most: 8 * KIB },
        unlock: Aim { aim: None, most: 7_000_000 },
        engine: None,
        image: None,
        ram: None,
    },
};

/// What to do with the core.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: ChipCommand,
    /// Build with this toolchain of rustup, which needs the component rust-src (not tried by this
    /// project's tests), in place of Debian's packages
    #[arg(long, global = true, value_name = "NAME", env = "UMQTT_RISCV_TOOLCHAIN")]
    toolchain: Option<String>,
}

/// Does it.
///
/// # Errors
/// What went wrong, for people to read.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let paths = Paths::find(&QEMU_RISCV)?;
    let toolchain = toolchain::find(&QEMU_RISCV, arguments.toolchain.as_deref())?;
    commands::run(&paths, &toolchain, arguments.command)
}
