//! A validator for the part of JSON Schema that tools use.
//!
//! A required property that has a default may be left out. Known: `type`, `enum`, `const`, `properties`, `required`, `additionalProperties`, `items`, `prefixItems`, `anyOf`,
//! `oneOf`, `allOf`, `not`, local `$ref`, bounds of numbers, lengths and `pattern`. What is not known is not checked.

use std::fmt;

use regex::Regex;
use serde_json::{Map, Number, Value};

/// How deep references may lead.
const DEEPEST: usize = 48;

/// A schema, with the document in which its references point.
#[derive(Debug, Clone, Copy)]
pub struct Schema<'a> {
    root: &'a Value,
    here: &'a Value,
    depth: usize,
}

/// One thing that is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, as `todos[0].content`; empty for the value itself.
    pub path: String,
    pub what: Wrong,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    Missing,
    NotAParameter,
    /// (wanted, given)
    Type(String, &'static str),
    /// One of these is wanted.
    NotOneOf(String),
    /// A bound, as it is to be said.
    Bound(String),
    /// None, or more than one, of the alternatives fits.
    NoAlternative,
}

impl<'a> Schema<'a> {
    /// The schema of a whole document.
    pub fn new(root: &'a Value) -> Self {
        Self { root, here: root, depth: 0 }
    }

    /// The schema itself, with references followed.
    #[must_use]
    pub fn root(self) -> Self {
        self.resolved()
    }

    /// The same document, at a schema inside it, with references followed.
    #[must_use]
    pub fn at(&self, here: &'a Value) -> Self {
        Self { root: self.root, here, depth: self.depth + 1 }.resolved()
    }

    /// The schema itself.
    pub fn value(&self) -> &'a Value {
        self.here
    }

    /// The value of one keyword.
    pub fn keyword(&self, name: &str) -> Option<&'a Value> {
        member(self.here, name)
    }

    /// The schema of one named property.
    pub fn property(&self, name: &str) -> Option<Self> {
        member(self.keyword("properties")?, name).map(|schema| self.at(schema))
    }

    /// The names of all declared properties, in order.
    pub fn properties(&self) -> impl Iterator<Item = &'a str> {
        let map: Option<&'a Map<String, Value>> = self.keyword("properties").and_then(Value::as_object);
        map.into_iter().flat_map(|properties| properties.keys().map(String::as_str))
    }

    /// The names of the properties that must be given. One that has a default need not be: clients list such as required,
    /// and fill them in.
    pub fn required(&self) -> impl Iterator<Item = &'a str> {
        let list: Option<&'a Vec<Value>> = self.keyword("required").and_then(Value::as_array);
        let properties = self.keyword("properties");
        let filled = move |name: &&str| properties.and_then(|all| all.get(*name)?.get("default")).is_some();
        list.into_iter().flatten().filter_map(Value::as_str).filter(move |name| !filled(name))
    }

    /// The only required property, where it is plain text.
    pub fn only_text(&self) -> Option<&'a str> {
        let mut required = self.required();
        let only = required.next().filter(|_| required.next().is_none())?;
        let form = self.property(only)?;
        (form.types() == ["string"] && form.keyword("enum").is_none()).then_some(only)
    }

    /// The schema of the items of an array.
    pub fn items(&self) -> Option<Self> {
        self.keyword("items").filter(|items| !items.is_array()).map(|items| self.at(items))
    }

    /// Whether a property of this name, which is not declared, is refused.
    pub fn forbids(&self, name: &str) -> bool {
        self.keyword("additionalProperties") == Some(&Value::Bool(false)) && !self.by_pattern(name)
    }

    /// The alternatives of `anyOf` or `oneOf`.
    pub fn alternatives(&self) -> Option<impl Iterator<Item = Self>> {
        let this = *self;
        let list = self.keyword("anyOf").or_else(|| self.keyword("oneOf"))?.as_array()?;
        Some(list.iter().map(move |schema| this.at(schema)))
    }

    /// The types that are allowed; empty when none is named.
    pub fn types(&self) -> Vec<&'a str> {
        match self.keyword("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether the value is valid.
    pub fn allows(&self, value: &Value) -> bool {
        self.faults(value).is_empty()
    }

    /// Everything that is wrong with the value, in the order of the schema.
    pub fn faults(&self, value: &Value) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.resolved().check(value, "", &mut faults);
        faults
    }

    fn resolved(self) -> Self {
        let mut schema = self;
        while let Some(target) = schema.reference() {
            if schema.depth >= DEEPEST {
                break;
            }
            schema = Self { here: target, depth: schema.depth + 1, ..schema };
        }
        schema
    }

    fn reference(&self) -> Option<&'a Value> {
        let pointer = self.keyword("$ref")?.as_str()?.strip_prefix('#')?;
        self.root.pointer(pointer)
    }

    fn by_pattern(&self, name: &str) -> bool {
        let patterns = self.keyword("patternProperties").and_then(Value::as_object);
        patterns.is_some_and(|map| map.keys().any(|pattern| matches(pattern, name)))
    }

    fn check(&self, value: &Value, path: &str, faults: &mut Vec<Fault>) {
        let mut fault = |what| faults.push(Fault { path: path.to_owned(), what });
        if self.here == &Value::Bool(false) {
            return fault(Wrong::NotAParameter);
        }
        if self.depth >= DEEPEST {
            return;
        }
        if let Some(wrong) = self.wrong_type(value).or_else(|| self.wrong_choice(value)) {
            return fault(wrong);
        }
        if let Some(bound) = self.wrong_bound(value) {
            fault(Wrong::Bound(bound));
        }
        self.check_alternatives(value, path, faults);
        match value {
            Value::Object(map) => self.check_object(map, path, faults),
            Value::Array(list) => self.check_array(list, path, faults),
            _ => {}
        }
    }

    fn wrong_type(&self, value: &Value) -> Option<Wrong> {
        let types = self.types();
        let fits = types.is_empty() || types.iter().any(|wanted| is_type(wanted, value));
        (!fits).then(|| Wrong::Type(types.join(" or "), type_of(value)))
    }

    fn wrong_choice(&self, value: &Value) -> Option<Wrong> {
        if let Some(choices) = self.keyword("enum").and_then(Value::as_array)
            && !choices.iter().any(|choice| same(choice, value))
        {
            let list: Vec<String> = choices.iter().map(Value::to_string).collect();
            return Some(Wrong::NotOneOf(list.join(", ")));
        }
        let only = self.keyword("const")?;
        (!same(only, value)).then(|| Wrong::NotOneOf(only.to_string()))
    }

    fn wrong_bound(&self, value: &Value) -> Option<String> {
        match value {
            Value::Number(number) => self.wrong_number(number),
            Value::String(text) => self.wrong_text(text),
            Value::Array(list) => self.wrong_count(["minItems", "maxItems"], list.len(), "items"),
            Value::Object(map) => self.wrong_count(["minProperties", "maxProperties"], map.len(), "properties"),
            _ => None,
        }
    }

    fn wrong_number(&self, number: &Number) -> Option<String> {
        let value = number.as_f64()?;
        let bound = |name: &str| self.keyword(name).and_then(Value::as_f64);
        if let Some(least) = bound("minimum").filter(|least| value < *least) {
            return Some(format!("must be at least {least}"));
        }
        if let Some(most) = bound("maximum").filter(|most| value > *most) {
            return Some(format!("must be at most {most}"));
        }
        if let Some(least) = bound("exclusiveMinimum").filter(|least| value <= *least) {
            return Some(format!("must be more than {least}"));
        }
        let most = bound("exclusiveMaximum").filter(|most| value >= *most)?;
        Some(format!("must be less than {most}"))
    }

    fn wrong_text(&self, text: &str) -> Option<String> {
        let pattern = self.keyword("pattern").and_then(Value::as_str).filter(|pattern| !matches(pattern, text));
        let wrong_pattern = || pattern.map(|pattern| format!("must match {pattern}"));
        self.wrong_count(["minLength", "maxLength"], text.chars().count(), "characters").or_else(wrong_pattern)
    }

    fn wrong_count(&self, [min, max]: [&str; 2], count: usize, unit: &str) -> Option<String> {
        let bound = |keyword: &str| self.keyword(keyword).and_then(Value::as_f64);
        if let Some(least) = bound(min).filter(|least| (count as f64) < *least) {
            return Some(format!("must have at least {least} {unit}"));
        }
        let most = bound(max).filter(|most| (count as f64) > *most)?;
        Some(format!("must have at most {most} {unit}"))
    }

    fn check_alternatives(&self, value: &Value, path: &str, faults: &mut Vec<Fault>) {
        let mut fault = |what| faults.push(Fault { path: path.to_owned(), what });
        let fitting = |name: &str| {
            let list = self.keyword(name)?.as_array()?;
            Some(list.iter().filter(|schema| self.at(schema).allows(value)).count())
        };
        if fitting("anyOf") == Some(0) || fitting("oneOf").is_some_and(|count| count != 1) {
            fault(Wrong::NoAlternative);
        }
        if self.keyword("not").is_some_and(|schema| self.at(schema).allows(value)) {
            fault(Wrong::NoAlternative);
        }
        for schema in self.keyword("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.at(schema).check(value, path, faults);
        }
    }

    fn check_object(&self, map: &Map<String, Value>, path: &str, faults: &mut Vec<Fault>) {
        for name in self.required().filter(|name| !map.contains_key(*name)) {
            faults.push(Fault { path: join(path, name), what: Wrong::Missing });
        }
        for (name, value) in map {
            let path = join(path, name);
            match (self.property(name), self.keyword("additionalProperties")) {
                (Some(schema), _) => schema.check(value, &path, faults),
                (None, _) if self.by_pattern(name) => {}
                (None, Some(Value::Bool(false))) => faults.push(Fault { path, what: Wrong::NotAParameter }),
                (None, Some(schema)) => self.at(schema).check(value, &path, faults),
                (None, None) => {}
            }
        }
    }

    fn check_array(&self, list: &[Value], path: &str, faults: &mut Vec<Fault>) {
        let prefix: &[Value] = self.keyword("prefixItems").and_then(Value::as_array).map_or(&[], Vec::as_slice);
        for (at, value) in list.iter().enumerate() {
            let schema = prefix.get(at).map(|schema| self.at(schema)).or_else(|| self.items());
            if let Some(schema) = schema {
                schema.check(value, &format!("{path}[{at}]"), faults);
            }
        }
    }
}

impl Fault {
    /// Whether the fault lies inside of a parameter, or in the choice of a simple value, and not in what parameters are
    /// given.
    pub(super) fn is_deep(&self) -> bool {
        let inside = self.path.contains(['.', '[']);
        let simple = matches!(self.what, Wrong::Type(_, "boolean" | "number" | "null"));
        inside || simple || matches!(self.what, Wrong::NotOneOf(_) | Wrong::Bound(_) | Wrong::NoAlternative)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the input" } else { &self.path };
        match &self.what {
            Wrong::Missing => write!(f, "`{path}` is missing"),
            Wrong::NotAParameter => write!(f, "`{path}` is not a parameter"),
            Wrong::Type(wanted, given) => write!(f, "`{path}` must be {wanted}, not {given}"),
            Wrong::NotOneOf(choices) => write!(f, "`{path}` must be one of {choices}"),
            Wrong::Bound(bound) => write!(f, "`{path}` {bound}"),
            Wrong::NoAlternative => write!(f, "`{path}` fits none of its forms"),
        }
    }
}

/// A field of an object. Where these are few, as in most schemas, to look through them is quicker than to hash the name.
fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    const FEW: usize = 8;
    let fields = object.as_object()?;
    if fields.len() > FEW {
        return fields.get(name);
    }
    fields.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn matches(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).is_ok_and(|regex| regex.is_match(text)) || Regex::new(pattern).is_err()
}

fn is_type(wanted: &str, value: &Value) -> bool {
    match wanted {
        "integer" => value.as_number().is_some_and(is_whole),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

pub(super) fn is_whole(number: &Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|value| value.fract() == 0.0)
}

/// The JSON type of a value, as it is said to a model.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Equality as JSON Schema has it: 1 and 1.0 are the same.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}
