//! SW-ONE and SW-STALE: a client has one connection, the latest, and nobody takes it away without a newer one.
//!
//! A connection that was left may still bring what was under way, and the other side's goodbye; what is durable
//! must come over the latest.

use super::leaves::is_copied;
use super::wire;
use super::{Oracle, Violation};
use crate::scenario::{Host, Scenario};
use crate::trace::{Trace, What, Wire};
use assistant::contract::close::CloseReason;
use std::collections::BTreeMap;

const NAME: &str = "single_writer";

pub(super) const ORACLE: Oracle =
    Oracle { name: NAME, asks: "does every client live on one connection, its latest?", judge };

fn judge(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let mut latest: BTreeMap<&Host, u64> = BTreeMap::new();
    let mut found = Vec::new();
    for event in &trace.events {
        if let Some((client, conn)) = wire::joined(event) {
            latest.insert(client, conn);
        }
        let What::Received { conn, frame } = &event.what else { continue };
        let (host, Some(latest)) = (&event.host, latest.get(&event.host)) else { continue };
        let superseded = CloseReason::Superseded.code();
        let what = if conn == latest {
            let is_replaced = matches!(frame, Wire::Close { code: Some(code), .. }
                if *code == superseded);
            (is_replaced && !is_copied(scenario, host)).then(|| {
                format!("{host} was closed with {superseded} on connection {conn}, its latest")
            })
        } else {
            wire::frame(event).filter(|frame| frame.head.is_durable()).map(|frame| {
                let (kind, seq) = (frame.head.event, frame.head.seq.unwrap_or_default());
                format!("{host} read frame {seq} ({kind}) on connection {conn}, but holds {latest}")
            })
        };
        found.extend(what.map(|what| Violation::at(NAME, event, what)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::bench::healthy;
    use super::*;
    use assistant::contract::frame::ServerFrame;

    #[test]
    fn accepts_a_healthy_run() {
        healthy().accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_frames_of_a_connection_that_was_left() {
        let mut run = healthy();
        let frame = ServerFrame::Log(run.log()[6].clone());
        run.receives("ana", 1, &frame);
        run.refused_by(&ORACLE, "ana read frame 7 (message) on connection 1, but holds 3");
    }

    #[test]
    fn refuses_to_be_superseded_by_nobody() {
        let mut run = healthy();
        run.is_closed("ana", 1, 4409, "superseded");
        run.accepted_by(&ORACLE);
        run.is_closed("ana", 3, 4409, "superseded");
        run.refused_by(&ORACLE, "ana was closed with 4409 on connection 3, its latest");
        run.scenario.clients[1].instance = Some("ana".to_owned());
        run.accepted_by(&ORACLE);
    }
}
