//! `assistant agent --jsonl`: the agent without a network, a request and a response a line, for scripts.

use assistant::agent::{Catalog, respond};
use assistant::contract::agent::{AGENT_CONTRACT, AgentRequest};
use serde_json::json;
use std::error::Error;
use std::io::{BufRead, Write};

/// Answers each line of `requests` with a line, at once. A line that is no request is answered by
/// `{"error": …, "line": N}`, and the rest goes on.
///
/// # Errors
/// If the input cannot be read, the output not written, or at the end if a line was no request.
pub(super) fn answer(
    catalog: &Catalog,
    requests: impl BufRead,
    mut responses: impl Write,
) -> Result<(), Box<dyn Error>> {
    let (mut lines, mut bad) = (0_u64, 0_u64);
    for line in requests.lines() {
        let line = line?;
        lines += 1;
        let response = match parse(&line) {
            Ok(request) => serde_json::to_string(&respond(catalog, &request))?,
            Err(error) => {
                bad += 1;
                json!({ "error": error, "line": lines }).to_string()
            }
        };
        writeln!(responses, "{response}")?;
        // Whoever waits for the answer before the next request must get it now.
        responses.flush()?;
    }
    match bad {
        0 => Ok(()),
        _ => Err(format!("{bad} of {lines} lines were no requests").into()),
    }
}

fn parse(line: &str) -> Result<AgentRequest, String> {
    let request: AgentRequest = serde_json::from_str(line).map_err(|error| error.to_string())?;
    if request.version != AGENT_CONTRACT {
        return Err(format!("version {} instead of {AGENT_CONTRACT}", request.version));
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_good_lines_and_names_bad_ones() {
        let request = r#"{"version":1,"thread_id":"t","message_id":"m","text":"homes","today":"2026-01-01","state":{}}"#;
        let input = format!("{request}\nnonsense\n{}\n{request}\n", request.replace(":1,", ":2,"));
        let mut output = Vec::new();
        let error = answer(&Catalog::default(), input.as_bytes(), &mut output).unwrap_err();
        assert_eq!(error.to_string(), "2 of 4 lines were no requests");
        let output = String::from_utf8(output).unwrap();
        let lines: Vec<serde_json::Value> =
            output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let errors: Vec<_> = lines.iter().map(|line| line["line"].as_u64()).collect();
        assert_eq!(errors, [None, Some(2), Some(3), None]);
        assert_eq!(lines[0], lines[3]);
        assert!(answer(&Catalog::default(), request.as_bytes(), Vec::new()).is_ok());
    }
}
