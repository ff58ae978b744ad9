//! Everything this process logs while the suite runs, kept so that it can be searched (I9).
//!
//! Only the threads of the suite's own runtime are listened to; the log of other tests is theirs.

use std::io;
use std::sync::{Arc, Mutex};

use tracing::Dispatch;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::messages::find;

/// A log in memory.
#[derive(Clone, Default)]
pub(crate) struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    /// A subscriber that writes every event of Postern's own, and what others call worth knowing.
    pub(crate) fn dispatch(&self) -> Dispatch {
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new("info,postern=trace"))
            .with_ansi(false)
            .with_writer(self.clone())
            .finish();
        Dispatch::new(subscriber)
    }

    /// What was written so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().expect("log").clone()
    }

    /// Looks for what must not be there.
    pub(super) fn hold_none_of(&self, hidden: &[String]) -> Result<(), String> {
        let log = self.0.lock().expect("log");
        match hidden
            .iter()
            .find(|text| find(&log, text.as_bytes()).is_some())
        {
            Some(text) => Err(format!("I9: the log holds {text:?}")),
            None => Ok(()),
        }
    }
}

impl io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("log").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self::Writer {
        self.clone()
    }
}
