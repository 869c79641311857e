//! The signs by which a server that cuts a prompt in silence gives itself away.

/// How far our own count may be off, in percent, before a smaller one of the server means anything.
const TOLERANCE: usize = 10;

/// Whether the server has cut the prompt: it says that it read as much as is left after a cut, and less than was sent.
///
/// Ollama before 0.30 keeps `num_ctx` tokens, 0.30.0 to 0.30.10 one less, later ones half of the window and a few.
pub(super) fn is_cut(window: usize, sent: usize, reported: usize) -> bool {
    let half = window / 2;
    let left_by_a_cut = reported == window || reported + 1 == window || (half + 1..=half + 4).contains(&reported);
    left_by_a_cut && sent > reported + reported * TOLERANCE / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_ways_of_cutting_are_seen() {
        for reported in [4096, 4095, 2049, 2050, 2052] {
            assert!(is_cut(4096, 15_610, reported), "{reported}");
        }
    }

    #[test]
    fn an_honest_count_is_no_sign() {
        assert!(!is_cut(4096, 2100, 2050));
        assert!(!is_cut(4096, 1900, 2050));
        assert!(!is_cut(4096, 15_610, 3000));
    }
}
