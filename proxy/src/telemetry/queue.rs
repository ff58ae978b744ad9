//! Records on their way out: a bounded queue that never waits, and the task that empties it.
//!
//! ```text
//! offer ─▶ queue (full: dropped, counted) ─▶ batch (full, or old enough) ─▶ Exporter
//! ```
//!
//! Guarantees: [`Queue::offer`] neither blocks nor fails, whatever the collector does; every record that was
//! offered is counted once, as exported, rejected, failed or dropped, when the queue has been closed.

use std::sync::Arc;

use prometheus::IntCounter;
use tokio::sync::{mpsc, watch};

use super::export::{Exporter, Request};
use super::settings::Batches;

/// Where records wait for their export.
#[derive(Debug)]
pub(super) struct Queue<T> {
    sender: mpsc::Sender<T>,
    dropped: IntCounter,
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
            dropped: self.dropped.clone(),
        }
    }
}

impl<T> Queue<T> {
    /// A queue with room for so many records, and its other end.
    pub(super) fn new(queued_max: usize, dropped: IntCounter) -> (Self, mpsc::Receiver<T>) {
        let (sender, receiver) = mpsc::channel(queued_max.max(1));
        (Self { sender, dropped }, receiver)
    }

    /// Queues a record, or drops it when there is no room.
    pub(super) fn offer(&self, record: T) {
        if self.sender.try_send(record).is_err() {
            self.dropped.inc();
        }
    }
}

/// Empties a queue.
pub(super) struct Worker<T> {
    pub(super) receiver: mpsc::Receiver<T>,
    pub(super) batches: Batches,
    pub(super) exporter: Arc<Exporter>,
    /// Makes a request of a batch.
    pub(super) wrap: Box<dyn Fn(Vec<T>) -> Request + Send + Sync>,
    /// Turns true when the process stops.
    pub(super) stop: watch::Receiver<bool>,
}

impl<T> Worker<T> {
    /// Exports until it is told to stop, and then what is left. Whoever stops it bounds the time.
    pub(super) async fn run(mut self) {
        while self.next_batch().await {}
        self.receiver.close();
        loop {
            let mut batch = Vec::new();
            let room = self.batches.batch_max;
            if self.receiver.recv_many(&mut batch, room).await == 0 {
                return;
            }
            self.export(batch).await;
        }
    }

    /// Exports one batch. Whether there may be more to come.
    async fn next_batch(&mut self) -> bool {
        let mut batch = Vec::new();
        let mut delay = std::pin::pin!(tokio::time::sleep(self.batches.delay));
        let goes_on = loop {
            let room = self.batches.batch_max.saturating_sub(batch.len());
            if room == 0 {
                break true;
            }
            tokio::select! {
                biased;
                _stopped = self.stop.wait_for(|stop| *stop) => break false,
                () = &mut delay => break true,
                received = self.receiver.recv_many(&mut batch, room) => {
                    if received == 0 {
                        break false;
                    }
                }
            }
        };
        if !batch.is_empty() {
            self.export(batch).await;
        }
        goes_on
    }

    async fn export(&self, batch: Vec<T>) {
        let records = batch.len();
        let request = (self.wrap)(batch);
        self.exporter
            .export(&request, records, self.batches.time_max)
            .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_that_is_full_or_closed_drops_and_counts() {
        let dropped = IntCounter::new("dropped", "dropped").unwrap();
        let (queue, mut receiver) = Queue::new(2, dropped.clone());
        for record in 0..5 {
            queue.offer(record);
        }
        assert_eq!(dropped.get(), 3);
        assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(0), Ok(1)));
        receiver.close();
        queue.offer(5);
        assert_eq!(dropped.get(), 4);
    }
}
