//! Where the model lies: its share in the memory of the GPU, the window it was trained for, and what a larger one costs.

use http::Method;
use serde_json::{Value, json};

use super::findings::Findings;
use crate::proxy::{ModelFacts, Proxy};

/// Windows that people set.
const WINDOWS: [u64; 7] = [4096, 8192, 16_384, 32_768, 65_536, 131_072, 262_144];

/// What a server says of a loaded model, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Loaded {
    all: u64,
    in_gpu: u64,
    window: u64,
}

/// Ollama only: other servers do not say.
pub(super) async fn look(proxy: &Proxy, facts: &ModelFacts, findings: &mut Findings) {
    let Some(name) = &facts.name else { return };
    let get = async |method, path: &str, body: Option<&Value>| match proxy.upstream.json(method, path, body).await {
        Ok((200, value)) => value,
        _ => Value::Null,
    };
    let show = get(Method::POST, "/api/show", Some(&json!({ "model": name }))).await;
    let info = &show["model_info"];
    if let Some(trained) = trained(info) {
        let window = facts.window.tokens as u64;
        if window > trained {
            let text = format!("{window} tokens are more than the {trained} that the model was trained for");
            findings.problem("window", text, &format!("say --num-ctx {trained} or less"));
        } else {
            findings.good("trained", format!("for {trained} tokens"));
        }
    }
    let ps = get(Method::GET, "/api/ps", None).await;
    let Some(loaded) = loaded(&ps, name) else {
        return findings.warn(
            "memory",
            "the model is not loaded now",
            "it will be with the first request, which takes longer",
        );
    };
    tell(loaded, bytes_a_token(info), trained(info), findings);
}

fn tell(loaded: Loaded, a_token: Option<u64>, trained: Option<u64>, findings: &mut Findings) {
    let Loaded { all, in_gpu, window } = loaded;
    let share = (100 * in_gpu).checked_div(all).unwrap_or_default();
    let line = format!("{share} % of {} in the GPU, at a window of {window}", giga(all));
    let cost =
        a_token.map(|bytes| format!(" A window of 1,024 tokens takes about {} MiB.", (bytes * 1024).div_ceil(1 << 20)));
    let cost = cost.unwrap_or_default();
    if in_gpu >= all {
        return findings.good("memory", line + "." + &cost);
    }
    let fitting = a_token.and_then(|bytes| largest(loaded, bytes, trained));
    let remedy = match (in_gpu, fitting) {
        (0, _) => {
            "the processor reads and writes slowly: choose a small model, and a small window for a quick first turn"
                .to_owned()
        }
        (_, Some(window)) => format!("--num-ctx {window} would fit the GPU as it is now"),
        (_, None) => {
            "no window makes it fit: a smaller model, or a smaller quantisation, would be much faster".to_owned()
        }
    };
    findings.warn("memory", line + "." + &cost, &remedy);
}

/// The largest window whose cache, with the rest of the model, takes no more than what lies in the GPU now.
fn largest(loaded: Loaded, a_token: u64, trained: Option<u64>) -> Option<u64> {
    let rest = loaded.all.saturating_sub(loaded.window * a_token);
    let fits =
        |window: &&u64| rest + **window * a_token <= loaded.in_gpu && trained.is_none_or(|most| **window <= most);
    WINDOWS.iter().rev().find(fits).copied()
}

fn loaded(ps: &Value, name: &str) -> Option<Loaded> {
    let short = |name: &str| name.trim_end_matches(":latest").to_owned();
    let models = ps["models"].as_array()?;
    let entry = models.iter().find(|entry| entry["name"].as_str().is_some_and(|it| short(it) == short(name)))?;
    Some(Loaded {
        all: entry["size"].as_u64().filter(|size| *size > 0)?,
        in_gpu: entry["size_vram"].as_u64().unwrap_or_default(),
        window: entry["context_length"].as_u64().unwrap_or_default(),
    })
}

/// One number of `model_info`, whose keys begin with the architecture.
fn number(info: &Value, end: &str) -> Option<u64> {
    info.as_object()?.iter().find(|(key, _)| key.ends_with(end))?.1.as_u64()
}

fn trained(info: &Value) -> Option<u64> {
    number(info, ".context_length")
}

/// Bytes that the cache takes for a token, in 16 bits: keys and values of every layer.
fn bytes_a_token(info: &Value) -> Option<u64> {
    let layers = number(info, ".block_count")?;
    let heads = number(info, ".attention.head_count")?;
    let kept = number(info, ".attention.head_count_kv").unwrap_or(heads);
    let wide = || Some(number(info, ".embedding_length")? / heads.max(1));
    let key = number(info, ".attention.key_length").or_else(wide)?;
    let value = number(info, ".attention.value_length").or_else(wide)?;
    Some(2 * layers * kept * (key + value))
}

fn giga(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn qwen() -> Value {
        json!({"qwen2.block_count": 28, "qwen2.attention.head_count": 12, "qwen2.attention.head_count_kv": 2,
            "qwen2.embedding_length": 1536, "qwen2.context_length": 32768})
    }

    #[test]
    fn the_cache_of_a_token_is_keys_and_values_of_all_layers() {
        assert_eq!(bytes_a_token(&qwen()), Some(2 * 28 * 2 * 256));
        assert_eq!(bytes_a_token(&json!({"x.block_count": 2})), None);
        assert_eq!(trained(&qwen()), Some(32768));
    }

    #[test]
    fn the_largest_window_that_fits_leaves_the_weights_their_room() {
        let loaded = Loaded { all: 1000 + 8192, in_gpu: 1000 + 4096, window: 8192 };
        assert_eq!(largest(loaded, 1, None), Some(4096));
        assert_eq!(largest(Loaded { in_gpu: 900, ..loaded }, 1, None), None);
        assert_eq!(largest(Loaded { in_gpu: 1_000_000, ..loaded }, 1, Some(32768)), Some(32768));
    }

    #[test]
    fn a_loaded_model_is_found_by_its_name() {
        let ps = json!({"models": [{"name": "q:latest", "size": 10, "size_vram": 4, "context_length": 4096}]});
        assert_eq!(loaded(&ps, "q"), Some(Loaded { all: 10, in_gpu: 4, window: 4096 }));
        assert_eq!(loaded(&ps, "r"), None);
    }
}
