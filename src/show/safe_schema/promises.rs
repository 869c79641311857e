//! What fits a rewritten schema fits the client's, whatever that is.

use proptest::prelude::*;

use super::*;

/// Schemas with references, booleans, alternatives and parts; `#/$defs/T` holds itself.
fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(true)),
        Just(json!(false)),
        Just(json!({"type": "string"})),
        Just(json!({"type": ["string", "null"]})),
        Just(json!({"type": "integer", "minimum": 1, "maximum": 1e20})),
        Just(json!({"type": "number", "exclusiveMaximum": 5})),
        Just(json!({"type": "boolean"})),
        Just(json!({"type": "string", "enum": ["a", "b", null]})),
        Just(json!({"const": 3})),
        Just(json!({"type": "string", "pattern": "a"})),
        Just(json!({"type": "string", "minLength": 1, "maxLength": 2})),
        Just(json!({"$ref": "#/$defs/T"})),
        Just(json!({"$ref": "#/$defs/S", "description": "d"})),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let several = proptest::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            (proptest::collection::vec(inner.clone(), 1..4), any::<u8>(), proptest::option::of(inner.clone()))
                .prop_map(|(all, bits, free)| {
                    let names = ["a", "b", "c"];
                    let properties: Map<String, Value> =
                        all.into_iter().zip(names).map(|(one, name)| (name.to_owned(), one)).collect();
                    let required: Vec<&str> = names
                        .into_iter()
                        .enumerate()
                        .filter(|(at, _)| bits >> at & 1 == 1)
                        .map(|(_, name)| name)
                        .collect();
                    let mut schema = json!({"type": "object", "properties": properties, "required": required});
                    if let Some(free) = free {
                        schema["additionalProperties"] = free;
                    }
                    if bits & 64 != 0 {
                        schema["oneOf"] = json!([{"required": ["a"]}, {"required": ["b"]}]);
                    }
                    schema
                }),
            inner.clone().prop_map(|items| json!({"type": "array", "items": items})),
            several.clone().prop_map(|all| json!({"type": "array", "prefixItems": all, "items": false})),
            several.clone().prop_map(|all| json!({ "anyOf": all })),
            several.prop_map(|all| json!({"allOf": all})),
            (inner.clone(), inner)
                .prop_map(|(one, other)| json!({"allOf": [one], "anyOf": [other, {"type": "object"}]})),
        ]
    })
}

fn document(schema: Value) -> Value {
    let defs = json!({
        "S": {"type": "string", "maxLength": 3},
        "T": {"type": "object", "properties": {"a": {"$ref": "#/$defs/T"}, "b": {"type": "string"}}, "additionalProperties": false},
    });
    match schema {
        Value::Object(mut map) => {
            map.insert("$defs".into(), defs);
            Value::Object(map)
        }
        other => json!({"allOf": [other], "$defs": defs}),
    }
}

/// A value that may fit; `seeds` decide each choice.
fn instance(schema: &Value, seeds: &mut impl Iterator<Item = usize>, depth: usize) -> Value {
    let mut pick = |of: usize| seeds.next().unwrap_or(0) % of.max(1);
    if depth == 0 {
        return json!("a");
    }
    if let Some(values) = schema["enum"].as_array() {
        return values[pick(values.len())].clone();
    }
    if let Some(options) = schema["anyOf"].as_array() {
        let at = pick(options.len());
        return instance(&options[at], seeds, depth - 1);
    }
    match schema["type"].as_str() {
        Some("object") => {
            let mut object = Map::new();
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                if requires(schema, name) || seeds.next().unwrap_or(0).is_multiple_of(2) {
                    object.insert(name.clone(), instance(property, seeds, depth - 1));
                }
            }
            for name in ["a", "b", "d"] {
                if !object.contains_key(name) && seeds.next().unwrap_or(0).is_multiple_of(3) {
                    object.insert(name.to_owned(), instance(&schema["additionalProperties"], seeds, depth - 1));
                }
            }
            Value::Object(object)
        }
        Some("array") => {
            let mut places: Vec<&Value> = schema["prefixItems"].as_array().into_iter().flatten().collect();
            if pick(2) == 0 || places.is_empty() {
                places.push(&schema["items"]);
            }
            places.into_iter().map(|place| instance(place, seeds, depth - 1)).collect()
        }
        Some("string") => ["", "a", "ba", "long words"][pick(4)].into(),
        Some("integer" | "number") => [json!(0), json!(1), json!(4), json!(7.5), json!(1e19)][pick(5)].clone(),
        Some("boolean") => (pick(2) == 0).into(),
        Some("null") => Value::Null,
        _ => [json!(null), json!("x"), json!(3), json!({"b": "s"}), json!([true]), json!({"a": 1})][pick(6)].clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    /// Promise: sound schemas.
    #[test]
    fn what_fits_a_rewritten_schema_fits_the_clients(schema in schemas(), seeds in proptest::collection::vec(0_usize..64, 0..40)) {
        let client = document(schema);
        for rewritten in [safe(&client), binding(&client)] {
            // What nothing fits is not sent on as such: no server takes it.
            if rewritten == json!({"type": "object"}) {
                continue;
            }
            let value = instance(&rewritten, &mut seeds.clone().into_iter(), 6);
            if jsonschema::is_valid(&rewritten, &value) {
                prop_assert!(jsonschema::is_valid(&client, &value), "{value} fits {rewritten} and not {client}");
            }
        }
    }

    #[test]
    fn nothing_that_an_engine_refuses_is_left(schema in schemas()) {
        let rewritten = binding(&document(schema)).to_string();
        for refused in ["$ref", "\"enum\":[]", "\"anyOf\":[]", "1e20", ":true", "[true", "\"type\":["] {
            prop_assert!(!rewritten.contains(refused) || refused == ":true" && rewritten.contains("additionalProperties\":true"), "{refused} in {rewritten}");
        }
    }
}
