//! Lines that must survive any shortening: errors, exit codes, failing tests.

use std::sync::LazyLock;

use regex::Regex;

static FACT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        ^\s*(?:\x{2716}|\x{2717}|\x{2718}|\x{d7})\s
        | ^\s*(?:E\s{2,}|---\s*FAIL|FAIL|FAILED|not\ ok|Traceback|panic:|Caused\ by|npm\ ERR)
        | (?-u:\b)(?:[A-Z][A-Za-z0-9_]*)?(?:Error|Exception)(?-u:\b)\s*[:(\[]
        | (?-u:\b)(?i:error|fatal|panic|panicked|segfault|undefined\ reference)(?:\[[A-Za-z0-9_]+\])?\s*[:!]
        | (?-u:\b)panicked\ at(?-u:\b)
        | (?-u:\b)(?i:exit(?:ed)?(?:\ with)?\ (?:code|status)):?\s*-?\d
        | (?-u:\b)FAILED(?-u:\b) | \.\.\.\ *FAIL | (?-u:\b)\d+\ (?i:failed|failures?|errors?)(?-u:\b)
        | (?-u:\b)(?i:assertion)(?-u:\b).*(?-u:\b)(?i:failed)(?-u:\b)
        | (?i:command\ not\ found|no\ such\ file|permission\ denied)
        ",
    )
    .ok()
});

/// Whether this line states an error, an exit code or a failing test.
pub(super) fn is_fact(line: &str) -> bool {
    line.len() < 2000 && FACT.as_ref().is_some_and(|fact| fact.is_match(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_exit_codes_and_failing_tests_are_facts() {
        for line in [
            "error[E0425]: cannot find value `x`",
            "  --- FAIL: TestFoo (0.00s)",
            "test parser::works ... FAILED",
            "Exit code 101",
            "process exited with status 2",
            "FAILED tests/test_a.py::test_b - AssertionError: 1 != 2",
            "TypeError: undefined is not a function",
            "thread 'main' panicked at src/main.rs:3:5:",
            "src/a.c:3:1: fatal error: x.h: No such file",
            "\t✗ renders the page",
            "3 failed, 10 passed",
        ] {
            assert!(is_fact(line), "{line}");
        }
    }

    #[test]
    fn ordinary_lines_are_not() {
        for line in ["test parser::works ... ok", "let error = 3;", "compiling failover v1.0", "ok  pkg 0.1s"] {
            assert!(!is_fact(line), "{line}");
        }
    }
}
