//! The reading of one answer: deltas from upstream in, deltas for the client out, and at the end what is next.

use crate::wire::{Delta, End, StopReason, Usage, WireError};

/// What the model is asked again inside the proxy, within one turn of the client.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// Messages that are put behind the prompt: what the model said, and what is wrong with it.
    pub messages: Vec<super::Shown>,
    /// A JSON Schema that binds the answer, where the server can.
    pub format: Option<serde_json::Value>,
}

/// What comes after the end of an upstream answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// The client's message is complete.
    Finish { stop: StopReason, usage: Usage },
    /// Upstream is asked again; the client's message goes on.
    Ask(Ask),
    /// The client must be told that it failed.
    Fail(WireError),
}

/// The state of one answer. Sans-IO: the shell feeds it, and writes what comes out.
#[derive(Debug, Default)]
pub struct Answer {
    called: bool,
}

impl Answer {
    /// Takes one piece from upstream; pushes what the client may have now.
    pub fn on_delta(&mut self, delta: Delta, out: &mut Vec<Delta>) {
        self.called |= matches!(delta, Delta::Call(_));
        out.push(delta);
    }

    /// Takes the end of the upstream answer; pushes what was held back.
    pub fn on_end(&mut self, end: End, _out: &mut Vec<Delta>) -> Next {
        match end {
            End::Complete { stop, usage } => {
                let stop = if self.called { StopReason::ToolUse } else { stop };
                Next::Finish { stop, usage }
            }
            End::Failed(error) => Next::Fail(error),
        }
    }
}
