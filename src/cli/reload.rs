//! Rule files that change while the proxy runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::task::spawn_blocking;
use tracing::{error, info};

use super::rule_files;
use crate::proxy::Proxy;

/// How often files are looked at.
const EVERY: Duration = Duration::from_secs(1);

/// A file, the time of its last change, and its length.
type Stamp = (PathBuf, Option<SystemTime>, u64);

/// Watches for as long as the proxy runs. A broken file leaves the last good rules in force. What the files are is seen at
/// the call, not at the first poll: a change before that would be taken for what was read at the start. Files are looked at
/// and read where it keeps nobody waiting: a disk may hang.
pub(super) fn watch(proxy: Arc<Proxy>, paths: Vec<PathBuf>) -> impl Future<Output = ()> + Send {
    let mut seen = stamps(&paths);
    async move {
        loop {
            tokio::time::sleep(EVERY).await;
            let (proxy, paths) = (proxy.clone(), paths.clone());
            let looking = spawn_blocking(move || {
                let now = stamps(&paths);
                if now != seen {
                    reload(&proxy, &paths);
                }
                now
            });
            let Ok(now) = looking.await else { return error!("rule files are not watched any more") };
            seen = now;
        }
    }
}

fn reload(proxy: &Proxy, paths: &[PathBuf]) {
    match rule_files::load(paths) {
        Ok(rules) => {
            info!("rules read again");
            proxy.use_rules(rules);
        }
        Err(fault) => {
            error!("the rules in force stay as they were: {fault:#}");
            proxy.keep_rules(format!("{fault:#}"));
        }
    }
}

fn stamps(paths: &[PathBuf]) -> Vec<Stamp> {
    rule_files::files(paths).unwrap_or_default().into_iter().map(|path| stamp(&path)).collect()
}

fn stamp(path: &Path) -> Stamp {
    let facts = std::fs::metadata(path).ok();
    let length = facts.as_ref().map_or(0, std::fs::Metadata::len);
    (path.to_owned(), facts.and_then(|facts| facts.modified().ok()), length)
}
