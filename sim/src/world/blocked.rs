//! Which hosts are kept from reaching which, and how.

use super::connection::Block;
use crate::scenario::Host;
use std::collections::BTreeMap;

/// What keeps the packets of one host from another; faults may overlap.
#[derive(Debug, Default)]
pub(super) struct Blocked(BTreeMap<Host, BTreeMap<Host, Vec<Block>>>);

impl Blocked {
    /// Keeps what one host sends from another, besides whatever does so already.
    pub(super) fn add(&mut self, from: &Host, to: &Host, block: Block) {
        self.0.entry(from.clone()).or_default().entry(to.clone()).or_default().push(block);
    }

    /// Ends one [`Blocked::add`] of this kind.
    pub(super) fn remove(&mut self, from: &Host, to: &Host, block: Block) {
        let Some(others) = self.0.get_mut(from) else { return };
        if let Some(blocks) = others.get_mut(to)
            && let Some(place) = blocks.iter().position(|other| *other == block)
        {
            blocks.remove(place);
        }
        others.retain(|_host, blocks| !blocks.is_empty());
        self.0.retain(|_host, others| !others.is_empty());
    }

    /// What keeps the packets of one host from another; a loss outweighs a wait.
    pub(super) fn on_way(&self, from: &Host, to: &Host) -> Option<Block> {
        let blocks = self.0.get(from)?.get(to)?;
        let partition = blocks.iter().find(|block| **block == Block::Partition);
        partition.or_else(|| blocks.first()).copied()
    }

    /// What keeps two hosts from talking, in whichever direction; a loss outweighs a wait.
    pub(super) fn between(&self, a: &Host, b: &Host) -> Option<Block> {
        let ways = [self.on_way(a, b), self.on_way(b, a)];
        let partition = ways.iter().find(|way| **way == Some(Block::Partition));
        partition.copied().flatten().or(ways[0]).or(ways[1])
    }
}
