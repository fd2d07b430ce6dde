//! How much of the stack the deepest paths take: a seventh of it is to stay free.

use crate::device::Device;

/// A construct nested so often.
fn nested(open: &str, inner: &str, close: &str, depth: usize) -> String {
    format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
}

/// A script for each construct that nests.
pub(super) fn constructs(depth: usize) -> Vec<(String, String)> {
    let blocks = [
        ("if $a then ", "endif "),
        ("if 1 then ", "endif "),
        ("if 0 then ", "endif "),
        ("if $a then println 1 else ", "endif "),
        ("if $a then println 1 elseif $a then ", "endif "),
        ("while $a = 2 do ", "done "),
    ];
    let values = [
        ("(", ")"),
        ("(1 + ", ")"),
        ("(1 and ", ")"),
        ("($a or ", ")"),
        ("(\"x\" | ", ")"),
        ("not(", ")"),
        ("len(", ")"),
        ("eatwhite(", ")"),
        ("retained_topic(", ")"),
        ("substr(", ",1,2)"),
        ("byte_val(", ",1)"),
        ("csvstr(", ",1,\",\")"),
        ("find(", ",x)"),
        ("find(x,", ")"),
        ("json_parse(", ",x)"),
        ("json_parse(x,", ")"),
        ("json(a,", ")"),
        ("json_len(x,", ")"),
        ("abs(", ")"),
        ("min(1,", ")"),
        ("divide(1,", ",2)"),
        ("changed(", ")"),
    ];
    let start = "on init do setvar $a = 1\n";
    let mut scripts = Vec::new();
    for (open, close) in blocks {
        let body = nested(open, " println $a ", close, depth);
        scripts.push((open.to_string(), format!("{start}{body}\n")));
    }
    for (open, close) in values {
        for inner in ["$a", "1"] {
            let value = nested(open, inner, close, depth);
            scripts.push((format!("{open}{inner}"), format!("{start}println {value}\n")));
        }
        // A condition is one level by itself.
        let value = nested(open, "$a", close, depth.saturating_sub(1));
        scripts.push((format!("if {open}"), format!("{start}if {value} then println 2 endif\n")));
        let value = nested(open, "$a", close, depth);
        scripts.push((
            format!("topic {open}"),
            format!("{start}on topic local {value} do println 1\n"),
        ));
    }
    scripts
}

/// The most of the stack that was in use since this was last asked, and all there is.
fn stack(console: &mut crate::device::Console) -> (usize, usize) {
    // Between its lines there may be what the script prints.
    let told = console.ask("memory");
    let figures = told.split("Stack: at most ").nth(1).unwrap_or_else(|| panic!("{told}"));
    let mut numbers = figures.split(' ').filter_map(|word| word.parse().ok());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

#[test]
fn a_seventh_of_the_stack_stays_free() {
    let device = Device::boot();
    let mut found = vec![("boot".to_string(), stack(&mut device.console()))];
    for (name, script) in constructs(32) {
        device.console().ask("script delete");
        stack(&mut device.console());
        let verdict = device.push(script.as_bytes());
        // As deep as that there is not always memory for it; how deep the stack was counts all the
        // same.
        let says = ["Syntax okay", "not enough memory to compile"];
        assert!(says.iter().any(|says| verdict.contains(says)), "{name}: {verdict}");
        found.push((name, stack(&mut device.console())));
    }
    for file in std::fs::read_dir("../../../scripts").unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|end| end == "script") {
            device.push(&std::fs::read(&path).unwrap());
            found.push((path.display().to_string(), stack(&mut device.console())));
        }
    }
    for script in
        ["on init do foo bar (\n", "on init do println ((1\n", "on init do setvar $x = $y\n"]
    {
        device.push(script.as_bytes());
        found.push((script.to_string(), stack(&mut device.console())));
    }
    found.sort_by_key(|(_, (most, _))| std::cmp::Reverse(*most));
    let (_, (most, size)) = &found[0];
    println!("stack: {most} of {size} bytes at most; the deepest: {:?}", &found[..8]);
    assert!(*most <= size - size / 7, "{:?}", &found[..40]);
}
