//! Any bytes whatever as an image: refused, or it runs within its fuel and buffer.
//!
//! Compiled scripts are broken in many ways, given a right checksum again, and run where the
//! verifier lets them through. It must never have let through what the machine finds corrupt.
#![allow(clippy::unwrap_used)]

use std::fmt::{self, Write};

use umqtt_lang::{EmitOptions, compile};
use umqtt_vm::image::{CHECKED_FROM, MAGIC, VERSION, checksum};
use umqtt_vm::{
    Console, Event, FLASH_VARIABLE_LEN, FlashVariables, Gpio, HandlerCursor, Http, Image, Listing,
    Machine, Mqtt, PinMode, Profile, Program, Serial, Side, Supervisor, Syscalls, Timekeeping,
    TopicError, TrapCode,
};

/// Between them these use every instruction.
const SCRIPTS: &[&str] = &[
    r##"config speed 160 config mqtt_id @1
    on init do setvar $i = 0 setvar $t = "a/b" setvar $u = "x"
        while $i lt 5 do setvar $i = $i + 1 if $i = 3 then print "three" else println $i | $t | "," | $u endif done
        setvar $d = (round($i, 1) * 2.25) - divide($i, 7, 3) setvar $d = min($d, max(abs($d), int($d))) print fixed($d, 2)
        if $d > 1.5 or $d = 3.25 then print $d + 0.5 | $u endif
        settimer 1 500 setalarm 2 12:30 subscribe local $t | "/#" subscribe remote "#" unsubscribe local q unsubscribe remote q
    on topic local $t do setvar $u = $this_data if $this_data = "on" or $this_topic = "q" and not($i) then gpio_out 12 1
        elseif $this_data = "toggle" then gpio_out 12 not($i) gpio_pwm 4 $i * 100 else gpio_pinmode 5 input pullup endif
    on topic local "a/+" do publish remote $this_topic "x" | $this_data retained publish local a/c $i retained
    on topic local "a/" | lower($t) do print 1
    on topic remote a/b do publish local a/b $this_data publish remote a/b 1
    on timer 1 do setvar @2 = $i mod 7 setvar $i = (@2 div 3) - len($u) settimer 1 $i"##,
    r##"on serial do setvar $a = csvstr($this_serial, 1, ",") setvar $b = substr($a, -3, 2) | upper($b)
        serial_out binary(byte_val($a, 0)) | #0d0a print random($b) | find($a, $b) | eatwhite($a) | retained_topic($b)
    on http_response do setvar $j = json_parse($this_http_path, $this_http_body) println $j | $this_http_code | $this_http_host | $this_http_cut
        if $j str_gt "m" and $j str_gte "n" then http_get "http://" | $j else http_post "http://x/", $j endif
        while $j neq "" do setvar $j = substr($j, 1, 1000) done
    on gpio_interrupt 0 pullup do if $this_gpio then system "save" endif setvar $k = $adc | gpio_in(3) | $timestamp | $weekday
        setvar $l = ($k lte 4 or $k gte 3) and ($k > 1 = ($a lt 4)) and ($a neq $b)
        if $k > 5 and $k neq 7 then print 5 elseif $k lt 2 or $k lte $l then print 6 elseif not($k > 3 and $k lt 9) then print 7 endif
    on mqttconnect do print $l on wificonnect do print 2 on wifidisconnect do print 3 on alarm 2 do print 4
    on every 10s do println $sunrise | $sunset | $date | $unixtime | $uptime
    on clock sunset -30m mon fri do if between("22:00", $sunrise) then print between(8, 17) endif"##,
    r##"on topic local "a/b" do setvar $o = json("t", $this_topic, "d", text($this_data), "l", json_array($n, $this_data, true))
        if changed($this_data | $o) and json_len("l", $o) > 2 then print $o setvar $n = json_len("", $this_data) endif
    on timer 1 do if changed($n) then println json_parse("l.0", $o) | changed($o) endif on mqttconnect do print changed($o)
    sub a do call b setvar $n = $n + 1 call b
    sub b do if $this_data > 3 then println $this_data else call c endif
    sub c do while $i lt 3 do setvar $i = $i + 1 call d done setvar $i = 0
    sub d do print "d"
    on topic remote a/b do call a call d call b
    on alarm 2 do call c"##,
];

/// Xorshift: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound.max(1)
    }
}

fn fix_checksum(image: &mut [u8]) {
    if image.len() >= CHECKED_FROM {
        let crc = checksum(&image[CHECKED_FROM..]).to_le_bytes();
        image[CHECKED_FROM - 4..CHECKED_FROM].copy_from_slice(&crc);
    }
}

fn mutate(image: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..1 + random.below(4) {
        let at = random.below(image.len());
        match random.below(8) {
            0 => image[at] = random.below(256) as u8,
            1 => image[at] ^= 1 << random.below(8),
            2 => image[at] = image[at].wrapping_add(1),
            3 if image.len() > 1 => {
                image.remove(at);
            }
            4 => image.insert(at, random.below(256) as u8),
            5 => image.truncate(at.max(CHECKED_FROM)),
            6 => {
                let len = random.below(8).min(other.len()).min(image.len() - at);
                let from = random.below(other.len() - len + 1);
                image[at..at + len].copy_from_slice(&other[from..from + len]);
            }
            _ => {
                let to = random.below(image.len());
                image.swap(at, to);
            }
        }
    }
}

/// Counts calls, and checks what the machine promises about them.
#[derive(Default)]
struct Counter(u64);

impl Mqtt for Counter {
    fn publish(&mut self, _: Side, _: &[u8], _: &[u8], _: bool) -> Result<u32, TopicError> {
        self.0 += 1;
        Ok(0)
    }
    fn subscribe(&mut self, _: Side, _: &[u8]) -> u32 {
        self.0 += 1;
        0
    }
    fn unsubscribe(&mut self, _: Side, _: &[u8]) -> u32 {
        self.0 += 1;
        0
    }
    fn retained(&mut self, filter: &[u8], out: &mut [u8], _: &mut u32) -> usize {
        let len = filter.len().min(out.len());
        out[..len].copy_from_slice(&filter[..len]);
        len
    }
}

impl Http for Counter {
    fn http_get(&mut self, _: &[u8]) {
        self.0 += 1;
    }
    fn http_post(&mut self, _: &[u8], _: &[u8]) {
        self.0 += 1;
    }
}

impl Gpio for Counter {
    fn pin_mode(&mut self, pin: u8, _: PinMode) {
        assert!(pin <= Profile::ESP8266.max_pin);
        self.0 += 1;
    }
    fn pin_write(&mut self, pin: u8, _: bool) {
        assert!(pin <= Profile::ESP8266.max_pin);
        self.0 += 1;
    }
    fn pin_read(&mut self, pin: u8) -> bool {
        assert!(pin <= Profile::ESP8266.max_pin);
        true
    }
    fn pwm(&mut self, pin: u8, duty: u16) {
        assert!(duty <= umqtt_vm::PWM_MAX);
        assert!(pin <= Profile::ESP8266.max_pin);
        self.0 += 1;
    }
    fn adc(&mut self) -> u16 {
        7
    }
}

impl Serial for Counter {
    fn serial_write(&mut self, _: &[u8]) {
        self.0 += 1;
    }
}

impl Console for Counter {
    fn print(&mut self, text: &[u8], _: bool) {
        assert!(text.len() <= 200);
        self.0 += 1;
    }
    fn system(&mut self, _: &[u8]) {
        self.0 += 1;
    }
    fn config(&mut self, _: &[u8], _: &[u8]) {
        self.0 += 1;
    }
}

impl umqtt_vm::Random for Counter {}

impl umqtt_vm::Tracing for Counter {}
impl umqtt_vm::Almanac for Counter {
    fn sun(&mut self, day: u32) -> Option<[i32; 2]> {
        Some([day as i32, -1])
    }
    fn unix_time(&mut self) -> u32 {
        u32::MAX
    }
}

impl FlashVariables for Counter {
    fn flash_read(&mut self, _: u8, out: &mut [u8; FLASH_VARIABLE_LEN]) -> usize {
        out.fill(b'f');
        FLASH_VARIABLE_LEN
    }
    fn flash_write(&mut self, n: u8, value: &[u8]) {
        assert!((1..=Profile::ESP8266.flash_variables).contains(&n));
        assert!(value.len() <= FLASH_VARIABLE_LEN);
        self.0 += 1;
    }
}

impl Timekeeping for Counter {
    fn set_timer(&mut self, n: u8, _: i32) {
        assert!((1..=Profile::ESP8266.timers).contains(&n));
        self.0 += 1;
    }
    fn set_alarm(&mut self, n: u8, _: &[u8]) {
        assert!((1..=Profile::ESP8266.alarms).contains(&n));
        self.0 += 1;
    }
    fn timestamp(&mut self) -> [u8; 8] {
        *b"12:00:00"
    }
    fn weekday(&mut self) -> [u8; 3] {
        *b"Mon"
    }
    fn day(&mut self) -> Option<u32> {
        Some(20_000)
    }
    fn uptime(&mut self) -> u64 {
        u64::MAX
    }
}

impl Supervisor for Counter {}

/// Runs every handler there is; returns how many events ran to their end.
fn run(image: Vec<u8>, events: &[Event<'_>]) -> Option<usize> {
    const FUEL: u32 = 2_000;
    let code_len = Image::parse(&image).ok()?.code().len() as u64;
    let profile = Profile::ESP8266.value(200);
    let program = Program::verify(image, &profile).ok()?;
    // Small, so that memory runs out now and then.
    let mut machine = Machine::new(program, (vec![[0; 2]; 40], vec![0; 380]), &profile).ok()?;
    let mut finished = 0;
    for event in events {
        let (mut host, mut supervisor) = (Counter::default(), Counter::default());
        let mut syscalls = Syscalls { host: &mut host, supervisor: &mut supervisor };
        let mut handlers = HandlerCursor::default();
        let (mut runs, mut fuel) = (0, FUEL);
        while let Some(handler) = machine.next(&mut handlers, event, &mut fuel, &mut syscalls) {
            runs += 1;
            match machine.run(handler, event, &mut fuel, &mut syscalls) {
                Ok(()) => finished += 1,
                Err(trap) => assert_ne!(trap.code, TrapCode::Corrupt, "at {}", trap.at),
            }
        }
        // Each word of code makes at most one call, and loops pay for the way back.
        let calls = host.0 + supervisor.0;
        assert!(calls <= runs * (code_len + u64::from(FUEL)), "{calls} calls");
    }
    machine.variables(&mut |_, value| assert!(value.len() <= 200));
    Some(finished)
}

fn events() -> Vec<Event<'static>> {
    let topic =
        |side, topic: &'static [u8], data: &'static [u8]| Event::Topic { side, topic, data };
    vec![
        Event::Config,
        Event::Init,
        topic(Side::Local, b"a/b", b"on"),
        topic(Side::Local, b"a/b", b"toggle"),
        topic(Side::Remote, b"a/b", &[b'x'; 300]),
        Event::Timer(1),
        Event::Serial { line: b"one,two,three" },
        Event::HttpResponse {
            host: b"host",
            path: b"a.1",
            code: *b"200",
            body: br#"{"a":[1,"z\u00e9ta",{"b":null}]}"#,
            cut: true,
        },
        Event::GpioInterrupt { pin: 0, level: true },
        Event::MqttConnect,
        Event::WifiConnect,
        Event::WifiDisconnect,
        Event::Alarm(2),
        Event::Every(0),
        Event::Clock(0),
    ]
}

fn images() -> Vec<Vec<u8>> {
    let options = EmitOptions::new().debug(true);
    let compiled = |script: &str| compile(script.as_bytes(), &Profile::ESP8266, options).unwrap();
    SCRIPTS.iter().map(|script| compiled(script)).collect()
}

/// So many variables and constants that not all have places.
fn large_image() -> Vec<u8> {
    let sets = |n| format!("setvar $v{n} = $v{} + {} ", n - 1, 1000 + n);
    let script: String = (1..200).map(sets).collect();
    let script = format!("on init do setvar $v0 = 1 {script} print $v199 | $v100 | \"x\"");
    compile(script.as_bytes(), &Profile::DESKTOP, EmitOptions::new().debug(true)).unwrap()
}

/// Whatever is an image can be listed, verified or not; an error of the output ends the listing.
fn check_listing(image: &[u8]) {
    struct Full(usize);

    impl Write for Full {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 = self.0.checked_sub(text.len()).ok_or(fmt::Error)?;
            Ok(())
        }
    }

    let Ok(image) = Image::parse(image) else { return };
    let listing = Listing::new(&image);
    assert!(write!(Full(2), "{listing}").is_err() || image.code().is_empty());
    assert!(write!(Full(1 << 20), "{listing}").is_ok());
}

#[test]
fn listings_name_events_filters_and_lines() {
    let script = "on topic local \"a/\" | lower($t) do\nprint 1\n\non topic remote $t do print 2\non timer 3 do setvar $t = 7";
    let options = EmitOptions::new().debug(true);
    let image = compile(script.as_bytes(), &Profile::ESP8266, options).unwrap();
    let image = Image::parse(&image).unwrap();
    let expected = "\
topic filter of the handler at 0004
    1 | on topic local \"a/\" | lower($t) do
        0000  lower $t -> t0
        0001  join \"a/\" t0 -> t0
";
    let line = |number: u32| script.lines().nth(number as usize - 1);
    let listed = Listing::new(&image).with_source(&line).to_string();
    assert!(listed.starts_with(expected), "{listed}");
    for heading in ["on topic local (computed at 0000)", "on topic remote $t", "on timer 3"] {
        assert!(listed.contains(&format!("\n\n{heading}\n")), "{listed}");
    }
    assert!(Listing::new(&image).to_string().contains("    2 |\n"));
}

#[test]
fn whole_images_run() {
    for image in images() {
        assert!(run(image, &events()).unwrap() > 3);
    }
}

#[test]
fn broken_images_are_refused_or_run() {
    let (images, events) = (images(), events());
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut ran = 0;
    for round in 0..300_000 {
        let mut image = images[round % images.len()].clone();
        mutate(&mut image, &images[random.below(images.len())], &mut random);
        fix_checksum(&mut image);
        check_listing(&image);
        ran += usize::from(run(image, &events).is_some());
    }
    // The test says something only if a good part gets past the verifier, and not all.
    assert!((10_000..290_000).contains(&ran), "{ran}");
}

#[test]
fn cut_images_are_refused() {
    for image in images() {
        for len in 0..image.len() {
            let mut cut = image[..len].to_vec();
            assert!(Program::verify(&cut[..], &Profile::ESP8266).is_err());
            fix_checksum(&mut cut);
            assert!(Program::verify(&cut[..], &Profile::ESP8266).is_err(), "{len}");
        }
    }
}

#[test]
fn what_a_smaller_device_does_not_have_is_named() {
    for (script, refusal) in [
        ("on init do gpio_out 40 1", "pin 40 is not on this device (0 to 16)"),
        ("on init do print gpio_in(17)", "pin 17 is not on this device (0 to 16)"),
        ("on init do gpio_pinmode 63 input", "pin 63 is not on this device (0 to 16)"),
        ("on gpio_interrupt 40 pullup do print 1", "pin 40 is not on this device (0 to 16)"),
        ("on init do settimer 20 5", "timer 20 is not on this device (1 to 16)"),
        ("on timer 20 do print 1", "timer 20 is not on this device (1 to 16)"),
        ("on init do setalarm 32 12:00", "alarm 32 is not on this device (1 to 16)"),
        ("on alarm 32 do print 1", "alarm 32 is not on this device (1 to 16)"),
        ("on init do setvar @20 = 1", "flash variable 20 is not on this device (1 to 16)"),
        ("on init do print @20", "flash variable 20 is not on this device (1 to 16)"),
    ] {
        let large = Profile::DESKTOP.flash_variables(32);
        let image = compile(script.as_bytes(), &large, EmitOptions::new()).unwrap();
        assert!(Program::verify(&image[..], &large).is_ok(), "{script}");
        let refused = Program::verify(&image[..], &Profile::ESP8266).unwrap_err().to_string();
        assert_eq!(refused, format!("{refusal}: build it with --profile esp8266"), "{script}");
    }
}

#[test]
fn noise_is_refused() {
    let mut random = Random(7);
    for _ in 0..20_000 {
        let mut noise: Vec<u8> = (0..random.below(200)).map(|_| random.below(256) as u8).collect();
        assert!(Program::verify(&noise[..], &Profile::ESP8266).is_err());
        let start = [&MAGIC[..], &[VERSION]].concat();
        let len = start.len().min(noise.len());
        noise[..len].copy_from_slice(&start[..len]);
        fix_checksum(&mut noise);
        // Nothing to expect but an answer.
        let _ = run(noise, &events());
    }
}

#[test]
fn every_instruction_is_used() {
    use umqtt_vm::decode::instructions;
    use umqtt_vm::isa::Op;
    let mut images = images();
    images.push(large_image());
    let used: Vec<Op> = images
        .iter()
        .flat_map(|image| {
            let code = Image::parse(image).unwrap().code().to_vec();
            instructions(&code).map(|(_, instruction)| instruction.op).collect::<Vec<_>>()
        })
        .collect();
    let missing: Vec<_> = Op::ALL.iter().filter(|op| !used.contains(op)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
