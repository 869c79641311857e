//! A call that a model wrote as text: read by the proxy, run by the client, for everybody to see.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Value, json};

use super::client::ask;
use super::model::Model;
use super::session::{Leak, Reply, leak, request, typed};
use super::table::{DIM, STRONG, shortened};
use crate::wire::ToolUse;

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
pub(super) async fn play(out: &mut impl Write, proxy: SocketAddr, model: &Model) -> anyhow::Result<bool> {
    let leak = leak()?;
    let folder = Folder(std::env::temp_dir().join(format!("fanlight-demo-{}", std::process::id())));
    let file = lay_out(&folder.0, &leak)?;
    let prompt = typed(&leak.prompt.replace(&format!("{}/{}", leak.folder, leak.file), &file.to_string_lossy()));
    let said = leak.said.replace("FILE", &file.to_string_lossy());

    writeln!(out, "\n  {STRONG}A model that writes its call as text, with a wrong name for the parameter{STRONG:#}")?;
    writeln!(out, "  the model said    {}", shortened(&said, 60))?;
    model.will_say(Reply { text: said, verbatim: true, ..Reply::default() });
    let Some(call) = ask(proxy, &request(std::slice::from_ref(&prompt))?).await?.call else {
        writeln!(out, "  the client got    text, and no call")?;
        return Ok(false);
    };
    writeln!(out, "  the client got    a call of {}: {}", call.name, shortened(&call.input.to_string(), 46))?;
    let result = run(&call, &folder.0)?;
    writeln!(out, "  the client ran it {DIM}{}{DIM:#}", shortened(&result, 60))?;
    model.will_say(Reply { text: leak.answer, ..Reply::default() });
    let answer = ask(proxy, &request(&history(prompt, &call, &result))?).await?;
    writeln!(out, "  the model said    {}", shortened(&answer.text, 60))?;
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

fn history(prompt: Value, call: &ToolUse, result: &str) -> [Value; 3] {
    [
        prompt,
        json!({"role": "assistant", "content": [
            {"type": "tool_use", "id": call.id, "name": call.name, "input": call.input}]}),
        json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": result}]}),
    ]
}
