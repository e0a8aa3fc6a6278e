//! Randomness by name: every stream of a run is split from its seed, so that adding or removing one
//! leaves the others as they are.

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use sha2::{Digest, Sha256};

/// The generator called `label` in the run of `seed`.
#[must_use]
pub fn split(seed: u64, label: &str) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(label.as_bytes());
    ChaCha8Rng::from_seed(hash.finalize().into())
}

/// A number that depends on nothing but its arguments: the randomness of one packet.
///
/// The mixing step is that of `SplitMix64` (Steele, Lea, Flood, OOPSLA 2014).
#[must_use]
pub fn prf(seed: u64, connection: u64, direction: u64, index: u64) -> u64 {
    [connection, direction, index].into_iter().fold(mix(seed), |state, part| mix(state ^ part))
}

fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::Rng;

    #[test]
    fn streams_depend_on_seed_and_name_only() {
        assert_eq!(split(1, "a").next_u64(), split(1, "a").next_u64());
        assert_ne!(split(1, "a").next_u64(), split(1, "b").next_u64());
        assert_ne!(split(1, "a").next_u64(), split(2, "a").next_u64());
        assert_eq!(prf(1, 2, 3, 4), prf(1, 2, 3, 4));
        assert_ne!(prf(1, 2, 3, 4), prf(1, 2, 4, 3));
    }
}
