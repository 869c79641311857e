//! What the client writes in the user's name: agents' reports, commands, summaries, hooks. Each kind is told by its tag or
//! its first words; what is of no known kind was typed.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;

/// A kind of message that the client writes in the user's name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageRule {
    pub id: String,
    /// Names of elements: the text begins with one of them, whole. Within a wrapper, one begins a line and ends the text.
    #[serde(default)]
    pub tags: Vec<String>,
    /// How the text begins.
    #[serde(default)]
    pub starts: Vec<String>,
    /// What its first line ends with.
    #[serde(default)]
    pub first_line_ends: Vec<String>,
    /// It is the result of a call.
    #[serde(default)]
    pub result: bool,
    /// Other kinds are looked for inside of it.
    #[serde(default)]
    pub wrapper: bool,
    /// What is left of it where a cut takes it away.
    pub keep: Keep,
    /// How it is then told. `{text}` is the text without its tags, `{name}` what an element or an attribute of that name
    /// holds. Without it, the text stands for itself.
    #[serde(default)]
    pub say: Option<String>,
    /// What is to be told stands behind the first of these that is found, and before the first of `until`.
    #[serde(default)]
    pub after: Vec<String>,
    #[serde(default)]
    pub until: Vec<String>,
}

/// What is left of a message where a cut takes it away. A handle is left in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// As what was typed: all of it where there is room.
    #[default]
    Verbatim,
    /// In a line.
    Line,
    /// The last one of its kind in a line.
    Last,
    /// A handle.
    Handle,
}

/// The kinds of all clients, in the order in which they are asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageKinds(Vec<MessageRule>);

impl MessageKinds {
    pub fn new(rules: Vec<MessageRule>) -> Self {
        Self(rules)
    }

    /// The kind of a text at the user's side, and the text without what it is wrapped in; `None`: it was typed.
    pub fn of_text<'t>(&self, text: &'t str) -> Option<(&MessageRule, &'t str)> {
        let text = text.trim();
        let kinds = || self.0.iter().filter(|rule| !rule.result);
        let wrapper = kinds().filter(|rule| rule.wrapper).find(|rule| rule.begins(text));
        match wrapper {
            Some(wrapper) => {
                let inside = wrapper.inside(text);
                let within = kinds().filter(|rule| !rule.wrapper);
                let rule = within.clone().find(|rule| rule.begins(inside) || rule.ends(inside));
                Some((rule.unwrap_or(wrapper), inside))
            }
            None => kinds().find(|rule| rule.begins(text)).map(|rule| (rule, text)),
        }
    }

    /// The kind of a result that is more than what a tool did: words of the user.
    pub fn of_result(&self, text: &str) -> Option<&MessageRule> {
        let text = text.trim();
        self.0.iter().filter(|rule| rule.result).find(|rule| rule.begins(text))
    }
}

impl MessageRule {
    fn begins(&self, text: &str) -> bool {
        self.starts.iter().any(|start| text.starts_with(start.as_str()))
            || self
                .first_line_ends
                .iter()
                .any(|end| text.lines().next().is_some_and(|line| line.ends_with(end.as_str())))
            || self.tags.iter().any(|tag| element(text, tag).is_some())
    }

    /// One of its elements begins a line and ends the text; or a line further down is one that its texts begin with.
    fn ends(&self, text: &str) -> bool {
        self.last_element(text).is_some() || self.behind_line(text).is_some()
    }

    /// The text from the line on that ends as its first line does.
    fn behind_line<'t>(&self, text: &'t str) -> Option<&'t str> {
        let mut at = 0;
        text.split_inclusive('\n').find_map(|line| {
            let from = at;
            at += line.len();
            self.first_line_ends.iter().any(|end| line.trim_end().ends_with(end.as_str())).then(|| &text[from..])
        })
    }

    fn last_element<'t>(&self, text: &'t str) -> Option<&'t str> {
        let text = text.trim_end();
        self.tags.iter().filter(|tag| text.ends_with(&format!("</{tag}>"))).find_map(|tag| {
            let at = text.rfind(&format!("\n<{tag}"))? + 1;
            element(&text[at..], tag).map(|_| &text[at..])
        })
    }

    /// The text without its own outer tag.
    fn inside<'t>(&self, text: &'t str) -> &'t str {
        self.tags.iter().find_map(|tag| element(text, tag)).map_or(text, str::trim)
    }

    /// What is told of a text of this kind.
    pub fn told<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let text = text.trim();
        let text = self.last_element(text).or_else(|| self.behind_line(text)).unwrap_or(text);
        let after = self.after.iter().find_map(|mark| text.split_once(mark.as_str())).map_or(text, |(_, rest)| rest);
        let until = self.until.iter().find_map(|mark| after.split_once(mark.as_str())).map_or(after, |(told, _)| told);
        match &self.say {
            Some(say) => filled(say, text, self.inside(until).trim()).into(),
            None => self.inside(until).trim().into(),
        }
    }
}

/// What stands inside of an element of this name that a text begins with.
fn element<'t>(text: &'t str, tag: &str) -> Option<&'t str> {
    let rest = text.strip_prefix('<')?.strip_prefix(tag)?;
    let (attributes, rest) = rest.split_once('>')?;
    if !(attributes.is_empty() || attributes.starts_with(char::is_whitespace)) || attributes.ends_with('/') {
        return None;
    }
    rest.split_once(&format!("</{tag}>")).map(|(inside, _)| inside)
}

/// A sentence with what its places name. A place that finds nothing is empty, with the space before it.
fn filled(say: &str, text: &str, inside: &str) -> String {
    let mut out = String::new();
    let mut rest = say;
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, behind)) = behind.split_once('}') else { break };
        out.push_str(before);
        let found = if name == "text" { Some(inside) } else { named(text, name) };
        match found.map(str::trim).filter(|found| !found.is_empty()) {
            Some(found) => out.push_str(found),
            None => out.truncate(out.trim_end().len()),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// What an element of this name holds, wherever it stands; else the attribute of this name of the outer tag.
fn named<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let held = text.match_indices('<').find_map(|(at, _)| element(&text[at..], name));
    if held.is_some() {
        return held;
    }
    let (tag, _) = text.strip_prefix('<')?.split_once('>')?;
    let (_, value) = tag.split_once(&format!(" {name}=\""))?;
    value.split_once('"').map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds() -> MessageKinds {
        let rule = |id: &str, tags: &[&str], keep| MessageRule {
            id: id.into(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            keep,
            ..MessageRule::default()
        };
        MessageKinds::new(vec![
            MessageRule { say: Some("Report of {who}: {text}".into()), ..rule("report", &["report"], Keep::Line) },
            MessageRule { starts: vec!["[Stopped".into()], ..rule("stop", &[], Keep::Last) },
            MessageRule { first_line_ends: vec![" hook says:".into()], ..rule("hook", &[], Keep::Last) },
            MessageRule { starts: vec!["Approved.".into()], result: true, ..rule("plan", &[], Keep::Verbatim) },
            MessageRule { wrapper: true, ..rule("note", &["note"], Keep::Handle) },
        ])
    }

    fn kind(text: &str) -> Option<String> {
        kinds().of_text(text).map(|(rule, _)| rule.id.clone())
    }

    #[test]
    fn what_is_of_no_known_kind_was_typed() {
        for text in [
            "<div class=\"x\">low</div>\nmake a table",
            "<report",
            "<report> is what I want you to write",
            "<reports>a</reports>",
            "<report/>",
            "[use metres]",
            "Approved. Go on.",
            "",
        ] {
            assert_eq!(kind(text), None, "{text}");
        }
    }

    #[test]
    fn a_kind_is_told_by_its_tag_its_first_words_or_its_first_line() {
        assert_eq!(kind("\n<report who=\"ann\">done</report>").as_deref(), Some("report"));
        assert_eq!(kind("[Stopped by the user]").as_deref(), Some("stop"));
        assert_eq!(kind("Bread hook says:\nburnt").as_deref(), Some("hook"));
        assert_eq!(kinds().of_result("Approved. Go on.").map(|rule| rule.id.as_str()), Some("plan"));
        assert_eq!(kind("<note>\nThe day is long.\n</note>").as_deref(), Some("note"));
    }

    #[test]
    fn within_a_wrapper_the_element_that_ends_it_says_its_kind() {
        let text = "<note>\nNot from the user.\n\n<report who=\"ann\">\nThe <b>cause</b> is known.\n</report>\n</note>";
        assert_eq!(kind(text).as_deref(), Some("report"));
        let known = kinds();
        let (rule, inside) = known.of_text(text).unwrap();
        assert_eq!(rule.told(inside), "Report of ann: The <b>cause</b> is known.");
        assert_eq!(kind("<note>\nOne may write <report>x</report> here.\n</note>").as_deref(), Some("note"));
    }

    #[test]
    fn places_that_find_nothing_are_empty() {
        let known = kinds();
        let (rule, _) = known.of_text("<report>done</report>").unwrap();
        assert_eq!(rule.told("<report>done</report>"), "Report of: done");
    }
}
