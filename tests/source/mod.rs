//! Rust source as text: what is code in it and what is only said.
//!
//! A scanner, not a parser: it knows comments, strings and characters, and nothing of grammar.

use std::iter::Peekable;
use std::str::Chars;

/// The text with comments and the content of literals taken out. Lines keep their numbers.
pub(crate) fn code_of(text: &str) -> String {
    let mut code = String::new();
    let mut chars = text.chars().peekable();
    let mut last = ' ';
    while let Some(c) = chars.next() {
        let word = last.is_alphanumeric() || last == '_';
        match (c, chars.peek().copied()) {
            ('/', Some('/')) => {
                skip_line(&mut chars);
                code.push('\n');
            }
            ('/', Some('*')) => skip_block(&mut chars, &mut code),
            ('"', _) => skip_string(&mut chars, &mut code),
            ('r', Some('"' | '#')) if !word || last == 'b' => skip_raw(&mut chars, &mut code),
            ('\'', _) => skip_char(&mut chars, &mut code),
            _ => code.push(c),
        }
        last = c;
    }
    code
}

fn skip_line(chars: &mut Peekable<Chars<'_>>) {
    for c in chars.by_ref() {
        if c == '\n' {
            return;
        }
    }
}

fn keep_line(c: char, code: &mut String) {
    if c == '\n' {
        code.push(c);
    }
}

fn skip_block(chars: &mut Peekable<Chars<'_>>, code: &mut String) {
    let (mut depth, mut last) = (0_u32, '/');
    for c in chars.by_ref() {
        keep_line(c, code);
        last = match (last, c) {
            ('/', '*') => {
                depth += 1;
                ' '
            }
            ('*', '/') => {
                depth -= 1;
                ' '
            }
            (_, c) => c,
        };
        if depth == 0 {
            return;
        }
    }
}

fn skip_string(chars: &mut Peekable<Chars<'_>>, code: &mut String) {
    code.push_str("\"\"");
    while let Some(c) = chars.next() {
        keep_line(c, code);
        match c {
            '\\' => {
                if let Some(escaped) = chars.next() {
                    keep_line(escaped, code);
                }
            }
            '"' => return,
            _ => {}
        }
    }
}

/// After an `r`: a raw string, or a raw identifier, which stays.
fn skip_raw(chars: &mut Peekable<Chars<'_>>, code: &mut String) {
    let mut hashes = String::new();
    while chars.next_if_eq(&'#').is_some() {
        hashes.push('#');
    }
    if chars.next_if_eq(&'"').is_none() {
        code.push('r');
        code.push_str(&hashes);
        return;
    }
    code.push_str("\"\"");
    let end = format!("\"{hashes}");
    let mut tail = String::new();
    for c in chars.by_ref() {
        keep_line(c, code);
        tail.push(c);
        if tail.ends_with(&end) {
            return;
        }
    }
}

/// After a `'`: a character, or a lifetime, which stays.
fn skip_char(chars: &mut Peekable<Chars<'_>>, code: &mut String) {
    let mut ahead = chars.clone();
    let (first, second) = (ahead.next(), ahead.next());
    code.push('\'');
    if first == Some('\\') {
        chars.next();
        chars.next();
        for c in chars.by_ref() {
            if c == '\'' {
                return;
            }
        }
    } else if second == Some('\'') {
        chars.next();
        chars.next();
    }
}

/// The words of the code with what stands around them: `(before, word, after)`, without spaces.
pub(crate) fn words(code: &str) -> Vec<(String, String, String)> {
    let mut words: Vec<(String, String, String)> = Vec::new();
    let mut between = String::new();
    let mut word = String::new();
    for c in code.chars().chain(" ".chars()) {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            if let Some((_, _, after)) = words.last_mut() {
                after.clone_from(&between);
            }
            words.push((std::mem::take(&mut between), std::mem::take(&mut word), String::new()));
        }
        if !c.is_whitespace() {
            between.push(c);
        }
    }
    if let Some((_, _, after)) = words.last_mut() {
        after.clone_from(&between);
    }
    words
}

/// What the code of a module `depth` levels below the root names there, in paths and groups of imports.
/// An inner module may reach the root with one `super` more.
pub(crate) fn rooms(code: &str, depth: usize) -> Vec<String> {
    let dense = dense(code);
    let mut rooms = Vec::new();
    for (place, _) in dense.match_indices("crate::") {
        rooms.extend(first_segments(after(&dense, place, "crate::")));
    }
    for (place, _) in dense.match_indices("super::") {
        let (mut path, mut levels) = (after(&dense, place, "super::"), 1);
        while let Some(rest) = path.strip_prefix("super::") {
            (path, levels) = (rest, levels + 1);
        }
        let inner = dense.get(..place).is_some_and(|before| before.ends_with("super::"));
        if levels >= depth && !inner {
            rooms.extend(first_segments(path));
        }
    }
    rooms
}

fn after<'c>(code: &'c str, place: usize, word: &str) -> &'c str {
    code.get(place.saturating_add(word.len())..).unwrap_or_default()
}

/// The code without white space between signs; words stay apart.
fn dense(code: &str) -> String {
    let mut text = String::new();
    for (before, word, _) in words(code) {
        text.push_str(if before.is_empty() { " " } else { &before });
        text.push_str(&word);
    }
    text
}

fn first_segments(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        let end = path.find(|c: char| !c.is_alphanumeric() && c != '_');
        return vec![path.get(..end.unwrap_or(path.len())).unwrap_or_default().to_owned()];
    };
    let (mut depth, mut segments, mut segment) = (0_i32, Vec::new(), String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => segments.push(std::mem::take(&mut segment)),
            _ if depth == 0 => segment.push(c),
            _ => {}
        }
    }
    segments.push(segment);
    segments.iter().flat_map(|segment| first_segments(segment.trim_start_matches('{'))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_out_what_is_only_said() {
        let cases = [
            ("a // b\nc", "a \nc"),
            ("a /* b /* c */\n d */ e", "a \n e"),
            (r#"a "b \" c" d"#, r#"a "" d"#),
            ("a r#\"b \" c\"# d", r#"a "" d"#),
            ("a b\"c\" br#\"d\"# e", r#"a b"" b"" e"#),
            ("x('\"') y", "x(') y"),
            ("x('\\'') y('\\u{41}')", "x(') y(')"),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
            ("r#type for_r \"x\"", "r#type for_r \"\""),
            ("\"one\ntwo\" // \"\nthree", "\"\"\n \nthree"),
        ];
        for (text, code) in cases {
            assert_eq!(code_of(text), code, "of {text}");
        }
    }

    #[test]
    fn finds_rooms_in_paths_and_groups() {
        let code = "use crate::{net::{Net, tcp}, agent,\n http}; crate :: wall::now(); super::x";
        assert_eq!(rooms(code, 1), ["net", "agent", "http", "wall", "x"]);
        assert_eq!(rooms("super::a; super::super::b::c", 2), ["b"]);
    }
}
