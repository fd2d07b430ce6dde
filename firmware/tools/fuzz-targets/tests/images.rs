//! Images no compiler makes: those of scripts, in which instructions take their values from other
//! places than they did, or go on elsewhere. Most of them the verifier lets pass.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use umqtt_fuzz_targets::image;
use umqtt_lang::{EmitOptions, compile};
use umqtt_vm::decode::instructions;
use umqtt_vm::image::{AlignedImage, Image};
use umqtt_vm::{Profile, Program};

/// Every function of texts, with temporaries that hold what earlier statements made.
const SCRIPTS: [&str; 3] = [
    r#"on topic local a/b do
 publish local $this_data | "/x" $n | "00"
 println json_array($a | "1", $n, $this_data)
 setvar $a = json("n", upper($this_data), "m", json_array($this_topic | "x", $a, 1.5), "t", text(lower($a)))
 publish local "a" | $this_topic json_parse("m.0", $a) | csvstr($this_data | ",b", 1, ",")
 println substr($this_data | $a, 1, -1) | json_len("m", $a) | eatwhite($this_data)
 if changed(upper($this_data)) then setvar $b = $a | $b endif
 println find($a | "b", "b") | byte_val($b | "c", 0) | fixed($n, 3) | retained_topic("a/" | $b)
on init do setvar $n = 1.5"#,
    r#"on serial do setvar $n = $n + 1.25
 while $i lt 5 do setvar $i = $i + 1 setvar $t = $t | $i | json("a", $t) done
 call show setvar @1 = $t | @2 settimer 1 len($t | $n) * 2
sub show do println json_array($t, $n, csvstr($t | ",", 0, ","), text($i)) setvar $t = substr($t, 0, 40)
on timer 1 do call show print binary($n) | $timestamp | $weekday"#,
    r#"on http_response do setvar $x = json_parse("a.1", $this_http_body) | $this_http_host
 if between($x | "", "06:00") and $x str_gt lower($this_http_path | "Q") then setvar $y = divide($x, 3, 4) endif
 println json($x | "k", $y, "l", json($y | "", $x)) | round($y, 1) | min($x, $y)
on init do setvar $x = upper("a" | $y) setvar $y = $x | @1 publish local $x | "/b" json_array($x | $y)"#,
];

/// The image of a script with some bytes of its code changed: which instruction, which byte, to
/// what.
fn changed(script: &str, changes: &[(u16, u8, u8)]) -> Vec<u8> {
    let image = compile(script.as_bytes(), &Profile::ESP8266, EmitOptions::new()).unwrap();
    let mut aligned = AlignedImage([0; 4096]);
    aligned.0[..image.len()].copy_from_slice(&image);
    let parsed = Image::parse(&aligned.0[..image.len()]).unwrap();
    let (layout, code) = (parsed.layout().clone(), parsed.code());
    // Where each is, and how many bytes of places it has.
    let starts: Vec<_> = instructions(code).map(|(at, it)| (at, 4 * (it.end - at) - 1)).collect();
    // As many places as the program has of each kind; few constants.
    let places = 4 + layout.header.temporaries + layout.header.variables as u8;
    let mut image = image.clone();
    for &(which, byte, to) in changes {
        let (at, bytes) = starts[usize::from(which) % starts.len()];
        let to = if to < 0xc0 { to % places } else { 0x80 + to % 8 };
        image[layout.code.start + 4 * at + 1 + usize::from(byte) % bytes] = to;
    }
    image
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) })]

    #[test]
    fn instructions_that_take_their_values_elsewhere(
        script in prop::sample::select(&SCRIPTS[..]),
        changes in prop::collection::vec(any::<(u16, u8, u8)>(), 1..4),
    ) {
        image::run(&changed(script, &changes));
    }
}

#[test]
fn most_of_them_run() {
    let mut sound = 0;
    for n in 0..1000_u16 {
        let mut image = changed(SCRIPTS[0], &[(n, (n / 7) as u8, (n / 3) as u8)]);
        let crc = umqtt_vm::image::checksum(&image[umqtt_vm::image::CHECKED_FROM..]);
        image[5..9].copy_from_slice(&crc.to_le_bytes());
        sound += usize::from(Program::verify(image, &Profile::ESP8266).is_ok());
    }
    assert!(sound > 500, "{sound} of 1000");
}
