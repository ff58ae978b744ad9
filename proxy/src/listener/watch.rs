//! What a client connection sends, watched as it arrives: the raw head of each HTTP/1.1 request, the
//! time it may take, and the grammar of a chunked body; the preface of HTTP/2, and the time it may take.
//!
//! The HTTP library repairs some requests before it shows them, and has no deadline for a whole head.
//! The watch sits between the socket (or TLS) and the library, sees every byte once, and fails the read
//! when a bound is passed. It keeps one head at most.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use memchr::memchr_iter;
use memchr::memmem::Finder;

use super::chunk_grammar::ChunkGrammar;
use super::preface::Preface;

/// Finds where a head ends. PERF: made once, and not for each head (decision 0053).
static HEAD_END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\r\n\r\n"));

/// What was wrong with what the client sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Complaint {
    /// The head took too long.
    HeadLate,
    /// The head is larger than the limit.
    HeadTooLarge,
    /// A chunked body breaks its grammar.
    Chunks,
    /// HTTP/2 was agreed on, and what came is not its preface.
    Preface,
}

/// The watch of one connection, shared between its stream and its exchanges. `Debug` shows no bytes.
pub(crate) struct Watch {
    header_bytes_max: usize,
    seen: Mutex<Seen>,
    corked: AtomicBool,
}

/// While it lives, what is written to the connection waits for what comes right behind it, and flushes do nothing: for
/// HTTP/1.1, whose library flushes each part of an answer. Whoever holds it writes and flushes something afterwards.
#[must_use]
#[derive(Debug)]
pub(crate) struct Cork<'w>(&'w AtomicBool);

impl Drop for Cork<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

struct Seen {
    phase: Phase,
    head: Vec<u8>,
    complaint: Option<Complaint>,
}

enum Phase {
    /// Before anything arrived on a connection that was used before: there is no hurry.
    Idle,
    /// The clock of the head runs.
    Head,
    /// A body, or nothing more; chunked bodies are followed.
    Body(Option<ChunkGrammar>),
    /// HTTP/2 before its preface is there: the clock runs.
    Preface(Preface),
    /// HTTP/2 after it, or a connection that is given up: the library has bounds of its own.
    Off,
}

impl Watch {
    /// A watch for a new connection: the clock of the first head runs from the start.
    pub(crate) fn new(header_bytes_max: usize) -> Self {
        Self {
            header_bytes_max,
            seen: Mutex::new(Seen {
                phase: Phase::Head,
                head: Vec::new(),
                complaint: None,
            }),
            corked: AtomicBool::new(false),
        }
    }

    /// Lets writes wait for the next ones.
    pub(crate) fn cork(&self) -> Cork<'_> {
        self.corked.store(true, Ordering::Release);
        Cork(&self.corked)
    }

    /// Whether writes wait.
    pub(super) fn is_corked(&self) -> bool {
        self.corked.load(Ordering::Acquire)
    }

    /// The connection speaks HTTP/2: its preface may take as long as a head.
    pub(super) fn expect_preface(&self) {
        self.seen().phase = Phase::Preface(Preface::default());
    }

    /// Nothing is watched any more.
    pub(crate) fn turn_off(&self) {
        self.seen().phase = Phase::Off;
    }

    /// A head was answered; the next one may take its time to begin.
    pub(crate) fn expect_next_head(&self) {
        let mut seen = self.seen();
        seen.head.clear();
        seen.phase = Phase::Idle;
    }

    /// The raw head that has arrived, whole or in part.
    pub(crate) fn take_head(&self) -> Vec<u8> {
        std::mem::take(&mut self.seen().head)
    }

    /// What was wrong so far.
    pub(crate) fn complaint(&self) -> Option<Complaint> {
        self.seen().complaint
    }

    /// Whether the clock of a head or a preface runs.
    pub(super) fn is_timed(&self) -> bool {
        matches!(self.seen().phase, Phase::Head | Phase::Preface(_))
    }

    /// The head took too long.
    pub(super) fn late(&self) {
        self.seen().complaint = Some(Complaint::HeadLate);
    }

    /// Takes note of bytes that arrived; false when reading must stop.
    pub(super) fn arrived(&self, bytes: &[u8]) -> bool {
        let mut seen = self.seen();
        if bytes.is_empty() {
            return true;
        }
        let complaint = seen.note(bytes, self.header_bytes_max);
        if complaint.is_some() {
            seen.complaint = complaint;
        }
        complaint.is_none()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Every change is complete when the lock is released, panic or not.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl Seen {
    fn note(&mut self, bytes: &[u8], header_bytes_max: usize) -> Option<Complaint> {
        match &mut self.phase {
            Phase::Off | Phase::Body(None) => None,
            Phase::Body(Some(grammar)) => (!grammar.follow(bytes)).then_some(Complaint::Chunks),
            Phase::Preface(preface) => {
                let sound = preface.follow(bytes);
                if preface.is_whole() {
                    self.phase = Phase::Off;
                }
                (!sound).then_some(Complaint::Preface)
            }
            Phase::Idle | Phase::Head => {
                self.phase = Phase::Head;
                self.note_head(bytes, header_bytes_max)
            }
        }
    }

    /// ```text
    /// head:  ...kept before... | ...head ends CRLF CRLF | body begins...
    ///                          ^ from                   ^ end
    /// ```
    fn note_head(&mut self, bytes: &[u8], header_bytes_max: usize) -> Option<Complaint> {
        let from = self.head.len().saturating_sub(3);
        self.head.extend_from_slice(bytes);
        let new = self.head.get(from..).unwrap_or_default();
        let end = HEAD_END.find(new).map(|at| from + at + 4);
        let Some(end) = end else {
            let too_large = self.head.len() > header_bytes_max;
            return too_large.then_some(Complaint::HeadTooLarge);
        };
        let body = self.head.split_off(end);
        self.phase = Phase::Body(None);
        if end > header_bytes_max {
            return Some(Complaint::HeadTooLarge);
        }
        if is_chunked(&self.head) {
            let mut grammar = ChunkGrammar::new();
            let sound = grammar.follow(&body);
            self.phase = Phase::Body(Some(grammar));
            return (!sound).then_some(Complaint::Chunks);
        }
        None
    }
}

/// Whether a head mentions a transfer coding at all; what it is exactly, the hygiene checks decide.
fn is_chunked(head: &[u8]) -> bool {
    const NAME: &[u8] = b"transfer-encoding:";
    memchr_iter(b'\n', head).any(|at| {
        let line = head.get(at + 1..).unwrap_or_default();
        line.get(..NAME.len())
            .is_some_and(|name| name.eq_ignore_ascii_case(NAME))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";

    #[test]
    fn keeps_exactly_the_head_at_every_split() {
        let all = [HEAD, b"1\r\nx\r\n0\r\n\r\n"].concat();
        for at in 0..all.len() {
            let watch = Watch::new(HEAD.len());
            assert!(watch.arrived(&all[..at]) && watch.arrived(&all[at..]));
            assert_eq!(watch.take_head(), HEAD, "split at {at}");
            assert_eq!(watch.complaint(), None);
        }
    }

    #[test]
    fn complains_about_a_head_one_byte_past_the_limit() {
        let whole = Watch::new(HEAD.len() - 1);
        assert!(!whole.arrived(HEAD));
        assert_eq!(whole.complaint(), Some(Complaint::HeadTooLarge));
        let endless = Watch::new(8);
        assert!(endless.arrived(b"GET / HT"));
        assert!(!endless.arrived(b"T"));
        assert_eq!(endless.complaint(), Some(Complaint::HeadTooLarge));
    }

    #[test]
    fn complains_about_bad_chunks_that_came_with_the_head_or_later() {
        let together = Watch::new(1024);
        assert!(!together.arrived(&[HEAD, b"1;x\r\n"].concat()));
        let later = Watch::new(1024);
        assert!(later.arrived(HEAD) && !later.arrived(b"1;x\r\n"));
        assert_eq!(later.complaint(), Some(Complaint::Chunks));
    }

    #[test]
    fn runs_the_clock_of_http2_until_its_preface_is_there() {
        let watch = Watch::new(8);
        watch.expect_preface();
        assert!(watch.arrived(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") && watch.is_timed());
        assert!(watch.arrived(b"\0\0\0\x04\0\0\0\0\0"));
        assert!(!watch.is_timed(), "what follows is the library's");
        assert!(watch.arrived(b"anything, however long") && watch.complaint().is_none());
        let other = Watch::new(1024);
        other.expect_preface();
        assert!(!other.arrived(b"GET / HTTP/1.1\r\n"));
        assert_eq!(other.complaint(), Some(Complaint::Preface));
    }

    #[test]
    fn starts_the_clock_of_a_later_head_with_its_first_byte() {
        let watch = Watch::new(1024);
        assert!(watch.is_timed(), "the first head is in a hurry");
        assert!(watch.arrived(b"GET / HTTP/1.1\r\n\r\n"));
        assert!(!watch.is_timed());
        watch.expect_next_head();
        assert!(!watch.is_timed());
        assert!(watch.arrived(b"G"));
        assert!(watch.is_timed());
    }
}
