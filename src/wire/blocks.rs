//! The blocks of a message, shared: a message is copied from stage to stage more often than it is changed.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Weak};

use super::Block;

/// The blocks of a message. A copy is the same list; who changes it, changes a list of his own.
#[derive(Clone, Default)]
pub struct Blocks(Arc<Vec<Block>>);

/// Tells a list of blocks again, and keeps nothing of what it holds.
#[derive(Debug, Clone)]
pub struct BlocksId(Weak<Vec<Block>>);

impl BlocksId {
    /// Whether this is the id of that list.
    pub fn is_of(&self, blocks: &Blocks) -> bool {
        Weak::as_ptr(&self.0) == Arc::as_ptr(&blocks.0)
    }
}

impl Blocks {
    /// What tells this list again, until it is changed.
    pub fn id(&self) -> BlocksId {
        BlocksId(Arc::downgrade(&self.0))
    }

    /// Whether both are one list. Then they are equal without a look at what they hold.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl PartialEq for Blocks {
    fn eq(&self, other: &Self) -> bool {
        self.is(other) || self.0 == other.0
    }
}

impl PartialEq<Vec<Block>> for Blocks {
    fn eq(&self, other: &Vec<Block>) -> bool {
        *self.0 == *other
    }
}

impl std::fmt::Debug for Blocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Deref for Blocks {
    type Target = Vec<Block>;

    fn deref(&self) -> &Vec<Block> {
        &self.0
    }
}

impl DerefMut for Blocks {
    fn deref_mut(&mut self) -> &mut Vec<Block> {
        Arc::make_mut(&mut self.0)
    }
}

impl From<Vec<Block>> for Blocks {
    fn from(blocks: Vec<Block>) -> Self {
        Self(Arc::new(blocks))
    }
}

impl From<Blocks> for Vec<Block> {
    fn from(blocks: Blocks) -> Self {
        Arc::unwrap_or_clone(blocks.0)
    }
}

impl FromIterator<Block> for Blocks {
    fn from_iter<I: IntoIterator<Item = Block>>(blocks: I) -> Self {
        blocks.into_iter().collect::<Vec<_>>().into()
    }
}

impl IntoIterator for Blocks {
    type Item = Block;
    type IntoIter = std::vec::IntoIter<Block>;

    fn into_iter(self) -> Self::IntoIter {
        Vec::from(self).into_iter()
    }
}

impl<'a> IntoIterator for &'a Blocks {
    type Item = &'a Block;
    type IntoIter = std::slice::Iter<'a, Block>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a mut Blocks {
    type Item = &'a mut Block;
    type IntoIter = std::slice::IterMut<'a, Block>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_the_same_list_until_it_is_changed() {
        let blocks = Blocks::from(vec![Block::Text("a".into())]);
        let mut copy = blocks.clone();
        assert!(copy.is(&blocks));
        copy.push(Block::Text("b".into()));
        assert_eq!((blocks.len(), copy.len()), (1, 2));
        assert!(!copy.is(&blocks) && copy != blocks);
    }

    #[test]
    fn an_id_is_of_one_list_and_outlives_it() {
        let mut blocks = Blocks::from(vec![Block::Text("a".into())]);
        let id = blocks.id();
        assert!(id.is_of(&blocks) && id.is_of(&blocks.clone()));
        blocks.push(Block::Text("b".into()));
        assert!(!id.is_of(&blocks));
        drop(blocks);
        let others: Vec<Blocks> = (0..100).map(|_| Blocks::from(vec![Block::Text("a".into())])).collect();
        assert!(!others.iter().any(|other| id.is_of(other)));
    }
}
