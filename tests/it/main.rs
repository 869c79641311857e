//! All integration tests, in one binary.

// The walls are for what ships; a test fails by a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod allocations;
mod captures;
mod commands;
mod demo;
mod examples;
mod fields;
mod fixtures;
mod fuzz;
mod http;
mod known;
mod promises;
mod run;
mod seeded;
mod serve;
mod shared_reads;
mod streams;
mod structure;
mod vocabulary;

use std::path::Path;

/// Where the files of the repository lie.
fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
