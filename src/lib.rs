//! fanlight stands between Claude Code and a local model server. It makes a coding agent that was built for a
//! 200K-token window work through a 4K to 32K one.
//!
//! # Layout, in the order of a request's way
//! * [`wire`]: requests, blocks and stream events as they travel
//! * [`tokens`]: counting, and the budget of a window
//! * [`rules`]: the rule language: what to trim is data
//! * [`trim`]: classify, normalise, system text and tools
//! * [`history`]: what happened so far: turns, steps, calls and results, the view of each file
//! * [`fold`]: paging, crush, digest, and the fold that makes old steps fit
//! * [`calls`]: text to calls: read in whatever format, and healed
//! * [`show`]: what the model is shown, and what binds its reply
//! * [`review`]: replies held against the history
//! * [`turn`]: the state of one answer
//! * [`pipeline`]: the way of one request through all of these
//! * [`report`]: what was cut, by which rule, and what it saved
//! * [`folders`], [`ledger`], [`proxy`], [`cli`]: the shell: files, sockets, clocks, commands
//!
//! Everything above the shell is pure: no clock, file, socket, environment or randomness. The same request gives the
//! same bytes, which is what keeps the key-value cache of a model server warm.

#[deny(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod calls;
#[deny(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod fold;
#[deny(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod history;
#[deny(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod pipeline;
#[deny(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod report;
#[deny(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod review;
#[deny(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod rules;
#[deny(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod show;
#[deny(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod tokens;
#[deny(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod trim;
#[deny(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod turn;
#[deny(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod wire;

pub mod cli;
pub mod folders;
pub mod ledger;
pub mod proxy;
