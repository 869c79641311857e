//! Messages without their ends, and with what a cut says at their head.

use super::form::{Form, Shown, Speaker};
use crate::rules::ChannelKind;
use crate::wire::Message;

impl Form<'_> {
    /// The beginning of a message that is shown as `whole`: as much of it as it shares with `short`, the same message
    /// without its end. `None` where the two differ in more than an end.
    pub fn beginning(&self, whole: &[Shown], short: &Message) -> Option<Vec<Shown>> {
        let short = self.message(short);
        let alike =
            short.len() == whole.len() && whole.iter().zip(&short).all(|(whole, short)| same_but_text(whole, short));
        alike.then(|| whole.iter().zip(&short).map(|(whole, short)| common(whole, short)).collect())
    }

    /// The messages with a text before all that they say; where a call must be answered first, behind that.
    pub fn headed_by(&self, text: &str, mut shown: Vec<Shown>) -> Vec<Shown> {
        let place = match self.kind {
            ChannelKind::Native => shown.iter_mut().find(|shown| shown.speaker == Speaker::User),
            _ => shown.first_mut(),
        };
        match place {
            Some(first) if first.text.is_empty() => text.clone_into(&mut first.text),
            Some(first) => first.text = format!("{text}\n\n{}", first.text),
            None => shown.push(Shown::text(Speaker::User, text)),
        }
        shown
    }

    /// A text of ours as this model is told it.
    pub fn told_text(&self, text: &str) -> String {
        self.notes.text(text)
    }
}

fn same_but_text(one: &Shown, other: &Shown) -> bool {
    one.speaker == other.speaker
        && one.calls == other.calls
        && one.answers == other.answers
        && one.images == other.images
}

fn common(whole: &Shown, short: &Shown) -> Shown {
    let pairs = whole.text.char_indices().zip(short.text.chars());
    let end = pairs.take_while(|((_, a), b)| a == b).last().map_or(0, |((at, c), _)| at + c.len_utf8());
    Shown { text: whole.text[..end].trim_end().to_owned(), ..whole.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;
    use crate::wire::{Block, Role, ToolResult};

    fn result(text: &str) -> Message {
        let content = vec![Block::Text(text.into())];
        let result = ToolResult { tool_use_id: "a".into(), content, is_error: false };
        Message { role: Role::User, content: vec![Block::ToolResult(result)].into() }
    }

    #[test]
    fn what_stays_is_a_beginning_in_every_channel_and_calls_are_answered_first() {
        let rules = RuleSet::builtin();
        let model = rules.model("qwen2.5-coder:7b").unwrap();
        for kind in [ChannelKind::Native, ChannelKind::Prompted, ChannelKind::Constrained] {
            let form = Form::new(kind, model);
            let whole = form.message(&result("first line\nsecond line"));
            let short = form.beginning(&whole, &result("first line")).unwrap();
            assert!(whole[0].text.starts_with(&short[0].text) && short[0].text.ends_with("first line"));
            let headed = form.headed_by("[Taken out: h1]", whole.clone());
            let answer = headed.iter().position(|shown| shown.text.contains("second line")).unwrap();
            let said = headed.iter().position(|shown| shown.text.contains("[Taken out")).unwrap();
            assert_eq!(answer < said, kind == ChannelKind::Native);
        }
    }
}
