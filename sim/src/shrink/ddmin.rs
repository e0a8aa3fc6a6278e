//! Delta debugging: the smallest part of a list that still fails, found by leaving out ever smaller parts.
//!
//! Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28(2), 2002.

/// A part of `items`, in order, that fails and of which no single item can be spared. `items` itself fails.
///
/// # Errors
/// The first error of `fails`.
pub fn ddmin<T: Clone, E>(
    items: Vec<T>,
    fails: &mut impl FnMut(&[T]) -> Result<bool, E>,
) -> Result<Vec<T>, E> {
    if items.is_empty() || fails(&[])? {
        return Ok(Vec::new());
    }
    let mut items = items;
    let mut parts = 2;
    while items.len() >= 2 {
        let size = items.len().div_ceil(parts);
        if let Some(smaller) = without_a_part(&items, size, fails)? {
            items = smaller;
            parts = (parts - 1).max(2);
        } else if size == 1 {
            break;
        } else {
            parts = (parts * 2).min(items.len());
        }
    }
    Ok(items)
}

/// What still fails when one run of `size` items is left out.
fn without_a_part<T: Clone, E>(
    items: &[T],
    size: usize,
    fails: &mut impl FnMut(&[T]) -> Result<bool, E>,
) -> Result<Option<Vec<T>>, E> {
    for start in (0..items.len()).step_by(size) {
        let rest = items.iter().take(start).chain(items.iter().skip(start + size));
        let rest: Vec<T> = rest.cloned().collect();
        if fails(&rest)? {
            return Ok(Some(rest));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    /// What is left of `0..count` if it fails with all of `culprits`, and after how many trials.
    fn check(count: u32, culprits: &[u32]) -> (Vec<u32>, u32) {
        let mut trials = 0;
        let mut fails = |part: &[u32]| {
            trials += 1;
            Ok::<_, Infallible>(culprits.iter().all(|culprit| part.contains(culprit)))
        };
        let Ok(left) = ddmin((0..count).collect(), &mut fails);
        (left, trials)
    }

    #[test]
    fn only_the_culprits_are_left() {
        for culprits in [&[][..], &[0], &[7], &[99], &[3, 4], &[0, 99], &[1, 30, 31, 77]] {
            let (left, trials) = check(100, culprits);
            assert_eq!(left, culprits);
            assert!(trials < 200, "{trials} trials for {culprits:?}");
        }
        assert_eq!(check(0, &[]).0, [0; 0]);
        assert_eq!(check(1, &[0]).0, [0]);
        let all: Vec<u32> = (0..9).collect();
        assert_eq!(check(9, &all).0, all);
    }

    #[test]
    fn no_single_item_can_be_spared_even_if_any_two_would_do() {
        let mut fails = |part: &[u32]| Ok::<_, Infallible>(part.len() >= 2);
        let Ok(left) = ddmin((0..10).collect(), &mut fails);
        assert_eq!(left.len(), 2);
    }

    #[test]
    fn an_error_ends_the_search() {
        let mut fails = |part: &[u32]| if part.len() < 3 { Err("broken") } else { Ok(true) };
        assert_eq!(ddmin((0..10).collect(), &mut fails), Err("broken"));
    }
}
