//! What one call asks for, in the words of its role.

use serde_json::Value;

use crate::rules::Role;

/// One replacement that an edit asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swap<'a> {
    pub old: &'a str,
    pub new: &'a str,
    /// Every place, not only the one.
    pub all: bool,
}

/// What a call asks for. Borrowed from its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act<'a> {
    Read {
        path: &'a str,
        offset: Option<usize>,
        limit: Option<usize>,
    },
    Edit {
        path: &'a str,
        swaps: Vec<Swap<'a>>,
    },
    Write {
        path: &'a str,
        content: &'a str,
    },
    Run {
        command: &'a str,
    },
    Search {
        pattern: &'a str,
        path: Option<&'a str>,
    },
    List {
        pattern: &'a str,
        path: Option<&'a str>,
    },
    /// A tool without a role, or an input that does not have the shape of its role.
    Other,
}

impl<'a> Act<'a> {
    /// Reads an input by the role of its tool.
    pub fn of(role: Option<&Role>, input: &'a Value) -> Self {
        role.and_then(|role| read(role, input)).unwrap_or(Self::Other)
    }

    /// The path that the call names, whatever it does to it.
    pub fn path(&self) -> Option<&'a str> {
        match self {
            Self::Read { path, .. } | Self::Edit { path, .. } | Self::Write { path, .. } => Some(path),
            Self::Search { path, .. } | Self::List { path, .. } => *path,
            Self::Run { .. } | Self::Other => None,
        }
    }
}

fn read<'a>(role: &Role, input: &'a Value) -> Option<Act<'a>> {
    let text = |key: &String| input.get(key).and_then(Value::as_str);
    let number = |key: &Option<String>| input.get(key.as_ref()?).and_then(whole_number);
    Some(match role {
        Role::Read { path, offset, limit } => {
            Act::Read { path: text(path)?, offset: number(offset), limit: number(limit) }
        }
        Role::Edit { path, old, new, all } => {
            Act::Edit { path: text(path)?, swaps: swaps(input, old, new, all.as_deref()) }
        }
        Role::Write { path, content } => Act::Write { path: text(path)?, content: text(content)? },
        Role::Run { command } => Act::Run { command: text(command)? },
        Role::Search { pattern, path } => Act::Search { pattern: text(pattern)?, path: path.as_ref().and_then(text) },
        Role::List { pattern, path } => Act::List { pattern: text(pattern)?, path: path.as_ref().and_then(text) },
    })
}

/// One swap of the input itself, or those of a list of objects in it (an edit of several places).
fn swaps<'a>(input: &'a Value, old: &str, new: &str, all: Option<&str>) -> Vec<Swap<'a>> {
    if let Some(swap) = swap(input, old, new, all) {
        return vec![swap];
    }
    let lists = input.as_object().into_iter().flat_map(|fields| fields.values()).filter_map(Value::as_array);
    lists.flatten().filter_map(|item| swap(item, old, new, all)).collect()
}

fn swap<'a>(input: &'a Value, old: &str, new: &str, all: Option<&str>) -> Option<Swap<'a>> {
    let text = |key: &str| input.get(key).and_then(Value::as_str);
    let all = all.and_then(|key| input.get(key)).and_then(Value::as_bool).unwrap_or(false);
    Some(Swap { old: text(old)?, new: text(new)?, all })
}

fn whole_number(value: &Value) -> Option<usize> {
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())?;
    usize::try_from(number).ok()
}
