//! The counter: o200k by tiktoken-rs, corrected for the model's family.

/// Counts the tokens of a text.
pub trait Counter: Send + Sync {
    /// Tokens of `text` alone, without any message overhead.
    fn count(&self, text: &str) -> usize;
}

/// OpenAI's o200k vocabulary. The scale on which the client's own bytes are counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct O200k;

impl Counter for O200k {
    fn count(&self, text: &str) -> usize {
        tiktoken_rs::o200k_base_singleton().encode_ordinary(text).len()
    }
}

/// How a family's vocabulary differs from o200k.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Family {
    /// Every digit is a token of its own (Qwen, Mistral, Gemma); o200k groups three.
    pub single_digits: bool,
    /// What is left to multiply after that.
    pub factor: f64,
}
