//! Where the log goes: standard error, or a file that stays small. Never prompt content.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

/// A log of this many bytes is set aside, and a new one begun: two of them are kept.
const LARGEST: u64 = 1 << 20;

/// What is logged: `FANLIGHT_LOG` says (`fanlight=debug`), else `usual`.
fn filter(usual: &str) -> EnvFilter {
    EnvFilter::try_from_env("FANLIGHT_LOG").unwrap_or_else(|_| EnvFilter::new(usual))
}

/// Logs to standard error. A command that serves says what it does; one that answers a question says its answer.
pub(super) fn to_terminal(serves: bool) {
    let filter = filter(if serves { "fanlight=info" } else { "off" });
    let colour = io::IsTerminal::is_terminal(&io::stderr());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colour);
    let _ = log.with_target(false).try_init();
}

/// Logs to a file, which is made with its folder; a fault of our own is said there too, not on the terminal.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn to_file(path: &Path) -> io::Result<()> {
    let file = LogFile::open(path)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter("fanlight=info"))
        .with_writer(Mutex::new(file))
        .with_ansi(false);
    let _ = log.with_target(false).try_init();
    std::panic::set_hook(Box::new(|fault| tracing::error!("{fault}")));
    Ok(())
}

/// A file that is set aside when it has grown. Several processes may write to one; each line is one write.
struct LogFile {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl LogFile {
    fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, bytes })
    }

    fn set_aside(&mut self) -> io::Result<()> {
        fs::rename(&self.path, self.path.with_extension("log.old"))?;
        *self = Self::open(&self.path)?;
        Ok(())
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes >= LARGEST {
            // A log that cannot be set aside grows on.
            let _ = self.set_aside();
        }
        self.bytes += bytes.len() as u64;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_has_grown_is_set_aside_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/run.log");
        let mut log = LogFile::open(&path).unwrap();
        let line = vec![b'x'; 1 << 18];
        for _ in 0..11 {
            log.write_all(&line).unwrap();
        }
        let length = |name: &str| fs::metadata(folder.path().join("deep").join(name)).unwrap().len();
        assert_eq!((length("run.log"), length("run.log.old")), (3 << 18, LARGEST));
    }
}
