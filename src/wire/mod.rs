//! What travels: requests, content blocks, and the pieces of an answer.
//!
//! Nothing here decides anything. Unknown fields, block types and events survive untouched.

mod block;
mod delta;
mod dialect;
mod error;
mod json;
mod request;

pub use block::{Block, Message, Role, ToolResult, ToolUse};
pub use delta::{Delta, End, StopReason, Usage};
pub use dialect::Dialect;
pub use error::{ErrorKind, WireError};
pub use json::{Unreadable, parse_lossy};
pub use request::{Request, Tool};
