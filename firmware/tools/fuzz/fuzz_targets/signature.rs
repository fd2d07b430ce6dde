#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| umqtt_fuzz_targets::signature::run(input));
