//! A column of numbers, searchable from any number upwards. Knows no unit and no listing.
//!
//! The rows are cut into a few classes by value, and a bitmap a class holds the rows of it and of all above.
//! A search takes one bitmap whole and looks into one class value by value.

use roaring::RoaringBitmap;
use std::collections::BTreeMap;

/// The most classes. Bedrooms and baths have fewer values; a class of sizes is then some 1 % of the rows.
const RUNGS_MAX: usize = 96;

/// A column of numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Ladder {
    values: Vec<Option<u32>>,
    /// In ascending order.
    rungs: Vec<Rung>,
}

#[derive(Debug, Clone)]
struct Rung {
    /// The lowest value of the class.
    low: u32,
    /// The highest value of the class.
    high: u32,
    /// The rows with at least `low`.
    rows: RoaringBitmap,
}

impl Ladder {
    /// A value a row, if stated.
    pub(super) fn new(values: Vec<Option<u32>>) -> Self {
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        for value in values.iter().flatten() {
            *counts.entry(*value).or_default() += 1;
        }
        let share = values.len() / RUNGS_MAX + 1;
        let scarce = counts.len() <= RUNGS_MAX;
        let mut rungs: Vec<Rung> = Vec::new();
        let mut filled = 0;
        for (value, count) in counts {
            match rungs.last_mut() {
                Some(rung) if !scarce && filled < share => rung.high = value,
                Some(_) | None => {
                    rungs.push(Rung { low: value, high: value, rows: RoaringBitmap::new() });
                    filled = 0;
                }
            }
            filled += count;
        }
        let mut ladder = Self { values, rungs };
        ladder.fill();
        ladder
    }

    /// Puts each row into its class, then adds up from the top.
    fn fill(&mut self) {
        for (row, value) in (0..).zip(&self.values) {
            let Some(value) = value else { continue };
            let class = self.rungs.partition_point(|rung| rung.high < *value);
            if let Some(rung) = self.rungs.get_mut(class) {
                rung.rows.insert(row);
            }
        }
        let mut above = RoaringBitmap::new();
        for rung in self.rungs.iter_mut().rev() {
            above |= &rung.rows;
            rung.rows.clone_from(&above);
        }
    }

    /// The value of a row, if stated.
    pub(super) fn value(&self, row: u32) -> Option<u32> {
        self.values.get(usize::try_from(row).ok()?).copied().flatten()
    }

    /// The rows that state a value.
    pub(super) fn stated(&self) -> RoaringBitmap {
        self.rungs.first().map(|rung| rung.rows.clone()).unwrap_or_default()
    }

    /// The rows whose value fits. What fits a value must fit all greater ones.
    pub(super) fn rising(&self, fits: impl Fn(u32) -> bool) -> RoaringBitmap {
        let above = self.rungs.partition_point(|rung| !fits(rung.low));
        let mut rows = self.rungs.get(above).map(|rung| rung.rows.clone()).unwrap_or_default();
        let class = above.checked_sub(1).and_then(|class| self.rungs.get(class));
        if let Some(class) = class.filter(|class| fits(class.high)) {
            let own = &class.rows - &rows;
            rows.extend(own.iter().filter(|row| self.value(*row).is_some_and(&fits)));
        }
        rows
    }

    /// The least value among `rows`.
    pub(super) fn least(&self, rows: &RoaringBitmap) -> Option<u32> {
        let count = |rung: &Rung| rows.intersection_len(&rung.rows);
        let stated = self.rungs.first().map(count).filter(|stated| *stated > 0)?;
        let above = self.rungs.partition_point(|rung| count(rung) == stated);
        let mut own = rows & &self.rungs.get(above.checked_sub(1)?)?.rows;
        if let Some(rung) = self.rungs.get(above) {
            own -= &rung.rows;
        }
        own.iter().filter_map(|row| self.value(row)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_a_look_at_every_value_finds(
            values in prop::collection::vec(prop::option::of(0_u32..400), 0..600),
            least in 0_u32..420,
            rows in prop::collection::btree_set(0_u32..600, 0..40),
        ) {
            let ladder = Ladder::new(values.clone());
            let plain: Vec<u32> = (0..)
                .zip(&values)
                .filter(|(_, value)| value.is_some_and(|value| value >= least))
                .map(|(row, _)| row)
                .collect();
            prop_assert_eq!(ladder.rising(|value| value >= least).iter().collect::<Vec<_>>(), plain);
            let stated = values.iter().flatten().count();
            prop_assert_eq!(ladder.stated().len(), u64::try_from(stated).unwrap());
            let least = rows.iter().filter_map(|row| ladder.value(*row)).min();
            prop_assert_eq!(ladder.least(&rows.into_iter().collect()), least);
        }
    }
}
