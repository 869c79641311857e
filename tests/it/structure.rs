//! The shape of the code: arrows, walls, and what may not be written where.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::repository;

/// The modules, in the order in which they may use each other: each one only those before it.
const ORDER: [&str; 16] = [
    "wire", "tokens", "rules", "report", "history", "trim", "fold", "calls", "show", "review", "turn", "pipeline",
    "folders", "ledger", "proxy", "cli",
];

/// Those that may touch no file, socket, clock or environment.
const PURE: [&str; 12] =
    ["wire", "tokens", "rules", "report", "history", "trim", "fold", "calls", "show", "review", "turn", "pipeline"];

/// One file of `src`, without its tests.
struct Source {
    path: PathBuf,
    text: String,
    code: String,
}

impl Source {
    fn module(&self) -> &str {
        let first = self.path.components().next().unwrap().as_os_str().to_str().unwrap();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    fn is_pure(&self) -> bool {
        PURE.contains(&self.module())
    }
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<Source> {
    let root = repository().join("src");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap().to_owned();
        Source { path: path.strip_prefix(&root).unwrap().to_owned(), text, code }
    };
    let of_tests =
        |path: &Path| path.ends_with("tests.rs") || path.parent().is_some_and(|folder| folder.ends_with("tests"));
    files(&root, "rs").into_iter().filter(|path| !of_tests(path)).map(read).collect()
}

/// The modules that a text names as `crate::module`, also within `use crate::{a, b}`.
fn used(code: &str) -> BTreeSet<String> {
    let name = |part: &str| part.trim().chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
    let named = |rest: &str| match rest.strip_prefix('{') {
        Some(list) => outer_parts(list).iter().map(|part| name(part)).collect(),
        None => vec![name(rest)],
    };
    code.split("crate::").skip(1).flat_map(named).collect()
}

/// The parts of a `{…}` list without its opening brace; commas in inner lists divide nothing.
fn outer_parts(list: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 1, 0);
    for (at, c) in list.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if depth == 0 || (depth == 1 && c == ',') {
            parts.push(&list[start..at]);
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    parts
}

#[test]
fn dependencies_point_one_way() {
    let rank = |name: &str| ORDER.iter().position(|module| *module == name);
    let mut back = Vec::new();
    for source in sources() {
        let Some(own) = rank(source.module()) else { continue };
        for name in used(&source.code) {
            if rank(&name).is_some_and(|other| other > own) {
                back.push(format!("src/{} uses crate::{name}", source.path.display()));
            }
        }
    }
    assert!(back.is_empty(), "{back:#?}");
}

#[test]
fn every_module_has_its_place_in_the_order() {
    for source in sources() {
        let module = source.module();
        assert!(ORDER.contains(&module) || ["lib", "main"].contains(&module), "src/{}", source.path.display());
    }
}

#[test]
fn the_pure_modules_stand_behind_the_wall() {
    let map = fs::read_to_string(repository().join("src/lib.rs")).unwrap();
    let wall = "#[deny(clippy::disallowed_methods, clippy::disallowed_types)]\npub mod ";
    let walled: BTreeSet<&str> = map.split(wall).skip(1).filter_map(|rest| rest.split(';').next()).collect();
    assert_eq!(walled, BTreeSet::from(PURE));
}

#[test]
fn the_pure_modules_touch_nothing_outside() {
    let walls = ["std::fs", "std::env", "std::net", "std::time", "std::process", "tokio::", "hyper::", "jiff::"];
    let more = ["std::io::stdin", "HashMap", "HashSet", "rand::", "thread_rng", "RandomState"];
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| source.is_pure()) {
        for wall in walls.iter().chain(&more) {
            if source.code.lines().any(|line| line.contains(wall) && !line.trim_start().starts_with("//")) {
                found.push(format!("src/{}: {wall}", source.path.display()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_file_says_what_it_is() {
    for source in sources() {
        assert!(source.text.starts_with("//! "), "src/{}", source.path.display());
    }
}

#[test]
fn no_file_is_longer_than_five_hundred_lines() {
    for source in sources() {
        let lines = source.code.lines().count();
        assert!(lines <= 500, "src/{}: {lines} lines without tests", source.path.display());
    }
}

#[test]
fn no_room_is_a_fifth_of_the_house() {
    let (mut rooms, mut all) = (BTreeMap::<String, usize>::new(), 0);
    for path in files(&repository().join("src"), "rs") {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        let room = path.strip_prefix(repository().join("src")).unwrap().components().next().unwrap();
        *rooms.entry(room.as_os_str().to_string_lossy().into_owned()).or_default() += lines;
        all += lines;
    }
    let large: Vec<_> = rooms.iter().filter(|(_, lines)| **lines * 100 > all * 22).collect();
    assert!(large.is_empty(), "over 22 % of {all} lines: {large:?}");
}

/// The path of a file as modules: `a/b` for `a/b.rs` and for `a/b/mod.rs`.
fn modules_of(path: &Path) -> String {
    let path = path.with_extension("").to_string_lossy().replace('\\', "/");
    path.strip_suffix("/mod").unwrap_or(&path).to_owned()
}

/// The files whose contents a file names, by `super::` and `crate::`; a `mod.rs` is the door of its room and counts not.
fn names_of(source: &Source, known: &BTreeSet<String>) -> BTreeSet<String> {
    let own = modules_of(&source.path);
    let above = |path: &str| path.rsplit_once('/').map_or("", |(above, _)| above).to_owned();
    let code: Vec<&str> = source.code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let mut found = BTreeSet::new();
    for (mark, start) in [("super::", above(&own)), ("crate::", String::new())] {
        for rest in code.split(mark).skip(1) {
            let path: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || "_:".contains(*c)).collect();
            let listed = rest[path.len()..].strip_prefix('{').map_or_else(Vec::new, outer_parts);
            let ends = if listed.is_empty() { vec![""] } else { listed };
            for end in ends {
                let end: String = end.trim().chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                let whole = format!("{start}/{}/{end}", path.replace("::", "/")).replace("//", "/");
                let mut name = whole.trim_matches('/').to_owned();
                while !name.is_empty() && !known.contains(&name) {
                    name = above(&name);
                }
                found.extend(Some(name).filter(|name| !name.is_empty() && *name != own));
            }
        }
    }
    found
}

#[test]
fn no_file_uses_one_that_uses_it() {
    let sources = sources();
    let files = sources.iter().filter(|source| !source.path.ends_with("mod.rs"));
    let known: BTreeSet<String> = files.clone().map(|source| modules_of(&source.path)).collect();
    let uses: BTreeMap<String, BTreeSet<String>> =
        files.map(|source| (modules_of(&source.path), names_of(source, &known))).collect();
    let reaches = |from: &str, to: &str| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(file) = open.pop() {
            for next in uses.get(file).into_iter().flatten().filter(|next| seen.insert(next.as_str())) {
                open.push(next);
            }
        }
        seen.contains(to)
    };
    let circles: Vec<&String> = known.iter().filter(|file| reaches(file, file)).collect();
    assert!(circles.is_empty(), "these files use one another in a circle: {circles:#?}");
}

/// Every value of `key` in a rule file, however deep it stands.
fn strings(value: &toml::Value, key: &str, found: &mut BTreeSet<String>) {
    match value {
        toml::Value::Table(table) => {
            for (name, item) in table {
                if name == key {
                    found.extend(item.as_array().into_iter().flatten().filter_map(|s| s.as_str().map(str::to_owned)));
                }
                strings(item, key, found);
            }
        }
        toml::Value::Array(items) => items.iter().for_each(|item| strings(item, key, found)),
        _ => {}
    }
}

fn said_by_rules(keys: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in files(&repository().join("rules/clients"), "toml") {
        let value: toml::Value = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        for key in keys {
            strings(&value, key, &mut found);
        }
    }
    found
}

#[test]
fn no_tool_of_the_client_is_named_in_the_code() {
    let names = said_by_rules(&["names"]);
    assert!(names.len() > 10, "{names:?}");
    let own = ["ToolHelp", "Recall", "Answer"];
    let mut found = Vec::new();
    for source in sources() {
        for name in names.iter().filter(|name| !own.contains(&name.as_str())) {
            if source.code.contains(&format!("\"{name}\"")) {
                found.push(format!("src/{}: {name}", source.path.display()));
            }
        }
    }
    assert!(found.is_empty(), "client tools belong in rules/clients: {found:#?}");
}

#[test]
fn no_heading_of_a_prompt_is_named_in_the_code() {
    let mut found = Vec::new();
    for source in sources() {
        for said in said_by_rules(&["headings", "anchors"]) {
            let literal = [format!("\"{said}\""), format!("\"# {said}\""), format!("\"{said}:\"")];
            if literal.iter().any(|literal| source.code.contains(literal)) {
                found.push(format!("src/{}: {said}", source.path.display()));
            }
        }
    }
    assert!(found.is_empty(), "headings belong in rules/clients: {found:#?}");
}

#[test]
fn a_use_list_is_read() {
    let names = used("use crate::{cli::{a, b}, wire};\nlet x = crate::fold::y;");
    assert_eq!(names.iter().collect::<Vec<_>>(), ["cli", "fold", "wire"]);
}
