//! The core: what differs from others.

use umqtt_lang::umqtt_vm::Profile;
use umqtt_memory::Plan;

use super::assembly::{ASSEMBLER, LINKER};
use crate::chip::bench::figures::{Aim, Figures, Peers};
use crate::chip::description::{Chip, CompilerTarget, Ethernet, Limits, Machine};
use crate::chip::size::KIB;

/// The device for the chip itself, and what asks for it as a feature of the device: once one crate
/// was for both machines.
pub(super) const CHIP: &str = "esp8266";
const SILICON: &str = "silicon";

/// The core.
pub static ESP8266: Chip = Chip {
    name: "esp8266",
    core: "the ESP8266's core",
    board: "an emulated ESP8266",
    workspace: "firmware/chips",
    // It says that objects are bitcode: cargo always asks for an object of the program, and the
    // code generator, told to write machine code, stops at what it cannot place ("fixup value must
    // be 4-byte aligned", at functions that share a section, as esp8266-hal's in RAM do). Nobody
    // reads that object.
    target: CompilerTarget::File("lx106-rt/lx106.json"),
    tools: &[ASSEMBLER, LINKER],
    packages: "rustc-web cargo-web rust-web-src binutils-xtensa-lx106 qemu-system-misc",
    machine: Machine {
        program: "qemu-system-xtensa",
        arguments: "-M lx60-nommu -cpu lx106 -semihosting -serial stdio -display none \
                    -monitor none -kernel",
        command_line: ("-append", ""),
        drive: "if=pflash,format=raw",
        drive_size: 4 << 20,
        flash_size: 4 << 20,
        sector: 64 << 10,
        map_sectors: 8,
        slot_sectors: 1,
        ethernet: Ethernet::Onboard("open_eth"),
        stack: 7040,
    },
    profile: Profile::ESP8266,
    plan: Plan::ESP8266,
    variants: &[(SILICON, CHIP)],
    limits: Limits {
        // The smallest boards have 1 MiB of flash, all of which the chip maps. 136 KiB of it are
        // for settings and scripts, 20 KiB for the chip's own data, and some 140 KiB for the
        // radio's libraries. That leaves 728 KiB to the only image there is: it is not replaced
        // over the air. 72 KiB of those are kept for what is to join the radio to the device.
        image: 656 * KIB,
        // The rest of the chip's 80 KiB is the WiFi driver's.
        ram: 48 * KIB,
        // The chip has 64 KiB, of which the flash's cache takes half.
        fast_code: 32 * KIB,
        // It shall shrink to 24 KiB, and may not grow meanwhile. Decimals, JSON, subs, periods and
        // times of day took 17 KiB, 19 on silicon: what seldom runs of them is compiled for speed.
        engine: 59 * KIB,
    },
    figures: Figures {
        page: "firmware/chips/docs/esp8266.md",
        events: [
            Aim { aim: Some(1_600), most: 2_690 },
            Aim { aim: Some(200), most: 560 },
            Aim { aim: Some(580), most: 1_115 },
            Aim { aim: Some(800), most: 1_950 },
        ],
        loaded: Aim { aim: Some(1_000), most: 1_000 },
        // The others, each built with the chip's own compiler at -O2, given the same events with
        // input and output stubbed.
        peers: Some(Peers {
            names: ["C by hand", "Lua 5.4", "Berry", "MicroPython", "C firmware"],
            events: [
                [490, 6_393, 16_295, 18_412, 62_915],
                [134, 1_800, 3_639, 2_261, 12_884],
                [49, 1_171, 1_543, 2_720, 34_544],
                [193, 4_896, 14_796, 12_877, 14_076],
            ],
            loaded: [124, 9_700, 4_300, 1_900, 4_300],
        }),
        // Lines of `elseif`, which whoever watches a script wants to see, took 10,000 of them.
        compile: Aim { aim: Some(1_600_000), most: 1_603_000 },
        compile_heap: Aim { aim: Some(8 * KIB), most: 8 * KIB },
        // 100 ms at 80 MHz.
        unlock: Aim { aim: Some(8_000_000), most: 8_000_000 },
        engine: Some(24 * KIB),
        image: Some(512 * KIB),
        ram: Some(48 * KIB),
    },
};
