//! What the model is shown: the head, tools, examples, calls and results, in the form of the channel; the body that goes
//! upstream; and what binds the reply.

pub(crate) mod bind;
mod body;
pub(crate) mod call_text;
mod change;
mod choice;
mod examples;
mod folder;
mod form;
mod nearest;
pub(crate) mod own;
mod reply_context;
mod results;
mod safe_schema;
mod shifted;
mod tool_text;

pub use body::{Envelope, body, written};
pub use choice::Choice;
pub use examples::{Examples, Place, Standing};
pub(crate) use examples::{calls_in, prompts_of};
pub use folder::Folder;
pub(crate) use folder::{name, parameter};
pub(crate) use form::has_tools;
pub use form::{Form, Shown, ShownHead, Speaker};
pub use nearest::Nearest;
pub(crate) use own::looks_ahead;
pub use reply_context::ReplyContext;
pub use results::Notes;
pub use safe_schema::with_plain_schemas;
