//! What goes out: text with the white space around calls taken away, and the calls.

use super::format::Raw;
use crate::wire::{Delta, ToolUse};

/// The outgoing side of the machine.
#[derive(Debug, Clone, Default)]
pub(super) struct Flow {
    /// White space that goes out with the next text, or not at all when a call comes.
    space: String,
    /// The last thing was a call.
    after_call: bool,
    spoke: bool,
    called: bool,
}

impl Flow {
    /// Passes text on.
    pub(super) fn text(&mut self, text: &str, out: &mut Vec<Delta>) {
        let said = text.trim_end();
        if said.is_empty() {
            self.space.push_str(text);
            return;
        }
        let mut whole = std::mem::take(&mut self.space);
        whole.push_str(said);
        let whole = if self.after_call { whole.trim_start().to_owned() } else { whole };
        self.space.push_str(&text[said.len()..]);
        self.after_call = false;
        self.spoke = true;
        out.push(Delta::Text(whole));
    }

    /// Passes calls on.
    pub(super) fn calls(&mut self, calls: Vec<Raw>, out: &mut Vec<Delta>) {
        self.call();
        out.extend(
            calls
                .into_iter()
                .map(|call| Delta::Call(ToolUse { id: String::new(), name: call.name, input: call.input })),
        );
    }

    /// Passes on a call that cannot be read, with the white space before it, so that it can be shown as it was.
    pub(super) fn broken(&mut self, name: String, written: &str, out: &mut Vec<Delta>) {
        let arguments = std::mem::take(&mut self.space) + written;
        self.after_call = false;
        self.spoke = true;
        out.push(Delta::BrokenCall { id: String::new(), name, arguments });
    }

    /// Takes note of a call.
    pub(super) fn call(&mut self) {
        self.space.clear();
        self.after_call = true;
        self.called = true;
    }

    /// Passes on what was held back.
    pub(super) fn end(&mut self, out: &mut Vec<Delta>) {
        let space = std::mem::take(&mut self.space);
        if !space.is_empty() && !self.after_call {
            out.push(Delta::Text(space));
        }
    }

    /// Whether neither text nor a call went out.
    pub(super) fn is_silent(&self) -> bool {
        !self.spoke && !self.called
    }
}
