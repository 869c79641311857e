//! Whether a reply that is being produced is one piece over and over: a model that is left alone then goes on until its
//! window is full.

use crate::rules::CheckRule;

/// The most bytes at the end that are looked at.
const SEEN: usize = 6 * 1024;

/// A table's rule or a line of dashes is no loop until it is as long as this, in bytes.
const RULE: usize = 4096;

/// When repetition is a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// So many rounds of a long piece.
    pub(crate) rounds: usize,
    /// A piece of so many bytes is long.
    pub(crate) piece: usize,
    /// So many bytes of a short piece.
    pub(crate) short: usize,
}

impl Limits {
    /// The limits of a rule, for text that is read as it comes or, with more patience, for a call: a file may repeat itself.
    /// `None` where the check is off.
    pub(crate) fn of(rule: Option<&CheckRule>, is_call: bool) -> Option<Self> {
        let rule = rule?;
        let times = if is_call { rule.limit("calls").max(1) } else { 1 };
        let (rounds, short) = (rule.limit("rounds") * times, rule.limit("short") * times);
        (rounds > 1).then_some(Self { rounds, piece: rule.limit("piece"), short })
    }

    /// So many times more patient.
    pub(crate) fn times(self, times: usize) -> Self {
        Self { rounds: self.rounds * times, short: self.short * times, ..self }
    }
}

/// Whether the end of `text` is one piece again and again, up to its last byte.
pub(crate) fn loops(text: &str, limits: Limits) -> bool {
    let end: Vec<u8> = text.bytes().rev().take(SEEN).collect();
    let same = common_beginnings(&end);
    let extent = |piece: usize| piece + same[piece];
    let mut pieces: Vec<usize> = Vec::new();
    for piece in (1..=end.len() / 2).filter(|piece| extent(*piece) >= 2 * piece) {
        // Several of a smaller piece are no piece of their own.
        if pieces.iter().any(|small| piece % small == 0 && extent(*small) >= 2 * piece) {
            continue;
        }
        pieces.push(piece);
        if is_loop(&end[..piece], extent(piece), extent(piece) / piece, limits) {
            return true;
        }
    }
    false
}

fn is_loop(reversed: &[u8], extent: usize, rounds: usize, limits: Limits) -> bool {
    let least = limits.short.min(SEEN / 2);
    let says = reversed.iter().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii());
    let is_row = reversed.contains(&b'|') && reversed.contains(&b'\n');
    match reversed.len() {
        _ if !says => extent >= RULE,
        long if long >= limits.piece && !is_row => rounds >= limits.rounds.min(SEEN / long),
        _ => extent >= least && rounds >= limits.rounds,
    }
}

/// For each place, how many bytes from there are as those from the beginning (the Z function).
fn common_beginnings(bytes: &[u8]) -> Vec<usize> {
    let mut same = vec![0; bytes.len()];
    let (mut left, mut right) = (0, 0);
    for at in 1..bytes.len() {
        if at < right {
            same[at] = same[at - left].min(right - at);
        }
        while at + same[at] < bytes.len() && bytes[same[at]] == bytes[at + same[at]] {
            same[at] += 1;
        }
        if at + same[at] > right {
            (left, right) = (at, at + same[at]);
        }
    }
    same
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Checks;

    fn in_text(text: &str) -> bool {
        loops(text, Limits::of(Checks::builtin().unwrap().rule("looping-reply"), false).unwrap())
    }

    #[test]
    fn a_sentence_is_stopped_in_its_third_round() {
        for length in [100, 300, 900] {
            let sentence = &(0..400).map(|n| format!("word{n} ")).collect::<Vec<_>>().concat()[..length];
            assert!(!in_text(&format!("Before. {}", sentence.repeat(2))), "{length}");
            assert!(in_text(&format!("Before. {}", sentence.repeat(3))), "{length}");
        }
    }

    #[test]
    fn tables_rules_lists_and_bars_pass() {
        assert!(!in_text(&"-".repeat(400)));
        assert!(!in_text(&"|---|:--|\n".repeat(30)));
        assert!(!in_text(&"| yes | yes | yes |\n".repeat(40)));
        assert!(!in_text(&"p { color: red; }\n".repeat(20)));
        assert!(!in_text(&(0..400).map(|n| format!("line {n}\n")).collect::<Vec<_>>().concat()));
        assert!(!in_text(
            &(0..60).map(|n| format!("[{}{}]\n", "=".repeat(n), " ".repeat(60 - n))).collect::<Vec<_>>().concat()
        ));
    }

    #[test]
    fn a_short_piece_without_an_end_is_stopped() {
        assert!(in_text(&"no, ".repeat(400)));
        assert!(in_text(&"=".repeat(5000)));
    }

    #[test]
    fn a_call_may_repeat_itself_for_longer() {
        let limits = Limits::of(Checks::builtin().unwrap().rule("looping-reply"), true).unwrap();
        let card = format!("<div class=\\\"card\\\">{}</div>\\n", "x".repeat(150));
        assert!(!loops(&card.repeat(6), limits));
        assert!(loops(&card.repeat(40), limits));
        assert!(loops(&"0\\n".repeat(2000), limits));
    }
}
