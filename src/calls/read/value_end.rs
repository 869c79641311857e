//! Where a value ends that stands between tags, and may itself speak of tags, or hold a whole call.
//!
//! The outermost balanced reading counts: a call that the value shows is passed over whole. A closer that is nearly one
//! ends a value only where nothing else does, and what could be read in two ways is not read at all.

use super::format::{Seen, Short};
use super::tags::{Kind, Tag, Tags, Written};

/// Where a value ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// The bytes of the value.
    pub(super) length: usize,
    /// The bytes of the value and the closers that are its own.
    pub(super) used: usize,
    /// What had to be mended.
    pub(super) repair: Option<&'static str>,
}

/// How a closer that is nearly one is counted, and one that is not there.
pub(super) const NEAR: &str = "xml-near-closer";
pub(super) const MISSING: &str = "xml-missing-closer";

/// The parameters of a call, as far as they matter to where one ends.
pub(super) trait Parameters {
    /// Whether the tool has this parameter, and it was not given yet.
    fn awaits(&self, key: &str) -> bool;
}

type Step<T> = Result<T, Short>;

/// The end of the value at the front of `body`; `None` when there is none, or more than one that is possible.
pub(super) fn value_end(form: &dyn Tags, body: &Seen<'_>, call: &dyn Parameters) -> Step<Option<End>> {
    let mut walk = Walk { form, body, call, nested: false, flat: false };
    let end = walk.end()?;
    if end.is_some() || !walk.nested {
        return Ok(end);
    }
    // The text is over, and no reading is balanced: a call was only spoken of, and not shown whole.
    walk.flat = true;
    let end = walk.end()?;
    Ok(end.filter(|end| !walk.leaves_closers(end.used)))
}

struct Walk<'w, 'a> {
    form: &'w dyn Tags,
    body: &'w Seen<'a>,
    call: &'w dyn Parameters,
    /// A call stands in the value.
    nested: bool,
    /// Calls inside of the value are not looked at.
    flat: bool,
}

impl<'a> Walk<'_, 'a> {
    fn end(&mut self) -> Step<Option<End>> {
        let text = self.body.text;
        let (mut at, mut calls, mut shown) = (0, 0_usize, 0_usize);
        while let Some(next) = text[at..].find('<').map(|next| next + at) {
            at = next + 1;
            let Some(tag) = self.form.tag(&self.body.skip(next))? else { continue };
            at = next + tag.used.max(1);
            let exact = tag.written == Written::Exactly;
            if calls > 0 {
                calls = calls + usize::from(tag.kind == Kind::Call) - usize::from(tag.kind == Kind::CallEnd && exact);
                continue;
            }
            match tag.kind {
                Kind::Call => {
                    self.nested = true;
                    calls = usize::from(!self.flat);
                }
                Kind::ParameterEnd => match self.closers(next, tag, shown)? {
                    Closing::Value(end) => return Ok(Some(end)),
                    Closing::Doubt => return Ok(None),
                    Closing::None => shown = shown.saturating_sub(usize::from(exact)),
                },
                // Behind a call that is begun in the value: the value shows more than it speaks of.
                Kind::Parameter if self.flat && self.nested_before(next) => return Ok(None),
                Kind::Parameter if self.may_stand(next) && self.call.awaits(tag.label) && shown == 0 => {
                    return Ok(Some(left_out(next)));
                }
                Kind::Parameter => shown += 1,
                Kind::CallEnd | Kind::WrapEnd if !self.nested && self.may_stand(next) && self.ends_all(at)? => {
                    return Ok(Some(left_out(next)));
                }
                Kind::CallEnd | Kind::WrapEnd => {}
            }
        }
        if self.body.end { Ok(None) } else { Err(Short) }
    }

    /// Looks at a closer and those right behind it, of which the first `shown` belong to the value.
    fn closers(&self, at: usize, first: Tag<'a>, shown: usize) -> Step<Closing> {
        let mut run = vec![(at, at + first.used, first.written)];
        let mut behind = at + first.used;
        loop {
            behind += self.body.skip(behind).space();
            let rest = self.body.skip(behind);
            match self.tag(&rest)? {
                Some(tag) if tag.kind == Kind::ParameterEnd => {
                    behind += tag.used;
                    run.push((behind - tag.used, behind, tag.written));
                }
                Some(tag) if tag.kind != Kind::Call => break,
                _ if rest.text.is_empty() => {
                    if !rest.end {
                        return Err(Short);
                    }
                    break;
                }
                _ if self.form.begins_bare(&rest)? => break,
                // Only spoken of, unless it is damage that stands where a closer would.
                _ if first.written == Written::Nearly
                    && self.own_line(at)
                    && behind_is_new_line(self.body.text, behind) =>
                {
                    return Ok(Closing::Doubt);
                }
                _ => return Ok(Closing::None),
            }
        }
        // What only may be a closer is none where a real one stands behind it.
        let real = run.iter().any(|(_, _, written)| *written == Written::Exactly);
        run.retain(|(_, _, written)| !real || *written != Written::Perhaps);
        let own = shown.min(run.len() - 1);
        let mended = run.len() - own > 1 || run.iter().any(|(_, _, written)| *written != Written::Exactly);
        let Some((length, _, _)) = run.get(own) else { return Ok(Closing::Doubt) };
        let used = run.last().map_or(*length, |(_, end, _)| *end);
        Ok(Closing::Value(End { length: *length, used, repair: mended.then_some(NEAR) }))
    }

    fn tag(&self, rest: &Seen<'a>) -> Step<Option<Tag<'a>>> {
        if rest.text.starts_with('<') { self.form.tag(rest) } else { Ok(None) }
    }

    /// Whether nothing but closers of what is outside, or another call, follows.
    fn ends_all(&self, at: usize) -> Step<bool> {
        let rest = self.body.skip(at);
        let rest = rest.skip(rest.space());
        if rest.text.is_empty() {
            return if rest.end { Ok(true) } else { Err(Short) };
        }
        Ok(self.tag(&rest)?.is_some_and(|tag| matches!(tag.kind, Kind::WrapEnd | Kind::Call | Kind::CallEnd)))
    }

    /// Whether a tag here may be one of the outer call.
    fn may_stand(&self, at: usize) -> bool {
        self.form.is_inline() || self.own_line(at)
    }

    /// Whether a call begins in the value before this place.
    fn nested_before(&self, at: usize) -> bool {
        let calls =
            |(next, _)| self.form.tag(&self.body.skip(next)).ok().flatten().is_some_and(|tag| tag.kind == Kind::Call);
        self.body.text[..at].match_indices('<').any(calls)
    }

    fn own_line(&self, at: usize) -> bool {
        self.body.text[..at].trim_end_matches([' ', '\t']).ends_with('\n')
    }

    /// Whether closers stand behind the call that nothing opened, so that the value may go on up to them.
    fn leaves_closers(&self, at: usize) -> bool {
        let text = self.body.text;
        let (mut at, mut open) = (at, 1_i64);
        while let Some(next) = text[at..].find('<').map(|next| next + at) {
            let tag = self.form.tag(&self.body.skip(next)).ok().flatten();
            open += match tag.map(|tag| tag.kind) {
                Some(Kind::Call) => 1,
                Some(Kind::CallEnd) => -1,
                _ => 0,
            };
            if open < 0 {
                return true;
            }
            at = next + tag.map_or(1, |tag| tag.used.max(1));
        }
        false
    }
}

enum Closing {
    Value(End),
    /// These are spoken of.
    None,
    Doubt,
}

fn behind_is_new_line(text: &str, at: usize) -> bool {
    text[..at].trim_end_matches([' ', '\t']).ends_with('\n')
}

fn left_out(at: usize) -> End {
    End { length: at, used: at, repair: Some(MISSING) }
}
