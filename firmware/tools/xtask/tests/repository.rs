//! What a visitor finds: links lead somewhere, the documents name what is there, crates have what
//! their dependents and registries need, arrows between crates run one way.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The repository: the folder above that has `ARCHITECTURE.md`.
fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().find(|folder| folder.join("ARCHITECTURE.md").exists()).unwrap()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages, as paths from the root.
fn pages() -> Vec<PathBuf> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if entry.file_type().unwrap().is_dir() {
                // `.github` has pages too.
                let other = name.starts_with('.') && name != ".github";
                if name != "target" && name != "corpus" && name != "node_modules" && !other {
                    collect(&path, found);
                }
            } else if name.ends_with(".md") {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    let mut found = Vec::new();
    collect(root(), &mut found);
    found.sort();
    assert!(found.len() > 20, "{found:?}");
    found
}

/// The headings of a page as GitHub links to them.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter_map(|line| line.strip_prefix('#'));
    let slug = |heading: &str| -> String {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(slug).collect()
}

/// The targets of a page's links, code left out.
fn links(page: &str) -> Vec<String> {
    let text: String = page.split("```").step_by(2).collect();
    let text: String = text.split('`').step_by(2).collect();
    let rests = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap().to_owned());
    rests.collect()
}

#[test]
fn links_lead_somewhere() {
    let mut checked = 0;
    for page in pages() {
        let text = read(&page);
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path {
                "" => page.clone(),
                path => page.parent().unwrap().join(path),
            };
            assert!(root().join(&target).exists(), "{}: {link}", page.display());
            if !anchor.is_empty() {
                let known = anchors(&read(&target));
                assert!(known.contains(anchor), "{}: {link}: {known:?}", page.display());
            }
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked}");
}

#[test]
fn the_readme_is_short_and_the_top_level_is_tidy() {
    let lines = read("README.md").lines().count();
    assert!(
        lines <= 150,
        "{lines} lines: what is not for everybody goes to the docs of its folder"
    );
    let tracked = Command::new("git").args(["ls-files"]).current_dir(root()).output();
    let Ok(tracked) = tracked else { return }; // not a clone
    let tracked = String::from_utf8(tracked.stdout).unwrap();
    let folders: BTreeSet<&str> =
        tracked.lines().filter_map(|path| Some(path.split_once('/')?.0)).collect();
    let folders: BTreeSet<&str> =
        folders.into_iter().filter(|folder| !folder.starts_with('.')).collect();
    let wanted = ["examples", "firmware", "lang", "scripts", "umqttc", "vm"];
    if !folders.is_empty() {
        assert_eq!(folders, BTreeSet::from(wanted));
    }
}

/// The parts of a page in backticks.
fn code(page: &str) -> Vec<&str> {
    page.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_files_that_documents_name_are_there() {
    let mut checked = 0;
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", ".github/RELEASE.md"] {
        let text = read(page);
        for path in code(&text) {
            let from_the_top = ["lang/", "vm/", "firmware/", "umqttc/", "examples/", "scripts/"];
            let is_path = from_the_top.iter().any(|top| path.starts_with(top));
            if is_path && !path.contains(['*', ' ']) {
                assert!(root().join(path).exists(), "{page}: {path}");
                checked += 1;
            }
        }
    }
    assert!(checked > 60, "{checked}");
}

#[test]
fn the_words_of_the_field_lead_to_names_that_are_there() {
    let text = read("ARCHITECTURE.md");
    let (_, section) = text.split_once("\n## The field's words\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut checked = 0;
    for row in section.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        // Names stand before the file they are in.
        let mut names = Vec::new();
        for part in code(row) {
            if !part.contains('/') {
                names.push(part);
                continue;
            }
            let file = read(part);
            for name in names.drain(..) {
                let mut words = file.split(|c: char| !c.is_alphanumeric() && c != '_');
                assert!(words.any(|word| word == name), "{part}: {name}");
                checked += 1;
            }
        }
        assert!(names.is_empty(), "no file has {names:?}");
    }
    assert!(checked > 25, "{checked}");
}

fn metadata() -> Value {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    serde_json::from_slice(&cargo.stdout).unwrap()
}

/// What each crate of the workspace depends on in the workspace, tests and build scripts left out.
fn arrows(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let packages = metadata["packages"].as_array().unwrap();
    let name = |package: &Value| package["name"].as_str().unwrap().to_owned();
    let ours: BTreeSet<String> = packages.iter().map(name).collect();
    let arrows = packages.iter().map(|package| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let normal = dependencies.filter(|dependency| dependency["kind"].is_null());
        let to = normal.map(name).filter(|name| ours.contains(name)).collect();
        (name(package), to)
    });
    arrows.collect()
}

#[test]
fn arrows_between_crates_run_one_way() {
    // Each may depend on those of an earlier line.
    let layers: [&[&str]; 7] = [
        &["umqtt-topic", "umqtt-url", "umqtt-calendar", "umqtt-memory", "umqtt-net"],
        &["umqtt-vm", "umqtt-mqtt", "umqtt-ntp", "umqtt-dhcp", "umqtt-dns"],
        &["umqtt-lang", "umqtt-net-smoltcp"],
        &["umqtt-device"],
        &["umqtt-host"],
        &["umqttc"],
        &[],
    ];
    let layer = |name: &str| layers.iter().position(|layer| layer.contains(&name)).unwrap_or(6);
    for (from, all) in arrows(&metadata()) {
        for to in all {
            let (a, b) = (layer(&from), layer(&to));
            assert!(b < a || b == 6 && a == 6, "{from} depends on {to}");
        }
    }
    let of = |name: &str| arrows(&metadata()).remove(name).unwrap();
    assert_eq!(
        of("umqtt-vm"),
        BTreeSet::from(["umqtt-topic".to_owned()]),
        "nothing of MQTT's protocol"
    );
    assert!(!of("umqtt-lang").contains("umqtt-device"));
}

#[test]
fn crates_have_what_registries_and_readers_want() {
    let metadata = metadata();
    let architecture = read("ARCHITECTURE.md");
    let examples = read("examples/README.md");
    let mut published = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
        let folder = manifest.parent().unwrap();
        assert!(package["description"].as_str().is_some_and(|text| text.len() > 20), "{name}");
        if folder.starts_with(root().join("examples")) {
            assert!(examples.contains(&format!("[{name}]")), "{name} is not in examples/README.md");
        } else {
            assert!(
                architecture.contains(&format!("`{name}`")),
                "{name} is not in ARCHITECTURE.md"
            );
        }
        // `publish = false`
        if package["publish"].as_array().is_some_and(Vec::is_empty) {
            continue;
        }
        published += 1;
        for field in ["keywords", "categories"] {
            let count = package[field].as_array().unwrap().len();
            assert!((1..=5).contains(&count), "{name}: {field}");
        }
        for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            let text = fs::read_to_string(folder.join(file));
            assert!(text.is_ok_and(|text| text.len() > 100), "{name}: {file}");
        }
        for dependency in package["dependencies"].as_array().unwrap() {
            let by_path = dependency["path"].is_string();
            // Cargo leaves those of tests out if they have no version.
            let wants_version = by_path && dependency["kind"] != "dev";
            let has_version = dependency["req"] != "*";
            assert!(!wants_version || has_version, "{name}: {}", dependency["name"]);
        }
    }
    assert!(published >= 8, "{published}");
}

#[test]
fn workflows_only_call_the_steps_of_ci_run() {
    let script = read(".ci/run");
    let mut called = BTreeSet::new();
    for entry in fs::read_dir(root().join(".github/workflows")).unwrap() {
        let text = read(entry.unwrap().path());
        for line in text
            .lines()
            .filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("run: "))
        {
            let mut words = line.split(' ');
            assert_eq!(words.next(), Some(".ci/run"), "{line}");
            for step in words.filter(|step| step.chars().all(char::is_alphanumeric)) {
                called.insert(step.to_owned());
            }
        }
        // The steps that a matrix lists.
        let listed = text.lines().filter_map(|line| line.trim().strip_prefix("step: ["));
        for list in listed {
            let list = list.trim_end_matches(']').split(',');
            called.extend(list.map(|step| step.trim().trim_matches('"').to_owned()));
        }
    }
    for step in &called {
        for step in step.split(' ') {
            assert!(script.contains(&format!("step_{step}()")), "there is no step {step}");
        }
    }
    let steps = script.lines().filter_map(|line| line.strip_prefix("step_")?.strip_suffix("() {"));
    for step in steps {
        let known = called.iter().any(|called| called.split(' ').any(|called| called == step));
        assert!(known, "no workflow calls {step}");
    }
}
