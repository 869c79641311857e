//! Where the client works.

use crate::rules::Pack;
use crate::wire::{Block, Message, Request, Role};

/// The path of the working folder: from the system text, else from what the client puts before the first answer.
pub(super) fn folder_of(request: &Request, pack: &Pack) -> Option<String> {
    let opening = request.messages.iter().take_while(|message| message.role != Role::Assistant);
    let texts = opening.flat_map(texts_of);
    request.system.iter().map(String::as_str).chain(texts).find_map(|text| marked(text, &pack.folder_marks))
}

fn texts_of(message: &Message) -> impl Iterator<Item = &str> {
    message.content.iter().filter_map(|block| match block {
        Block::Text(text) => Some(text.as_str()),
        _ => None,
    })
}

/// The rest of the first line that begins with one of `marks`.
fn marked(text: &str, marks: &[String]) -> Option<String> {
    let rest = |line: &str| {
        let line = line.trim_start_matches([' ', '-', '*']);
        marks.iter().find_map(|mark| line.strip_prefix(mark.as_str())).map(|path| path.trim().to_owned())
    };
    text.lines().find_map(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_what_stands_behind_a_mark_at_the_beginning_of_a_line() {
        let marks = ["Folder: ".to_owned()];
        assert_eq!(marked("# Here\n - Folder: /a/b \nmore", &marks).as_deref(), Some("/a/b"));
        assert_eq!(marked("the Folder: /a/b", &marks), None);
    }
}
