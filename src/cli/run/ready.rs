//! What must be there before a client is started: a server that answers, and one model of it.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use super::super::serve::{ServerArgs, source_words};
use super::super::{Unavailable, Usage};
use super::{choose, is_asked_at_a_terminal};
use crate::proxy::{DiscoverError, Door, ModelFacts, Proxy};
use crate::rules::ChannelKind;
use crate::tokens::WindowSource;

/// A proxy before a server that answers.
pub(super) struct Ready {
    pub proxy: Arc<Proxy>,
    pub facts: Arc<ModelFacts>,
    /// Model, window and channel, for the user.
    pub line: String,
}

/// After so long it is said what is waited for.
const WAIT_IS_SAID: Duration = Duration::from_secs(2);

/// Asks the server, and on a terminal the user where there are several models.
///
/// # Errors
/// When no server answers, or none of its models can be meant.
pub(super) async fn ready(server: &mut ServerArgs) -> anyhow::Result<Ready> {
    loop {
        let proxy = Arc::new(server.proxy(Door::default())?);
        let listed = match with_a_word(&proxy).await {
            Ok(facts) => {
                is_a_model_server(&proxy, &facts).await?;
                let line = line(&proxy, &facts);
                return Ok(Ready { proxy, facts, line });
            }
            Err(DiscoverError::SeveralModels(models)) => models,
            Err(DiscoverError::NoSuchModel { wanted, installed })
                if !installed.is_empty() && is_asked_at_a_terminal() =>
            {
                let _ = writeln!(anstream::stderr(), "fanlight: the server has no model `{wanted}`");
                installed
            }
            Err(error @ DiscoverError::NoSuchModel { .. }) => return Err(Usage(error.to_string()).into()),
            Err(DiscoverError::Upstream(error)) => {
                return Err(Unavailable(no_server(&error.to_string())).into());
            }
            Err(error) => return Err(Unavailable(error.to_string()).into()),
        };
        if !is_asked_at_a_terminal() {
            return Err(Usage(DiscoverError::SeveralModels(listed).to_string()).into());
        }
        let chosen = choose::choose(&listed, &mut io::stdin().lock(), &mut io::stderr())?;
        server.model = Some(chosen.ok_or_else(|| Usage("no model was chosen; nothing was started".into()))?);
    }
}

/// A model that is not loaded is loaded first, which may take a while: that is said, and taken back.
async fn with_a_word(proxy: &Proxy) -> Result<Arc<ModelFacts>, DiscoverError> {
    let asking = proxy.model("");
    tokio::pin!(asking);
    tokio::select! {
        facts = &mut asking => return facts,
        () = tokio::time::sleep(WAIT_IS_SAID) => {}
    }
    let shown = is_asked_at_a_terminal();
    if shown {
        let _ = write!(io::stderr(), "fanlight: waiting for the model to be loaded …");
    }
    let facts = asking.await;
    if shown {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
    facts
}

fn no_server(error: &str) -> String {
    format!(
        "{error}\n  start Ollama:   ollama serve   (or its app)\n  or name another server:   --upstream URL\n  \
         The client was not started."
    )
}

/// Something else may listen there: it has neither a version of Ollama nor a list of models.
async fn is_a_model_server(proxy: &Proxy, facts: &ModelFacts) -> anyhow::Result<()> {
    let server = proxy.server().await.map_err(|error| Unavailable(error.to_string()))?;
    let silent =
        server.version.is_none() && server.installed.is_empty() && facts.window.source == WindowSource::Assumed;
    if silent && proxy.settings.wishes.dialect.is_none() {
        let address = &proxy.upstream.address;
        let text = format!(
            "what listens at {address} has no list of models; is it a model server?\n  \
             name another:   --upstream URL\n  \
             if it is one:   --dialect anthropic --num-ctx N\n  \
             The client was not started."
        );
        return Err(Unavailable(text).into());
    }
    Ok(())
}

fn line(proxy: &Proxy, facts: &ModelFacts) -> String {
    let model = facts.name.as_deref().unwrap_or("whatever model is asked for");
    let channel = facts.target(&proxy.setup.load().rules, "", None).map_or("", |target| match target.channel() {
        ChannelKind::Native => ", native",
        ChannelKind::Prompted => ", prompted",
        ChannelKind::Constrained => ", constrained",
    });
    format!("fanlight: {model}, window {} ({}){channel}", facts.window.tokens, source_words(facts.window.source))
}
