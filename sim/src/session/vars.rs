//! `{{name}}` in what is said and expected becomes the value that the session gives to it.
//!
//! It knows where texts stand, and not what they are for.

use super::matcher::Raw;
use super::model::{ExpectYaml, ListingsYaml, Pairs, TurnYaml, WordOr};
use super::names::closest;
use super::source::Sources;
use super::yaml::{At, Problem, Span};
use serde_json::Value;
use std::collections::BTreeSet;

/// The variables of a session, and which of them something has used.
pub(super) struct Vars<'s> {
    known: Vec<(At<String>, Value)>,
    used: BTreeSet<String>,
    sources: &'s Sources,
    pub(super) problems: Vec<Problem>,
}

impl<'s> Vars<'s> {
    pub(super) fn new(yaml: Option<&At<Pairs<At<Raw>>>>, sources: &'s Sources) -> Self {
        let mut vars =
            Self { known: Vec::new(), used: BTreeSet::new(), sources, problems: Vec::new() };
        for (name, raw) in yaml.into_iter().flat_map(|yaml| &yaml.value.0) {
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.value.is_empty() || !name.value.chars().all(is_name) {
                let text = "expected a name of letters, digits and `_`";
                vars.problems.push(Problem::new(name.span, text));
            }
            match &raw.value {
                Raw::Scalar(value) if !value.is_null() => {
                    vars.known.push((name.clone(), value.clone()));
                }
                Raw::Scalar(_) | Raw::List(_) | Raw::Map(_) => {
                    vars.problems.push(raw.instead_of("a text, a number, true or false"));
                }
            }
        }
        vars
    }

    /// Fills in the variables of some turns.
    pub(super) fn fill(&mut self, turns: &mut [TurnYaml]) {
        for turn in turns {
            let text = At { value: Value::from(turn.user.value.as_str()), span: turn.user.span };
            if let Some(value) = self.filled(&text) {
                turn.user.value = in_text(&value);
            }
            for raw in turn.expect.iter_mut().flat_map(|expect| raws(&mut expect.value)) {
                self.fill_raw(raw);
            }
        }
    }

    /// A variable that nothing has used is a mistake.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        for (name, _) in &self.known {
            if !self.used.contains(&name.value) {
                self.problems.push(Problem {
                    advice: Some(format!(
                        "say `{{{{{}}}}}` somewhere, or leave it out",
                        name.value
                    )),
                    ..Problem::new(name.span, format!("nothing uses the variable `{}`", name.value))
                });
            }
        }
        self.problems
    }

    fn fill_raw(&mut self, raw: &mut At<Raw>) {
        let span = raw.span;
        match &mut raw.value {
            Raw::Scalar(value) => {
                let at = At { value: value.clone(), span };
                if let Some(filled) = self.filled(&at) {
                    *value = filled;
                }
            }
            Raw::List(items) => items.iter_mut().for_each(|item| self.fill_raw(item)),
            Raw::Map(pairs) => pairs.iter_mut().for_each(|(_, item)| self.fill_raw(item)),
        }
    }

    /// The value with its variables filled in, if it has any; nothing but a variable keeps the variable's kind.
    fn filled(&mut self, at: &At<Value>) -> Option<Value> {
        let text = at.value.as_str().filter(|text| text.contains("{{"))?;
        let whole = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        if let Some(name) = whole.filter(|name| !name.contains("{{")) {
            return self.value(name.trim(), at.span);
        }
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("{{") {
            filled.push_str(before);
            let Some((name, after)) = after.split_once("}}") else {
                let place = Span { len: 2, ..self.place(&format!("{{{{{after}"), at.span) };
                self.problems.push(Problem::new(place, "expected `}}` behind `{{`"));
                return None;
            };
            filled.push_str(&in_text(&self.value(name.trim(), at.span)?));
            rest = after;
        }
        filled.push_str(rest);
        Some(filled.into())
    }

    fn value(&mut self, name: &str, span: Span) -> Option<Value> {
        self.used.insert(name.to_owned());
        if let Some((_, value)) = self.known.iter().find(|(known, _)| known.value == name) {
            return Some(value.clone());
        }
        let names: Vec<&String> = self.known.iter().map(|(name, _)| &name.value).collect();
        let advice = match names.is_empty() {
            true => format!("say `vars: {{ {name}: … }}` at the top"),
            false => closest(name, &names),
        };
        self.problems.push(Problem {
            advice: Some(advice),
            ..Problem::new(self.place(name, span), format!("unknown variable `{name}`"))
        });
        None
    }

    /// Where in a scalar a word stands.
    fn place(&self, word: &str, span: Span) -> Span {
        match self.sources.slice(span).find(word) {
            Some(start) => Span { start: span.start + start, len: word.len() },
            None => span,
        }
    }
}

fn in_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Everything in an expectation that is held against a value.
fn raws(expect: &mut ExpectYaml) -> Vec<&mut At<Raw>> {
    let ExpectYaml {
        agent,
        intent,
        slots,
        listings,
        relaxation,
        refers_to,
        reply,
        frames,
        error,
        same_as: _,
    } = expect;
    let mut raws: Vec<&mut At<Raw>> =
        [agent, intent, refers_to, reply, frames].into_iter().flatten().collect();
    raws.extend(slots.iter_mut().flat_map(values));
    if let Some(At { value: WordOr::Map(ListingsYaml { ids, count, each }), .. }) = listings {
        raws.extend(ids.iter_mut().chain(count.iter_mut()));
        raws.extend(each.iter_mut().flat_map(values));
    }
    if let Some(At { value: WordOr::Map(Pairs(changes)), .. }) = relaxation {
        let sides = changes.iter_mut().map(|(_, stretch)| &mut stretch.value);
        raws.extend(sides.flat_map(|sides| sides.from.iter_mut().chain(sides.to.iter_mut())));
    }
    if let Some(error) = error {
        raws.extend(error.value.code.iter_mut().chain(error.value.retryable.iter_mut()));
    }
    raws
}

fn values(pairs: &mut At<Pairs<At<Raw>>>) -> impl Iterator<Item = &mut At<Raw>> {
    pairs.value.0.iter_mut().map(|(_, raw)| raw)
}
