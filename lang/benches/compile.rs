//! What a script of 4 KB costs on its way to an image, and around it. The aim: less than 150
//! microseconds to compile, less than 5 to verify.

use std::hint::black_box;

use divan::Bencher;
use umqtt_lang::diagnostic::Diagnostic;
use umqtt_lang::lint::{NoConfig, lint};
use umqtt_lang::{EmitOptions, compile, format, parse};
use umqtt_vm::{Profile, Program};

fn main() {
    divan::main();
}

const PROFILE: Profile = Profile::ESP8266;
const OPTIONS: EmitOptions = EmitOptions::new();
/// Rooms of a house, filled up with a comment to 4,096 bytes: what scripts in the field are made
/// of.
const SCRIPT: &[u8] = include_bytes!("house.script");

fn image() -> Vec<u8> {
    let image: Result<Vec<u8>, Vec<Diagnostic>> = compile(SCRIPT, &PROFILE, OPTIONS);
    image.expect("the script is right")
}

#[divan::bench]
fn parse_4k(bencher: Bencher) {
    bencher.bench(|| parse(black_box(SCRIPT), &PROFILE));
}

#[divan::bench]
fn compile_4k(bencher: Bencher) {
    bencher.bench(|| compile(black_box(SCRIPT), &PROFILE, OPTIONS));
}

#[divan::bench]
fn verify_its_image(bencher: Bencher) {
    let image = image();
    bencher.bench(|| Program::verify(black_box(&image[..]), &PROFILE).is_ok());
}

#[divan::bench]
fn lint_4k(bencher: Bencher) {
    let umqtt_lang::Parsed { statements, .. } = parse(SCRIPT, &PROFILE);
    bencher.bench(|| lint(black_box(SCRIPT), &statements, &PROFILE, &NoConfig));
}

#[divan::bench]
fn format_4k(bencher: Bencher) {
    bencher.bench(|| format(black_box(SCRIPT), &PROFILE));
}
