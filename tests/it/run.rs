//! `fanlight run` as a user starts it: a client before a model server that is played here.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A server that has these models, as Ollama would say it, for as long as the test runs.
fn ollama(models: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 4096];
            let length = stream.read(&mut head).unwrap_or_default();
            let list: Vec<_> =
                models.iter().map(|name| serde_json::json!({"name": name, "context_length": 8192})).collect();
            let body = match String::from_utf8_lossy(&head[..length]).split(' ').nth(1) {
                Some("/api/version") => serde_json::json!({"version": "0.34.3"}),
                Some("/api/tags") => serde_json::json!({"models": list}),
                Some("/api/ps") if models.len() == 1 => serde_json::json!({"models": list}),
                _ => serde_json::json!({}),
            };
            let body = body.to_string();
            let _ =
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        }
    });
    address
}

fn fanlight(home: &tempfile::TempDir, upstream: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fanlight"));
    for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "FANLIGHT_LOG", "FANLIGHT_MODEL", "FANLIGHT_NUM_CTX"] {
        command.env_remove(name);
    }
    command.env("HOME", home.path()).args(["run", "--upstream", upstream]).stdin(Stdio::null());
    command
}

fn run(upstream: &str, client: &[&str]) -> (Output, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let output = fanlight(&home, upstream).args(client).output().unwrap();
    (output, home)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_terminal_is_the_clients() {
    let server = ollama(&["qwen2.5-coder:7b"]);
    let (output, home) = run(&server, &["sh", "-c", "echo $ANTHROPIC_MODEL; echo between >&2; exit 7"]);
    assert_eq!(output.status.code(), Some(7));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("qwen2.5-coder:7b\n"));
    let lines: Vec<String> = said(&output).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 4, "two lines, the client's own, and the end: {lines:#?}");
    assert!(lines[0].contains("qwen2.5-coder:7b, window 8192"), "{lines:#?}");
    assert!(lines[1].contains("/fanlight/ui"), "{lines:#?}");
    assert_eq!(lines[2], "between");
    let log = std::fs::read_to_string(home.path().join(".local/state/fanlight/run.log")).unwrap();
    assert!(log.contains("no new requests"), "{log}");
}

#[test]
#[cfg(unix)]
fn a_signal_gives_128_and_its_number() {
    let server = ollama(&["qwen2.5-coder:7b"]);
    assert_eq!(run(&server, &["sh", "-c", "kill -KILL $$"]).0.status.code(), Some(137));
}

#[test]
#[cfg(unix)]
fn what_ends_the_proxy_ends_the_client() {
    let server = ollama(&["qwen2.5-coder:7b"]);
    for (signal, code) in [("TERM", 143), ("HUP", 129)] {
        let home = tempfile::tempdir().unwrap();
        let mark = home.path().join("started");
        let mut running = fanlight(&home, &server);
        let script = format!("echo $$ > {0}.new; mv {0}.new {0}; exec sleep 60", mark.display());
        let mut child = running.args(["sh", "-c", &script]).stderr(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        while !mark.exists() && began.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let client = std::fs::read_to_string(&mark).unwrap();
        let kill = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}");
        let alive = Command::new("kill").args(["-0", client.trim()]).stderr(Stdio::null()).status().unwrap();
        assert!(!alive.success(), "the client outlives {signal}");
    }
}

#[test]
fn without_a_server_no_client_is_started() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (output, _home) = run(&nobody, &["sh", "-c", "echo started"]);
    assert_eq!(output.status.code(), Some(69));
    assert!(output.stdout.is_empty());
    assert!(said(&output).contains("ollama serve") && said(&output).contains("--upstream"), "{}", said(&output));
}

#[test]
fn several_models_are_listed_and_none_is_guessed() {
    let (output, _home) = run(&ollama(&["a:7b", "b:1b"]), &["sh", "-c", "echo started"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(said(&output).contains("--model") && said(&output).contains("\n  a:7b\n  b:1b"), "{}", said(&output));
}

#[test]
fn no_model_is_said_with_how_to_get_one() {
    let (output, _home) = run(&ollama(&[]), &["sh"]);
    assert_eq!(output.status.code(), Some(69));
    assert!(said(&output).contains("ollama pull"), "{}", said(&output));
}

#[test]
fn a_setting_of_the_file_counts_less_than_the_environment_and_an_option() {
    let server = ollama(&["a:7b", "b:1b"]);
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/fanlight");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), "model = \"b:1b\"\nnum-ctx = 9000\n").unwrap();
    let model = |change: &dyn Fn(&mut Command)| {
        let mut command = fanlight(&home, &server);
        change(&mut command);
        said(&command.args(["true"]).output().unwrap()).lines().next().unwrap_or_default().to_owned()
    };
    assert!(model(&|_| {}).contains("b:1b, window 9000"), "{}", model(&|_| {}));
    assert!(model(&|command| _ = command.env("FANLIGHT_MODEL", "a:7b")).contains("a:7b, window"));
    let option =
        model(&|command| _ = command.env("FANLIGHT_MODEL", "a:7b").args(["--model", "b:1b", "--num-ctx", "4096"]));
    assert!(option.contains("b:1b, window 4096"), "{option}");

    std::fs::write(folder.join("config.toml"), "num-ctx = 7\n").unwrap();
    let output = fanlight(&home, &server).arg("true").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("config.toml") && said(&output).contains("1024"), "{}", said(&output));
}
