//! What a model server would have to read of a prompt: all of it, less what stands in its key-value cache.

use serde_json::Value;

use crate::tokens::Counter;

/// What one prompt costs, in the model's tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Read {
    /// The whole prompt.
    pub(super) prompt: usize,
    /// The part of it that the cache holds from the prompt and the reply before.
    pub(super) cached: usize,
}

/// A cache with one slot, as a local server has by default.
#[derive(Default)]
pub(super) struct Cache {
    slot: Vec<String>,
}

/// Marks and line ends around a message.
const AROUND: usize = 5;

impl Cache {
    /// Reads a prompt, and keeps it.
    pub(super) fn read(&mut self, prompt: Vec<String>, counter: &dyn Counter) -> Read {
        let equal = self.slot.iter().zip(&prompt).take_while(|(old, new)| old == new).count();
        let whole: usize = prompt[..equal].iter().map(|text| counter.count(text) + AROUND).sum();
        let cached = whole + self.begun(&prompt, equal, counter);
        let rest: usize = prompt[equal..].iter().map(|text| counter.count(text) + AROUND).sum();
        self.slot = prompt;
        Read { prompt: whole + rest, cached }
    }

    /// The reply that was made to the prompt stands in the cache as well.
    pub(super) fn keep_reply(&mut self, reply: String) {
        self.slot.push(reply);
    }

    /// What of the first message that differs is still the same.
    fn begun(&self, prompt: &[String], at: usize, counter: &dyn Counter) -> usize {
        let (Some(old), Some(new)) = (self.slot.get(at), prompt.get(at)) else { return 0 };
        let same = old.char_indices().zip(new.chars()).take_while(|((_, a), b)| a == b).last();
        same.map_or(0, |((at, c), _)| counter.count(&old[..at + c.len_utf8()]))
    }
}

/// The prompt of an `/api/chat` body as a template writes it: tools, then each message by itself.
pub(super) fn rendered(body: &Value) -> Vec<String> {
    let tools = body.get("tools").map(|tools| format!("tools\n{tools}"));
    let messages = body["messages"].as_array().into_iter().flatten().map(message);
    tools.into_iter().chain(messages).collect()
}

fn message(message: &Value) -> String {
    let text = |key: &str| message.get(key).and_then(Value::as_str).unwrap_or_default();
    let calls = message.get("tool_calls").map(Value::to_string).unwrap_or_default();
    format!("{}\n{}{calls}", text("role"), text("content"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::O200k;
    use serde_json::json;

    fn prompt(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_prompt_that_goes_on_is_read_from_the_cache() {
        let mut cache = Cache::default();
        let first = cache.read(prompt(&["system\nYou help.", "user\nhello"]), &O200k);
        assert_eq!(first.cached, 0);
        cache.keep_reply("assistant\nhi".into());
        let second = cache.read(prompt(&["system\nYou help.", "user\nhello", "assistant\nhi", "user\nmore"]), &O200k);
        assert!(second.cached > first.prompt, "{second:?} after {first:?}");
        assert!(second.cached < second.prompt);
    }

    #[test]
    fn one_early_word_costs_all_that_follows() {
        let mut cache = Cache::default();
        cache.read(prompt(&["system\nMonday. You help.", "user\nhello"]), &O200k);
        let read = cache.read(prompt(&["system\nTuesday. You help.", "user\nhello"]), &O200k);
        assert!(read.cached < 5, "{read:?}");
    }

    #[test]
    fn calls_are_part_of_a_prompt() {
        let body =
            json!({"messages": [{"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "X"}}]}]});
        assert!(rendered(&body)[0].contains("\"X\""));
    }
}
