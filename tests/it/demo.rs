//! The demo, as somebody without anything else runs it.

use std::process::Command;

#[test]
fn the_demo_needs_nothing_and_tells_no_lies() {
    let home = tempfile::tempdir().unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_fanlight")).arg("demo").env_clear().env("HOME", home.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!text.contains('\x1b') && !text.contains('\r'), "no colours and no carriage returns in a pipe");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let turns = text.lines().filter(|line| line.contains('█') && line.contains(" of ")).count();
    assert!(turns >= 12, "{turns} turns:\n{text}");
    assert!(text.contains("51 of 51 calls and 14 of 14 texts"), "{text}");
    assert!(text.contains("{\"file_path\":\"/"), "{text}");
    assert!(text.contains("free for 90 minutes before"), "the call was run:\n{text}");
}
