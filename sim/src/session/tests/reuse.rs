//! What a session shares with others: variables, fragments, further seeds, a quarantine.

use crate::session::{Broken, Catalogs, Fragments, Ink, Session, Subject, broken};

const GOOD: &str = "session: demo
seed: 1
vars: { city: Salem, most: 400000, asked: \"homes in {{no}}\" }
use: [first]
sweep: { seeds: 3 }
quarantine: { issue: GW-412, owner: ana, until: 2026-12-31 }
turns:
  - user: \"In {{ city }} under {{most}}\"
    expect:
      slots: { city: \"{{city}}\", price_max: { gte: \"{{most}}\" } }
      reply: { contains: [\"to {{city}}\"] }
      same_as: 1
";

const FIRST: &str = "fragment: first
turns:
  - user: \"{{asked}}\"
    expect: { agent: general }
";

fn read(text: &str, fragment: &str) -> Result<Session, Broken> {
    let catalogs = Catalogs::from([("willamette".to_owned(), [].into())]);
    let path = "sessions/_fragments/first.yaml".to_owned();
    let fragments = Fragments::from([("first".to_owned(), (path, fragment.to_owned()))]);
    Session::read_with("sessions/demo.yaml", text, &catalogs, &fragments)
}

#[test]
fn variables_are_filled_in_and_fragments_come_first() {
    let session = read(GOOD, FIRST).unwrap();
    let said: Vec<&str> = session.scenario.turns.iter().map(|turn| turn.text.as_str()).collect();
    assert_eq!(said, ["homes in {{no}}", "In Salem under 400000"]);
    let claims = format!("{:?}", session.expects[1].claims);
    for part in ["Salem", "AtLeast(Number(400000))", "to Salem"] {
        assert!(claims.contains(part), "no {part} in {claims}");
    }
    assert!(session.expects[1].claims.iter().any(|claim| claim.subject == Subject::SameAs(0)));
    let seeds: Vec<u64> = session.sweep().map(|scenario| scenario.seed).collect();
    assert_eq!(seeds, [2, 3, 4]);
    assert_eq!(session.quarantine.expect("one").owner, "ana");
    assert_eq!(session.uses, ["first"]);
}

#[test]
fn mistakes_are_told_where_they_stand() {
    for (good, bad, words) in [
        (
            "{{ city }} under",
            "{{ town }} under",
            &["unknown variable `town`", "demo.yaml:8:18]"][..],
        ),
        ("{{ city }} under", "{{ city under", &["unknown variable"]),
        ("{{ city }} under {{most}}", "{{ city }} under {{most", &["expected `}}`", "8:32]"]),
        ("most: 400000", "most: [1]", &["expected a text, a number, true or false", "got a list"]),
        (
            "most: 400000",
            "most: 400000, more: 1",
            &["nothing uses the variable `more`", "{{more}}"],
        ),
        ("most: 400000", "m-st: 1, most: 400000", &["letters, digits and `_`"]),
        ("gte: \"{{most}}\"", "gte: \"{{city}}\"", &["expected a number, got `Salem`"]),
        ("[first]", "[frist]", &["unknown fragment `frist`", "did you mean `first`?"]),
        ("seeds: 3", "seeds: 0", &["expected 1 to 1000 seeds, got 0", "demo.yaml:5:17]"]),
        ("2026-12-31", "2026-12-32", &["expected a day such as 2026-12-31"]),
        ("owner: ana", "owner: \"\"", &["somebody has to end this"]),
        (
            "same_as: 1",
            "same_as: 2",
            &["expected an earlier turn, got 2", "those of fragments first"],
        ),
        ("same_as: 1", "same_as: 0", &["expected an earlier turn, got 0"]),
    ] {
        assert_eq!(GOOD.matches(good).count(), 1, "{good}");
        let told = broken(&read(&GOOD.replace(good, bad), FIRST).expect_err(bad), Ink::Plain);
        for part in words {
            assert!(told.contains(part), "no {part:?} in:\n{told}");
        }
    }
}

#[test]
fn a_mistake_in_a_fragment_is_told_in_the_fragment() {
    for (good, bad, place) in [
        ("agent: general", "agent: generl", "[sessions/_fragments/first.yaml:4:22]"),
        ("{{asked}}", "{{aksed}}", "[sessions/_fragments/first.yaml:3:14]"),
        ("fragment: first", "fragment: frist", "[sessions/_fragments/first.yaml:1:11]"),
        ("expect:", "expcet:", "[sessions/_fragments/first.yaml:4:5]"),
    ] {
        let told = broken(&read(GOOD, &FIRST.replace(good, bad)).expect_err(bad), Ink::Plain);
        assert!(told.contains(place), "no {place} in:\n{told}");
    }
}
