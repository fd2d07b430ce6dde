//! Every target with its seeds, with what chance makes of them, and with chance alone: what a
//! fuzzer would find at once.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use umqtt_device::signature::Suffix;
use umqtt_fuzz_targets::ALL;
use umqtt_lang::{EmitOptions, compile};
use umqtt_vm::Profile;

/// Inputs by chance for each target; `UMQTT_FUZZ_CASES` changes it, `UMQTT_FUZZ_TARGET` leaves
/// one target.
const CASES: u32 = 150;

/// Inputs that get far.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let texts = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    match target {
        "parse" => scripts(),
        "image" => {
            let options = EmitOptions::new().debug(true);
            let image = |script: Vec<u8>| compile(&script, &Profile::ESP8266, options);
            scripts().into_iter().map(|script| image(script).expect("ours")).collect()
        }
        "json" => texts(&[
            r#"{"a":[1,-2.5e3,"\u00e9\ud83d\ude00",null,true,{"b":{}}],"a.b":"\\\"\n"} "#,
            "[[[[[[[[]]]]]]]]",
            "-0.5E+7",
            "plain \"text\"\n\u{1}é",
        ]),
        "mqtt" => vec![
            b"\x05\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01a\x82\x06\0\x01\0\x01#\x02\x30\x05\0\x01tok\xe0\0".to_vec(),
            b"\xff\x10\x1a\0\x04MQTT\x04\xc6\0\x3c\0\x01a\0\x01w\0\x01x\0\x01u\0\x01p\x34\x07\0\x01t\0\x02hi\x62\x02\0\x02".to_vec(),
        ],
        "client" => vec![
            b"\x10\x90\x03\0\x01\x02\x32\x07\0\x01a\0\x09hi\x50\x02\0\x01\x40\x02\0\x01\xd0\0".to_vec(),
            b"\x21\x20\x02\0\x05".to_vec(),
        ],
        "history" => vec![(0..=255).collect(), vec![0; 200], [1, 7, 2, 9, 200, 31].repeat(40)],
        "console" => texts(&[
            "0show\nhelp\nset ssid x\nsave\nlock pw\nunlock pw\nshow vars\nquit\n",
            "1script 2000\nset @1 \"a b\"\npublish local t x retained\nshow mqtt\nreset factory\n",
            "0POST / HTTP/1.1\r\nHost: x\r\n\r\nreset\r\n",
        ]),
        "http" => texts(&[
            "0HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "1HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "7HTTP/1.0 302 Found\nLocation: /x\n  y\n\n",
            "~HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\n\r\nnot here",
        ]),
        "number" => texts(&[
            "21.5\n0.75",
            " -0.25C\n+.5",
            "2147483647\n-0.000000001",
            "99999999.5\n0.00000000051",
            "1234567891.23456789\n3",
        ]),
        "zone" => texts(&[
            "CET-1CEST,M3.5.0,M10.5.0/3\n0123456789abcdef0000\0\0\0\0fedcba98",
            "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1\n\0\0\0\0\0\0\0\0\u{7f}aaa~bbb",
            "EST5EDT,J60/0,J300/167\n................................",
            "-3:30\n0000000000000000",
        ]),
        "url" => texts(&[
            "http://device:8080/a/b?c=d e#f\n../x y",
            "http://[::1]/\nhttp://other/",
            "http://me:pw@a/\n?q",
        ]),
        "ntp" => {
            // An answer of stratum 2 to the first request, and a request in version 4.
            let mut answer = [0; 48];
            (answer[0], answer[1], answer[32], answer[40]) = (0o44, 2, 0xf0, 0xf0);
            let mut request = [0; 48];
            (request[0], request[47]) = (0o43, 9);
            let one = |what: u8, bytes: &[u8; 48]| [&[48, what], &bytes[..]].concat();
            vec![
                one(1, &answer),
                [one(1, &request), one(0x89, &answer), one(9, &request)].concat(),
                one(1, &request).repeat(100),
                one(0x83, &answer).repeat(20),
            ]
        }
        "dhcp" => {
            let discover = |client: u8| vec![240 + 3, client, 0, 53, 1, 1];
            let request = |client: u8| vec![240 + 9, client, 0, 53, 1, 3, 50, 4, 192, 168, 4, 9];
            vec![
                [discover(1), request(1), discover(2), request(2)].concat(),
                (0..40).flat_map(|client| [discover(client), request(client)].concat()).collect(),
                [request(1), vec![240 + 9, 1, 0x40, 53, 1, 4, 50, 4, 192, 168, 4, 9]].concat(),
            ]
        }
        "signature" => {
            let signed = |script: &[u8]| {
                let suffix = Suffix { counter: 7, signature: [9; 64] };
                [b"\x40", script, &suffix.bytes()].concat()
            };
            let script = b"on init do println 1\n";
            let image = compile(script, &Profile::ESP8266, EmitOptions::new()).expect("a script");
            vec![signed(script), signed(&image), signed(b""), [b"\x05", &script[..]].concat()]
        }
        "settings" => vec![
            b"\x01\xff\x08\x01\0\0\0\0\0\0\x80\xff\x08\x02\0\0\0\0\0\0\0".to_vec(),
            vec![1],
            b"\x01\x01\x05lobby\x02\x06secret".to_vec(),
            (0..=255).flat_map(|id| [id, 1, b'1']).collect(),
            (0..=255).flat_map(|id| [id, 4, 1, 0, 0, 0]).collect(),
        ],
        "dns" => {
            // To whom, whence, how much time passes before, the message.
            let one = |what: u8, wait: u8, bytes: &[u8]| {
                [&[what, wait, bytes.len() as u8], bytes].concat()
            };
            let ask = |name: &[u8], qtype: u8| {
                [&b"\0\x07\x01\0\0\x01\0\0\0\0\0\0"[..], name, &[0, qtype, 0, 1]].concat()
            };
            let own = b"\x04mqtt\x05local\0";
            let taken = b"\0\0\x84\0\0\0\0\x01\0\0\0\0\x04mqtt\x05local\0\0\x01\x80\x01\0\0\0\x78\0\x04\x0a\0\0\x09";
            let kind = b"\x05_mqtt\x04_tcp\x05local\0";
            vec![
                [one(1, 0, &ask(own, 1)), one(1, 9, &ask(b"\x01a\x01b\0", 1))].concat(),
                one(2, 3, &ask(b"\x04host\x07example\0", 1)).repeat(3),
                [one(3, 200, b""), one(3, 200, &ask(own, 1)), one(3, 20, taken)].concat(),
                [one(3, 255, b""), one(3, 255, &ask(kind, 12)), one(7, 9, &ask(kind, 12))].concat(),
                one(0, 0, taken),
            ]
        }
        "wifi" => {
            let network = |name: &[u8], rssi: u8| [&[(name.len() << 3) as u8, rssi], name].concat();
            // It scans, and that is over.
            let (scan, over) = ([6, 0], [1, 0]);
            let many: Vec<u8> = (0..100).flat_map(|n| network(b"net", n * 2 + 1)).collect();
            vec![
                [&scan[..], &network(b"home", 200), &network(b"\x1b[2J\xff", 190), &over, &[6, 1]]
                    .concat(),
                [&scan[..], &many, &over].concat(),
                (0..60).flat_map(|station| [5, station * 2]).collect(),
                [[2, 200], [7, 255], [4, 0], [7, 9], [3, 0], [7, 255], [1, 1]].concat(),
            ]
        }
        "flash" => vec![
            vec![],
            vec![0, 0, 0, 4, 0, 0, 0, 0],
            [vec![3, 0, 0, 32], vec![0x5A; 32], vec![5, 0, 0, 64], vec![0; 64]].concat(),
            (0..7).flat_map(|sector| [sector, 255, 12, 4, 0, 0, 0, 0]).collect(),
        ],
        other => panic!("{other} has no seeds"),
    }
}

fn scripts() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../scripts");
    let files =
        std::fs::read_dir(folder).expect("the scripts").map(|file| file.expect("one").path());
    let scripts = files.filter(|path| path.extension().is_some_and(|end| end == "script"));
    let words = WORDS.iter().map(|script| script.as_bytes().to_vec());
    scripts.map(|path| std::fs::read(path).expect("a script")).chain(words).collect()
}

/// What the scripts of the repository have little of.
const WORDS: [&str; 2] = [
    r#"const $room = $floor | "/kitchen"
const $floor = "ground"
on topic local $room do call first if changed($this_data) then call show endif
on timer 1 do call show call third
sub first do call second setvar $n = $n + 1 call second
sub second do setvar $x = $x | $this_data
sub show do println json("n", $n, "x", text($x), "l", json_array($n, $x, true))
sub third do while changed($n) do setvar $n = json_len("l", $x) done"#,
    "on init do publish local const sub call a\nconst $b = 1\nsub a do print $b % sub a do\non wificonnect do call a",
];

/// A change a fuzzer would make.
#[derive(Clone, Debug)]
enum Change {
    Set(usize, u8),
    Flip(usize, u8),
    Cut(usize),
    Insert(usize, Vec<u8>),
    Repeat(usize, usize),
}

impl Change {
    fn any() -> impl Strategy<Value = Change> {
        let at = any::<u16>().prop_map(usize::from);
        let bytes = proptest::collection::vec(any::<u8>(), 1..20);
        prop_oneof![
            (at.clone(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
            (at.clone(), 0..8u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
            at.clone().prop_map(Change::Cut),
            (at.clone(), bytes).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
            (at, 1..50usize).prop_map(|(at, len)| Change::Repeat(at, len)),
        ]
    }

    fn apply(&self, input: &mut Vec<u8>) {
        let len = input.len().max(1);
        match self {
            Change::Set(at, byte) => {
                input.iter_mut().skip(at % len).take(1).for_each(|b| *b = *byte)
            }
            Change::Flip(at, bit) => {
                input.iter_mut().skip(at % len).take(1).for_each(|byte| *byte ^= 1 << bit);
            }
            Change::Cut(at) => input.truncate(at % len),
            Change::Insert(at, bytes) => {
                let at = at % (input.len() + 1);
                input.splice(at..at, bytes.iter().copied());
            }
            Change::Repeat(at, count) => {
                let at = at % (input.len() + 1);
                let piece = input[at..input.len().min(at + count)].to_vec();
                input.splice(at..at, piece);
            }
        }
    }
}

fn input(target: &str) -> impl Strategy<Value = Vec<u8>> {
    let seed = proptest::sample::select(seeds(target));
    let changes = proptest::collection::vec(Change::any(), 1..6);
    let changed = (seed, changes).prop_map(|(mut input, changes)| {
        changes.iter().for_each(|change| change.apply(&mut input));
        input
    });
    prop_oneof![3 => changed, 1 => proptest::collection::vec(any::<u8>(), 0..600)]
}

#[test]
fn seeds_and_what_chance_makes_of_them() {
    let given = std::env::var("UMQTT_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases = given.unwrap_or(CASES);
    let only = std::env::var("UMQTT_FUZZ_TARGET").ok();
    let is_wanted = |name: &str| only.as_ref().is_none_or(|only| only == name);
    for (name, run) in ALL.into_iter().filter(|(name, _)| is_wanted(name)) {
        seeds(name).iter().for_each(|seed| run(seed));
        run(b"");
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let tried = TestRunner::new(config).run(&input(name), |input| {
            run(&input);
            Ok(())
        });
        tried.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

/// What fuzzers found, by the target's name and what it was.
#[test]
fn what_was_found_stays_mended() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/found");
    for file in std::fs::read_dir(folder).expect("the folder").map(|file| file.expect("one")) {
        let name = file.file_name().into_string().expect("UTF-8");
        let target = name.split('-').next().unwrap_or_default();
        let (_, run) = ALL.into_iter().find(|(known, _)| *known == target).expect("a target");
        run(&std::fs::read(file.path()).expect("readable"));
    }
}

#[test]
fn the_fuzzer_has_every_target() {
    let page = include_str!("../../fuzz/README.md");
    let manifest = include_str!("../../fuzz/Cargo.toml");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/fuzz_targets");
    for (name, _) in ALL {
        assert!(page.contains(&format!("| `{name}` |")), "README of {name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "manifest of {name}");
        let body = std::fs::read_to_string(format!("{folder}/{name}.rs")).expect("its file");
        assert!(body.contains(&format!("umqtt_fuzz_targets::{name}::run")), "{name}");
    }
    assert_eq!(std::fs::read_dir(folder).expect("targets").count(), ALL.len());
}
