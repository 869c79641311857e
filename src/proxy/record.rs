//! Keeps the bodies of requests, when the user asks for it: this is how one gets a REQUEST.json.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use bytes::Bytes;
use tokio::task::spawn_blocking;
use tracing::warn;

use super::metrics::Count;

/// Writes bodies into a folder, numbered in the order of their coming. Clones write into the same one.
#[derive(Debug, Clone)]
pub struct Recorder {
    folder: Arc<PathBuf>,
    next: Arc<AtomicU64>,
    /// Bodies that could not be written.
    lost: Arc<Count>,
}

impl Recorder {
    /// Makes the folder, for the user only; goes on behind the numbers that are there.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn new(folder: &Path, lost: Arc<Count>) -> anyhow::Result<Self> {
        private_folder(folder).with_context(|| folder.display().to_string())?;
        let names = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
        let number = |name: &str| name.split('.').next()?.parse::<u64>().ok();
        let last = names.filter_map(|entry| number(entry.ok()?.file_name().to_str()?)).max();
        let next = last.map_or(0, |last| last.saturating_add(1));
        Ok(Self { folder: Arc::new(folder.to_owned()), next: Arc::new(AtomicU64::new(next)), lost })
    }

    /// Keeps the client's body of a new exchange, and gives its number; `None` where it could not be kept.
    pub async fn begin(&self, body: Bytes) -> Option<u64> {
        let recorder = self.clone();
        spawn_blocking(move || recorder.reserve(&body)).await.ok()?
    }

    /// Keeps another body of an exchange as `NNNN.name.json`. Nobody waits for it.
    pub fn keep(&self, number: u64, name: String, body: Bytes) {
        let recorder = self.clone();
        spawn_blocking(move || recorder.tell(recorder.write(number, &name, &body)));
    }

    /// The first number that nobody has taken, this process or another.
    fn reserve(&self, body: &[u8]) -> Option<u64> {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            match self.write(number, "client", body) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                written => return self.tell(written).then_some(number),
            }
        }
    }

    /// What is kept under a number: file names and bodies, in the order of their names.
    pub fn bodies(&self, number: u64) -> Vec<(String, String)> {
        let begins = format!("{number:04}.");
        let names = std::fs::read_dir(&*self.folder)
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

    /// Writes a file that was not there; half of one is none.
    fn write(&self, number: u64, name: &str, body: &[u8]) -> io::Result<()> {
        let path = self.folder.join(format!("{number:04}.{name}.json"));
        let mut file = private_file(OpenOptions::new().write(true).create_new(true), &path)?;
        file.write_all(body).inspect_err(|_| _ = std::fs::remove_file(&path))
    }

    fn tell(&self, written: io::Result<()>) -> bool {
        if let Err(error) = &written {
            self.lost.add(1);
            warn!("cannot record into {}: {error}", self.folder.display());
        }
        written.is_ok()
    }
}

/// Makes a folder that only the user may look into, and those above it that are missing.
fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Opens a file that only the user may read.
fn private_file(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorder(folder: &Path) -> Recorder {
        Recorder::new(folder, Arc::default()).unwrap()
    }

    #[test]
    fn numbers_go_on_behind_what_is_there_however_many_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let first = recorder(folder.path());
        assert_eq!((first.reserve(b"{}"), first.reserve(b"[]")), (Some(0), Some(1)));
        std::fs::write(folder.path().join("12345.upstream.json"), "old").unwrap();
        let second = recorder(folder.path());
        assert_eq!(second.reserve(b"{}"), Some(12_346));
        assert_eq!(std::fs::read(folder.path().join("0001.client.json")).unwrap(), b"[]");
    }

    #[test]
    fn two_that_record_into_one_folder_overwrite_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (recorder(folder.path()), recorder(folder.path()));
        let numbers = [one.reserve(b"1"), two.reserve(b"2"), one.reserve(b"3")];
        assert_eq!(numbers, [Some(0), Some(1), Some(2)]);
        assert_eq!(std::fs::read(folder.path().join("0001.client.json")).unwrap(), b"2");
    }

    #[test]
    fn what_cannot_be_kept_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let one = recorder(folder.path());
        folder.close().unwrap();
        assert_eq!((one.reserve(b"{}"), one.lost.get()), (None, 1));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/b");
        recorder(&folder).reserve(b"{}").unwrap();
        for path in [home.path().join("a"), folder.clone(), folder.join("0000.client.json")] {
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
        }
    }
}
