//! The upstream protocols.

/// The upstream protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `/api/chat`, NDJSON.
    Ollama,
    /// `/v1/messages`, SSE.
    Anthropic,
}
