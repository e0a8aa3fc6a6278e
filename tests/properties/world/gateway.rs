//! The gateway of the world: what it makes of frames, and what it says.

use super::super::bench::{thread, turn, welcome};
use super::{Act, Dial, Gateway, Socket, Talk, World};
use assistant::client::Input;
use assistant::contract::agent::Intent;
use assistant::contract::frame::{AgentName, ClientFrame, LogBody, LogFrame, Meta, ServerFrame};
use assistant::contract::id::{MessageId, TraceId};
use std::time::Duration;

impl World {
    /// The log grows by a frame of other people.
    pub(super) fn append(&mut self) {
        let (agent, intent, text) = (AgentName::General, Intent::Greeting, "hi".to_owned());
        self.log.push(LogBody::Message { agent, intent, text });
    }

    /// The gateway answers the upgrade.
    pub(super) fn dialled(&mut self, dial: Dial) {
        let Some((&generation, Socket::Dialling)) = self.sockets.iter().next_back() else {
            return;
        };
        self.sockets.remove(&generation);
        match dial {
            Dial::Opened => {
                self.sockets.insert(generation, Socket::Open(Talk::default()));
                self.step(&Input::SocketOpened { generation });
            }
            Dial::Rejected(status, after) => {
                let (status, retry_after) = (status, after.map(Duration::from_secs));
                self.step(&Input::SocketRejected { generation, status, retry_after });
            }
            Dial::Failed => self.step(&Input::SocketFailed { generation }),
        }
    }

    fn talk(&mut self) -> Option<(u64, &mut Talk)> {
        match self.sockets.iter_mut().next_back() {
            Some((generation, Socket::Open(talk))) => Some((*generation, talk)),
            _none => None,
        }
    }

    /// The gateway does something on an open socket.
    pub(super) fn served(&mut self, act: &Gateway) {
        let (length, known) = (self.log.len(), !self.shown.is_empty());
        let Some((_, talk)) = self.talk() else {
            return;
        };
        match act {
            Gateway::Welcome => self.serve(welcome(25_000)),
            Gateway::Accept => self.accept(),
            Gateway::Next if talk.next < length => {
                talk.next += 1;
                let next = talk.next;
                self.deliver(next);
            }
            Gateway::Any(at) if length > 0 => self.deliver(at.index(length) + 1),
            Gateway::Skip if talk.next < length => talk.next += 1,
            // Before anything was shown the client cannot know better.
            Gateway::OtherEpoch if known => {
                self.reached.insert("another epoch");
                self.say_frame(
                    self.epoch + 50,
                    length + 1,
                    turn(0),
                    LogBody::UserTurn { message_id: turn(0), text: "of old".to_owned() },
                );
            }
            Gateway::Say(text) => self.serve(text.clone()),
            Gateway::Advise(min, max) => {
                if min <= max && *max <= 60_000 {
                    talk.advice = Some((*min, *max));
                }
                self.serve(super::super::bench::advice(*min, *max));
            }
            Gateway::End(code) => self.end(*code),
            Gateway::Next | Gateway::Any(_) | Gateway::Skip | Gateway::OtherEpoch => {}
        }
    }

    fn end(&mut self, code: Option<u16>) {
        let Some((generation, talk)) = self.talk() else {
            return;
        };
        let (advice, in_flight) = (talk.advice, talk.in_flight.clone());
        self.sockets.remove(&generation);
        self.inbox.clear();
        if matches!(code, Some(1009 | 4400)) {
            for message_id in in_flight {
                *self.closed_at.entry(message_id).or_default() += 1;
            }
        }
        let pending = !self.client.kept().outbox.is_empty();
        self.step(&Input::SocketClosed { generation, code });
        self.ended(code, advice, pending);
    }

    /// The server sends this frame of its log.
    fn deliver(&mut self, seq: usize) {
        let body = self.log[seq - 1].clone();
        let in_reply_to = match &body {
            LogBody::UserTurn { message_id, .. } => message_id.clone(),
            LogBody::Recommendations { .. } | LogBody::Message { .. } | LogBody::Error { .. } => {
                turn(0)
            }
        };
        let before = self.shown.len();
        let next = self.shown.last().map_or(1, |last| last + 1) == seq
            && (self.shown.is_empty() || self.shown_epoch == self.epoch)
            && self.talk().is_some();
        self.say_frame(self.epoch, seq, in_reply_to, body);
        if next && !self.shown[before..].contains(&seq) {
            self.broken("DD-NO-FALSE-DROP", &format!("{seq} is not shown"));
        }
    }

    /// A frame; those of a turn share their trace.
    fn say_frame(&mut self, epoch: u64, seq: usize, in_reply_to: MessageId, body: LogBody) {
        let trace = TraceId::new(format!("x-{in_reply_to}")).unwrap();
        let (thread_id, seq) = (thread(), u64::try_from(seq).unwrap());
        let meta = Meta { trace };
        let frame = LogFrame { thread_id, epoch, seq, in_reply_to, meta, body };
        self.serve(serde_json::to_string(&ServerFrame::Log(frame)).unwrap());
    }

    fn serve(&mut self, text: String) {
        if let Some((generation, _)) = self.talk() {
            self.step(&Input::Frame { generation, text });
        }
    }

    fn accept(&mut self) {
        let Some(message_id) = self.inbox.pop_front() else {
            return;
        };
        if let Some((_, talk)) = self.talk() {
            talk.in_flight.remove(&message_id);
        }
        if !self.accepted.contains(&message_id) {
            self.accepted.push(message_id.clone());
            let number = |id: &MessageId| id.as_str()[1..].parse::<usize>().unwrap();
            if !self.accepted.is_sorted_by_key(number) {
                self.broken("AK-FIFO", &format!("{:?}", self.accepted));
            }
            self.log.push(LogBody::UserTurn { message_id, text: "hello".to_owned() });
            self.append();
        }
    }

    /// What the gateway makes of a frame.
    pub(super) fn receive(&mut self, generation: u64, frame: &ClientFrame) {
        let Some(Socket::Open(talk)) = self.sockets.get_mut(&generation) else {
            self.broken("SW-ONE", &format!("a frame on {generation}, which is not open"));
            return;
        };
        match frame {
            ClientFrame::Hello { cursor, .. } => {
                let next = usize::try_from(cursor.seq).unwrap();
                if cursor.epoch != 0 && cursor.epoch != self.epoch {
                    let (head, epoch) = (self.log.len(), self.epoch);
                    self.serve(welcome(25_000));
                    self.serve(format!(
                        r#"{{"event":"resume_failed","why":"epoch","head":{head},"epoch":{epoch}}}"#
                    ));
                } else {
                    talk.next = next;
                }
            }
            ClientFrame::UserMessage { message_id, .. } => {
                talk.in_flight.insert(message_id.clone());
                self.inbox.push_back(message_id.clone());
                if self.closed_at.get(message_id).is_some_and(|times| *times > 1) {
                    self.broken("AK-POISON", &format!("{message_id} again"));
                }
            }
            ClientFrame::Catchup { after } => {
                talk.next = usize::try_from(*after).unwrap();
                self.reached.insert("Catchup");
            }
            ClientFrame::Auth { .. } => {
                self.reached.insert("Auth");
            }
            ClientFrame::Pong { .. } => {}
        }
    }

    /// The gateway says everything that it has to say.
    pub(super) fn serve_all(&mut self) {
        self.serve(r#"{"event":"ping","n":1}"#.to_owned());
        while !self.inbox.is_empty() && self.talk().is_some() {
            self.accept();
        }
        while let Some((_, talk)) = self.talk()
            && talk.next < self.log.len()
        {
            self.act(&Act::Gateway(Gateway::Next));
        }
    }
}
