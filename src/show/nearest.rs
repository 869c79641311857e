//! How near worked examples are to a prompt: a lexical measure that knows no language. Texts are compared by their runs of
//! one to four characters, each weighted by how few examples have it (cosine of tf-idf vectors, terms counted once).

use std::collections::{BTreeMap, BTreeSet};

use xxhash_rust::xxh3::xxh3_64;

use crate::rules::Example;

/// The longest run of characters that is compared.
const LONGEST: usize = 4;

/// Of a long prompt only its two ends are looked at, so many characters each: what is wanted stands there.
const END: usize = 400;

/// Nearness is compared in steps of this part of one, so that no last digit of a logarithm decides.
const STEPS: f64 = 1e6;

/// The runs of one text, as hashes.
type Runs = BTreeSet<u64>;

/// An index of worked examples. The same examples give the same index.
#[derive(Debug, Clone, Default)]
pub struct Nearest {
    /// By run: its weight, and the wordings that have it.
    runs: BTreeMap<u64, (f64, Vec<u32>)>,
    /// By wording: its example, and the length of its vector.
    wordings: Vec<(usize, f64)>,
    /// The weight of a run that no example has.
    unknown: f64,
}

impl Nearest {
    /// Reads the prompts of all examples, and the other wordings by which they are found.
    pub fn of(examples: &[Example]) -> Self {
        let said = |example: &'_ Example| {
            std::iter::once(&example.prompt).chain(&example.also).map(|text| runs_of(text)).collect::<Vec<Runs>>()
        };
        let all: Vec<Vec<Runs>> = examples.iter().map(said).collect();
        let mut holders: BTreeMap<u64, usize> = BTreeMap::new();
        for example in &all {
            let together: BTreeSet<&u64> = example.iter().flatten().collect();
            for run in together {
                *holders.entry(*run).or_default() += 1;
            }
        }
        let weight = |holders: f64| (1.0 + all.len() as f64 / holders).ln();
        let mut index = Self { unknown: weight(1.0), ..Self::default() };
        for (at, runs) in all.iter().enumerate().flat_map(|(at, example)| example.iter().map(move |runs| (at, runs))) {
            let wording = index.wordings.len() as u32;
            let mut square = 0.0;
            for run in runs {
                let weight = weight(holders[run] as f64);
                square += weight * weight;
                index.runs.entry(*run).or_insert_with(|| (weight, Vec::new())).1.push(wording);
            }
            index.wordings.push((at, square.sqrt()));
        }
        index
    }

    /// The examples by how near they are, the nearest first: index, and nearness from 0 to 1. Of two that are equally near
    /// the earlier one stands first; those with nothing in common with the prompt are left out.
    pub fn rank(&self, prompt: &str) -> Vec<(usize, f64)> {
        let mut products = vec![0.0; self.wordings.len()];
        let mut square = 0.0;
        for run in runs_of(&ends_of(prompt)) {
            let Some((weight, wordings)) = self.runs.get(&run) else {
                square += self.unknown * self.unknown;
                continue;
            };
            square += weight * weight;
            for wording in wordings {
                products[*wording as usize] += weight * weight;
            }
        }
        let mut best: BTreeMap<usize, u64> = BTreeMap::new();
        for ((example, length), product) in self.wordings.iter().zip(products) {
            if product > 0.0 {
                let near = (product / (length * square.sqrt()) * STEPS).round() as u64;
                let best = best.entry(*example).or_default();
                *best = near.max(*best);
            }
        }
        let mut ranked: Vec<(usize, u64)> = best.into_iter().collect();
        ranked.sort_by_key(|(_, near)| std::cmp::Reverse(*near));
        ranked.into_iter().map(|(example, near)| (example, near as f64 / STEPS)).collect()
    }
}

/// The runs of one to four characters of a text: in small letters, any white space as one space, any digit as 0.
fn runs_of(text: &str) -> Runs {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = format!(" {} ", words.join(" ").to_lowercase());
    let characters: Vec<char> = text.chars().map(|c| if c.is_numeric() { '0' } else { c }).collect();
    let mut runs = Runs::new();
    for start in 0..characters.len() {
        let mut run = String::new();
        for c in characters[start..].iter().take(LONGEST) {
            run.push(*c);
            runs.insert(xxh3_64(run.as_bytes()));
        }
    }
    runs
}

fn ends_of(prompt: &str) -> String {
    let characters = prompt.chars().count();
    if characters <= 2 * END {
        return prompt.to_owned();
    }
    let head = prompt.chars().take(END);
    head.chain([' ']).chain(prompt.chars().skip(characters - END)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(prompt: &str, also: &[&str]) -> Example {
        Example {
            prompt: prompt.into(),
            also: also.iter().map(|text| (*text).to_owned()).collect(),
            ..Example::default()
        }
    }

    #[test]
    fn the_same_words_are_nearest_in_any_writing() {
        let examples = [
            example("Add a line to a list.", &["append an entry"]),
            example("文件里有几行？", &[]),
            example("Сколько файлов?", &[]),
        ];
        let nearest = Nearest::of(&examples);
        let first = |prompt: &str| nearest.rank(prompt)[0].0;
        assert_eq!([first("Append this to the list"), first("日志里有几行？"), first("сколько строк")], [0, 1, 2]);
        assert!(nearest.rank("")[0].1 < 0.5);
        assert_eq!(nearest.rank("add a LINE\n to a  list.")[0], (0, 1.0));
    }

    #[test]
    fn of_two_that_are_equally_near_the_earlier_one_is_first() {
        let nearest = Nearest::of(&[example("count the lines", &[]), example("count the lines", &[])]);
        assert_eq!(nearest.rank("count lines").iter().map(|near| near.0).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn a_long_prompt_is_looked_at_from_both_ends() {
        let nearest = Nearest::of(&[example("zzzz", &[]), example("append the line", &[])]);
        let prompt = format!("append the line{}zzzz", " zzzz zzz".repeat(100_000));
        assert_eq!(nearest.rank(&prompt).len(), 2);
    }

    /// Prompts of other words find what shows their kind of work.
    #[test]
    fn prompts_of_other_words_find_their_kind() {
        let rules = crate::rules::RuleSet::builtin();
        let nearest = Nearest::of(&rules.examples);
        let prompts = include_str!("../../fixtures/examples.txt").lines().filter_map(|line| line.split_once('\t'));
        let (mut first, mut second, mut all, mut missed) = (0, 0, 0, Vec::new());
        for (wanted, prompt) in prompts {
            let ranked = nearest.rank(prompt);
            let found = ranked.iter().position(|(at, _)| wanted.split(' ').any(|id| id == rules.examples[*at].id));
            all += 1;
            first += usize::from(found == Some(0));
            second += usize::from(found.is_some_and(|place| place < 2));
            if found != Some(0) {
                let ids = ranked.iter().take(3).map(|(at, near)| format!("{} {near:.2}", rules.examples[*at].id));
                missed.push(format!("{prompt}: {}", ids.collect::<Vec<_>>().join(", ")));
            }
        }
        assert!(first * 4 >= all * 3, "{first} first, {second} of the first two, of {all}\n{}", missed.join("\n"));
    }
}
