//! Any bytes as JSON, and as values of it: what a script writes it reads, whatever the values are,
//! and what it reads it can write again.

use umqtt_lang::{EmitOptions, compile};
use umqtt_vm::{
    Event, HandlerCursor, Machine, NullHost, Profile, Program, Side, Syscalls, parse_number,
};

const FUEL: u32 = 10_000_000;
const VALUE: usize = 4096;

/// The variables in the order of their numbers: each is set to something of the data.
const SCRIPT: &[u8] = br#"on topic local a do
    setvar $read = json_parse("", $this_data)
    setvar $object = json($this_data, $this_data, "text", text($this_data))
    setvar $text = json_parse("text", $object)
    setvar $members = json_len("", $object)
    setvar $array = json_array($this_data, $object)
    setvar $first = json_parse("0", $array)
    setvar $second = json_parse("1", $array)
    setvar $path = json_parse($this_data, $object)
"#;

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let profile = Profile::DESKTOP.value(VALUE);
    let image = compile(SCRIPT, &profile, EmitOptions::new()).expect("it is right");
    let program = Program::verify(image, &profile).expect("it is sound");
    let slots = vec![[0; 2]; program.slots()];
    let memory = (slots, vec![0; 60_000]);
    let mut machine = Machine::new(program, memory, &profile).expect("slots enough");
    let event = Event::Topic { side: Side::Local, topic: b"a", data: bytes };
    let (mut host, mut supervisor) = (NullHost, NullHost);
    let mut syscalls = Syscalls { host: &mut host, supervisor: &mut supervisor };
    let (mut handlers, mut fuel) = (HandlerCursor::default(), FUEL);
    while let Some(handler) = machine.next(&mut handlers, &event, &mut fuel, &mut syscalls) {
        machine.run(handler, &event, &mut fuel, &mut syscalls).expect("it has fuel and memory");
    }
    let mut values = Vec::new();
    machine.variables(&mut |_, value| values.push(value.to_vec()));
    let [read, object, text, members, array, first, second, _path] = &values[..] else {
        panic!("{} variables", values.len());
    };
    let data = &bytes[..bytes.len().min(VALUE)];
    assert!(read.len() <= data.len());
    if !object.is_empty() {
        assert_eq!(parse_number(members), 2);
        let is_name = String::from_utf8_lossy(data) == "text";
        assert!(is_name || *text == String::from_utf8_lossy(data).as_bytes());
    }
    if !object.is_empty() && !array.is_empty() {
        assert_eq!(second, object);
        // Whole JSON that is no string, nor too deep for what it stands in, stands as it is.
        let bare = data.trim_ascii();
        let levels = bare.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
        let is_bare = *read == bare && levels < 60 && core::str::from_utf8(data).is_ok();
        assert!(read.is_empty() || !is_bare || first == read);
    }
}
