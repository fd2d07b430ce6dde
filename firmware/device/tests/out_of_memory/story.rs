//! A story in which all of the device happens. It takes every answer as it comes: what must hold
//! afterwards is looked at by [`probe`].

use umqtt_device::device::DeviceOptions;
use umqtt_device::net::ConnId;
use umqtt_device::storage::ram::RamFlash;

use crate::allocator::end_of_step;
use crate::world::World;

const MQTT: u16 = 1883;
const CONSOLE: u16 = 7777;
const UPLOAD: u16 = 2000;

/// A script that uses what scripts can use.
const SCRIPT: &str = "config backlog 200\n\
on init do\n subscribe local cmd/#\n subscribe local set\n settimer 1 100\n setvar @1 = kept\n\
on mqttconnect do\n subscribe remote far/+\n publish remote up \"hello\"\n\
on topic local cmd/+ do\n setvar $seen = $seen | $this_data | \",\"\n println \"got \" | $this_topic\n \
 publish local out/$this_data \"answer \" | $seen retained\n publish remote far/x $this_data\n\
on topic local set do\n setvar @2 = $this_data\n system \"show vars\"\n http_get \"http://10.0.0.9/a?b=c\"\n\
on topic remote far/+ do\n publish local near $this_data\n\
on timer 1 do\n gpio_out 12 1\n\
on wificonnect do\n publish local wifi up\n\
on wifidisconnect do\n publish local wifi down\n\
on serial do\n publish local serial $this_serial\n\
on http_response do\n publish local web $this_http_code | $this_http_body\n";

fn text(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes()[..], text].concat()
}

pub(crate) fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![kind];
    let mut left = body.len();
    loop {
        packet.push((left % 128) as u8 | if left >= 128 { 128 } else { 0 });
        left /= 128;
        if left == 0 {
            break;
        }
    }
    packet.extend(body);
    packet
}

fn connect(name: &str, clean: bool, will: bool) -> Vec<u8> {
    connect_with(name, clean, will.then_some("gone, without having said so"))
}

pub(crate) fn connect_with(name: &str, clean: bool, will: Option<&str>) -> Vec<u8> {
    let flags = if clean { 2 } else { 0 } | if will.is_some() { 4 | 1 << 3 } else { 0 };
    let mut body = [&text(b"MQTT")[..], &[4, flags, 0, 60], &text(name.as_bytes())].concat();
    if let Some(will) = will {
        body.extend([text(b"last/words"), text(will.as_bytes())].concat());
    }
    packet(0x10, &body)
}

pub(crate) fn subscribe(id: u8, filters: &[(&str, u8)]) -> Vec<u8> {
    let list =
        filters.iter().flat_map(|(filter, qos)| [text(filter.as_bytes()), vec![*qos]].concat());
    packet(0x82, &[0, id].into_iter().chain(list).collect::<Vec<u8>>())
}

pub(crate) fn publish(kind: u8, topic: &str, id: u8, payload: &[u8]) -> Vec<u8> {
    let id = if kind & 6 == 0 { vec![] } else { vec![0, id] };
    packet(kind, &[&text(topic.as_bytes())[..], &id, payload].concat())
}

/// The world, and what ends each step.
struct Teller {
    world: World,
}

impl Teller {
    fn step<T>(&mut self, what: impl FnOnce(&mut World) -> T) -> T {
        let told = what(&mut self.world);
        end_of_step();
        told
    }

    fn client(&mut self, name: &str, clean: bool, will: bool) -> Option<ConnId> {
        let conn = self.step(|world| world.connect(MQTT));
        self.step(|world| world.send(conn, connect(name, clean, will)));
        self.step(|world| world.received(conn));
        conn
    }

    fn says(&mut self, conn: Option<ConnId>, bytes: impl AsRef<[u8]>) {
        self.step(|world| world.send(conn, bytes));
        self.step(|world| world.received(conn));
    }

    fn upload(&mut self, console: Option<ConnId>, script: &[u8]) {
        self.says(console, format!("script {UPLOAD}\r\n"));
        let upload = self.step(|world| world.connect(UPLOAD));
        for piece in script.chunks(100) {
            self.step(|world| world.send(upload, piece));
        }
        self.step(|world| world.finish(upload));
        self.step(|world| world.advance(100));
        self.step(|world| world.received(upload));
        self.step(|world| world.received(console));
    }
}

/// The whole story, from an empty flash on.
pub(crate) fn story(options: DeviceOptions) -> World {
    let flash = RamFlash::new(options.layout.sectors());
    let world = World::boot(flash, options);
    end_of_step();
    let mut teller = Teller { world };
    let t = &mut teller;
    if !t.world.is_up() {
        return teller.world;
    }

    // Clients of all kinds.
    let a = t.client("a", true, true);
    let b = t.client("b", false, false);
    t.says(
        a,
        subscribe(1, &[("out/#", 0), ("#", 1), ("near", 2), ("a/rather/long/filter/+/x", 0)]),
    );
    t.says(b, subscribe(2, &[("b/1", 1), ("b/2", 2)]));
    t.says(a, publish(0x30, "t", 0, b"short"));
    t.says(a, publish(0x31, "kept/one", 0, &[b'k'; 200]));
    t.says(a, publish(0x33, "kept/two", 3, b"retained"));
    t.says(a, publish(0x32, "b/1", 4, b"once"));
    t.says(b, [0x40, 2, 0, 1]);
    t.says(a, publish(0x34, "b/2", 5, &[b'x'; 300]));
    t.says(a, [0x62, 2, 0, 5]);
    t.says(b, [0x50, 2, 0, 2]);
    t.says(b, [0x70, 2, 0, 2]);
    t.says(a, [0x40, 2, 0, 1]);
    t.says(a, publish(0x30, "big", 0, &[b'b'; 1500]));
    let half = publish(0x30, "half", 0, &[b'h'; 900]);
    let c = t.client("c", true, true);
    t.says(c, subscribe(1, &[("kept/#", 0)]));
    // Those who share a subscription; one leaves what it has not acknowledged to the other.
    t.says(a, subscribe(8, &[("$share/g/work/+", 1)]));
    t.says(c, subscribe(8, &[("$share/g/work/+", 1), ("$share/h/work/+", 1)]));
    for id in 20..24 {
        t.says(a, publish(0x32, "work/1", id, b"job"));
    }
    t.says(c, &half[..500]);

    // A session that is kept while its client is away.
    t.step(|world| world.reset(b));
    t.says(a, publish(0x32, "b/1", 6, b"while away"));
    t.says(a, publish(0x34, "b/2", 7, b"while away too"));
    t.says(a, [0x62, 2, 0, 7]);
    let b = t.client("b", false, false);
    t.says(b, [0x40, 2, 0, 3]);
    t.step(|world| world.reset(c));
    t.says(a, [0xc0, 0]);

    // The console.
    let console = t.step(|world| world.connect(CONSOLE));
    for line in ["help", "help set", "show", "show stats", "show mqtt", "nonsense", "time"] {
        t.says(console, format!("{line}\r\n"));
    }
    t.says(console, "set broker_user none\r\nset mqtt_user somewhere\r\nsave\r\n");
    t.says(console, "publish local kept/three hello retained\r\nsave_retained\r\n");
    t.says(console, "set @3 flash\r\nset mqtt_host far.example\r\n");

    // Scripts: one that is wrong, then one that uses everything.
    t.upload(console, b"on init do\n nonsense 1\n setvar $x = \n");
    t.upload(console, SCRIPT.as_bytes());
    t.step(|world| world.advance(500));
    t.says(console, "show script\r\nshow vars\r\nshow backlog\r\n");
    for data in ["one", "two", "three"] {
        t.says(a, publish(0x30, "cmd/x", 0, data.as_bytes()));
    }
    t.step(|world| world.received(a));

    // The remote broker: a bridge.
    t.step(|world| world.advance(6_000));
    let far = t.step(World::asked);
    t.says(far, [0x20, 2, 0, 0]);
    t.says(far, [0x90, 3, 0, 1, 0]);
    t.says(far, publish(0x30, "far/y", 0, b"from far"));
    t.says(a, publish(0x30, "cmd/x", 0, b"to far"));
    t.step(|world| world.received(far));

    // The web.
    t.says(a, publish(0x30, "set", 0, b"two"));
    let web = t.step(World::asked);
    t.step(|world| world.received(web));
    t.says(
        web,
        "HTTP/1.1 200 OK\r\nServer: none\r\nX: y\r\n z\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    t.says(web, "5\r\nhello\r\n0\r\n\r\n");
    t.step(|world| world.received(a));

    // A script from the web, by a redirect.
    t.says(console, "script http://10.0.0.9/first\r\n");
    let web = t.step(World::asked);
    t.step(|world| world.received(web));
    t.says(web, "HTTP/1.1 302 Found\r\nLocation: /second\r\nContent-Length: 0\r\n\r\n");
    let web = t.step(World::asked);
    t.step(|world| world.received(web));
    let body = "on init do publish local pulled yes retained\n";
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    t.says(web, head);
    t.step(|world| world.received(console));

    // WiFi: another network, scans beside it, stations, a network that is lost and comes back.
    t.says(console, "set ssid home\r\nset password secret99\r\nset ap_ssid box\r\n");
    t.step(|world| world.advance(4_000));
    t.says(console, "scan\r\n");
    t.step(|world| world.received(console));
    t.step(|world| world.radio(|radio| _ = radio.add_station([2, 0, 0, 0, 0, 9])));
    t.step(|world| world.radio(|radio| _ = radio.lose()));
    t.step(|world| world.advance(4_000));

    // The serial port, the lock, and what time brings.
    t.step(|world| world.type_in("show stats\r\nset system_output 2\r\n"));
    t.says(console, "lock secret\r\nset mqtt_user x\r\nunlock wrong\r\nunlock secret\r\n");
    t.step(|world| world.advance(11_000));
    t.step(|world| world.received(a));
    t.says(console, "quit\r\n");

    // And a restart, in the middle of it.
    let restarted = teller.world.power_cycle();
    end_of_step();
    restarted.expect("it was up")
}

/// The device serves as ever; what is wrong, if it does not.
pub(crate) fn probe(world: &mut World) -> Result<(), String> {
    world.advance(30_000);
    let conn = world.connect(MQTT);
    world.send(conn, connect("probe", true, false));
    let answer = world.received(conn);
    if !answer.starts_with(&[0x20, 2, 0, 0]) {
        return Err(format!("not connected: {answer:?}"));
    }
    world.send(conn, subscribe(9, &[("probe", 1)]));
    let answer = world.received(conn);
    if !answer.ends_with(&[0x90, 3, 0, 9, 1]) {
        return Err(format!("not subscribed: {answer:?}"));
    }
    world.send(conn, publish(0x32, "probe", 1, b"are you there"));
    let answer = world.received(conn);
    if !answer.ends_with(b"are you there") && !answer.ends_with(&[0x40, 2, 0, 1]) {
        return Err(format!("nothing came: {answer:?}"));
    }
    let console = world.connect(CONSOLE);
    world.send(console, "time\r\n");
    let answer = world.received(console);
    if world.is_closed(console) || !answer.ends_with(b"CMD>xxx 99:99:99\r\nCMD>") {
        return Err(format!("the console says {:?}", String::from_utf8_lossy(&answer)));
    }
    Ok(())
}
