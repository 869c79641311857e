//! A call that a model wrote as text: read by the proxy, run by the client, for everybody to see.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::client::ask;
use super::model::Model;
use super::session::{Leak, Reply, Session, called, leak, typed};
use super::table::{BAD, DIM, GOOD, STRONG, told, wrapped};
use crate::wire::ToolUse;
use anyhow::Context;

/// Columns for what is said.
const WIDTH: usize = 57;

/// A folder that is gone when this is.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Plays the scene. `false` when the call did not arrive as a call.
///
/// # Errors
/// When the proxy does not answer, or the folder cannot be made.
pub(super) async fn play(
    out: &mut impl Write,
    session: &Session,
    proxy: SocketAddr,
    model: &Model,
) -> anyhow::Result<bool> {
    let leak = leak()?;
    let folder = Folder(std::env::temp_dir().join(format!("tidebook-{}", std::process::id())));
    let file = lay_out(&folder.0, &leak)?;
    let prompt = typed(&leak.prompt.replace(&format!("{}/{}", leak.folder, leak.file), &file.to_string_lossy()));
    let said = leak.said.replace("FILE", &file.to_string_lossy());

    writeln!(out, "\n  {STRONG}A model that writes its call as text, with a wrong name for the parameter{STRONG:#}")?;
    told(out, DIM, "the model said", &wrapped(&said, WIDTH))?;
    model.will_say(Reply { text: said, verbatim: true, ..Reply::default() });
    let Some(call) = ask(proxy, &session.request(std::slice::from_ref(&prompt))).await?.call else {
        told(out, BAD, "the client got", &["a text, and no call".to_owned()])?;
        return Ok(false);
    };
    told(out, GOOD, "the client got", &wrapped(&format!("a call: {} {}", call.name, call.input), WIDTH))?;
    let result = run(&call, &folder.0)?;
    told(out, DIM, "and ran it", &result.lines().map(str::to_owned).collect::<Vec<_>>())?;
    model.will_say(Reply { text: leak.answer, ..Reply::default() });
    let [asked, answered] = called(&call, &result, false);
    let answer = ask(proxy, &session.request(&[prompt, asked, answered])).await?;
    told(out, DIM, "the model said", &wrapped(&answer.text, WIDTH))?;
    Ok(!answer.text.is_empty())
}

fn lay_out(folder: &Path, leak: &Leak) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let file = folder.join(&leak.file);
    fs::write(&file, &leak.content)?;
    Ok(file)
}

/// What the client does with the call: shows the file that it names. Nothing outside of `folder` is read.
fn run(call: &ToolUse, folder: &Path) -> anyhow::Result<String> {
    let fields = call.input.as_object().into_iter().flatten();
    let path = fields.filter_map(|(_, value)| value.as_str()).map(Path::new).find(|path| path.starts_with(folder));
    let path = path.with_context(|| format!("the call names no file of ours: {}", call.input))?;
    let text = fs::read_to_string(path)?;
    let lines = text.lines().enumerate().map(|(at, line)| format!("{:>6}→{line}", at + 1));
    Ok(lines.collect::<Vec<_>>().join("\n"))
}
