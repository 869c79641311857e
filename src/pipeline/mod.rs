//! The way of one request through all pure stages:
//! classify, normalise, budget, system, tools, fold, render.

mod assemble;
mod bodies;
mod heads;
pub mod measure;
mod plan;
pub mod prefix;
mod schemas;
mod setup;
mod shifted;
mod target;
mod trail;
mod way;
mod wishes;

pub use crate::wire::Dialect;
pub use plan::Plan;
pub use setup::Setup;
pub use target::Target;
pub use way::{Planned, plan, plan_body};
