//! Lays out the o200k vocabulary of tiktoken-rs, and the classes of characters that its splitting knows, as static data:
//! the binary reads them where they lie, instead of filling a map of 200,000 strings at its start.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use regex_syntax::hir::{Class, HirKind};

#[path = "src/tokens/o200k/layout.rs"]
#[allow(unreachable_pub, reason = "shared with the library")]
mod layout;

use layout::{BLOCK, PAIRS, SLOTS, class, hash, pair, slot};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/tokens/o200k/layout.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("there is no OUT_DIR")?);
    vocabulary(&out)?;
    classes(&out)
}

/// The bytes of all tokens by rank, where each ends, and an index by the hash of the bytes.
fn vocabulary(out: &Path) -> Result<(), Box<dyn Error>> {
    let vocabulary = tiktoken_rs::o200k_base()?;
    let special = vocabulary.special_tokens().len();
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    let mut slots = vec![0_u32; SLOTS];
    let mut pairs = vec![0_u32; PAIRS];
    for rank in 0_u32.. {
        let Ok(token) = vocabulary.decode_bytes(&[rank]) else { break };
        let hash = hash(&token);
        let mut at = hash as usize % SLOTS;
        while slots[at] != 0 {
            at = (at + 1) % SLOTS;
        }
        slots[at] = slot(rank, hash);
        if let [first, second] = token[..] {
            pairs[pair(first, second)] = rank + 1;
        }
        bytes.extend_from_slice(&token);
        ends.push(u32::try_from(bytes.len())?);
    }
    // Special tokens stand behind a gap: text is never read as one of them.
    if special == 0 || ends.len() != 199_998 {
        return Err(format!("o200k has {} tokens", ends.len()).into());
    }
    fs::write(out.join("o200k.bytes"), bytes)?;
    fs::write(out.join("o200k.ends"), little_endian(&ends))?;
    fs::write(out.join("o200k.slots"), little_endian(&slots))?;
    fs::write(out.join("o200k.pairs"), little_endian(&pairs))?;
    Ok(())
}

fn little_endian(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// What the splitting sees in each character: a page of block numbers, and the blocks that differ.
fn classes(out: &Path) -> Result<(), Box<dyn Error>> {
    let mut all = vec![class::OTHER; 0x11_0000];
    let named = [
        (r"[\p{Lu}\p{Lt}]", class::UPPER),
        (r"\p{Ll}", class::LOWER),
        (r"[\p{Lm}\p{Lo}]", class::LETTER),
        (r"\p{M}", class::MARK),
        (r"\p{N}", class::NUMBER),
        (r"\s", class::SPACE),
        (r"[\r\n]", class::NEWLINE),
    ];
    for (pattern, class) in named {
        let HirKind::Class(Class::Unicode(ranges)) = regex_syntax::parse(pattern)?.into_kind() else {
            return Err(format!("{pattern} is no class").into());
        };
        for range in ranges.iter() {
            all[range.start() as usize..=range.end() as usize].fill(class);
        }
    }
    let (mut pages, mut blocks, mut known) = (Vec::new(), Vec::new(), BTreeMap::new());
    for block in all.chunks(BLOCK) {
        let next = u8::try_from(known.len())?;
        let number = *known.entry(block.to_vec()).or_insert(next);
        if number == next && blocks.len() == usize::from(next) * BLOCK {
            blocks.extend_from_slice(block);
        }
        pages.push(number);
    }
    fs::write(out.join("classes.pages"), pages)?;
    fs::write(out.join("classes.blocks"), blocks)?;
    Ok(())
}
