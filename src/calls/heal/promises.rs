//! What healing promises of any schema and any value.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5i64..50).prop_map(Value::from),
        (0..20i32).prop_map(|n| Value::from(f64::from(n) / 4.0)),
        "[abc1]{0,4}".prop_map(Value::from),
        prop_oneof![Just("12"), Just("true"), Just("[1]"), Just("{\"a\":1}"), Just("null"), Just("")]
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[abc]", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({})),
        Just(json!(true)),
        prop_oneof![Just("string"), Just("integer"), Just("number"), Just("boolean"), Just("null")]
            .prop_map(|kind| json!({"type": kind})),
        Just(json!({"type": ["string", "null"]})),
        Just(json!({"type": "string", "minLength": 2, "maxLength": 3})),
        Just(json!({"type": "string", "pattern": "^a"})),
        Just(json!({"type": "number", "minimum": 1, "exclusiveMaximum": 10})),
        Just(json!({"enum": ["a", 1, null]})),
        Just(json!({"const": 1.0})),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|items| json!({"type": "array", "items": items, "maxItems": 2})),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|forms| json!({"anyOf": forms})),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|forms| json!({"oneOf": forms})),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|forms| json!({"allOf": forms})),
            inner.clone().prop_map(|form| json!({"not": form})),
            (prop::collection::btree_map("[abc]", inner.clone(), 0..3), any::<bool>(), prop::sample::subsequence(vec!["a", "b"], 0..=2))
                .prop_map(|(properties, open, required)| json!({"type": "object", "properties": properties, "additionalProperties": open, "required": required})),
            inner.prop_map(|form| json!({"$defs": {"d": form}, "type": "object", "additionalProperties": {"type": "integer"}})),
        ]
    })
}

fn tool(schema: &Value) -> Tool {
    Tool {
        name: "t".into(),
        description: "".into(),
        input_schema: schema.clone().into(),
        defer_loading: false,
        server_type: None,
    }
}

proptest! {
    #[test]
    fn the_validator_agrees_with_the_oracle(schema in schema(), value in value()) {
        let oracle = jsonschema::validator_for(&schema).unwrap().is_valid(&value);
        prop_assert_eq!(Schema::new(&schema).allows(&value), oracle, "{} {}", schema, value);
    }

    #[test]
    fn local_references_agree_with_the_oracle(inner in schema(), value in value()) {
        let schema = json!({"$defs": {"d": inner}, "type": "object", "properties": {"a": {"$ref": "#/$defs/d"}}});
        let oracle = jsonschema::validator_for(&schema).unwrap().is_valid(&value);
        prop_assert_eq!(Schema::new(&schema).allows(&value), oracle, "{} {}", schema, value);
    }

    #[test]
    fn what_is_healed_is_valid_and_what_is_valid_is_unchanged(schema in schema(), value in value()) {
        let lexicon = Lexicon::builtin().unwrap();
        let valid = value.is_object() && Schema::new(&schema).allows(&value);
        match heal("t", value.clone(), &[tool(&schema)], &lexicon) {
            Ok(healed) => {
                prop_assert!(Schema::new(&schema).allows(&healed.input));
                if valid {
                    prop_assert_eq!(healed.input.to_string(), value.to_string());
                    prop_assert!(healed.repairs.is_empty());
                }
            }
            Err(_) => prop_assert!(!valid),
        }
    }

    #[test]
    fn healing_twice_is_healing_once(schema in schema(), value in value()) {
        let lexicon = Lexicon::builtin().unwrap();
        let tools = [tool(&schema)];
        if let Ok(healed) = heal("t", value, &tools, &lexicon) {
            let again = heal(&healed.name, healed.input.clone(), &tools, &lexicon).unwrap();
            prop_assert_eq!(again.input, healed.input);
            prop_assert!(again.repairs.is_empty());
        }
    }
}
