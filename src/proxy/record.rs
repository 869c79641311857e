//! Keeps the bodies of requests, when the user asks for it: this is how one gets a REQUEST.json.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use tracing::warn;

/// Writes bodies into a folder, numbered in the order of their coming.
#[derive(Debug)]
pub struct Recorder {
    folder: PathBuf,
    next: AtomicU64,
}

impl Recorder {
    /// Makes the folder; goes on behind the numbers that are there.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn new(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let names = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
        let number = |name: &str| name.get(..4)?.parse::<u64>().ok();
        let last = names.filter_map(|entry| number(entry.ok()?.file_name().to_str()?)).max();
        Ok(Self { folder: folder.to_owned(), next: AtomicU64::new(last.map_or(0, |last| last + 1)) })
    }

    /// The number of a new exchange.
    pub fn begin(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Keeps a body as `NNNN.kind.json`, readable by the user only.
    pub fn keep(&self, number: u64, kind: &str, body: &[u8]) {
        let path = self.folder.join(format!("{number:04}.{kind}.json"));
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        if let Err(error) = options.open(&path).and_then(|mut file| file.write_all(body)) {
            warn!("cannot record into {}: {error}", path.display());
        }
    }

    /// What is kept under a number: file names and bodies, in the order of their names.
    pub fn bodies(&self, number: u64) -> Vec<(String, String)> {
        let begins = format!("{number:04}.");
        let names = std::fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| name.starts_with(&begins)).collect();
        names.sort();
        names
            .into_iter()
            .filter_map(|name| {
                let body = std::fs::read(self.folder.join(&name)).ok()?;
                Some((name, String::from_utf8_lossy(&body).into_owned()))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_behind_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let first = Recorder::new(folder.path()).unwrap();
        first.keep(first.begin(), "client", b"{}");
        first.keep(first.begin(), "client", b"{}");
        let second = Recorder::new(folder.path()).unwrap();
        assert_eq!(second.begin(), 2);
        assert_eq!(std::fs::read(folder.path().join("0001.client.json")).unwrap(), b"{}");
    }
}
