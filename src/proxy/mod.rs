//! Sockets, tasks and clocks: the server, its routes, one exchange, the upstream dialects.
//!
//! A request's way: `server` accepts, `door` lets it in, `route` finds its place, `body` reads it whole, `exchange` plans
//! it with the pure core and answers, `turn` asks the model, `reply` writes to the client. What is known of the server
//! stands in `facts`, what is asked of it in `discover`, for how long that is believed in `known`.

mod account;
mod address;
mod alarm;
mod body;
mod browser;
mod dashboard;
mod discover;
mod door;
mod exchange;
mod facts;
mod ids;
mod known;
mod memory;
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
mod upload;
mod upstream;

pub use address::{Address, BadAddress};
pub use dashboard::Dashboard;
pub use discover::{DiscoverError, ServerFacts, Wishes};
pub use door::{Door, Token};
pub use facts::{ModelFacts, ShowFacts};
pub use metrics::Metrics;
pub use server::run;
pub use state::{Proxy, Settings};
pub use upstream::Upstream;
