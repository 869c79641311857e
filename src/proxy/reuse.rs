//! Whether the server keeps the cache of text behind a hole: a small prompt, then the same with its middle taken out and
//! a word at the end. Pure; `discover` asks.

use serde_json::{Value, json};

use crate::rules::Schedule;
use crate::wire::Dialect;

/// Where it is asked, and what.
pub(super) struct Probe<'m> {
    pub dialect: Dialect,
    pub model: &'m str,
    /// The window as the model is loaded: another would make Ollama load it anew.
    pub window: usize,
}

/// Two prompts of about 240 and 170 tokens. The second is the first without its middle, and with a last word.
const PARTS: [&str; 3] = ["alpha", "beta", "gamma"];

impl Probe<'_> {
    pub(super) fn path(&self) -> &'static str {
        match self.dialect {
            Dialect::Ollama => "/api/chat",
            Dialect::Anthropic => "/v1/messages",
        }
    }

    /// The whole prompt, and the one with a hole.
    pub(super) fn bodies(&self) -> [Value; 2] {
        let [first, middle, last] = PARTS.map(part);
        [
            self.body(&[&first, &middle, &last].map(String::as_str), ""),
            self.body(&[&first, &last].map(String::as_str), " Go."),
        ]
    }

    fn body(&self, parts: &[&str], end: &str) -> Value {
        let mut messages = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let end = if at + 1 == parts.len() { end } else { "" };
            messages.push(json!({"role": "user", "content": format!("{part}{end}")}));
            if at + 1 < parts.len() {
                messages.push(json!({"role": "assistant", "content": "Noted."}));
            }
        }
        match self.dialect {
            Dialect::Ollama => json!({
                "model": self.model, "messages": messages, "stream": false, "keep_alive": super::facts::KEEP_ALIVE,
                "options": {"num_ctx": self.window, "num_predict": 1},
            }),
            Dialect::Anthropic => {
                json!({"model": self.model, "messages": messages, "stream": false, "max_tokens": 1})
            }
        }
    }
}

/// Sixty words that stand in no other part.
fn part(name: &str) -> String {
    let words: Vec<String> = (1..=24).map(|n| format!("{name} {}", n * 7 % 100)).collect();
    format!("Remember this list: {}.", words.join(", "))
}

/// What the answer to the prompt with the hole says; `None` where the server does not count what it had.
pub(super) fn judge(dialect: Dialect, answer: &Value) -> Option<Schedule> {
    let number = |value: &Value| value.as_u64();
    let (had, all) = match dialect {
        Dialect::Ollama => (number(&answer["prompt_eval_cached_count"])?, number(&answer["prompt_eval_count"])?),
        Dialect::Anthropic => {
            let usage = &answer["usage"];
            let had = number(&usage["cache_read_input_tokens"])?;
            (had, had + number(&usage["input_tokens"])?)
        }
    };
    // Half of it stands before the hole, and half behind.
    Some(if had * 4 > all * 3 { Schedule::Shift } else { Schedule::Prefix })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_prompt_is_the_first_with_a_hole_and_a_word_at_the_end() {
        let [whole, holed] = Probe { dialect: Dialect::Ollama, model: "m", window: 4096 }.bodies();
        let texts = |body: &Value| -> Vec<String> {
            body["messages"].as_array().unwrap().iter().map(|m| m["content"].as_str().unwrap().to_owned()).collect()
        };
        let (whole, holed) = (texts(&whole), texts(&holed));
        assert_eq!(holed[..2], whole[..2]);
        assert_eq!(holed[2], format!("{} Go.", whole[4]));
    }

    #[test]
    fn counts_alone_decide() {
        let ollama = |had: u64| json!({"prompt_eval_count": 200, "prompt_eval_cached_count": had});
        assert_eq!(judge(Dialect::Ollama, &ollama(190)), Some(Schedule::Shift));
        assert_eq!(judge(Dialect::Ollama, &ollama(100)), Some(Schedule::Prefix));
        assert_eq!(judge(Dialect::Ollama, &ollama(0)), Some(Schedule::Prefix), "a sliding window");
        assert_eq!(judge(Dialect::Ollama, &json!({"prompt_eval_count": 200})), None, "a server that does not say");
        let messages = json!({"usage": {"input_tokens": 10, "cache_read_input_tokens": 190}});
        assert_eq!(judge(Dialect::Anthropic, &messages), Some(Schedule::Shift));
    }
}
