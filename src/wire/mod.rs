//! What travels: requests, content blocks, and the pieces of an answer.
//!
//! Nothing here decides anything. Unknown fields, block types and events survive untouched.

mod block;
mod blocks;
mod body;
mod delta;
mod dialect;
mod encode;
mod error;
mod event;
mod fields;
mod gather;
mod generation;
mod json;
mod lines;
mod ndjson;
mod refusal;
mod request;
mod schema;
mod sse;
mod weight;

use json::count_in;

pub use block::{Block, Message, Role, ToolResult, ToolUse};
pub use blocks::{Blocks, BlocksId};
pub use body::Body;
pub use delta::{Delta, End, StopReason, Usage};
pub use dialect::Dialect;
pub use encode::{ClientUsage, EventEncoder};
pub use error::{ErrorKind, Fault, WireError};
pub use event::EventDecoder;
pub use fields::{BLOCKS, BlockKind, FIELDS, Fate, Field, is_known, undecided};
pub use gather::Gatherer;
pub use generation::{Effort, Generation, Thinking};
pub use json::{Unreadable, parse_lossy};
pub use lines::{LONGEST_LINE, LineTooLong};
pub use ndjson::ChatDecoder;
pub use refusal::Refusal;
pub use request::{Request, Tool};
pub use schema::InputSchema;
pub use sse::{Frame, SseReader};
pub use weight::is_readable;
