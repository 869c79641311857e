//! The files: one a month, one line of JSON an exchange.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Entry;

/// What was read from the files.
#[derive(Debug, Default)]
pub struct Found {
    pub entries: Vec<Entry>,
    /// Lines that are no entry: torn by a crash, or of another make.
    pub unreadable: usize,
}

/// All entries at or after `since`, oldest file first. A folder that is not there holds nothing.
///
/// # Errors
/// When a file cannot be read.
pub fn read_since(folder: &Path, since: Timestamp) -> io::Result<Found> {
    let first = file_name(since.as_millisecond());
    let mut found = Found::default();
    for path in files(folder)? {
        if path.file_name().is_some_and(|name| *name.to_string_lossy() >= *first) {
            read_file(&path, since.as_millisecond(), &mut found)?;
        }
    }
    Ok(found)
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let listing = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listing => listing?,
    };
    let mut paths: Vec<PathBuf> = listing.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    Ok(paths)
}

fn read_file(path: &Path, since_ms: i64, found: &mut Found) -> io::Result<()> {
    let bytes = fs::read(path)?;
    let half = memchr::memchr(b'\n', &bytes[bytes.len() / 2..]).map_or(bytes.len(), |at| bytes.len() / 2 + at + 1);
    let (first, second) = bytes.split_at(half);
    // Two threads halve the wait for a month of a hundred thousand lines.
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(|| read_lines(second, since_ms));
        let own = read_lines(first, since_ms);
        (own, other.join())
    });
    let second = second.unwrap_or_else(|fault| std::panic::resume_unwind(fault));
    for part in [first, second] {
        found.entries.extend(part.entries);
        found.unreadable += part.unreadable;
    }
    Ok(())
}

fn read_lines(bytes: &[u8], since_ms: i64) -> Found {
    let mut found = Found::default();
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', bytes).chain(std::iter::once(bytes.len())) {
        let line = &bytes[start..end];
        start = end + 1;
        match serde_json::from_slice::<Entry>(line) {
            Ok(entry) if entry.at_ms >= since_ms => found.entries.push(entry),
            Err(_) if !line.is_empty() => found.unreadable += 1,
            _ => {}
        }
    }
    found
}

/// The file of the month in which something happened.
fn file_name(at_ms: i64) -> String {
    let moment = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC);
    format!("{}.jsonl", moment.strftime("%Y-%m"))
}

/// Appends one entry to the file of its month, in one write.
pub(super) fn append(folder: &Path, entry: &Entry) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    OpenOptions::new().create(true).append(true).open(folder.join(file_name(entry.at_ms)))?.write_all(&line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOVEMBER: i64 = 1_793_577_600_000;

    #[test]
    fn what_was_appended_is_found_again_and_torn_lines_are_counted() {
        let home = tempfile::tempdir().unwrap();
        let entry = Entry { at_ms: NOVEMBER, total_ms: 7, ..Entry::default() };
        append(home.path(), &entry).unwrap();
        append(home.path(), &Entry { at_ms: NOVEMBER - 40 * 86_400_000, ..entry.clone() }).unwrap();
        let file = home.path().join("2026-11.jsonl");
        OpenOptions::new().append(true).open(&file).unwrap().write_all(b"{\"at_ms\":17").unwrap();

        let found = read_since(home.path(), Timestamp::from_millisecond(NOVEMBER - 1).unwrap()).unwrap();
        assert_eq!(found.entries, [entry]);
        assert_eq!(found.unreadable, 1);
        assert_eq!(read_since(home.path(), Timestamp::UNIX_EPOCH).unwrap().entries.len(), 2);
    }

    #[test]
    fn no_folder_is_no_entries() {
        let found = read_since(Path::new("/nowhere/at/all"), Timestamp::UNIX_EPOCH).unwrap();
        assert!(found.entries.is_empty());
    }
}
