//! Whatever happens, in whatever order: no panic, and the same again gives the same.

use proptest::prelude::*;
use umqtt_device::engine::LocalTime;
use umqtt_device::net::Instant;
use umqtt_device::sim::Simulator;
use umqtt_vm::Profile;

use crate::ms;

/// Uses about everything a script can do.
const SCRIPT: &str = r##"
config ssid home
on init do
    subscribe local "#" subscribe remote "#" setalarm 1 12:00 settimer 1 10 setvar $t = "t/" | @1
on mqttconnect do subscribe remote "#"
on wificonnect do http_get "http://host/" | $timestamp
on wifidisconnect do setvar $t = "t/x"
on serial do serial_out $this_serial | #0d0a  publish local csvstr($this_serial, 0, ",") csvstr($this_serial, 1, ",")
on http_response do println json_parse("a.1", $this_http_body) | $this_http_code | $this_http_path
on timer 1 do settimer 1 $adc  setvar $n = $n + 1  gpio_pwm 5 $n * 100
on alarm 1 do println $weekday  setalarm 1 $timestamp
on gpio_interrupt 4 pullup do publish local "pin" $this_gpio retained  publish remote "pin" $this_gpio
on topic local $t do setvar @1 = $this_data  system $this_data
on topic local "#" do println len($this_data) div (len($this_topic) - 3)  setalarm 1 $this_data
on topic remote "#" do
    publish local $this_data $this_topic
    setvar $n = find($this_data, "x")  settimer 2 $this_data
    while $n > 0 do setvar $n = $n - byte_val($this_data, 0) done
on timer 2 do println retained_topic($t) | gpio_in(4) | upper(substr($t, -3, 2)) | binary($n)
"##;

#[derive(Clone, Debug)]
enum Input {
    Local(String, Vec<u8>, bool),
    Remote(String, Vec<u8>),
    Connect(bool),
    Wifi(bool),
    Serial(Vec<u8>),
    Answer(Vec<u8>),
    Pin(bool),
    Adc(u16),
    Clock(u32, u32),
    Advance(u64),
}

fn input() -> impl Strategy<Value = Input> {
    let topic = "[tx/]{1,4}|pin|[a-z\u{e9}]{1,20}";
    let data = prop_oneof![
        "[0-9x-]{0,6}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..40)
    ];
    prop_oneof![
        (topic, data.clone(), any::<bool>()).prop_map(|(t, d, r)| Input::Local(t, d, r)),
        (topic, data.clone()).prop_map(|(t, d)| Input::Remote(t, d)),
        any::<bool>().prop_map(Input::Connect),
        any::<bool>().prop_map(Input::Wifi),
        data.clone().prop_map(Input::Serial),
        "\\{\"a\":\\[1,[0-9\"]{0,4}[]}]{0,2}"
            .prop_map(|body: String| Input::Answer(body.into_bytes())),
        any::<bool>().prop_map(Input::Pin),
        (0u16..2000).prop_map(Input::Adc),
        (0u32..5, 0u32..86_400_000).prop_map(|(day, millis)| Input::Clock(day, millis)),
        (0u64..200_000).prop_map(Input::Advance),
    ]
}

/// What came of a story: actions, when the next thing is due, variables, fuel.
type Told = (Vec<String>, Option<Instant>, String, u32);

fn play(image: &[u8], inputs: &[Input], is_watched: bool) -> Told {
    let mut sim = Simulator::new(image.to_vec(), &Profile::ESP8266).unwrap();
    if is_watched {
        sim.watch();
    }
    // Quick enough to play many stories.
    sim.set_adc(900);
    sim.start();
    for input in inputs {
        match input {
            Input::Local(topic, data, false) => sim.local(topic, data),
            Input::Local(topic, data, true) => sim.local_retained(topic, data),
            Input::Remote(topic, data) => sim.remote(topic, data),
            Input::Connect(true) => sim.connect_remote(),
            Input::Connect(false) => sim.disconnect_remote(),
            Input::Wifi(up) => sim.wifi(*up),
            Input::Serial(line) => sim.serial(line),
            Input::Answer(body) => drop(sim.http_answer(b"200", body)),
            Input::Pin(level) => sim.drive_pin(4, *level),
            Input::Adc(value) => sim.set_adc((*value).max(100)),
            Input::Clock(day, millis) => {
                sim.set_clock(LocalTime { day: *day, millis: *millis });
            }
            Input::Advance(millis) => sim.advance(ms(*millis)),
        }
    }
    let variables = ["$t", "$n"].map(|name| sim.variable(name).unwrap());
    (sim.done(), sim.next_at(), variables.join("|"), sim.engine().fuel_used())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_story_can_be_told_again(inputs in prop::collection::vec(input(), 0..40)) {
        let image = crate::compile(SCRIPT);
        let first = play(&image, &inputs, false);
        prop_assert_eq!(&first, &play(&image, &inputs, false));
        // Who is watched does the same, and pays the same.
        prop_assert_eq!(&first, &play(&image, &inputs, true));
    }
}
