//! Tests of the agent as a whole: conversations in text, and properties over generated searches.

mod conversations;
mod properties;
