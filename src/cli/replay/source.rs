//! Where histories come from: sessions, transcripts of the client, folders of captured bodies.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use serde_json::Value;

use super::transcript;
use crate::cli::Usage;
use crate::wire::{Block, Message, Request, Role};

/// A history that is played again.
#[derive(Debug, Clone)]
pub(crate) struct Played {
    /// The file's stem; a folder's name for captured bodies.
    pub name: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// The messages of a session; each of its requests is a beginning of them.
    Session(Vec<Message>),
    /// Bodies as they were captured.
    Bodies(Vec<Request>),
}

/// What stands around the messages of a session: system, tools, and what the client says first.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    request: Request,
    leading: Vec<Message>,
}

impl Base {
    /// Takes a captured body apart: its prompt is left out.
    pub(crate) fn of(mut request: Request) -> Self {
        let first: Vec<Message> =
            request.messages.iter().take_while(|message| message.role != Role::Assistant).cloned().collect();
        let leading = first.into_iter().filter_map(without_prompt).collect();
        request.messages.clear();
        Self { request, leading }
    }

    fn request(&self, messages: &[Message]) -> Request {
        let messages = self.leading.iter().chain(messages).cloned().collect();
        Request { messages, ..self.request.clone() }
    }
}

/// Reminders of the user's side, and all of the system's.
fn without_prompt(message: Message) -> Option<Message> {
    let is_reminder = |block: &Block| matches!(block, Block::Text(text) if text.trim_start().starts_with('<'));
    let content: Vec<Block> = match message.role {
        Role::System => message.content.into(),
        _ => message.content.into_iter().filter(is_reminder).collect(),
    };
    (!content.is_empty()).then_some(Message { role: message.role, content: content.into() })
}

/// One request of a history.
pub(crate) struct Asked<'a> {
    pub request: Arc<Request>,
    /// Its messages without what the base puts before them.
    pub history: &'a [Message],
    /// The real answer that came to it, where that is known.
    pub answer: Option<&'a Message>,
    /// It begins with all messages of the request before it.
    pub goes_on: bool,
}

impl Played {
    pub(crate) fn session(name: String, messages: Vec<Message>) -> Self {
        Self { name, kind: Kind::Session(messages) }
    }

    /// All of its messages.
    pub(crate) fn messages(&self) -> &[Message] {
        match &self.kind {
            Kind::Session(messages) => messages,
            Kind::Bodies(bodies) => bodies.last().map_or(&[], |body| &body.messages),
        }
    }

    /// Every request, in order.
    pub(crate) fn requests<'a>(&'a self, base: &'a Base) -> Box<dyn Iterator<Item = Asked<'a>> + 'a> {
        match &self.kind {
            Kind::Session(messages) => {
                let answers = (1..messages.len()).filter(|at| messages[*at].role == Role::Assistant);
                Box::new(answers.enumerate().map(|(number, at)| Asked {
                    request: Arc::new(base.request(&messages[..at])),
                    history: &messages[..at],
                    answer: Some(&messages[at]),
                    goes_on: number > 0,
                }))
            }
            Kind::Bodies(bodies) => Box::new((0..bodies.len()).map(|at| captured(bodies, at))),
        }
    }
}

fn captured(bodies: &[Request], at: usize) -> Asked<'_> {
    let body = &bodies[at];
    let next = bodies[at + 1..].iter().find(|next| next.messages.starts_with(&body.messages));
    let answer = next.and_then(|next| next.messages.get(body.messages.len()));
    Asked {
        request: Arc::new(body.clone()),
        history: &body.messages,
        answer: answer.filter(|answer| answer.role == Role::Assistant),
        goes_on: at > 0 && body.messages.starts_with(&bodies[at - 1].messages),
    }
}

/// The histories under these paths; what was passed over is said on standard error.
///
/// # Errors
/// As [`find`], and when there is none.
pub(crate) fn sessions(paths: &[PathBuf]) -> anyhow::Result<Vec<Played>> {
    let (played, passed) = find(paths)?;
    for word in passed {
        writeln!(anstream::stderr(), "passed over {word}")?;
    }
    if played.is_empty() {
        return Err(Usage("there is no session under these paths".into()).into());
    }
    Ok(played)
}

/// The histories under these paths, in order of their names, and what was passed over and why.
///
/// # Errors
/// When a path does not exist or a folder cannot be listed.
fn find(paths: &[PathBuf]) -> anyhow::Result<(Vec<Played>, Vec<String>)> {
    let (mut found, mut passed) = (Vec::new(), Vec::new());
    for path in paths {
        look(path, &mut found, &mut passed)?;
    }
    Ok((found, passed))
}

fn look(path: &Path, found: &mut Vec<Played>, passed: &mut Vec<String>) -> anyhow::Result<()> {
    if path.is_dir() {
        return look_in_folder(path, found, passed);
    }
    let mut bodies = Vec::new();
    read_file(path, found, &mut bodies, passed)?;
    push_bodies(stem(path), bodies, found);
    Ok(())
}

fn look_in_folder(folder: &Path, found: &mut Vec<Played>, passed: &mut Vec<String>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    let mut bodies = Vec::new();
    for path in paths {
        if path.is_dir() {
            look_in_folder(&path, found, passed)?;
        } else if path.extension().is_some_and(|extension| extension == "json" || extension == "jsonl") {
            read_file(&path, found, &mut bodies, passed)?;
        }
    }
    push_bodies(stem(folder), bodies, found);
    Ok(())
}

fn push_bodies(name: String, bodies: Vec<Request>, found: &mut Vec<Played>) {
    if !bodies.is_empty() {
        found.push(Played { name, kind: Kind::Bodies(bodies) });
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Reads one file for what it is.
fn read_file(
    path: &Path,
    found: &mut Vec<Played>,
    bodies: &mut Vec<Request>,
    passed: &mut Vec<String>,
) -> anyhow::Result<()> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    if path.extension().is_some_and(|extension| extension == "jsonl") {
        let parts = transcript::read(&bytes);
        if parts.is_empty() {
            passed.push(format!("{}: no transcript", path.display()));
        }
        let one = parts.len() == 1;
        let name = |at| if one { stem(path) } else { format!("{}-s{at}", stem(path)) };
        found.extend(parts.into_iter().enumerate().map(|(at, messages)| Played::session(name(at), messages)));
        return Ok(());
    }
    match serde_json::from_slice::<Value>(&bytes) {
        Ok(value) if value.get("max_tokens").is_some() && value.is_object() => match Request::parse(&bytes) {
            Ok(request) => bodies.push(request),
            Err(error) => passed.push(format!("{}: {error}", path.display())),
        },
        Ok(value) if value.get("messages").is_some_and(Value::is_array) => {
            match transcript::messages_of(&value["messages"]) {
                Some(messages) => found.push(Played::session(stem(path), messages)),
                None => passed.push(format!("{}: its messages have an unknown shape", path.display())),
            }
        }
        Ok(_) => passed.push(format!("{}: neither a session nor a request", path.display())),
        Err(error) => passed.push(format!("{}: {error}", path.display())),
    }
    Ok(())
}
