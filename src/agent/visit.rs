//! The sentences about decisions and visits. Decides nothing.
//!
//! There is no booking system behind them: they promise a note, and never more.

/// Which home, when none was shown.
pub(super) const WHICH_HOME: &str = "Which home would you like to visit?";
/// Which home, of several.
pub(super) const WHICH_OF_THEM: &str = "Which of the homes I have shown would you like to visit?";
/// Which home, of several that please.
pub(super) const WHICH_PLEASES: &str =
    "Glad to hear it. Which one do you mean: the first, the second, or another by its name?";
/// The day was wrong.
pub(super) const WHICH_OTHER_DAY: &str = "On which day would you rather visit?";
/// No visit.
pub(super) const REFUSED: &str =
    "All right, no visit for now. Say a day whenever you would like one.";
/// No visit, and the talk is over.
pub(super) const REFUSED_AND_OVER: &str =
    "All right, no visit for now. Good luck with your search!";
/// There is no visit.
pub(super) const NOTHING_TO_CANCEL: &str = "There is no visit noted that I could cancel.";
/// Nothing else.
pub(super) const FAREWELL: &str = "All right. Your search is kept here for when you come back.";

/// The home is kept; would a visit be welcome?
pub(super) fn chosen(name: &str) -> String {
    format!("Good choice: I have kept {name} for you. Would you like to visit it?")
}

/// The home is kept, and the talk is over.
pub(super) fn kept(name: &str) -> String {
    format!("All right. I have kept {name} for you, in case you come back to it.")
}

/// On which day?
pub(super) fn which_day(name: &str) -> String {
    format!("On which day would you like to visit {name}?")
}

/// Is that right?
pub(super) fn confirm(name: &str, day: &str) -> String {
    format!("A visit to {name} on {day}: is that right?")
}

/// The catalogue has no home of that name.
pub(super) fn unknown_home(name: &str) -> String {
    format!(
        "I have no listing called {name}, so I know nothing about it, but I can note the visit."
    )
}

/// What noting means.
pub(super) fn noted(name: &str, day: &str, phone: Option<&str>) -> String {
    let next = match phone {
        Some(phone) => format!("call {phone} to arrange it"),
        None => "please arrange it with the owner".to_owned(),
    };
    format!(
        "I have noted your visit to {name} on {day}. It is a note in this conversation and no booking: \
         {next}."
    )
}

/// There is such a note.
pub(super) fn noted_already(name: &str, day: &str) -> String {
    format!("Your visit to {name} on {day} is noted. Say another day if you would rather move it.")
}

/// The note is gone.
pub(super) fn cancelled(name: &str) -> String {
    format!("I have dropped the visit to {name}.")
}
