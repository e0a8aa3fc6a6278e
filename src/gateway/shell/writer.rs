//! What is to be written to one connection: a queue in front of the socket's sink.
//!
//! A frame counts as sent when the sink has it, and as dropped when the connection ends before that.

use super::metrics::Metrics;
use futures_util::Sink;
use futures_util::future::poll_fn;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

/// Frames that wait, oldest first, each with its event if it is a frame of the contract.
pub(super) struct Queue {
    waiting: VecDeque<(Message, Option<&'static str>)>,
    bytes: usize,
    /// Whether the queue or the sink holds something that is not with the operating system.
    unwritten: bool,
    metrics: Arc<Metrics>,
}

impl Queue {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, unwritten: false, metrics }
    }

    pub(super) fn push(&mut self, message: Message, event: Option<&'static str>) {
        self.bytes += message.len();
        self.unwritten = true;
        self.waiting.push_back((message, event));
        self.metrics.queued(self.bytes);
    }

    pub(super) fn clear(&mut self) {
        let dropped = self.waiting.drain(..).filter(|(_message, event)| event.is_some()).count();
        self.metrics.dropped("unsent", dropped);
        self.bytes = 0;
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_unwritten(&self) -> bool {
        self.unwritten
    }

    /// Writes until the sink has taken something, or everything; says how much still waits. Cancel safe: a
    /// message leaves the queue when the sink has it.
    pub(super) async fn write<S>(&mut self, sink: &mut S) -> Result<usize, WsError>
    where
        S: Sink<Message, Error = WsError> + Unpin,
    {
        poll_fn(|context| self.poll_write(Pin::new(&mut *sink), context)).await
    }

    fn poll_write<S>(
        &mut self,
        mut sink: Pin<&mut S>,
        context: &mut Context<'_>,
    ) -> Poll<Result<usize, WsError>>
    where
        S: Sink<Message, Error = WsError>,
    {
        let before = self.waiting.len();
        while !self.waiting.is_empty() && sink.as_mut().poll_ready(context)?.is_ready() {
            if let Some((message, event)) = self.waiting.pop_front() {
                self.bytes = self.bytes.saturating_sub(message.len());
                sink.as_mut().start_send(message)?;
                event.inspect(|event| self.metrics.sent(event));
            }
        }
        if self.waiting.is_empty() && sink.poll_flush(context)?.is_ready() {
            self.unwritten = false;
            return Poll::Ready(Ok(0));
        }
        match self.waiting.len() < before {
            // What the sink holds waits as well.
            true => Poll::Ready(Ok(self.waiting.len().max(1))),
            false => Poll::Pending,
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many messages, and the rest never.
    struct Narrow(usize);

    impl Sink<Message> for Narrow {
        type Error = WsError;
        fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), WsError>> {
            if self.0 > 0 { Poll::Ready(Ok(())) } else { Poll::Pending }
        }
        fn start_send(mut self: Pin<&mut Self>, _: Message) -> Result<(), WsError> {
            self.0 -= 1;
            Ok(())
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), WsError>> {
            Poll::Ready(Ok(()))
        }
        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), WsError>> {
            Poll::Ready(Ok(()))
        }
    }

    fn write(queue: &mut Queue, sink: &mut Narrow) -> Poll<usize> {
        let polled =
            queue.poll_write(Pin::new(sink), &mut Context::from_waker(std::task::Waker::noop()));
        polled.map(|written| written.unwrap())
    }

    #[test]
    fn tells_progress_and_counts_every_frame_as_sent_or_dropped() {
        let metrics = Arc::new(Metrics::new(Arc::default()));
        let mut queue = Queue::new(Arc::clone(&metrics));
        for text in ["one", "three", "x"] {
            queue.push(Message::text(text), Some("typing"));
        }
        queue.push(Message::Ping(Vec::new().into()), None);
        assert_eq!((queue.len(), queue.bytes()), (4, 9));
        assert_eq!(write(&mut queue, &mut Narrow(2)), Poll::Ready(2));
        assert_eq!(queue.bytes(), 1);
        assert_eq!(write(&mut queue, &mut Narrow(0)), Poll::Pending);
        drop(queue);
        let text = metrics.text();
        assert!(text.contains("ws_frames_sent_total{event=\"typing\"} 2"), "{text}");
        assert!(text.contains("ws_dropped_frames_total{why=\"unsent\"} 1"), "{text}");
    }
}
