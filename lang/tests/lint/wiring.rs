//! Who wakes whom: subscriptions, timers, handlers that feed themselves, and what that writes to
//! flash.

use super::common::codes;
use super::expect;

#[test]
fn w0004_no_subscription() {
    expect(&[
        ("on topic local a/b do print 1", &["W0004"]),
        ("on init do subscribe local a/c on topic local \"a/+\" do print 1", &[]),
        ("on init do subscribe local \"$share/g/a/c\" on topic local a/c do print 1", &[]),
        (
            "on init do subscribe local \"#\" on topic local \"$SYS/x\" do print 1",
            &["W0005", "W0004"],
        ),
        ("on init do subscribe local $weekday on topic local a do print 1", &[]),
        ("on init do setvar $t = a subscribe local $t | \"/b\" on topic local a/b do print 1", &[]),
        ("on mqttconnect do subscribe remote a on topic local a do print 1", &["W0005", "W0004"]),
        ("on mqttconnect do subscribe remote a on topic remote a do print 1", &[]),
    ]);
}

#[test]
fn w0005_no_handler() {
    expect(&[
        ("on init do subscribe local a", &["W0005"]),
        ("on init do subscribe local \"a/#\" on topic local a do print 1", &[]),
        ("on init do subscribe local a on topic local $weekday do print 1", &[]),
        ("on init do subscribe local a unsubscribe local b on topic local \"+\" do print 1", &[]),
    ]);
}

#[test]
fn w0006_timer_never_armed() {
    expect(&[
        ("on timer 1 do print 1", &["W0006"]),
        ("on alarm 2 do print 1", &["W0006"]),
        ("on init do settimer 1 0 on timer 1 do print 1", &["W0006"]),
        ("on init do settimer 1 10 on timer 1 do print 1", &[]),
        ("on init do setalarm 1 \"07:00\" on alarm 1 do print 1", &[]),
        ("on timer 1 do settimer 1 10", &["W0006"]),
        ("on timer 1 do settimer 2 10 on timer 2 do settimer 1 10", &["W0006", "W0006"]),
        ("on init do settimer 1 5 on timer 1 do settimer 2 10 on timer 2 do settimer 1 10", &[]),
        ("on alarm 1 do setalarm 1 08:00", &["W0006"]),
        ("on gpio_interrupt 4 pullup do settimer 1 50 on timer 1 do settimer 1 10", &[]),
    ]);
}

#[test]
fn w0007_timer_without_handler() {
    expect(&[
        ("on init do settimer 1 10 settimer 1 20", &["W0007"]),
        ("on init do setalarm 1 07:00", &["W0007"]),
        ("on init do settimer 1 0", &[]),
        ("on init do settimer 1 10 setalarm 1 07:00 on timer 1 do print 1", &["W0007"]),
    ]);
}

#[test]
fn w0008_feedback() {
    let subscribed = |script: &str| {
        format!(
            "on init do subscribe local \"#\" on mqttconnect do subscribe remote \"#\" {script}"
        )
    };
    for (handlers, expected) in [
        ("on topic local a do publish local a 1", 1),
        ("on topic local \"a/#\" do publish local a/b $this_data", 1),
        ("on topic local \"#\" do publish local log/ | $this_topic $this_data", 1),
        ("on topic local \"log/+\" do publish local log/ | $this_topic $this_data", 0),
        ("on topic local a do publish local b 1 on topic local b do publish local a 1", 1),
        (
            "on topic local a do publish local b 1 on topic local b do publish local c 1
             on topic local c do publish local a 1 publish local d 1 on topic local d do print 1",
            1,
        ),
        (
            "on topic local \"#\" do publish remote $this_topic $this_data
             on topic remote \"#\" do publish local $this_topic $this_data",
            1,
        ),
        (
            "on topic local \"cmnd/#\" do publish remote $this_topic $this_data
             on topic remote \"stat/#\" do publish local $this_topic $this_data",
            0,
        ),
        ("on topic local a do publish remote a 1", 0),
        ("on topic local a do publish local b 1 on topic local b do print 1", 0),
        ("on topic local a do if $this_data = 1 then publish local a 1 endif", 1),
        ("on topic local a do if $this_data = toggle then publish local a off endif", 0),
        ("on topic local a do if $this_data = x then print 1 else publish local a y endif", 1),
        ("on topic local a do if $this_data = x then print 1 else publish local a x endif", 0),
        (
            "on topic local \"#\" do if $this_topic = \"a\" then publish local b 1 elseif $this_topic = \"b\" then
             publish local a 1 endif",
            1,
        ),
        ("on topic local a do if $this_data > 5 then publish local a $this_data endif", 1),
        ("on topic local a do if $this_data > 5 then publish local a $this_data - 1 endif", 0),
        (
            "on topic local \"#\" do if not ($sent = $this_topic) then publish remote $this_topic $this_data
             else setvar $sent = \"\" endif
             on topic remote \"#\" do setvar $sent = $this_topic publish local $this_topic $this_data",
            0,
        ),
        (
            "on topic local a do if $last neq $this_data then setvar $last = $this_data
             publish local a $this_data endif",
            0,
        ),
        ("on topic local a do if gpio_in(1) then publish local a 1 endif", 0),
        ("on topic local $weekday do publish local $weekday 1", 0),
    ] {
        let script = subscribed(handlers);
        let found = codes(&script).iter().filter(|code| **code == "W0008").count();
        assert_eq!(found, expected, "\n{script}");
    }
    // Without a subscription no message comes back.
    expect(&[("on topic local a do publish local a 1", &["W0004"])]);
}

#[test]
fn w0009_flash_wear() {
    let every = |ms: &str, actions: &str| {
        format!(
            "on init do setvar $ms = {ms} settimer 1 $ms on timer 1 do {actions} settimer 1 $ms"
        )
    };
    let second = |actions: &str| codes(&every("1000", actions));
    for hot in [
        "setvar @1 = @1 + 1",
        "if @1 > 0 then setvar @1 = @1 - 1 endif",
        "setvar @1 = $timestamp",
        "setvar @1 = not(@1)",
        "if @1 then setvar @1 = 0 else setvar @1 = 1 endif",
        "if @1 neq $adc then setvar @1 = $adc endif",
        "setvar $n = $n + 1 setvar @1 = \"n: \" | $n",
        "setvar @1 = 1 gpio_out 4 1 setvar @1 = 0",
    ] {
        assert!(second(hot).contains(&"W0009"), "{hot}");
    }
    for harmless in [
        "setvar @1 = 1",
        "if gpio_in(4) then setvar @1 = 1 else setvar @1 = 0 endif",
        "if $adc > 5 then setvar @1 = $adc endif",
        "setvar $n = $n + 1 if ($n mod 60) = 0 then setvar @1 = $n endif",
        "setvar @1 = gpio_in(4)",
        "setvar @1 = @2",
    ] {
        assert_eq!(second(harmless), [""; 0], "{harmless}");
    }
    // Ten seconds and a number: the flash lasts for fifty years.
    assert_eq!(codes(&every("10000", "setvar @1 = @1 + 1")), [""; 0]);
    assert_eq!(codes(&every("5000", "while @1 lt 9 do setvar @1 = @1 + 1 done")), ["W0009"]);
    let topic = |actions: &str| {
        codes(&format!("on init do subscribe local a on topic local a do {actions}"))
    };
    assert_eq!(topic("setvar @2 = $this_data"), ["W0009"]);
    assert_eq!(topic("setvar @2 = @2 + 1"), ["W0009"]);
    assert_eq!(topic("if @2 neq $this_data then setvar @2 = $this_data endif"), [""; 0]);
    assert_eq!(topic("if $this_data > 20 then setvar @2 = $this_data endif"), [""; 0]);
    assert_eq!(topic("setvar @2 = 1"), [""; 0]);
    assert_eq!(
        topic("if $this_data = \"on\" then setvar @2 = 1 else setvar @2 = 0 endif"),
        [""; 0]
    );
    expect(&[
        ("on init do setvar @1 = @1 + 1", &[]),
        ("on init do settimer 1 9 on timer 1 do setvar @1 = @1 + 1", &[]),
        ("on init do while @1 lt 9 do setvar @1 = @1 + 1 done", &[]),
        ("on gpio_interrupt 1 pullup do setvar @1 = @1 + 1", &[]),
        // Two timers in turn.
        (
            "on init do settimer 1 9 on timer 1 do settimer 2 500 on timer 2 do setvar @1 = @1 + 1 settimer 1 500",
            &["W0009"],
        ),
    ]);
}
