//! States: after the name of a city, or as the answer to which of several cities of one name is meant.

use super::Context;
use super::token::Token;

/// Names of the states by the abbreviation that catalogues use (United States Postal Service, Publication
/// 28, appendix B).
const STATES: [(&str, &str); 51] = [
    ("al", "alabama"),
    ("ak", "alaska"),
    ("az", "arizona"),
    ("ar", "arkansas"),
    ("ca", "california"),
    ("co", "colorado"),
    ("ct", "connecticut"),
    ("de", "delaware"),
    ("dc", "district of columbia"),
    ("fl", "florida"),
    ("ga", "georgia"),
    ("hi", "hawaii"),
    ("id", "idaho"),
    ("il", "illinois"),
    ("in", "indiana"),
    ("ia", "iowa"),
    ("ks", "kansas"),
    ("ky", "kentucky"),
    ("la", "louisiana"),
    ("me", "maine"),
    ("md", "maryland"),
    ("ma", "massachusetts"),
    ("mi", "michigan"),
    ("mn", "minnesota"),
    ("ms", "mississippi"),
    ("mo", "missouri"),
    ("mt", "montana"),
    ("ne", "nebraska"),
    ("nv", "nevada"),
    ("nh", "new hampshire"),
    ("nj", "new jersey"),
    ("nm", "new mexico"),
    ("ny", "new york"),
    ("nc", "north carolina"),
    ("nd", "north dakota"),
    ("oh", "ohio"),
    ("ok", "oklahoma"),
    ("or", "oregon"),
    ("pa", "pennsylvania"),
    ("ri", "rhode island"),
    ("sc", "south carolina"),
    ("sd", "south dakota"),
    ("tn", "tennessee"),
    ("tx", "texas"),
    ("ut", "utah"),
    ("vt", "vermont"),
    ("va", "virginia"),
    ("wa", "washington"),
    ("wv", "west virginia"),
    ("wi", "wisconsin"),
    ("wy", "wyoming"),
];
/// The words of the longest name.
const NAME_WORDS_MAX: usize = 3;

/// The state that follows a city, with or without a comma; how many tokens it takes.
///
/// A catalogue without states knows none. An abbreviation must be written large, or "Salem or Bend" would be
/// in Oregon.
pub(super) fn after_city(tokens: &[Token], context: &Context<'_>) -> Option<(usize, String)> {
    let comma = usize::from(tokens.first() == Some(&Token::Comma));
    let rest = tokens.get(comma..)?;
    let (used, state) = first(rest, context)?;
    let large = matches!(rest.first(), Some(Token::Word { capital: true, .. }));
    (large || used > 1 || comma > 0 && rest.len() == 1).then_some((comma + used, state))
}

/// The state that answers "which one do you mean?".
pub(super) fn answer(tokens: &[Token], context: &Context<'_>) -> Option<(usize, String)> {
    first(tokens, context).filter(|_| context.asks("state"))
}

/// The state at the start of `tokens`, as the catalogue spells it.
fn first(tokens: &[Token], context: &Context<'_>) -> Option<(usize, String)> {
    (1..=NAME_WORDS_MAX.min(tokens.len())).rev().find_map(|used| {
        let words: Vec<_> = tokens.get(..used)?.iter().map(Token::text).collect();
        let said = words.join(" ");
        let (short, long) = STATES.iter().find(|(short, long)| said == *short || said == *long)?;
        let state = context.catalog.state(short).or_else(|| context.catalog.state(long))?;
        Some((used, state.to_owned()))
    })
}
