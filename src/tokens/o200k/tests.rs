//! The static data and the splitting, held against tiktoken-rs.

use proptest::prelude::*;
use tiktoken_rs::o200k_base_singleton;

use super::*;

fn oracle(text: &str) -> usize {
    o200k_base_singleton().encode_ordinary(text).len()
}

#[test]
fn every_token_of_the_vocabulary_has_its_rank() {
    let vocabulary = o200k_base_singleton();
    let mut tokens = 0;
    for rank in 0.. {
        let Ok(bytes) = vocabulary.decode_bytes(&[rank]) else { break };
        assert_eq!(table::rank(&bytes), Some(rank));
        if let [first, second] = bytes[..] {
            assert_eq!(table::rank_of_pair(first, second), Some(rank));
        }
        tokens += 1;
    }
    assert_eq!(tokens, 199_998);
    assert_eq!(table::rank(b"<|endoftext|>"), None);
    assert_eq!(table::rank(b""), None);
}

#[test]
fn special_tokens_are_text() {
    let text = "<|endoftext|> and <|endofprompt|>";
    assert_eq!(count(text), oracle(text));
}

/// Characters of all classes alone, before a letter, behind one, and between spaces: those at the ends of each range of
/// a class, and one in thirty between them.
#[test]
fn characters_are_split_as_the_pattern_does() {
    let all: Vec<char> = (0..=0x10_FFFF).filter_map(char::from_u32).collect();
    let of = |at: usize| all.get(at).map(|c| class::of(*c));
    let chosen = (0..all.len()).filter(|at| at % 31 == 0 || of(at + 1) != of(*at) || of(at.wrapping_sub(1)) != of(*at));
    for some in chosen.collect::<Vec<_>>().chunks(256) {
        let around = |c: char| [c, 'a', c, ' ', c, 'A', c, '1', c, '\n', c, c, '\'', 's', ' '];
        let text: String = some.iter().flat_map(|at| around(all[*at])).collect();
        assert_eq!(count(&text), oracle(&text), "{text:?}");
    }
}

#[test]
fn the_texts_of_the_repository_have_their_tokens() {
    for text in [
        include_str!("../../../fixtures/requests/classic/hello.json"),
        include_str!("../../../fixtures/requests/lean/loop.json"),
        include_str!("../../../README.md"),
        include_str!("../qwen.rs"),
        include_str!("split.rs"),
    ] {
        assert_eq!(count(text), oracle(text));
    }
}

#[test]
fn a_long_piece_is_merged_as_a_short_one_is() {
    for text in ["a".repeat(101), "ab".repeat(300), "=-".repeat(200), "ÄÖ".repeat(90), "\u{200b}".repeat(120)] {
        assert_eq!(count(&text), oracle(&text), "{text}");
    }
}

/// Characters of every class and of many scripts, those at which the pattern turns more often than others.
fn character() -> impl Strategy<Value = char> {
    prop_oneof![
        4 => proptest::sample::select("aAzZ09 \t\n\r/'\"-_.,:;(){}[]<>=#*\u{85}\u{a0}\u{2028}\u{3000}".chars().collect::<Vec<_>>()),
        2 => proptest::sample::select("sStTmMdDrRvVlLeEſKßÄäǅʰªºا한字かЖжΣς\u{301}\u{93f}\u{e47}½٣Ⅷ²€😀\u{200d}\u{fe0f}".chars().collect::<Vec<_>>()),
        1 => any::<char>(),
    ]
}

/// Pieces that stand beside each other in real texts.
fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z]{1,12}",
        "[A-Z]{1,3}[a-z]{0,8}",
        "'(s|S|t|re|RE|vE|m|ll|Ll|d|ſ|x)",
        " {1,9}",
        "[ \t\r\n]{1,6}",
        "[0-9]{1,8}",
        "[-=#*/+.]{1,120}",
        r"\PC{1,6}",
        r"\p{Cyrillic}{1,8}",
        r"\p{Arabic}{1,8}",
        r"\p{Devanagari}{1,8}",
        r"\p{Han}{1,8}",
        r"\p{M}{1,3}",
        proptest::collection::vec(character(), 1..8).prop_map(String::from_iter),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn texts_of_all_characters_have_their_tokens(text in proptest::collection::vec(character(), 0..60)) {
        let text = String::from_iter(text);
        prop_assert_eq!(count(&text), oracle(&text));
        prop_assert_eq!(split::pieces(&text).collect::<String>(), text);
    }

    #[test]
    fn texts_of_real_parts_have_their_tokens(parts in proptest::collection::vec(part(), 0..24)) {
        let text = parts.concat();
        prop_assert_eq!(count(&text), oracle(&text));
    }
}
