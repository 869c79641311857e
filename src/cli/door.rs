//! Who is let in, as the command line says it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::Usage;
use crate::proxy::{Door, Token};

/// The variable that holds the token.
const TOKEN: &str = "FANLIGHT_TOKEN";

/// Where to listen, and who is let in.
#[derive(Debug, Args)]
pub(super) struct DoorArgs {
    /// Where to listen. Any other address than loopback needs a token (--token-file, or FANLIGHT_TOKEN) or --allow-remote.
    #[arg(long, default_value = "127.0.0.1:11435", value_name = "ADDRESS", env = "FANLIGHT_LISTEN")]
    pub(super) listen: SocketAddr,
    /// Another name by which this machine may be asked, such as box.lan or *.lan; may be given several times.
    #[arg(long, value_name = "HOST", env = "FANLIGHT_ALLOW_HOST", value_delimiter = ',')]
    allow_host: Vec<String>,
    /// A web page that may use the proxy, such as http://localhost:3000; may be given several times.
    #[arg(long, value_name = "ORIGIN", env = "FANLIGHT_ALLOW_ORIGIN", value_delimiter = ',')]
    allow_origin: Vec<String>,
    /// A file with the token that every request has to show, as `Authorization: Bearer` or `x-api-key`.
    #[arg(long, value_name = "FILE", env = "FANLIGHT_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// Let everybody in who can reach the address.
    #[arg(long, env = "FANLIGHT_ALLOW_REMOTE", value_parser = clap::builder::FalseyValueParser::new())]
    allow_remote: bool,
}

impl DoorArgs {
    /// The door that these arguments describe.
    ///
    /// # Errors
    /// When the file with the token cannot be read or is blank.
    pub(super) fn door(&self) -> anyhow::Result<Door> {
        let token = match &self.token_file {
            Some(file) => Some(token_of(file)?),
            None => token_in_environment().as_deref().and_then(Token::new),
        };
        Ok(Door { hosts: self.allow_host.clone(), origins: self.allow_origin.clone(), token })
    }

    /// What the user has to know who opens this door, if anything.
    ///
    /// # Errors
    /// When it would be open to others and nobody has said that this is meant.
    pub(super) fn risk(&self, door: &Door) -> anyhow::Result<Option<String>> {
        if self.listen.ip().to_canonical().is_loopback() || door.token.is_some() {
            return Ok(None);
        }
        let risk = format!(
            "on {} anybody in the network can use the model server, read what is asked and delete its models",
            self.listen
        );
        if self.allow_remote {
            return Ok(Some(risk));
        }
        Err(Usage(format!("{risk}: set a token (--token-file, or {TOKEN}), or say --allow-remote")).into())
    }

    /// Who gets in, in words.
    pub(super) fn words(&self) -> String {
        let who = if self.listen.ip().to_canonical().is_loopback() { "this machine only" } else { "who has the token" };
        format!("{}, open to {who}", self.listen)
    }
}

/// The token that the environment holds.
pub(super) fn token_in_environment() -> Option<String> {
    std::env::var(TOKEN).ok().filter(|token| !token.trim().is_empty())
}

fn token_of(file: &Path) -> anyhow::Result<Token> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Token::new(&text).ok_or_else(|| Usage(format!("{} holds no token", file.display())).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(listen: &str, allow_remote: bool) -> DoorArgs {
        let listen = listen.parse().unwrap();
        DoorArgs { listen, allow_host: Vec::new(), allow_origin: Vec::new(), token_file: None, allow_remote }
    }

    #[test]
    fn beyond_loopback_it_takes_a_token_or_a_word() {
        let (open, closed) = (Door::default(), Door { token: Token::new("t"), ..Door::default() });
        assert_eq!(args("127.0.0.1:1", false).risk(&open).unwrap(), None);
        assert_eq!(args("[::1]:1", false).risk(&open).unwrap(), None);
        assert!(args("0.0.0.0:1", false).risk(&open).unwrap_err().is::<Usage>());
        assert!(args("0.0.0.0:1", true).risk(&open).unwrap().unwrap().contains("anybody"));
        assert_eq!(args("192.168.0.1:1", false).risk(&closed).unwrap(), None);
    }

    #[test]
    fn a_file_with_a_token_is_read_and_a_blank_one_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        for (text, good) in [("secret\n", true), ("\n", false)] {
            std::fs::write(&file, text).unwrap();
            let args = DoorArgs { token_file: Some(file.clone()), ..args("0.0.0.0:1", false) };
            assert_eq!(args.door().is_ok(), good);
        }
    }
}
