//! Sockets, tasks and clocks: the server, its routes, one exchange, the upstream dialects.
//!
//! A request's way: `server` accepts, `route` reads it whole and finds its place, `exchange` plans it with the pure
//! core and answers, `turn` asks the model, `reply` writes to the client. What is known of the server stands in `facts`,
//! what is asked of it in `discover`.

mod account;
mod address;
mod alarm;
mod dashboard;
mod discover;
mod exchange;
mod facts;
mod ids;
mod metrics;
mod passthrough;
mod prompts;
mod record;
mod rendering;
mod reply;
mod reuse;
mod route;
mod server;
mod state;
mod turn;
mod upstream;

pub use address::{Address, BadAddress};
pub use dashboard::Dashboard;
pub use discover::{DiscoverError, ServerFacts, Wishes};
pub use facts::{ModelFacts, ShowFacts};
pub use metrics::Metrics;
pub use server::run;
pub use state::{Proxy, Settings};
pub use upstream::Upstream;
