//! Cases and promises of the tolerant reader.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn mended(text: &str) -> Option<(Value, Vec<&'static str>)> {
    match read(text, true) {
        Reading::Whole { value, fixes, .. } => Some((value, fixes.into_iter().map(Fix::kind).collect())),
        _ => None,
    }
}

#[test]
fn damage_that_can_mean_one_thing_is_mended_and_named() {
    let cases = [
        (r#"{"a":1,}"#, json!({"a": 1}), "json-trailing-comma"),
        ("{'a':'b'}", json!({"a": "b"}), "json-single-quotes"),
        (r#"{"a":True,"b":None}"#, json!({"a": true, "b": null}), "json-python-literal"),
        (r"{a:1}", json!({"a": 1}), "json-bare-key"),
        ("{\"a\":1 // one\n}", json!({"a": 1}), "json-comment"),
        (r#"{"a":{"b":[1]}"#, json!({"a": {"b": [1]}}), "json-missing-closer"),
        (r#"{"a":[{"b":1}}"#, json!({"a": [{"b": 1}]}), "json-missing-closer"),
        ("{\"a\":\"x\ny\"}", json!({"a": "x\ny"}), "json-raw-control"),
        (r#"{"a":"\d+\.rs"}"#, json!({"a": r"\d+\.rs"}), "json-invalid-escape"),
        (r#"{"a":"\ud83d"}"#, json!({"a": "\u{fffd}"}), "json-lone-surrogate"),
        ("{“a”：“b “c” d”， “e”: 1}", json!({"a": "b “c” d", "e": 1}), "json-wide-punctuation"),
        (r#"{"a":007}"#, json!({"a": 7}), "json-leading-zero"),
    ];
    for (text, value, fix) in cases {
        assert_eq!(mended(text), Some((value, vec![fix])), "{text}");
    }
}

#[test]
fn what_is_valid_needs_no_fix() {
    let text = r#"{"code":"if (a) { b(\"```\") }","n":1.5,"e":"\ud83d\ude00"}"#;
    assert_eq!(mended(text), Some((serde_json::from_str(text).unwrap(), vec![])));
}

#[test]
fn prose_and_guesswork_are_refused() {
    let refused = [
        "if x { y }",
        "{...}",
        r#"{"a":"say "hi" there"}"#,
        r#"{"a":"cut in a str"#,
        r#"{"a":"b","con"#,
        r#"{"a":"#,
        r#"{"a":{"b":[1]"#,
        r#"{"a" 1}"#,
        "{1} parse the frame",
        r#"{"path":"a.py","content":"""doc"""}"#,
    ];
    for text in refused {
        assert_eq!(mended(text), None, "{text}");
    }
}

#[test]
fn a_longer_text_is_waited_for() {
    for text in [r#"{"a":"x"#, r#"{"a":1"#, r#"{"a":"\ud8"#, "{'a':'b'", r#"{"a":Tru"#, r#"{"a":1 /"#] {
        assert_eq!(read(text, false), Reading::More, "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_and_a_longer_one_agrees(text in r#"[{\[][a-z0-9"'{}\[\],: \\\n/#uTrue“”：，]{0,40}"#, more in ".{0,8}") {
        if let Reading::Whole { value, used, fixes } = read(&text, false) {
            let longer = format!("{text}{more}");
            prop_assert_eq!(read(&longer, false), Reading::Whole { value: value.clone(), used, fixes: fixes.clone() });
            prop_assert_eq!(read(&longer, true), Reading::Whole { value, used, fixes });
        }
    }
}
