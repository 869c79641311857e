//! The way of one request through all pure stages:
//! classify, normalise, budget, system, tools, fold, render.

mod assemble;
pub mod measure;
mod plan;
pub mod prefix;
mod setup;

pub use crate::wire::Dialect;
pub use plan::{Plan, Planned, plan};
pub use setup::{Setup, Target};
