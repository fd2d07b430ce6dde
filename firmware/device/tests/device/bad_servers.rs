//! `script http://...` from servers that are broken, slow or hostile: the old script runs on, the
//! user is told why, and the next upload is taken.

use crate::world::{End, World, publish_packet};

const OLD: &str = "on init do subscribe local go\non topic local go do println \"still runs\"\n";
/// More than any device takes of a script.
const ENDLESS: usize = 4000;

/// What the server does; where it is over it has hung up, or the device has.
type Server = fn(&mut World, End);

fn say(world: &mut World, end: End, bytes: impl AsRef<[u8]>) {
    for piece in bytes.as_ref().chunks(1000) {
        if !world.is_closed(end) {
            world.send(end, piece);
        }
    }
}

/// Says it all, and hangs up.
fn all(world: &mut World, end: End, bytes: impl AsRef<[u8]>) {
    say(world, end, bytes);
    world.finish(end);
}

/// Says it again and again until the device hangs up.
fn forever(world: &mut World, end: End, bytes: &str) {
    for _ in 0..ENDLESS {
        if world.is_closed(end) {
            return;
        }
        say(world, end, bytes);
    }
    panic!("the device takes {} bytes", ENDLESS * bytes.len());
}

/// A byte every nine seconds: never so long nothing that it is given up for that.
fn slowly(world: &mut World, end: End, bytes: &str) {
    for byte in bytes.bytes().cycle().take(20) {
        if world.is_closed(end) {
            return;
        }
        world.send(end, [byte]);
        world.advance(9_000);
    }
    panic!("the device is patient");
}

/// Redirects to there, as often as it is asked.
fn redirects(world: &mut World, mut end: End, to: &str) {
    for _ in 0..10 {
        all(world, end, format!("HTTP/1.1 301 Moved\r\nLocation: {to}\r\n\r\n"));
        if world.net.asked.is_empty() {
            return;
        }
        (.., end) = world.take_asked();
    }
    panic!("the device goes round in circles");
}

const LINE: &str = "% another line of a script that has no end\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

const SERVERS: [(&str, Server, &str); 34] = [
    ("silence", |world, _| world.advance(11_000), "it took too long"),
    ("hangs up", |world, end| world.finish(end), "the answer was cut short"),
    ("breaks", |world, end| world.reset(end), "the connection broke"),
    ("half a head", |world, end| all(world, end, "HTTP/1.1 200 OK\r\nConte"), "cut short"),
    ("no HTTP", |world, end| all(world, end, "220 ready\r\n\r\n"), "the answer is not HTTP"),
    ("binary", |world, end| all(world, end, [0xff; 300]), "cut short"),
    ("TLS", |world, end| all(world, end, b"\x15\x03\x01\0\x02\x02\x46"), "cut short"),
    ("no body", |world, end| all(world, end, format!("{OK}\r\n")), "the script is empty"),
    ("204", |world, end| all(world, end, "HTTP/1.1 204 No\r\n\r\n"), "(error code 204)"),
    ("500", |world, end| all(world, end, "HTTP/1.1 500 No\r\n\r\nsorry"), "(error code 500)"),
    (
        "endless without a length",
        |world, end| {
            say(world, end, format!("{OK}\r\n"));
            forever(world, end, LINE);
        },
        "(script too long)",
    ),
    (
        "endless in chunks",
        |world, end| {
            say(world, end, CHUNKED);
            forever(world, end, &format!("{:x}\r\n{LINE}\r\n", LINE.len()));
        },
        "(script too long)",
    ),
    (
        "endless error",
        |world, end| {
            say(world, end, "HTTP/1.1 404 Not Found\r\n\r\n");
            forever(world, end, LINE);
        },
        "(error code 404)",
    ),
    (
        "too long by its length",
        |world, end| say(world, end, format!("{OK}Content-Length: 99999999\r\n\r\n")),
        "(script too long)",
    ),
    (
        "a length beyond all numbers",
        |world, end| say(world, end, format!("{OK}Content-Length: 99999999999999999999\r\n\r\n")),
        "(script too long)",
    ),
    (
        "a negative length",
        |world, end| say(world, end, format!("{OK}Content-Length: -5\r\n\r\nhello")),
        "the answer is not HTTP",
    ),
    (
        "two lengths",
        |world, end| {
            let two = "Content-Length: 5\r\nContent-Length: 6\r\n\r\n";
            say(world, end, format!("{OK}{two}hello"));
        },
        "the answer is not HTTP",
    ),
    (
        "less than its length",
        |world, end| all(world, end, format!("{OK}Content-Length: 900\r\n\r\n{LINE}")),
        "the answer was cut short",
    ),
    (
        "breaks in the body",
        |world, end| {
            say(world, end, format!("{OK}\r\n{LINE}"));
            world.reset(end);
        },
        "the connection broke",
    ),
    (
        "ends in the middle of a statement",
        |world, end| all(world, end, format!("{OK}\r\non init do\n println (1")),
        "Error in line 2",
    ),
    (
        "a chunk that is longer than it says",
        |world, end| say(world, end, format!("{CHUNKED}5\r\nabcdefgh\r\n0\r\n\r\n")),
        "the answer is not HTTP",
    ),
    (
        "a chunk that is shorter than it says",
        |world, end| all(world, end, format!("{CHUNKED}50\r\nabc\r\n0\r\n\r\n")),
        "the answer was cut short",
    ),
    (
        "a chunk of no number",
        |world, end| say(world, end, format!("{CHUNKED}xyz\r\nabc\r\n")),
        "the answer is not HTTP",
    ),
    (
        "a chunk of a negative number",
        |world, end| say(world, end, format!("{CHUNKED}-1\r\nabc\r\n")),
        "the answer is not HTTP",
    ),
    (
        "a chunk of all numbers",
        |world, end| say(world, end, format!("{CHUNKED}fffffffffffffffff\r\nabc\r\n")),
        "the answer is not HTTP",
    ),
    (
        "an endless chunk",
        |world, end| {
            say(world, end, format!("{CHUNKED}ffffffffffffffff\r\n"));
            forever(world, end, LINE);
        },
        "(script too long)",
    ),
    (
        "an endless chunk size",
        |world, end| {
            say(world, end, format!("{CHUNKED}5;"));
            forever(world, end, "x=y;");
        },
        "the answer is not HTTP",
    ),
    (
        "endless trailers",
        |world, end| {
            say(world, end, format!("{CHUNKED}0\r\n"));
            forever(world, end, "X: y\r\n");
        },
        "the head of the answer is too long",
    ),
    (
        "an endless header",
        |world, end| {
            say(world, end, format!("{OK}X: "));
            forever(world, end, "xxxxxxxxxxxx");
        },
        "the head of the answer is too long",
    ),
    (
        "endless headers",
        |world, end| {
            say(world, end, OK);
            forever(world, end, "X: y\r\n");
        },
        "the head of the answer is too long",
    ),
    (
        "endless interim answers",
        |world, end| forever(world, end, "HTTP/1.1 100 Continue\r\n\r\n"),
        "the head of the answer is too long",
    ),
    ("a slow head", |world, end| slowly(world, end, OK), "it took too long"),
    (
        "a slow body",
        |world, end| {
            say(world, end, format!("{OK}\r\n"));
            slowly(world, end, LINE);
        },
        "it took too long",
    ),
    (
        "compressed",
        |world, end| all(world, end, format!("{OK}Content-Encoding: gzip\r\n\r\n\x1f")),
        "the answer is compressed",
    ),
];

const REDIRECTS: [(&str, &str); 6] = [
    ("/again", "too many redirects"),
    ("http://server/x", "too many redirects"),
    ("ftp://server/x", "its redirect cannot be followed"),
    ("https://server/x", "its redirect cannot be followed"),
    ("http://", "its redirect cannot be followed"),
    ("", "too many redirects"),
];

/// Asks for a script, lets the server have its way, and looks what has become of it.
fn holds(name: &str, reason: &str, serve: &mut dyn FnMut(&mut World, End)) {
    let mut world = World::running(OLD);
    let console = world.console();
    world.ask(console, "script http://server/x");
    let (.., end) = world.take_asked();
    world.received(end);
    serve(&mut world, end);
    world.advance(100);
    let told = world.text(console);
    assert!(told.contains(reason) && !told.contains("Syntax okay"), "{name}: {told:?}");
    assert!(world.is_closed(end), "{name}: the connection stays");
    let client = world.client("c", "none");
    world.send(client, publish_packet("go", "1"));
    assert!(world.text(console).contains("still runs"), "{name}");
    // Nothing of it is left behind.
    world.ask(console, "script 2000");
    let sender = world.connect(2000);
    world.send(sender, "on init do println \"new\"\n");
    world.finish(sender);
    let told = world.text(console);
    assert!(told.contains("Syntax okay") && told.contains("new"), "{name}: {told:?}");
}

#[test]
fn the_old_script_runs_on_and_the_user_is_told_why() {
    for (name, mut serve, reason) in SERVERS {
        holds(name, reason, &mut serve);
    }
}

#[test]
fn redirects_that_lead_nowhere_are_told() {
    for (to, reason) in REDIRECTS {
        holds(to, reason, &mut |world, end| redirects(world, end, to));
    }
    let no_place = |world: &mut World, end| all(world, end, "HTTP/1.1 301 Moved\r\n\r\n");
    holds("to nowhere", "(error code 301)", &mut { no_place });
    let long = format!("HTTP/1.1 301 Moved\r\nLocation: /{}\r\n\r\n", "x".repeat(7000));
    holds("to far", "the head of the answer is too long", &mut |world, end| say(world, end, &long));
}
