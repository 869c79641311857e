//! Rule files from disk: the user's folder, then what `--rules` names, over the built-in ones.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Usage;
use crate::folders;
use crate::rules::RuleSet;

/// The largest rule file, in bytes.
const LARGEST: u64 = 1 << 20;

/// Reads all layers: built-in, `$XDG_CONFIG_HOME/fanlight/rules.d/*.toml` by name, then `paths` in their order.
///
/// # Errors
/// When a file cannot be read, or is not a rule file; the message points at the line.
pub(crate) fn load(paths: &[PathBuf]) -> anyhow::Result<RuleSet> {
    let mut rules = RuleSet::builtin();
    for file in files(paths)? {
        let text = read(&file)?;
        rules.layer(&file.display().to_string(), &text).map_err(|error| Usage(error.to_string()))?;
    }
    Ok(rules)
}

/// The text of a rule file. A pipe or a device would be read without an end.
fn read(path: &Path) -> anyhow::Result<String> {
    let context = || format!("cannot read {}", path.display());
    let facts = std::fs::metadata(path).with_context(context)?;
    if !facts.is_file() {
        return Err(Usage(format!("{} is no regular file", path.display())).into());
    }
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text))
        .with_context(context)?;
    if text.len() as u64 > LARGEST {
        return Err(Usage(format!("{} is larger than {} KiB", path.display(), LARGEST >> 10)).into());
    }
    Ok(text)
}

/// The files of all layers that are on disk, in the order in which they are laid. A folder stands for its `*.toml`.
///
/// # Errors
/// When a path of `paths` does not exist.
pub(crate) fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = user_folder().map(|folder| rule_files_in(&folder)).transpose()?.unwrap_or_default();
    for path in paths {
        if path.is_dir() {
            files.extend(rule_files_in(path)?);
        } else if path.exists() {
            files.push(path.clone());
        } else {
            return Err(Usage(format!("there is no rule file {}", path.display())).into());
        }
    }
    Ok(files)
}

/// `rules.d` in the user's configuration; `None` where there is none.
fn user_folder() -> Option<PathBuf> {
    Some(folders::config()?.join("rules.d")).filter(|folder| folder.is_dir())
}

fn rule_files_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stands_for_its_rule_files_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.toml", "a.toml", "notes.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let names: Vec<_> = rule_files_in(folder.path()).unwrap();
        assert_eq!(names, [folder.path().join("a.toml"), folder.path().join("b.toml")]);
    }

    #[cfg(unix)]
    #[test]
    fn only_regular_files_of_a_moderate_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.toml");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let large = folder.path().join("large.toml");
        std::fs::write(&large, vec![b'#'; (1 << 20) + 1]).unwrap();
        for path in [pipe, large] {
            assert!(load(&[path]).unwrap_err().is::<Usage>());
        }
    }

    #[test]
    fn a_missing_file_is_wrong_usage() {
        let error = files(&["/no/such/file.toml".into()]).unwrap_err();
        assert!(error.is::<Usage>());
    }
}
