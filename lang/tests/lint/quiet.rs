//! Ordinary scripts get no warning at all, and no script whatever is too much.

use super::common::{codes, warnings};
use umqtt_lang::lint::{MAX_WARNINGS, NoConfig, lint};
use umqtt_vm::Profile;

const RELAY: &str = r#"
config speed 160
on init do
    setvar $number = @1 * 1
    setvar $boots = @2 + 1
    setvar @2 = $boots
    println "start " | $boots
    setvar $on = 0
    gpio_out 12 $on
    setvar $command = "house/switch/" | $number | "/command"
    setvar $status = "house/switch/" | $number | "/status"
    publish local $status $on retained
    subscribe local $command
on mqttconnect do
    subscribe remote $command
    publish remote $status $on retained
on topic remote $command do
    publish local $command $this_data
on topic local $command do
    if $this_data = "on" then
        setvar $on = 1
    elseif $this_data = "off" then
        setvar $on = 0
    elseif $this_data = "toggle" then
        setvar $on = not($on)
    endif
    gpio_out 12 $on
    publish local $status $on retained
    publish remote $status $on retained
on gpio_interrupt 0 pullup do
    if $this_gpio = 0 then
        setvar $on = not($on)
        publish local $command "toggle"
    endif
"#;

const FADE: &str = r#"
on init do
    setvar $duty = 1000
    setvar $step = "-10"
    gpio_pwm 2 $duty
    settimer 1 10
on timer 1 do
    setvar $duty = $duty + $step
    if 0 > $duty then
        setvar $step = 0 - $step
        setvar $duty = $step
    endif
    if $duty > 1000 then
        setvar $step = 0 - $step
        setvar $duty = 1000 + $step
    endif
    gpio_pwm 2 $duty
    settimer 1 10
"#;

const CLOCK: &str = r#"
on init do
    setvar $prefix = "/clock"
    setvar $commands = $prefix | "/#"
    subscribe local $commands
on topic local $commands do
    if ($this_topic = $prefix | "/on") then
        setalarm 1 $this_data
    endif
    if ($this_topic = $prefix | "/off") then
        setalarm 2 $this_data
    endif
on alarm 1 do
    println "on at " | $timestamp
    gpio_out 2 0
on alarm 2 do
    publish local $prefix | "/state" off
    gpio_out 2 1
"#;

const GATEWAY: &str = r#"
on init do
    subscribe local stat/kitchen/POWER
on topic local stat/kitchen/POWER do
    if $this_data = "on" then
        serial_out ",>2001" | #0d
    else
        if $this_data = "off" then serial_out ",>2000" | #0d endif
    endif
on serial do
    setvar $topic = csvstr($this_serial, 1, ",")
    setvar $data = csvstr($this_serial, 2, ",")
    if csvstr($this_serial, 0, ",") = "pub" then
        publish local $topic $data
    endif
"#;

#[test]
fn ordinary_scripts_are_quiet() {
    for script in [RELAY, FADE, CLOCK, GATEWAY] {
        assert_eq!(warnings(script.as_bytes()), [], "{script}");
    }
}

#[test]
fn the_scripts_to_start_from_are_quiet() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the folder of scripts") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "script") {
            let script = std::fs::read(&path).expect("a script");
            let found = lint(
                &script,
                &umqtt_lang::parse(&script, &Profile::ESP8266).statements,
                &Profile::ESP8266,
                &NoConfig,
            );
            assert_eq!(found, [], "{}", path.display());
            count += 1;
        }
    }
    assert!(count >= 10, "{count} scripts");
}

#[test]
fn the_original_devices_kind_of_bridge_is_quiet() {
    let bridge = r##"
        on init do setvar $sent = "" subscribe local "#"
        on mqttconnect do subscribe remote "#"
        on topic local "#" do
            if not ($sent = $this_topic) then publish remote $this_topic $this_data
            else setvar $sent = "" endif
        on topic remote "#" do
            setvar $sent = $this_topic
            publish local $this_topic $this_data"##;
    assert_eq!(codes(bridge), [""; 0]);
}

#[test]
fn no_table_no_config_warnings() {
    let script = b"config anything goes";
    let umqtt_lang::Parsed { statements, .. } = umqtt_lang::parse(script, &Profile::DESKTOP);
    assert_eq!(lint(script, &statements, &Profile::DESKTOP, &NoConfig), []);
}

#[test]
fn warnings_are_sorted_and_bounded() {
    let script = "on init do subscribe local a/#/ settimer 3 5 setvar $a = 1 ".repeat(100);
    let found = warnings(script.as_bytes());
    assert_eq!(found.len(), MAX_WARNINGS);
    assert!(found.is_sorted_by_key(|warning| warning.span));
}

/// The longest scripts there can be, made of what the graphs are made of; the test is that it ends.
#[test]
fn large_scripts_end() {
    let size = Profile::DESKTOP.source;
    let fill = |piece: &str| piece.repeat((size - 100) / piece.len());
    for script in [
        format!(
            "on init do subscribe local \"#\" {}",
            fill("on topic local \"#\" do publish local a/b 1 ")
        )
        .into_bytes(),
        format!("on timer 1 do if $a then {} endif", fill("setvar @1 = 1 elseif $adc then "))
            .into_bytes(),
        fill(&format!("on init do print $adc - $adc {} ", "+ 1 ".repeat(56))).into_bytes(),
        fill("on topic local abcdefghijklm do ").into_bytes(),
        fill("on topic local \"+\" do subscribe local \"#\" ").into_bytes(),
        format!("on topic local a do {}", fill("publish local a $this_data ")).into_bytes(),
        format!("on init do {}", fill("setvar $a = $a | $a | $a + 1 ")).into_bytes(),
        (0..size / 30)
            .flat_map(|n| format!("on init do setvar $v{n}=$v{} ", n + 1).into_bytes())
            .collect(),
    ] {
        let script = &script[..script.len().min(size)];
        let umqtt_lang::Parsed { statements, .. } = umqtt_lang::parse(script, &Profile::DESKTOP);
        assert!(!statements.is_empty());
        let found = lint(script, &statements, &Profile::DESKTOP, &NoConfig);
        assert!(found.len() <= MAX_WARNINGS);
    }
}
