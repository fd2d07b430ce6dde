//! Any bytes as an image: refused, or it runs within its fuel and buffer. The checksum is put right
//! first, so that the fuzzer need not guess it.

use crate::Outside;
use umqtt_vm::image::{CHECKED_FROM, checksum};
use umqtt_vm::{Event, HandlerCursor, Machine, Profile, Program, Side, Syscalls, TrapCode};

const FUEL: u32 = 2_000;
/// Small, so that memory runs out now and then.
const MEMORY: usize = 700;
const VALUE: usize = 200;

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let mut image = bytes.to_vec();
    if image.len() >= CHECKED_FROM {
        let crc = checksum(&image[CHECKED_FROM..]).to_le_bytes();
        image[CHECKED_FROM - 4..CHECKED_FROM].copy_from_slice(&crc);
    }
    let profile = Profile::ESP8266.value(VALUE);
    let Ok(program) = Program::verify(image, &profile) else { return };
    let code_len = program.image().code().len() as u64;
    let Ok(mut machine) =
        Machine::new(program, (vec![[0; 2]; MEMORY / 16], vec![0; MEMORY / 2]), &profile)
    else {
        return;
    };
    let topic = |side, topic, data| Event::Topic { side, topic, data };
    for event in [
        Event::Config,
        Event::Init,
        topic(Side::Local, b"a/b", b"on"),
        topic(Side::Remote, b"a", b"12"),
        Event::Timer(1),
        Event::Alarm(1),
        Event::Every(0),
        Event::Clock(0),
        Event::Serial { line: b"one,two,three" },
        Event::HttpResponse {
            host: b"h",
            path: b"/",
            code: *b"200",
            body: b"{\"a\":[1,null]}",
            cut: true,
        },
        Event::GpioInterrupt { pin: 0, level: true },
        Event::MqttConnect,
        Event::WifiConnect,
        Event::WifiDisconnect,
    ] {
        let outside = || Outside { profile, value: VALUE, calls: 0 };
        let (mut host, mut supervisor) = (outside(), outside());
        let mut syscalls = Syscalls { host: &mut host, supervisor: &mut supervisor };
        let mut handlers = HandlerCursor::default();
        let (mut runs, mut fuel) = (0, FUEL);
        while let Some(handler) = machine.next(&mut handlers, &event, &mut fuel, &mut syscalls) {
            runs += 1;
            if let Err(trap) = machine.run(handler, &event, &mut fuel, &mut syscalls) {
                assert_ne!(trap.code, TrapCode::Corrupt, "the verifier let it pass");
            }
        }
        assert!(
            host.calls + supervisor.calls <= 2 * runs * (code_len + u64::from(FUEL)),
            "within its fuel"
        );
    }
    machine.variables(&mut |_, value| assert!(value.len() <= VALUE));
}
