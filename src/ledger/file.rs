//! The files: one a month, one line of JSON an exchange.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
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

/// The regular files of the ledger, by name; a folder or a pipe of such a name is none of ours.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let listing = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listing => listing?,
    };
    let mut paths: Vec<PathBuf> = listing.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl") && path.is_file());
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

/// Appends one entry to the file of its month, in one write, behind a line that is whole: where another was torn by a full
/// disk or a crash, of this process or another, a line end comes first.
pub(super) fn append(folder: &Path, entry: &Entry) -> io::Result<()> {
    private_folder(folder)?;
    let mut file = private_file(&folder.join(file_name(entry.at_ms)))?;
    let mut line = Vec::new();
    if ends_torn(&mut file)? {
        line.push(b'\n');
    }
    serde_json::to_writer(&mut line, entry)?;
    line.push(b'\n');
    // Not `write_all`: what a full disk left of it must not be followed by the rest of it as if it were whole.
    let written = file.write(&line)?;
    if written < line.len() { Err(io::ErrorKind::WriteZero.into()) } else { Ok(()) }
}

/// Whether the last line has no end.
fn ends_torn(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// Makes the folder for the user only, whatever the mask says, and those above it that are missing.
fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    close_to_others(folder, &fs::metadata(folder)?)
}

/// Opens a file for the user only, to read its end and to append to it.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    let facts = file.metadata()?;
    if !facts.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{} is no regular file", path.display())));
    }
    close_to_others(path, &facts)?;
    Ok(file)
}

/// Takes from others what an older version or a wide mask has given them.
#[cfg(unix)]
fn close_to_others(path: &Path, facts: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = facts.permissions().mode() & 0o777;
    let own = mode & 0o700;
    if mode == own { Ok(()) } else { fs::set_permissions(path, fs::Permissions::from_mode(own)) }
}

#[cfg(not(unix))]
fn close_to_others(_: &Path, _: &fs::Metadata) -> io::Result<()> {
    Ok(())
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
    fn a_torn_line_does_not_swallow_the_next() {
        let home = tempfile::tempdir().unwrap();
        let entry = |total_ms| Entry { at_ms: NOVEMBER, total_ms, ..Entry::default() };
        append(home.path(), &entry(1)).unwrap();
        let file = home.path().join("2026-11.jsonl");
        OpenOptions::new().append(true).open(&file).unwrap().write_all(b"{\"at_ms\":17").unwrap();
        append(home.path(), &entry(2)).unwrap();
        append(home.path(), &entry(3)).unwrap();
        let found = read_since(home.path(), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!((found.entries, found.unreadable), (vec![entry(1), entry(2), entry(3)], 1));
    }

    #[test]
    fn a_folder_of_the_name_of_a_file_is_passed_over() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("2026-10.jsonl")).unwrap();
        append(home.path(), &Entry { at_ms: NOVEMBER, ..Entry::default() }).unwrap();
        assert_eq!(read_since(home.path(), Timestamp::UNIX_EPOCH).unwrap().entries.len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_whatever_was_so_before() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("state/fanlight");
        let file = folder.join("2026-11.jsonl");
        append(&folder, &Entry { at_ms: NOVEMBER, ..Entry::default() }).unwrap();
        for path in [&folder, &file] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
        }
        append(&folder, &Entry { at_ms: NOVEMBER, ..Entry::default() }).unwrap();
        for path in [home.path().join("state"), folder, file] {
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
        }
    }

    #[test]
    fn no_folder_is_no_entries() {
        let found = read_since(Path::new("/nowhere/at/all"), Timestamp::UNIX_EPOCH).unwrap();
        assert!(found.entries.is_empty());
    }
}
