//! All integration tests, in one binary.

mod captures;
mod fixtures;
mod http;
mod streams;
mod structure;

use std::path::Path;

/// Where the files of the repository lie.
fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
