//! A body whose bytes wait until what is in them has been charged.

use std::fmt;

use bytes::Bytes;

use crate::body_filter::BodyError;
use crate::export_meter::{Admitted, Due, DueSubject, Who};
use crate::pipeline::{BodyPipeline, BodySummary, FoundTokens, Redacted, TokenFilter};

/// One counted body's way from the upstream to the client.
///
/// [`Self::push`] and [`Self::finish`] let nothing leave. [`Self::due`] says what has to be charged, and
/// [`Self::release`] hands out what waits. After an error the body is spent, and what waits is gone.
pub struct MeteredBody {
    pipeline: BodyPipeline,
    /// Nothing reads the body, and all of it together is one record, which has not begun.
    unread: Option<Unread>,
    whole: bool,
    due: Due,
    waiting: Vec<Redacted>,
    spent: bool,
}

/// A record that nothing reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unread {
    /// Data subjects are counted.
    pub(crate) subjects: bool,
}

impl MeteredBody {
    /// Meters what a pipeline makes. `unread` is what to count of a body that the pipeline does not read;
    /// `whole` says that the answer is one record.
    pub(crate) fn new(pipeline: BodyPipeline, unread: Option<Unread>, whole: bool) -> Self {
        Self {
            pipeline,
            unread,
            whole,
            due: Due::default(),
            waiting: Vec::new(),
            spent: false,
        }
    }

    /// The same body, out of which session tokens are taken as well: see [`BodyPipeline::stripping`].
    #[must_use]
    pub fn stripping(self, tokens: TokenFilter) -> Self {
        Self {
            pipeline: self.pipeline.stripping(tokens),
            ..self
        }
    }

    /// How many tokens were taken out so far.
    #[must_use]
    pub fn found_tokens(&self) -> FoundTokens {
        self.pipeline.found_tokens()
    }

    /// Takes the next bytes as the upstream sent them.
    ///
    /// # Errors
    /// The body may not leave any further, or a record goes on for too long without naming its subject.
    pub fn push(&mut self, chunk: Bytes) -> Result<(), BodyError> {
        // What leaves begins with the first byte, though a coded one may say nothing yet.
        let begins = !chunk.is_empty();
        let pushed = self.pipeline.push(chunk);
        self.took(pushed)?;
        if let Some(unread) = self.unread.take_if(|_| begins) {
            self.due.records += 1;
            if unread.subjects {
                self.due.subjects.push(DueSubject {
                    record: Some(0),
                    who: Who::Nameless,
                });
            }
        }
        self.pipeline.drain_into(&mut self.due);
        Ok(())
    }

    /// The upstream's body has ended.
    ///
    /// # Errors
    /// The body is incomplete or lacks what the policy requires.
    pub fn finish(&mut self) -> Result<(), BodyError> {
        let finished = self.pipeline.finish_into(&mut self.due);
        self.took(finished)?;
        self.due.incomplete = false;
        Ok(())
    }

    fn took(&mut self, redacted: Result<Redacted, BodyError>) -> Result<(), BodyError> {
        match redacted {
            Ok(redacted) => {
                self.waiting.push(redacted);
                Ok(())
            }
            Err(error) => {
                self.spent = true;
                self.waiting.clear();
                self.due = Due::default();
                Err(error)
            }
        }
    }

    /// What has to be charged before what waits may leave.
    #[must_use]
    pub fn due(&self) -> &Due {
        &self.due
    }

    /// Hands out what waits and takes what was due for charged. After [`Self::finish`] everything has
    /// left. While what is due is incomplete, nothing leaves and everything stays due.
    ///
    /// # Errors
    /// The body may not leave any further; or less than all is admitted of a body that does not truncate.
    pub fn release(&mut self, admitted: Admitted) -> Result<Redacted, BodyError> {
        if self.spent {
            return Err(BodyError::Spent);
        }
        if self.due.incomplete {
            return Ok(Redacted::default());
        }
        let admitted = self.pipeline.admit(admitted);
        self.took(admitted)?;
        self.due = Due::default();
        Ok(Redacted::joined(std::mem::take(&mut self.waiting)))
    }

    /// Whether [`Admitted::Records`] can be released. An answer that is one record has nothing to cut.
    #[must_use]
    pub fn truncates(&self) -> bool {
        self.pipeline.truncates()
    }

    /// Whether the answer as a whole is a record, because the route does not say where records are.
    #[must_use]
    pub fn is_one_record(&self) -> bool {
        self.whole
    }

    /// How many records were removed so far. A record inside of a removed one does not count.
    #[must_use]
    pub fn cut_records(&self) -> u64 {
        self.pipeline.cut_records()
    }

    /// What was done so far. `bytes_out` counts what waits as well; of a body that truncates, it grows with
    /// each release.
    #[must_use]
    pub fn summary(&self) -> &BodySummary {
        self.pipeline.summary()
    }

    /// How many bytes have been decoded so far; see [`crate::HELD_WHOLE_BYTES`].
    #[must_use]
    pub fn decoded_bytes(&self) -> u64 {
        self.pipeline.decoded_bytes()
    }

    /// Whether the body is read, so that a late error is possible.
    #[must_use]
    pub fn reads(&self) -> bool {
        self.pipeline.reads()
    }
}

impl fmt::Debug for MeteredBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MeteredBody")
            .field("pipeline", &self.pipeline)
            .field("due", &self.due)
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}
