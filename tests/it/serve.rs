//! The binary as a user starts it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running `fanlight serve` before a server that is not there.
struct Running {
    child: Child,
    address: String,
}

fn fanlight() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fanlight"));
    command.env("XDG_CONFIG_HOME", "/nonexistent").env_remove("FANLIGHT_LOG").stderr(Stdio::piped());
    command
}

impl Running {
    fn start(rules: &Path) -> Self {
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = fanlight();
        command.args(["serve", "--no-ledger", "--listen", "127.0.0.1:0", "--num-ctx", "8192", "--upstream"]);
        let mut child = command.arg(nobody.to_string()).arg("--rules").arg(rules).spawn().unwrap();
        let mut banner = String::new();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut banner).unwrap();
        let address = banner.split("http://").nth(1).unwrap().split(',').next().unwrap().to_owned();
        Self { child, address }
    }

    fn health(&self) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(b"GET /fanlight/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Whether health comes to say this within a while.
    fn comes_to_say(&self, words: &str) -> bool {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(10) {
            if self.health().contains(words) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        false
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn rules_are_read_again_and_a_broken_file_leaves_the_last_good_ones() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    assert!(running.comes_to_say(r#""rules_error":null"#));
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, "nonsense = 1\n").unwrap();
    assert!(running.comes_to_say("mine.toml"));
    std::fs::remove_file(&file).unwrap();
    assert!(running.comes_to_say(r#""rules_error":null"#));
}

#[test]
fn a_termination_is_an_orderly_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::start(folder.path());
    assert!(running.health().contains("200 OK"));
    assert!(Command::new("kill").arg(running.child.id().to_string()).status().unwrap().success());
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
}

#[test]
fn wrong_usage_is_said_with_exit_code_2() {
    let cases: [&[&str]; 4] = [
        &["serve", "--upstream", "https://host"],
        &["serve", "--profile", "huge"],
        &["serve", "--rules", "/no/such/file.toml"],
        &["serve", "--num-ctx", "7"],
    ];
    for arguments in cases {
        let output = fanlight().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
}
