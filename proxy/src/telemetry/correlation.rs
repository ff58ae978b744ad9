//! Which exchange, and which trace, the records of the log belong to while an exchange is worked on.
//!
//! PERF: it is a value beside the task and no span of the subscriber: making, entering and closing a span cost an
//! exchange 9,000 instructions, whether anything was logged in it or not (decision 0052).

use std::fmt;

use tokio::task::futures::TaskLocalFuture;

use super::trace_context::{SpanId, TraceId};

tokio::task_local! {
    static CURRENT: Correlation;
}

/// How many characters the id of an exchange has.
const ID_CHARACTERS: usize = 32;

/// The ids by which the records of one exchange are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Correlation {
    exchange: [u8; ID_CHARACTERS],
    trace: TraceId,
    span: Option<SpanId>,
}

impl Correlation {
    /// Those of an exchange, of its trace, and of its span if it is exported.
    pub(crate) fn new(exchange: &str, trace: TraceId, span: Option<SpanId>) -> Self {
        debug_assert_eq!(exchange.len(), ID_CHARACTERS);
        let mut id = [b'0'; ID_CHARACTERS];
        for (place, character) in id.iter_mut().zip(exchange.bytes()) {
            *place = character;
        }
        Self {
            exchange: id,
            trace,
            span,
        }
    }

    /// The same work; what is logged in it belongs to this exchange.
    pub(crate) fn around<W: Future>(self, work: W) -> TaskLocalFuture<Self, W> {
        CURRENT.scope(self, work)
    }

    /// Runs `work`; what is logged in it belongs to this exchange.
    #[cfg(test)]
    pub(crate) fn around_sync<T>(self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, work)
    }

    /// The exchange that is worked on, if one is.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.try_with(|current| *current).ok()
    }

    /// The exchange's id.
    pub(crate) fn exchange(&self) -> &str {
        std::str::from_utf8(&self.exchange).unwrap_or_default()
    }

    pub(crate) const fn trace(&self) -> TraceId {
        self.trace
    }

    pub(crate) const fn span(&self) -> Option<SpanId> {
        self.span
    }
}

/// As in a line of the log: `exchange{id="…" trace_id=… span_id=…}`.
impl fmt::Display for Correlation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for text in ["exchange{id=\"", self.exchange(), "\" trace_id="] {
            f.write_str(text)?;
        }
        self.trace.fmt(f)?;
        if let Some(span) = self.span {
            f.write_str(" span_id=")?;
            span.fmt(f)?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn is_there_while_the_work_is_polled_and_nowhere_else() {
        let (trace, span) = (TraceId::random(), SpanId::random());
        let id = "0123456789abcdef0123456789abcdef";
        let ours = Correlation::new(id, trace, Some(span));
        let work = async {
            tokio::task::yield_now().await;
            Correlation::current()
        };
        let beside = async {
            tokio::task::yield_now().await;
            Correlation::current()
        };
        let (within, outside) = tokio::join!(ours.around(work), beside);
        assert_eq!((within, outside), (Some(ours), None));
        let written = format!("exchange{{id=\"{id}\" trace_id={trace} span_id={span}}}");
        assert_eq!(ours.to_string(), written);
    }
}
