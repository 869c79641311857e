//! Where this user's files lie, on each system: `etcetera` knows XDG, macOS and Windows.

use std::path::PathBuf;

use etcetera::BaseStrategy;
use etcetera::base_strategy::choose_base_strategy;

/// The name of our folder in each of the base folders.
const OWN: &str = "fanlight";

/// Configuration: `$XDG_CONFIG_HOME/fanlight`, `~/.config/fanlight`, or `%APPDATA%\fanlight`. `None` without a home.
pub fn config() -> Option<PathBuf> {
    Some(choose_base_strategy().ok()?.config_dir().join(OWN))
}

/// What is written while it runs: `$XDG_STATE_HOME/fanlight`, `~/.local/state/fanlight`, or `%LOCALAPPDATA%\fanlight`
/// (Windows has no folder for state). `None` without a home.
pub fn state() -> Option<PathBuf> {
    let base = choose_base_strategy().ok()?;
    Some(base.state_dir().unwrap_or_else(|| base.cache_dir()).join(OWN))
}

/// A path as people write it: with `~` for the home.
pub fn shown(path: &std::path::Path) -> String {
    let home = etcetera::home_dir().ok();
    match home.as_deref().and_then(|home| path.strip_prefix(home).ok()) {
        Some(rest) => PathBuf::from("~").join(rest).display().to_string(),
        None => path.display().to_string(),
    }
}
