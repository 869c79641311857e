//! One real call of a tool through the whole way, timed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::super::demo::session::{Session, typed};
use super::super::numbers::span;
use super::door;
use super::findings::Findings;
use crate::proxy::{self, Address, ModelFacts, Proxy, Upstream};

/// The file that the model is asked to read; it need not be there.
const FILE: &str = "fanlight-trial.txt";

/// What the model is asked for.
const PROMPT: &str = "Read the file fanlight-trial.txt";

/// A model that takes longer is of no use for this.
const PATIENCE: Duration = Duration::from_secs(900);

/// Starts the proxy on a free port, and sends one request of a client through it.
pub(super) async fn make(proxy: Arc<Proxy>, facts: &ModelFacts, with_model: bool, findings: &mut Findings) {
    let Ok(listener) = TcpListener::bind("127.0.0.1:0").await else { return };
    let Ok(address) = listener.local_addr() else { return };
    let (end, ended) = oneshot::channel::<()>();
    let serving = tokio::spawn(proxy::run(listener, proxy.clone(), async {
        let _ = ended.await;
    }));
    door::look_at_ours(&address.to_string(), findings).await;
    if with_model && let Ok(address) = Address::parse(&address.to_string()) {
        call(&Upstream::at(address), &proxy, findings).await;
        speed(&proxy, facts, findings).await;
    }
    let _ = end.send(());
    let _ = tokio::time::timeout(Duration::from_secs(2), serving).await;
}

async fn call(through: &Upstream, proxy: &Proxy, findings: &mut Findings) {
    let Ok(session) = Session::load() else { return };
    let mut request = session.request(&[typed(PROMPT)]);
    request["stream"] = json!(false);
    let began = Instant::now();
    let asked = through.json(Method::POST, "/v1/messages", Some(&request));
    let answered = tokio::time::timeout(PATIENCE, asked).await;
    let took = span(began.elapsed());
    let Some(entry) = proxy.ledger.recent().pop() else { return };
    let cost = format!("{} tokens became {}, {took}", entry.before.total, entry.after.total);
    match answered {
        Err(_) => findings.problem(
            "trial",
            format!("no answer within {}", span(PATIENCE)),
            "a smaller model, or a smaller window",
        ),
        Ok(Err(error)) => findings.problem("trial", error.to_string(), "see the log of the model server"),
        Ok(Ok((200, message))) => judge(&message, &cost, findings),
        Ok(Ok((status, error))) => {
            let said = error["error"]["message"].as_str().unwrap_or("no reason given");
            findings.problem("trial", format!("refused with {status}: {said}"), "see the log of the model server");
        }
    }
}

/// Whether the file was asked for by a call, whichever tool it is.
fn judge(message: &Value, cost: &str, findings: &mut Findings) {
    let blocks = message["content"].as_array().map(Vec::as_slice).unwrap_or_default();
    let calls: Vec<&Value> = blocks.iter().filter(|block| block["type"] == "tool_use").collect();
    if let Some(call) = calls.iter().find(|call| call["input"].to_string().contains(FILE)) {
        let tool = call["name"].as_str().unwrap_or_default();
        return findings.good("trial", format!("the model called {tool} as it was asked to ({cost})"));
    }
    let remedy = "try another model: qwen2.5-coder:7b and qwen3-coder are known to call tools";
    if let Some(call) = calls.first() {
        let text =
            format!("the model called {}, but not for the file that it was asked to read ({cost})", call["name"]);
        return findings.warn("trial", text, remedy);
    }
    let said: String = blocks.iter().filter_map(|block| block["text"].as_str()).collect();
    let said: String = said.chars().take(160).collect();
    findings.problem("trial", format!("the model called no tool; it said: {said:?} ({cost})"), remedy);
}

/// How fast the model reads and writes, as Ollama measures it, on a prompt that stands in no cache.
async fn speed(proxy: &Proxy, facts: &ModelFacts, findings: &mut Findings) {
    let (Some(name), true) = (&facts.name, facts.dialect == crate::wire::Dialect::Ollama) else { return };
    let began = jiff::Timestamp::now().as_nanosecond();
    let words: Vec<String> = (0..120).map(|k| format!("{}", (began + k * 7919) % 1000)).collect();
    let body = json!({"model": name, "raw": true, "stream": false, "prompt": words.join(" and "),
        "options": {"num_ctx": facts.window.tokens, "num_predict": 24, "temperature": 0}});
    let asked = proxy.upstream.json(Method::POST, "/api/generate", Some(&body));
    let Ok(Ok((200, answer))) = tokio::time::timeout(PATIENCE, asked).await else { return };
    let rate = |count: &str, nanoseconds: &str| {
        let (count, time) = (answer[count].as_f64()?, answer[nanoseconds].as_f64()?);
        (time > 0.0).then(|| count * 1e9 / time)
    };
    let (Some(reads), Some(writes)) =
        (rate("prompt_eval_count", "prompt_eval_duration"), rate("eval_count", "eval_duration"))
    else {
        return;
    };
    let full = span(Duration::from_secs_f64(facts.window.tokens as f64 / reads.max(0.001)));
    let text = format!("reads {reads:.0} tokens a second, writes {writes:.1}; a full window is read in {full}");
    if writes < 3.0 {
        findings.warn("speed", text, "a smaller model, or one that fits the GPU whole, would be faster");
    } else {
        findings.good("speed", text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(content: Value) -> String {
        let mut findings = Findings::new(false);
        judge(&json!({ "content": content }), "1 s", &mut findings);
        findings.to_value()["findings"][0]["grade"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_call_for_the_file_is_good_and_a_promise_is_not() {
        let call = |path: &str| json!([{"type": "tool_use", "name": "Look", "input": {"path": path}}]);
        assert_eq!(judged(call("/a/fanlight-trial.txt")), "ok");
        assert_eq!(judged(call("/b.txt")), "warning");
        assert_eq!(judged(json!([{"type": "text", "text": "I will read fanlight-trial.txt"}])), "problem");
    }
}
