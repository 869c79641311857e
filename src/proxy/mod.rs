//! Sockets, tasks and clocks: the server, its routes, one exchange, the upstream dialects.
