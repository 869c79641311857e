//! The present text of one file, as far as it is known: what was read, with every edit since applied.

use super::act::Swap;

/// A known line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    /// The message in which it was last read or written.
    pub stamp: usize,
}

/// Lines that follow one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The number of the first line, from 1; `None` where the place in the file is not known.
    pub start: Option<usize>,
    pub lines: Vec<Line>,
}

/// What is known of a file's text. Placed segments come first, in order of their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    pub segments: Vec<Segment>,
    /// The segments are the whole file.
    pub whole: bool,
    /// The message in which a command may have changed the file: what was read or written before it is in doubt.
    pub doubt: usize,
    /// Something that is not known to be harmless happened since it was read or written: no evidence against a reply.
    pub unsure: bool,
    /// Whether the last line has an end; a reading does not tell.
    pub ended: Option<bool>,
}

/// A text with straight quotes: clients take either for the other.
fn straight(text: &str) -> String {
    text.replace(['‘', '’'], "'").replace(['“', '”'], "\"")
}

impl Segment {
    fn end(&self) -> Option<usize> {
        self.start.map(|start| start + self.lines.len())
    }

    /// The lines, joined.
    pub fn text(&self) -> String {
        let texts: Vec<&str> = self.lines.iter().map(|line| line.text.as_str()).collect();
        texts.join("\n")
    }
}

impl View {
    /// Every known line.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.segments.iter().flat_map(|segment| &segment.lines)
    }

    /// How often `text` occurs in what is known.
    pub fn occurrences(&self, text: &str) -> usize {
        self.segments.iter().map(|segment| segment.text().matches(text).count()).sum()
    }

    /// A command may have changed the file since some of this was read or written.
    pub fn stale(&self) -> bool {
        self.lines().any(|line| line.stamp < self.doubt)
    }

    /// The whole file is known, and nothing since may have changed it: evidence.
    pub fn certain(&self) -> bool {
        self.whole && !self.unsure && !self.stale()
    }

    /// The whole file is certain, and `text` is nowhere in it. A reading does not show whether the last line has an end.
    pub fn lacks(&self, text: &str) -> bool {
        let text = straight(text);
        self.certain()
            && !self.segments.iter().any(|segment| straight(&format!("{}\n", segment.text())).contains(&text))
    }

    /// The whole file is certain, and is this text. Where the end of its last line is not known, only a text that has one is.
    pub fn is_certainly(&self, content: &str) -> bool {
        let whole = || self.segments.iter().map(Segment::text).collect::<Vec<_>>().join("\n");
        let ends = content.ends_with('\n');
        let lines = content.strip_suffix('\n').unwrap_or(content);
        self.certain() && ends == self.ended.unwrap_or(true) && lines == whole()
    }

    /// The file is now exactly this.
    pub fn write(&mut self, content: &str, stamp: usize) {
        let ended = Some(content.ends_with('\n'));
        let content = content.strip_suffix('\n').unwrap_or(content);
        *self = Self {
            segments: vec![segment(Some(1), content.split('\n'), stamp)],
            whole: true,
            ended,
            ..Self::default()
        };
    }

    /// These numbered lines were read. They replace what was known of them.
    pub fn read(&mut self, lines: &[(usize, &str)], whole: bool, stamp: usize) {
        let Some(&(start, _)) = lines.first() else { return };
        let fresh = segment(Some(start), lines.iter().map(|line| line.1), stamp);
        if whole {
            self.segments.clear();
            self.unsure = false;
            self.ended = None;
        }
        self.whole |= whole;
        let end = start + fresh.lines.len();
        let text = fresh.text();
        let old = std::mem::take(&mut self.segments);
        self.segments = old.into_iter().flat_map(|known| outside(known, start, end)).collect();
        self.segments.retain(|known| known.start.is_some() || !text.contains(&known.text()));
        self.segments.push(fresh);
        self.tidy();
    }

    /// An edit was done. Where its old text is not known, its new text is kept as a segment without a place.
    pub fn edit(&mut self, swap: Swap<'_>, stamp: usize) {
        let mut found = false;
        for at in 0..self.segments.len() {
            let delta = self.segments[at].swap(swap, stamp);
            found |= delta.is_some();
            self.shift_after(at, delta.unwrap_or(0));
            if found && !swap.all {
                self.unsure |= swap.new.is_empty();
                return;
            }
        }
        // What replaced a text that is not known, or took one away (with or without its line end), is not known whole.
        self.unsure |= !found || swap.new.is_empty();
        if !found && !swap.new.trim().is_empty() {
            self.segments.push(segment(None, swap.new.trim_end_matches('\n').split('\n'), stamp));
        }
    }

    fn shift_after(&mut self, at: usize, delta: isize) {
        for later in &mut self.segments[at + 1..] {
            later.start = later.start.map(|start| start.saturating_add_signed(delta).max(1));
        }
    }

    /// Orders the segments and joins neighbours.
    fn tidy(&mut self) {
        self.segments.retain(|segment| !segment.lines.is_empty());
        self.segments.sort_by_key(|segment| segment.start.unwrap_or(usize::MAX));
        let mut joined: Vec<Segment> = Vec::with_capacity(self.segments.len());
        for segment in std::mem::take(&mut self.segments) {
            match joined.last_mut() {
                Some(last) if last.end().is_some() && last.end() == segment.start => last.lines.extend(segment.lines),
                _ => joined.push(segment),
            }
        }
        self.segments = joined;
    }
}

impl Segment {
    /// Replaces `old` by `new`; by how many lines the segment grew, or `None` when `old` is not in it.
    fn swap(&mut self, swap: Swap<'_>, stamp: usize) -> Option<isize> {
        let before = self.lines.len() as isize;
        let mut text = self.text();
        let mut from = 0;
        let mut found = false;
        while !swap.old.is_empty()
            && let Some(at) = text[from..].find(swap.old).map(|at| at + from)
        {
            self.replace(&text, at, swap, stamp);
            text.replace_range(at..at + swap.old.len(), swap.new);
            found = true;
            from = at + swap.new.len();
            if !swap.all {
                break;
            }
        }
        found.then(|| self.lines.len() as isize - before)
    }

    /// Puts the lines around one match anew.
    fn replace(&mut self, text: &str, at: usize, swap: Swap<'_>, stamp: usize) {
        let until = at + swap.old.len();
        let first = text[..at].matches('\n').count();
        let last = first + swap.old.matches('\n').count();
        let head = text[..at].rfind('\n').map_or(0, |break_at| break_at + 1);
        let tail = text[until..].find('\n').map_or(text.len(), |break_at| break_at + until);
        let fresh = [&text[head..at], swap.new, &text[until..tail]].concat();
        let lines = fresh.split('\n').map(|line| Line { text: line.to_owned(), stamp });
        self.lines.splice(first..=last, lines);
    }
}

fn segment<'a>(start: Option<usize>, lines: impl Iterator<Item = &'a str>, stamp: usize) -> Segment {
    Segment { start, lines: lines.map(|line| Line { text: line.to_owned(), stamp }).collect() }
}

/// What is left of a segment when the lines from `start` to before `end` are known anew.
fn outside(known: Segment, start: usize, end: usize) -> Vec<Segment> {
    let Some(first) = known.start else { return vec![known] };
    let mut lines = known.lines;
    let tail = lines.split_off(end.saturating_sub(first).min(lines.len()));
    lines.truncate(start.saturating_sub(first));
    let tail_start = first.max(end);
    vec![Segment { start: Some(first), lines }, Segment { start: Some(tail_start), lines: tail }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(view: &View) -> Vec<(Option<usize>, String)> {
        view.segments.iter().map(|segment| (segment.start, segment.text())).collect()
    }

    #[test]
    fn ranges_are_joined_and_the_newer_reading_counts() {
        let mut view = View::default();
        view.read(&[(1, "a"), (2, "b")], false, 1);
        view.read(&[(5, "e")], false, 2);
        view.read(&[(2, "B"), (3, "c")], false, 3);
        assert_eq!(texts(&view), [(Some(1), "a\nB\nc".into()), (Some(5), "e".into())]);
    }

    #[test]
    fn an_edit_changes_the_text_and_moves_what_follows() {
        let mut view = View::default();
        view.read(&[(1, "fn a() {"), (2, "}"), (3, "fn b() {}")], false, 1);
        view.read(&[(9, "end")], false, 1);
        view.edit(Swap { old: "{\n}", new: "{\n  1;\n  2;\n}", all: false }, 2);
        assert_eq!(texts(&view), [(Some(1), "fn a() {\n  1;\n  2;\n}\nfn b() {}".into()), (Some(11), "end".into())]);
        assert_eq!(view.lines().map(|line| line.stamp).collect::<Vec<_>>(), [2, 2, 2, 2, 1, 1]);
    }

    #[test]
    fn every_place_is_replaced_when_asked() {
        let mut view = View::default();
        view.write("x x\nx\n", 1);
        view.edit(Swap { old: "x", new: "xy", all: true }, 2);
        assert_eq!(texts(&view), [(Some(1), "xy xy\nxy".into())]);
    }

    #[test]
    fn an_edit_of_unknown_text_is_kept_without_a_place_until_it_is_read() {
        let mut view = View::default();
        view.edit(Swap { old: "old", new: "new line", all: false }, 1);
        assert_eq!(texts(&view), [(None, "new line".into())]);
        view.read(&[(7, "new line")], false, 2);
        assert_eq!(texts(&view), [(Some(7), "new line".into())]);
    }
}
