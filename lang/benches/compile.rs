//! What a script of 4 KB costs on its way to an image, and around it. The aim: less than 150 microseconds to compile, less
//! than 5 to verify.

use std::hint::black_box;

use divan::Bencher;
use umqtt_lang::diagnostic::Diagnostic;
use umqtt_lang::lint::{NoConfig, lint};
use umqtt_lang::{Extras, compile, format, parse};
use umqtt_vm::{Profile, Program};

fn main() {
    divan::main();
}

const PROFILE: Profile = Profile::ESP8266;
const EXTRAS: Extras = Extras { debug: false, source: false };
const LEN: usize = 4096;

/// A room of a house, `N` its number: what scripts in the field are made of.
const ROOM: &str = r#"
% Room N: a lamp with a button, and a heater that keeps a temperature
on init do
    setvar $lampN = 0
    setvar $targetN = @1 * 1
    setvar $statusN = "house/N/" | "status"
    gpio_pinmode 12 output
    gpio_out 12 $lampN
    subscribe local "house/N/set"
    settimer N 1000

on topic local "house/N/set" do
    println "room N: " | $this_topic | " = " | $this_data
    if $this_data = "on" then
        setvar $lampN = 1
    elseif $this_data = "off" then
        setvar $lampN = 0
    elseif $this_data = "toggle" then
        setvar $lampN = not($lampN)
    else
        setvar $targetN = substr($this_data, 0, 3)
    endif
    gpio_out 12 $lampN
    publish local $statusN "{\"lamp\":" | $lampN | ",\"target\":" | $targetN | "}" retained

on timer N do
    setvar $nowN = ($adc * 33) div 100
    if $nowN lt ($targetN - 1) and $weekday neq "Sun" then
        gpio_pwm 4 1000
    elseif $nowN > ($targetN + 1) then
        gpio_pwm 4 0
    endif
    settimer N 1000
"#;

/// Rooms up to [`LEN`] bytes, filled up with a comment.
fn script() -> Vec<u8> {
    let mut script = String::new();
    for room in 1.. {
        let next = ROOM.replace('N', &room.to_string());
        if script.len() + next.len() > LEN {
            break;
        }
        script += &next;
    }
    script += "% ";
    script.extend(std::iter::repeat_n('.', LEN - script.len()));
    script.into_bytes()
}

fn image() -> Vec<u8> {
    let image: Result<Vec<u8>, Vec<Diagnostic>> = compile(&script(), &PROFILE, EXTRAS);
    image.expect("the script is right")
}

#[divan::bench]
fn parse_4k(bencher: Bencher) {
    let script = script();
    bencher.bench(|| parse(black_box(&script), &PROFILE));
}

#[divan::bench]
fn compile_4k(bencher: Bencher) {
    let script = script();
    bencher.bench(|| compile(black_box(&script), &PROFILE, EXTRAS));
}

#[divan::bench]
fn verify_its_image(bencher: Bencher) {
    let image = image();
    bencher.bench(|| Program::verify(black_box(&image[..]), &PROFILE).is_ok());
}

#[divan::bench]
fn lint_4k(bencher: Bencher) {
    let script = script();
    let (statements, _) = parse(&script, &PROFILE);
    bencher.bench(|| lint(black_box(&script), &statements, &NoConfig));
}

#[divan::bench]
fn format_4k(bencher: Bencher) {
    let script = script();
    bencher.bench(|| format(black_box(&script), &PROFILE));
}
