//! What happened so far: turns, steps, calls and results, the view of each file, what was changed, repeats.
//!
//! Everything is read from the messages alone, in one walk from the first; what a tool does is said by its [`Role`].
//!
//! [`Role`]: crate::rules::Role

mod act;
mod commands;
mod files;
mod numbered;
mod prompts;
mod record;
mod repeats;
mod roles;
mod steps;
mod view;

pub use act::{Act, Swap};
pub use files::Files;
pub use numbered::{numbered_lines, strip_numbers};
pub use prompts::{Prompt, prompts, typed_prompts};
pub use record::{Deed, Record};
pub use repeats::{times_made, times_so_far};
pub use roles::Roles;
pub use steps::{Call, History};
pub(crate) use steps::{calls, calls_from};
pub use view::{Line, Segment, View};
