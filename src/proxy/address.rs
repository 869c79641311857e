//! Where the model server is.

use std::fmt;
use std::net::IpAddr;

/// An `http://host:port/prefix` address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Host and port, as they go into the `Host` header.
    pub authority: String,
    /// What stands before every path, without a slash at its end.
    pub prefix: String,
}

/// Why an address cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    #[error("{0} is not plain HTTP; a model server on this machine or in this network is reached by http://host:port")]
    NotHttp(String),
    #[error("{0} names no host; write it as http://127.0.0.1:11434")]
    NoHost(String),
}

impl Address {
    /// Reads `http://host[:port][/prefix]`, or the same without `http://`.
    ///
    /// # Errors
    /// When it is another scheme, or names no host.
    pub fn parse(text: &str) -> Result<Self, BadAddress> {
        let rest = match text.split_once("://") {
            Some(("http", rest)) => rest,
            Some(_) => return Err(BadAddress::NotHttp(text.to_owned())),
            None => text,
        };
        let (authority, prefix) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let uri: http::Uri = format!("http://{authority}/").parse().map_err(|_| BadAddress::NoHost(text.to_owned()))?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| BadAddress::NoHost(text.to_owned()))?;
        let authority = format!("{host}:{}", uri.port_u16().unwrap_or(80));
        Ok(Self { authority, prefix: prefix.trim_end_matches('/').to_owned() })
    }

    /// Whether it is on this machine.
    pub fn is_loopback(&self) -> bool {
        let host = self.authority.rsplit_once(':').map_or(self.authority.as_str(), |(host, _)| host);
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        bare.eq_ignore_ascii_case("localhost")
            || bare.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        let shown = |text: &str| Address::parse(text).unwrap().to_string();
        assert_eq!(shown("http://127.0.0.1:11434/"), "http://127.0.0.1:11434");
        assert_eq!(shown("localhost:1"), "http://localhost:1");
        assert_eq!(shown("http://[::1]:8/a/b/"), "http://[::1]:8/a/b");
        assert_eq!(shown("http://host"), "http://host:80");
    }

    #[test]
    fn what_is_on_this_machine() {
        let is = |text: &str| Address::parse(text).unwrap().is_loopback();
        assert!(is("localhost:1") && is("http://127.0.0.9/x") && is("http://[::1]:8"));
        assert!(!is("http://10.0.0.1") && !is("http://localhost.example") && !is("http://x"));
    }

    #[test]
    fn what_cannot_be_reached_is_refused() {
        assert!(matches!(Address::parse("https://host"), Err(BadAddress::NotHttp(_))));
        assert!(matches!(Address::parse("http://"), Err(BadAddress::NoHost(_))));
        assert!(matches!(Address::parse("http://a b/"), Err(BadAddress::NoHost(_))));
    }
}
