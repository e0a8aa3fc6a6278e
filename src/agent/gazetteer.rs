//! The names a user may say for what is in the catalogue: its cities, and its homes that have a title.
//!
//! Besides the name itself a city answers to its initials (`SF`, and `SFO` with its last letter), to a
//! prefix of each of its words (`San Fran`), and to small slips of the pen. All of it is derived from the
//! catalogue; whether a name is meant in a sentence is decided by who reads the sentence.

use super::catalog::Listing;
use crate::contract::id::ListingId;
use std::collections::BTreeMap;
use std::ops::Bound;

/// The longest name looked for, in words.
pub(super) const NAME_WORDS_MAX: usize = 6;
/// Titles beyond this are sentences, not names.
const TITLE_WORDS_MAX: usize = 8;
/// Letters from which a word may hold one slip, and two.
const SLIPS: [(usize, usize); 2] = [(8, 2), (5, 1)];
/// An alias of several cities means the one with more listings than this many times the next.
const DOMINANCE: usize = 2;
/// The last words of a title that people leave out.
const GENERIC: [&str; 12] = [
    "apartments",
    "apartment",
    "homes",
    "home",
    "condos",
    "condominiums",
    "townhomes",
    "townhouses",
    "residences",
    "community",
    "complex",
    "apts",
];

/// The words of a title, and the homes of that title.
type Title = (Vec<String>, Vec<ListingId>);

/// Names by their words in lower case.
#[derive(Debug, Clone, Default)]
pub(super) struct Gazetteer {
    /// Spelling by key.
    cities: BTreeMap<String, String>,
    /// Keys of cities by other names for them.
    aliases: BTreeMap<String, String>,
    /// Titles by their first word: their words and the homes of that title, in order of the catalogue.
    titles: BTreeMap<String, Vec<Title>>,
}

impl Gazetteer {
    /// From the city and the title of each listing.
    pub(super) fn new(listings: &[Listing]) -> Self {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut titles: BTreeMap<Vec<String>, Vec<ListingId>> = BTreeMap::new();
        for listing in listings {
            if let Some(city) = &listing.city {
                *counts.entry(city).or_default() += 1;
            }
            for name in listing.title.iter().flat_map(|title| names(title)) {
                titles.entry(name).or_default().push(listing.id.clone());
            }
        }
        let cities = counts.keys().map(|city| (key(city), (*city).to_owned())).collect();
        let mut gazetteer = Self { aliases: aliases(&counts), cities, titles: BTreeMap::new() };
        // "Mountain View" is the city, whatever homes are called after it.
        titles.retain(|name, _| !gazetteer.cities.contains_key(&name.join(" ")));
        for (name, ids) in titles {
            if let Some(first) = name.first().cloned() {
                gazetteer.titles.entry(first).or_default().push((name, ids));
            }
        }
        gazetteer
    }

    /// The catalogue's spelling of a city by its own name.
    pub(super) fn city(&self, name: &str) -> Option<&str> {
        self.cities.get(&key(name)).map(String::as_str)
    }

    /// The city with this alias, in the catalogue's spelling.
    pub(super) fn alias(&self, name: &str) -> Option<&str> {
        let key = key(name);
        let known = self.aliases.get(&key).or_else(|| self.prefixed(&key));
        self.cities.get(known?).map(String::as_str)
    }

    /// The only city of whose words those of `key` are prefixes.
    fn prefixed(&self, key: &str) -> Option<&String> {
        let words: Vec<_> = key.split(' ').collect();
        if words.len() < 2 || words.iter().any(|word| word.len() < 3) {
            return None;
        }
        let fits = |city: &&String| {
            let mut pairs = city.split(' ').zip(&words);
            city.split(' ').count() == words.len()
                && pairs.all(|(part, word)| part.starts_with(word))
        };
        let mut fitting = self.beginning(words.first()?).map(|(city, _)| city).filter(fits);
        fitting.next().filter(|_| fitting.next().is_none())
    }

    /// Keys and spellings of the cities that begin with `start`.
    fn beginning<'a>(&'a self, start: &str) -> impl Iterator<Item = (&'a String, &'a String)> {
        let from = self.cities.range::<str, _>((Bound::Included(start), Bound::Unbounded));
        from.take_while(move |(city, _)| city.starts_with(start))
    }

    /// The only city that is a slip of the pen away from `name`.
    pub(super) fn misspelled(&self, name: &str) -> Option<&str> {
        let key = key(name);
        let letters = key.chars().count();
        let (_, allowed) = SLIPS.iter().find(|(least, _)| letters >= *least)?;
        let first: String = key.chars().take(1).collect();
        let mut best: Option<(usize, &str)> = None;
        let mut tied = false;
        for (city, spelling) in self.beginning(&first) {
            let Some(slips) = slips(&key, city, *allowed) else {
                continue;
            };
            match best {
                Some((least, _)) if least < slips => {}
                Some((least, _)) if least == slips => tied = true,
                Some(_) | None => {
                    best = Some((slips, spelling));
                    tied = false;
                }
            }
        }
        best.filter(|_| !tied).map(|(_, spelling)| spelling)
    }

    /// The homes with the longest title that `words` begin with, and its length in words.
    pub(super) fn titled(&self, words: &[&str]) -> Option<(usize, &[ListingId])> {
        let candidates = self.titles.get(*words.first()?)?;
        candidates
            .iter()
            .filter(|(name, _)| {
                name.iter().zip(words).filter(|(a, b)| a == b).count() == name.len()
            })
            .map(|(name, ids)| (name.len(), ids.as_slice()))
            .max_by_key(|(length, _)| *length)
    }
}

/// The words of a name in lower case, apostrophes gone.
pub(super) fn name_words(name: &str) -> Vec<String> {
    name.replace(['\'', '’'], "")
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// [`name_words`] with one space between them.
pub(super) fn key(name: &str) -> String {
    name_words(name).join(" ")
}

/// What a home of this title may be called: all its words, and without the last generic ones.
fn names(title: &str) -> Vec<Vec<String>> {
    let mut words = name_words(title);
    if words.len() > 1 && words.first().is_some_and(|word| word == "the") {
        words.remove(0);
    }
    if words.is_empty() || words.len() > TITLE_WORDS_MAX {
        return Vec::new();
    }
    let mut short = words.clone();
    while short.last().is_some_and(|word| GENERIC.contains(&word.as_str())) {
        short.pop();
    }
    // One word alone, such as "Park", would be found everywhere.
    let short = (short.len() > 1 && short != words).then_some(short);
    std::iter::once(words).chain(short).collect()
}

/// Other names of the cities that `counts` has listings for.
fn aliases(counts: &BTreeMap<&str, usize>) -> BTreeMap<String, String> {
    let mut claims: BTreeMap<String, Vec<(usize, String)>> = BTreeMap::new();
    for (city, count) in counts {
        let key = key(city);
        let words: Vec<_> = key.split(' ').collect();
        let initials: String = words.iter().filter_map(|word| word.chars().next()).collect();
        if words.len() > 1 {
            let last = key.chars().last();
            let long: String = initials.chars().chain(last).collect();
            claims.entry(initials).or_default().push((*count, key.clone()));
            claims.entry(long).or_default().push((*count, key.clone()));
        }
    }
    let settled = claims.into_iter().filter_map(|(alias, mut cities)| {
        cities.sort_by(|a, b| b.cmp(a));
        let mut cities = cities.into_iter();
        let (count, city) = cities.next()?;
        let clear = cities.next().is_none_or(|(next, _)| count > DOMINANCE * next);
        clear.then_some((alias, city))
    });
    settled.collect()
}

/// How many letters must be added, dropped, changed or swapped with their neighbour to turn `a` into `b`;
/// nothing if more than `most`.
pub(super) fn slips(a: &str, b: &str, most: usize) -> Option<usize> {
    let longer = a.chars().count().abs_diff(b.chars().count());
    let slips = (longer <= most).then(|| strsim::osa_distance(a, b));
    slips.filter(|slips| *slips <= most)
}

#[cfg(test)]
mod tests {
    use super::super::catalog::Catalog;
    use super::*;

    fn gazetteer(rows: &[(&str, &str)]) -> Gazetteer {
        let header = "id,listing_type,price,price_period,beds,baths,sqft,city,property_type,pets_allowed,\
            parking,laundry,furnished,year_built,available,title";
        let row = |(at, (city, title)): (usize, &(&str, &str))| {
            format!("L-{at},buy,,,,,,{city},,,,,,,,{title}")
        };
        let rows: Vec<_> = rows.iter().enumerate().map(row).collect();
        let text = format!("{header}\n{}", rows.join("\n"));
        Gazetteer::new(Catalog::read(text.as_bytes()).unwrap().0.listings())
    }

    #[test]
    fn knows_cities_by_initials_prefixes_and_slips() {
        let places = gazetteer(&[
            ("San Francisco", "a b"),
            ("San Jose", "c d"),
            ("Santa Jacinta", "e f"),
            ("Redwood City", "g h"),
            ("Sacramento", "i j"),
            ("Salem", "i k"),
        ]);
        for (alias, city) in [
            ("SF", Some("San Francisco")),
            ("sfo", Some("San Francisco")),
            ("San Fran", Some("San Francisco")),
            // Of two cities, as likely as the other.
            ("SJ", None),
            ("sa ja", None),
            ("Salem", None),
        ] {
            assert_eq!(places.alias(alias), city, "{alias}");
        }
        for (slip, city) in [
            ("sacremento", Some("Sacramento")),
            ("sacramneto", Some("Sacramento")),
            ("san fransisco", Some("San Francisco")),
            ("salme", Some("Salem")),
            ("sale", None),
            ("saloon", None),
            ("xalem", None),
        ] {
            assert_eq!(places.misspelled(slip), city, "{slip}");
        }
        assert_eq!(places.city("redwood  CITY"), Some("Redwood City"));
    }

    #[test]
    fn finds_homes_by_title_with_and_without_its_last_words() {
        let places = gazetteer(&[
            ("Salem", "The Casa Pino Condos"),
            ("Salem", "Casa Pino Condos"),
            ("Salem", "Park Homes"),
        ]);
        let found = |text: &str| {
            let words: Vec<_> = text.split(' ').collect();
            places.titled(&words).map(|(used, ids)| (used, ids.len()))
        };
        assert_eq!(found("casa pino condos on the 8th"), Some((3, 2)));
        assert_eq!(found("casa pino please"), Some((2, 2)));
        assert_eq!(found("park please"), None);
    }
}
