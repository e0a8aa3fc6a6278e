//! Which pairs of hosts are kept apart, and how.

use super::connection::Block;
use crate::scenario::Host;
use std::collections::BTreeMap;

/// What keeps pairs of hosts apart, the smaller one first; faults may overlap.
#[derive(Debug, Default)]
pub(super) struct Blocked(BTreeMap<Host, BTreeMap<Host, Vec<Block>>>);

impl Blocked {
    /// Keeps two hosts apart, besides whatever does so already.
    pub(super) fn add(&mut self, between: &[Host; 2], block: Block) {
        let [a, b] = ordered(&between[0], &between[1]).map(Clone::clone);
        self.0.entry(a).or_default().entry(b).or_default().push(block);
    }

    /// Ends one [`Blocked::add`] of this kind.
    pub(super) fn remove(&mut self, between: &[Host; 2], block: Block) {
        let [a, b] = ordered(&between[0], &between[1]);
        let Some(others) = self.0.get_mut(a) else { return };
        if let Some(blocks) = others.get_mut(b)
            && let Some(place) = blocks.iter().position(|other| *other == block)
        {
            blocks.remove(place);
        }
        others.retain(|_host, blocks| !blocks.is_empty());
        self.0.retain(|_host, others| !others.is_empty());
    }

    /// What keeps two hosts apart; a loss outweighs a wait.
    pub(super) fn between(&self, a: &Host, b: &Host) -> Option<Block> {
        let [a, b] = ordered(a, b);
        let blocks = self.0.get(a)?.get(b)?;
        let partition = blocks.iter().find(|block| **block == Block::Partition);
        partition.or_else(|| blocks.first()).copied()
    }
}

/// Two hosts, whichever was named first.
fn ordered<'h>(a: &'h Host, b: &'h Host) -> [&'h Host; 2] {
    if a <= b { [a, b] } else { [b, a] }
}
