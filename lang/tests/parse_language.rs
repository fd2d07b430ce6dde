//! Scripts that are right, whatever their words look like.

use umqtt_lang::ast::{ActionKind, ConfigValue, EventPattern, ExprKind, Statement};
use umqtt_lang::parse;
use umqtt_vm::Profile;

/// Parses what must be right.
fn right(source: &str) -> Vec<Statement> {
    let umqtt_lang::Parsed { statements, errors: wrong } =
        parse(source.as_bytes(), &Profile::DESKTOP);
    assert!(wrong.is_empty(), "{source}\n{wrong:#?}");
    statements
}

/// The kinds of the actions of `on init do ...`.
fn actions(source: &str) -> Vec<ActionKind> {
    let script = format!("on init do {source}");
    let mut statements = right(&script);
    assert_eq!(statements.len(), 1, "{source}");
    match statements.remove(0) {
        Statement::On(clause) => clause.actions.into_iter().map(|action| action.kind).collect(),
        _ => panic!("not a handler"),
    }
}

#[test]
fn every_event() {
    let script = "on init do on wificonnect do on wifidisconnect do on mqttconnect do on serial do
        on http_response do on timer 1 do on alarm \"2\" do on topic local a/b do
        on topic remote $t | \"/#\" do on gpio_interrupt 0 pullup do on gpio_interrupt 4 nopullup do";
    let events: Vec<_> = right(script)
        .into_iter()
        .map(|statement| match statement {
            Statement::On(clause) => clause.event,
            _ => panic!("not a handler"),
        })
        .collect();
    assert_eq!(events.len(), 12);
    assert!(matches!(events[6], EventPattern::Timer(n) if n.value == 1));
    assert!(matches!(events[7], EventPattern::Alarm(n) if n.value == 2));
    assert!(matches!(&events[9], EventPattern::Topic { filter, .. }
        if matches!(&filter.kind, ExprKind::Chain(chain) if chain.rest.len() == 1)));
    assert!(matches!(events[10], EventPattern::GpioInterrupt { pullup: true, .. }));
}

#[test]
fn every_action() {
    let script = "publish local a/b c retained publish remote $t \"x\" subscribe local #2f
        subscribe remote a unsubscribe local b unsubscribe remote \"#\" settimer 1 $d*1000
        setalarm \"3\" 01:00:00 setvar $x=0 setvar @1 = $x + 1 http_get \"http://a/\"
        http_post \"http://a/\" \"body\" http_post \"http://a/\", $x | y gpio_pinmode 1 input
        gpio_pinmode 3 input pullup gpio_pinmode 4 output gpio_out 2 not ($x) gpio_pwm 2 500
        serial_out \"a\" | #0d print a println b system \"save\"
        if $x then print 1 elseif $y then print 2 else print 3 endif
        if ($x) then endif while $x gte 1 do setvar $x = $x - 1 done";
    assert_eq!(actions(script).len(), 25);
}

#[test]
fn keywords_are_words_where_a_value_is_required() {
    assert_eq!(actions("publish local serial on_x retained").len(), 1);
    assert!(matches!(
        actions("publish local retained retained retained")[..],
        [ActionKind::Publish { retained: true, .. }]
    ));
    assert!(matches!(
        actions("publish local retained retained")[..],
        [ActionKind::Publish { retained: false, .. }]
    ));
    assert_eq!(actions("print timer setvar $x = publish println \"a\" settimer 1 5").len(), 4);
    assert_eq!(actions("print print print print").len(), 2);
    assert_eq!(actions("print gte print div div div println and and or or or").len(), 3);
    assert_eq!(actions("print not println substr publish local len lower").len(), 3);
    assert_eq!(actions("print not (a) println len % why\n (b)").len(), 2);
    assert_eq!(actions("print input | output = pullup").len(), 1);
    assert_eq!(actions("publish local gte gte gte x").len(), 1);
}

#[test]
fn a_sign_before_digits_belongs_to_them_where_a_value_is_due() {
    for (source, same) in [
        ("setvar $x = -5", None),
        ("setvar $x =-0.25", None),
        ("settimer 1 -5 gpio_out 2 -1", None),
        ("print -5 print(-5)", None),
        ("print 3 - -5 print 3--5", None),
        ("if -5 > $x and -1 = $y then while -1 do done endif", None),
        ("publish local a (-5) http_post a, -5", None),
        ("print min(-5, -0.5) print substr($x, 1, -1) print csvstr($x, -1, -)", None),
        ("print $x -5", Some("print $x - 5")),
        ("print $x-5", Some("print $x - 5")),
        ("print 1-5-2", Some("print 1 - 5 - 2")),
        ("print (1)-5 print \"a\"-5", Some("print (1) - 5 print \"a\" - 5")),
        ("print input -5", Some("print input - 5")),
        ("publish local $t -5 x", Some("publish local $t - 5 x")),
        ("publish local -5", Some("publish local - 5")),
        ("print --5", Some("print - - 5")),
        ("if @1 =-1 then endif", None),
        ("if @1 ==-1 then endif", Some("if @1 = = - 1 then endif")),
    ] {
        let shape = |source: &str| {
            let tree = format!("{:?}", actions(source));
            let places =
                tree.split("start: ").map(|part| part.split_once('}').map_or(part, |p| p.1));
            places.collect::<String>()
        };
        let found = shape(source);
        if let Some(same) = same {
            assert_eq!(found, shape(same), "{source}");
        } else {
            let split = source.replace("-5", "- 5").replace("-1", "- 1").replace("-0", "- 0");
            let split = parse(format!("on init do {split}").as_bytes(), &Profile::DESKTOP);
            assert!(!split.errors.is_empty(), "{source}");
        }
    }
}

#[test]
fn escapes_and_odd_words() {
    assert_eq!(
        actions(r#"print A\ String println "say \"hi\"" print \on print $ print @ print \"#).len(),
        6
    );
    assert_eq!(actions("println \"a\"|$x|\"two\nlines\"println\"b\"").len(), 2);
    assert_eq!(actions("print caf\u{e9} print stat/Room/POWER print 1.de.pool.ntp.org").len(), 3);
}

#[test]
fn functions() {
    let script =
        "print substr($x, -2, 3) | substr(x,\"-2\",\"3\") | csvstr($x,1,\",\") | csvstr(x,0,;)
        | csvstr(x,0,|) | csvstr(x,0,-) | byte_val(x,0) | json_parse(a.b.1, $j) | find(a, b)
        | gpio_in(12) | retained_topic(a/#) | binary(65) | eatwhite( x ) | lower(upper(len(x)))";
    assert_eq!(actions(script).len(), 1);
}

#[test]
fn config_values_are_raw() {
    let script = "config ssid my-net*=(1),|>+\nconfig password \"two words\"\tconfig speed\t\t160
        config ntp_server 1.de.pool.ntp.org % comment\nconfig mqtt_host @3 config x a\\ b
        config timer timer\nconfig automesh done config password a\"b";
    let source = script.as_bytes();
    let values: Vec<_> = right(script)
        .iter()
        .map(|statement| match statement {
            Statement::Config(line) => match line.value {
                ConfigValue::Text(span) => String::from_utf8_lossy(span.of(source)).into_owned(),
                ConfigValue::Flash(number) => format!("flash {}", number.value),
            },
            _ => panic!("not a config line"),
        })
        .collect();
    assert_eq!(
        values,
        [
            "my-net*=(1),|>+",
            "\"two words\"",
            "160",
            "1.de.pool.ntp.org",
            "flash 3",
            "a\\ b",
            "timer",
            "done",
            "a\"b"
        ]
    );
}

#[test]
fn chains_are_flat_and_logic_binds_loosest() {
    let actions = actions("print a - b - c and d | e or f");
    let [ActionKind::Unary { value, .. }] = &actions[..] else { panic!("{actions:?}") };
    let ExprKind::Logic(logic) = &value.kind else { panic!("{value:?}") };
    assert_eq!(logic.rest.len(), 2);
    assert!(matches!(&logic.first.kind, ExprKind::Chain(chain) if chain.rest.len() == 2));
    assert!(matches!(&logic.rest[0].operand.kind, ExprKind::Chain(chain) if chain.rest.len() == 1));
}

#[test]
fn spans_cover_what_they_name() {
    let script = "on topic local a/b do\n  publish local (x | y) \"z\" retained % end\n";
    let source = script.as_bytes();
    let statements = right(script);
    let [Statement::On(clause)] = &statements[..] else { panic!("{statements:?}") };
    assert_eq!(clause.event_span.of(source), b"topic local a/b");
    assert_eq!(clause.span.of(source), &source[..source.len() - 7]);
    assert_eq!(clause.actions[0].span.of(source), b"publish local (x | y) \"z\" retained");
    let ActionKind::Publish { topic, data, .. } = &clause.actions[0].kind else { panic!() };
    assert_eq!(topic.span.of(source), b"(x | y)");
    assert_eq!(data.span.of(source), b"\"z\"");
}

#[test]
fn nothing_is_a_script() {
    assert!(right("").is_empty());
    assert!(right(" \r\n % only a comment").is_empty());
}

/// The habits of scripts in the field: tabs, CRLF, comments between `on` and `do`, words without
/// quotes, operators without blanks, `not` with a blank before its bracket.
#[test]
fn field_habits() {
    let script = "% Params\r\n% Nothing here\r\nconfig ap_ssid \t\tmyNet\r\nconfig ntp_server\t1.de.pool.ntp.org
%config mqtt_user\tnobody
config bitrate 19200
on init
% Subscribe
do
subscribe local stat/Kitchen/POWER
% ... (more of them)
\t% \"* 1\" makes even \"\" a number
\tsetvar $number = @1 * 1
\tsetvar $run=@2+1 setvar @2 = $run
\tprintln \"start no \"|$run
\tsetvar $step = \"-10\"
\tsetvar $topic=\"/house/\" | $number | \"/state\"
\tgpio_out 13 not ($run)
\tsetalarm 3 01:00:00

on topic local stat/Kitchen/POWER
do
\tif $this_data = \"on\" then
\t\tserial_out \",>2001\" | #0d
\telse
\t    if $this_data = \"off\" then
\t\tserial_out \",>2000\" | #0d
\t    endif
\tendif
\tif not ($topic = $this_topic) then publish remote $this_topic $this_data retained endif
\tif ($this_topic = $topic | \"/x\") then settimer 1 $run*1000 endif

on gpio_interrupt 2 pullup
do
\tsetvar $step = 0 - $step
\tif 0 > $step then gpio_pwm 2 $step\t
\tendif

% Get new values
on alarm 3
do
\tsetvar $rise = substr(json_parse(\"a.rise\", $topic), 11, 8)
\tpublish local /time/rise $rise

on serial
do
\tif csvstr($this_serial,0,\",\") = \"pub\" then
\t\tpublish local csvstr($this_serial,1,\",\") csvstr($this_serial,2,\",\")
\tendif
";
    let statements = right(script);
    assert_eq!(statements.len(), 8);
    let actions: Vec<_> = statements
        .iter()
        .filter_map(|statement| match statement {
            Statement::On(clause) => Some(clause.actions.len()),
            _ => None,
        })
        .collect();
    assert_eq!(actions, [9, 3, 2, 2, 1]);
}

/// Two scripts that compile to the same, and without errors.
#[track_caller]
fn same(found: &str, meant: &str) {
    let image = |source: &str| {
        let options = umqtt_lang::EmitOptions::new();
        umqtt_lang::compile(source.as_bytes(), &Profile::DESKTOP, options)
            .unwrap_or_else(|wrong| panic!("{source}\n{wrong:#?}"))
    };
    assert_eq!(image(found), image(meant), "{found}");
}

/// As on the original device, whose published scripts have this.
#[test]
fn an_operator_where_a_value_is_due_is_its_text() {
    for (found, meant) in [
        ("println **start:|@8", "println \"*\" * (\"start:\" | @8)"),
        ("println - println |", "println \"-\" println \"|\""),
        ("if @1 == -1 then println > endif", "if @1 = (\"=\" - 1) then println \">\" endif"),
        ("setvar $x = + println $x", "setvar $x = \"+\" println $x"),
        ("subscribe local +", "subscribe local \"+\""),
        ("println (-) | not(*)", "println \"-\" | not(\"*\")"),
        ("println div div 2", "println \"div\" div 2"),
    ] {
        same(&format!("on init do {found}"), &format!("on init do {meant}"));
    }
    same("on topic local + do println 1", "on topic local \"+\" do println 1");
}

/// The original device closes at the end of a handler what is open of `if`s without `else`.
#[test]
fn an_endif_may_be_missing_at_the_end_of_a_handler() {
    for (found, meant) in [
        ("if @1 then println 1", "if @1 then println 1 endif"),
        ("if @1 then", "if @1 then endif"),
        ("if @1 then if @2 then println 1 endif", "if @1 then if @2 then println 1 endif endif"),
        ("if @1 then if @2 then println 1", "if @1 then if @2 then println 1 endif endif"),
        (
            "if @1 then println 1 else if @2 then println 2 endif",
            "if @1 then println 1 else if @2 then println 2 endif endif",
        ),
        (
            "if @1 then println 1 elseif @2 then println 2",
            "if @1 then println 1 elseif @2 then println 2 endif",
        ),
    ] {
        for behind in ["", "\non timer 1 do println 3", " config speed 160", " % the end"] {
            same(&format!("on init do {found}{behind}"), &format!("on init do {meant}{behind}"));
        }
    }
    for wrong in ["if @1 then println 1 else println 2", "while @1 do if @2 then println 1"] {
        let umqtt_lang::Parsed { errors: told, .. } =
            parse(format!("on init do {wrong}").as_bytes(), &Profile::DESKTOP);
        assert_eq!(told.len(), 1, "{wrong}");
    }
}

/// The original device takes an `else` behind the `endif` of its `if`.
#[test]
fn an_endif_may_stand_before_else() {
    for (found, meant) in [
        (
            "if @1 then println 1 endif else println 2 endif println 3",
            "if @1 then println 1 else println 2 endif println 3",
        ),
        ("if @1 then endif\n% so\nelse println 2 endif", "if @1 then else println 2 endif"),
        (
            "if @1 then if @2 then println 1 endif endif else println 2 endif",
            "if @1 then if @2 then println 1 endif else println 2 endif",
        ),
    ] {
        same(&format!("on init do {found}"), &format!("on init do {meant}"));
    }
}

/// The original device skips one `endif` too many, if nothing follows in its handler.
#[test]
fn a_stray_endif_may_end_a_handler() {
    for found in ["endif", "println 1 endif", "if @1 then println 1 endif endif"] {
        for behind in ["", "\non timer 1 do println 3", " config speed 160", " % the end"] {
            let meant = found.strip_suffix("endif").unwrap_or_default();
            same(&format!("on init do {found}{behind}"), &format!("on init do {meant}{behind}"));
        }
    }
    for wrong in ["endif endif", "println 1 endif println 2", "println endif", "else endif"] {
        let umqtt_lang::Parsed { errors: told, .. } =
            parse(format!("on init do {wrong}").as_bytes(), &Profile::DESKTOP);
        assert!(!told.is_empty(), "{wrong}");
    }
}
