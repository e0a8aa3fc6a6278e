//! Properties of the client machine under any input, in any order. Each is named by its invariant, and for
//! those that guard a rule of the policy, a run without the rule must break it.
//!
//! `scripts` plays random acts through a plausible shell and gateway ([`world`]), which write down every
//! broken invariant; the other files try one topic closely. Nothing here is a clock, a socket or a thread.
//! Every run tries the same cases; `PROPTEST_RNG_SEED=7 PROPTEST_CASES=100000` tries others.

#[cfg(test)]
mod attempts;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod handshakes;
#[cfg(test)]
mod pulse;
#[cfg(test)]
mod scripts;
#[cfg(test)]
mod turns;
#[cfg(test)]
mod world;
