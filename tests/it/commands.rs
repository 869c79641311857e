//! Commands that look: as a user starts them, with what they say and how they end.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::repository;

/// A home of its own, and no server anywhere.
fn fanlight(home: &tempfile::TempDir, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fanlight"));
    command
        .env("HOME", home.path())
        .env("FANLIGHT_LISTEN", "127.0.0.1:9")
        .env("FANLIGHT_UPSTREAM", "http://127.0.0.1:9");
    for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "FANLIGHT_LOG", "FANLIGHT_RECORD"] {
        command.env_remove(name);
    }
    let mut child =
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that reads nothing may have ended.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn hello() -> String {
    repository().join("fixtures/requests/classic/hello.json").display().to_string()
}

#[test]
fn a_file_that_is_not_there_ends_every_command_alike() {
    let home = tempfile::tempdir().unwrap();
    let cases: [&[&str]; 4] = [
        &["explain", "/no/such.json"],
        &["repair", "--input", "/no/such"],
        &["rules", "new", "--from", "/no/such.json"],
        &["repair", "--tools", "/no/such.json"],
    ];
    for arguments in cases {
        let output = fanlight(&home, arguments, "text");
        assert_eq!(output.status.code(), Some(66), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains("/no/such"), "{arguments:?}");
    }
}

#[test]
fn a_port_that_is_taken_is_said_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = fanlight(&home, &["serve", "--listen", &address], "");
    assert_eq!(output.status.code(), Some(69));
    assert!(said(&output).contains("--listen"), "{}", said(&output));
}

#[test]
fn the_doctor_says_no_with_a_remedy_for_whatever_is_wrong() {
    let home = tempfile::tempdir().unwrap();
    let output = fanlight(&home, &["doctor", "--format", "json"], "");
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ok"], false);
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["grade"] == "ok" || finding["remedy"].is_string()), "{findings:#?}");
    assert!(findings.iter().any(|finding| finding["subject"] == "server" && finding["grade"] == "problem"));
}

#[test]
fn the_newest_recorded_request_is_explained() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("kept");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(hello(), folder.join("0003.client.json")).unwrap();
    std::fs::write(folder.join("0003.upstream.json"), "{}").unwrap();
    let folder = folder.display().to_string();
    let output = fanlight(&home, &["explain", "LAST", "--record", &folder, "--format", "json"], "");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["window"], &report["window_source"]), (&4096.into(), &"assumed".into()));
    assert_eq!(fanlight(&home, &["explain", "LAST"], "").status.code(), Some(2));
}

#[test]
fn a_plain_text_is_repaired() {
    let home = tempfile::tempdir().unwrap();
    let text = "\nI look.\n{\"name\": \"Read\", \"arguments\": {\"file\": \"/a.txt\"}}\n";
    let output = fanlight(&home, &["repair"], text);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["content"][1]["input"]["file_path"], "/a.txt", "{answer:#}");
    let alone = fanlight(&home, &["repair"], "{\"name\": \"Read\", \"arguments\": {\"file\": \"/a.txt\"}}");
    let answer: Value = serde_json::from_slice(&alone.stdout).unwrap();
    assert_eq!(answer["content"][0]["type"], "tool_use", "{answer:#}");
}

#[test]
fn what_no_rule_knows_gets_a_rule_to_begin_with() {
    let home = tempfile::tempdir().unwrap();
    let mut request: Value = serde_json::from_str(&std::fs::read_to_string(hello()).unwrap()).unwrap();
    request["tools"].as_array_mut().unwrap().push(serde_json::json!({"name": "Barometer", "description": "Reads the weather.", "input_schema": {"type": "object"}}));
    let path = home.path().join("request.json");
    std::fs::write(&path, request.to_string()).unwrap();
    let path = path.display().to_string();
    let output = fanlight(&home, &["rules", "new", "--from", &path], "");
    let rules = String::from_utf8(output.stdout).unwrap();
    assert!(rules.contains("names = [\"Barometer\"]"), "{rules}");
    let file = home.path().join("mine.toml");
    std::fs::write(&file, &rules).unwrap();
    let checked = fanlight(&home, &["rules", "check", &file.display().to_string()], "");
    assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
}

#[test]
fn what_belongs_beside_the_program_is_written_by_it() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let output = fanlight(&home, &["completions", shell], "");
        assert!(output.status.success() && said(&output).contains("statusline"), "{shell}");
    }
    let man = home.path().join("man").display().to_string();
    assert!(fanlight(&home, &["man", &man], "").status.success());
    let page = std::fs::read_to_string(home.path().join("man/fanlight-serve.1")).unwrap();
    assert!(page.contains("num\\-ctx"), "{page}");
}

#[test]
fn the_settings_in_force_are_shown_with_who_said_them() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/fanlight");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), "num-ctx = 8192\n").unwrap();
    let output = fanlight(&home, &["config", "--model", "q", "--format", "json"], "");
    let config: Value = serde_json::from_slice(&output.stdout).unwrap();
    let setting = |name: &str| (config["settings"][name]["value"].clone(), config["settings"][name]["from"].clone());
    assert_eq!(setting("num-ctx"), ("8192".into(), "file".into()));
    assert_eq!(setting("model"), ("q".into(), "option".into()));
    assert_eq!(setting("upstream"), ("http://127.0.0.1:9".into(), "FANLIGHT_UPSTREAM".into()));
    assert_eq!(setting("dialect"), ("auto".into(), "built in".into()));
}
