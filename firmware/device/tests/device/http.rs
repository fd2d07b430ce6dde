//! The HTTP requests of scripts.

use crate::world::World;
use crate::world::options;
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
        on http_response do\n println len($this_http_body) | \" \" | $this_http_cut\n";
    let mut world = World::running(script);
    let console = world.console();
    let (_, _, end) = world.take_asked();
    world.send(end, "HTTP/1.1 200 OK\r\n\r\n".to_owned() + &"x".repeat(5000));
    let text = world.text(console);
    let most = options().profile.value;
    let warning =
        format!("Script warning: the answer of server is longer than {most} bytes, cut\r\n");
    assert!(text.contains(&warning) && text.contains(&format!("{most} 1\r\n")), "{text}");
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

#[test]
fn a_bad_url_is_answered_by_000_and_the_log_says_why() {
    for (url, why) in [
        ("https://server/", "https is not supported"),
        ("server/page", "a URL begins with http://"),
        ("http://server/a\\ b", "the URL has a blank"),
        ("http://server/a%0d%0aEvil:1", "the URL has a control character"),
        ("http://server%0d%0aEvil:1/", "the URL has a control character"),
        ("http://me:pw@server/", "user name and password in a URL are not supported"),
        ("http://server:0/", "the port of the URL"),
        ("http://server:65536/", "the port of the URL"),
        ("http://[::1/", "no valid host"),
        ("\"\"", "a URL begins with http://"),
    ] {
        let mut world = World::running(ASKS);
        let console = world.console();
        let text = world.ask(console, &format!("publish local ask {url}"));
        assert!(world.net.asked.is_empty(), "{url}");
        assert!(text.contains("HTTP request to ") && text.contains(why), "{url}: {text}");
        assert!(text.contains("\n000 "), "{url}: {text}");
        // And the next one is asked for.
        world.ask(console, "publish local ask http://server/");
        assert_eq!(world.take_asked().0, "server");
    }
}

#[test]
fn nothing_of_a_url_or_a_body_gets_into_the_head() {
    let script = "on init do\n http_post \"http://server/?q=\" | \"é\" | \"%0d%0aEvil:1\", \
        #0d0a0d0a474554\n";
    let mut world = World::running(script);
    let (_, _, end) = world.take_asked();
    let request = world.text(end);
    assert_eq!(request.matches("\r\n\r\n").count(), 2, "{request:?}");
    assert!(
        request.starts_with("POST /?q=%C3%A9%0d%0aEvil:1 HTTP/1.1\r\nHost: server\r\n"),
        "{request:?}"
    );
    assert!(request.contains("Content-Length: 7\r\n\r\n\r\n\r\nGET"), "{request:?}");
}

#[test]
fn a_redirect_that_cannot_be_followed_is_answered_by_000() {
    for (location, why) in [
        ("https://server/x", "https is not supported"),
        ("http://me@server/x", "user name and password"),
        ("ftp://server/x", "a URL begins with http://"),
    ] {
        let (mut world, console) = asking("http://server/");
        let (_, _, end) = world.take_asked();
        world.send(
            end,
            format!("HTTP/1.1 301 Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"),
        );
        let text = world.text(console);
        assert!(text.contains("its redirect cannot be followed") && text.contains(why), "{text}");
        assert!(text.contains("000 server/ \r\n"), "{text}");
    }
}

/// A script that asks twice at once, and again for each answer until there are four.
fn insistent(url: &str) -> World {
    let script = format!(
        "on init do\n setvar $n = 2\n http_get \"{url}/1\"\n http_get \"{url}/2\"\n\
         on http_response do\n println $this_http_code | \" \" | $this_http_path | \" \" | len($this_http_body)\n \
          if 4 > $n then\n setvar $n = $n + 1\n http_get \"{url}/\" | $n\n endif\n"
    );
    World::with_http_as_on_the_chip(&script)
}

/// The answers are as long as there is room for: none of them keeps the next request from waiting
/// for its turn.
#[test]
fn a_request_waits_while_an_answer_fills_the_memory() {
    for len in [10, 100, 200] {
        let path = "x".repeat(len);
        let mut world = insistent(&format!("http://server/{path}"));
        let mut came = String::new();
        for n in 1..=4 {
            assert!(!world.net.asked.is_empty(), "{len}, {n}: {came}");
            let (_, _, end) = world.take_asked();
            world.send(end, "HTTP/1.1 200 OK\r\n\r\n".to_owned() + &"x".repeat(900));
            world.send(end, "x".repeat(400));
            came += &world.serial();
        }
        for n in 1..=4 {
            assert!(came.contains(&format!("200 /{path}/{n} 1024")), "{len}: {came}");
        }
    }
}

/// One that there is no room for is answered all the same, in its turn.
#[test]
fn a_request_that_does_not_fit_is_answered_by_000_and_the_log_says_why() {
    let long = "x".repeat(1_000);
    let script = format!(
        "on init do\n http_get \"http://server/1\"\n http_post \"http://server/2\" \"{long}\"\n \
         http_post \"http://server/3\" \"{long}\"\n http_get \"http://server/4\"\n\
         on http_response do\n println $this_http_code | \" \" | $this_http_path\n"
    );
    let mut world = World::with_http_as_on_the_chip(&script);
    assert!(world.serial().contains("HTTP request not made: not enough memory"));
    let console = world.console();
    let mut came = String::new();
    while !world.net.asked.is_empty() {
        let (_, _, end) = world.take_asked();
        world.send(end, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        came += &world.text(console);
    }
    assert_eq!(came, "200 /1\r\n200 /2\r\n000 \r\n200 /4\r\n");
}
