//! The HTTP requests of scripts.

use crate::world::World;
use umqtt_device::net::CloseReason;

const ASKS: &str = "on init do\n subscribe local ask\n\
    on topic local ask do\n http_get $this_data\n\
    on http_response do\n println $this_http_code | \" \" | $this_http_host | $this_http_path | \" \" | $this_http_body\n";

fn asking(url: &str) -> (World, crate::world::End) {
    let mut world = World::running(ASKS);
    let console = world.console();
    world.ask(console, &format!("publish local ask {url}"));
    (world, console)
}

#[test]
fn an_answer_comes_as_an_event() {
    let (mut world, console) = asking("http://server/page?x=1");
    let (_, _, end) = world.take_asked();
    assert!(world.text(end).starts_with("GET /page?x=1 HTTP/1.1\r\nHost: server\r\n"));
    world.send(end, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    assert_eq!(world.text(console), "200 server/page?x=1 hi\r\n");
    assert!(world.is_closed(end));
}

#[test]
fn a_failure_is_an_answer_too_and_the_next_request_follows() {
    let (mut world, console) = asking("http://nowhere/");
    world.ask(console, "publish local ask http://server/");
    assert_eq!(world.net.asked.len(), 1, "one at a time");
    world.refuse_asked(CloseReason::NameNotFound);
    let text = world.text(console);
    assert!(
        text.contains("HTTP request to nowhere failed: the host name is unknown\r\n"),
        "{text}"
    );
    assert!(text.contains("000 nowhere/ \r\n"), "{text}");
    let (host, _, end) = world.take_asked();
    assert_eq!(host, "server");
    world.send(end, "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(world.text(console), "500 server/ \r\n");
}

#[test]
fn a_long_body_is_cut_to_what_a_value_holds() {
    let script = "on init do\n http_get \"http://server/\"\n\
        on http_response do\n println len($this_http_body)\n";
    let mut world = World::running(script);
    let console = world.console();
    let (_, _, end) = world.take_asked();
    world.send(end, "HTTP/1.1 200 OK\r\n\r\n".to_owned() + &"x".repeat(5000));
    assert!(world.text(console).contains("4096\r\n"));
}

#[test]
fn a_post_carries_its_body() {
    let script = "on init do\n http_post \"http://server:81/in\" \"a=1\"\n";
    let mut world = World::running(script);
    let (_, port, end) = world.take_asked();
    let request = world.text(end);
    assert_eq!(port, 81);
    assert!(request.starts_with("POST /in HTTP/1.1\r\nHost: server:81\r\n"), "{request}");
    assert!(request.contains("Content-Length: 3\r\n") && request.ends_with("\r\n\r\na=1"));
}

#[test]
fn a_script_that_asks_too_much_is_told_and_its_end_ends_its_requests() {
    let script = "on init do\n setvar $n = 0\n while 20 > $n do\n setvar $n = $n + 1\n \
        http_get \"http://server/\" | $n\n done\n";
    let mut world = World::running(script);
    assert!(world.serial().contains("too many HTTP requests"));
    let (_, _, end) = world.take_asked();
    let console = world.console();
    world.ask(console, "script delete");
    assert!(world.is_closed(end));
    world.advance(60_000);
    assert!(world.net.asked.is_empty());
}
