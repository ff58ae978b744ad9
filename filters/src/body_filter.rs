//! The contract of everything that rewrites a body, and the one error type of all of them.

/// Rewrites a body as it streams.
///
/// The bytes appended to `out` over all calls do not depend on how the input was split. What a filter
/// holds back is bounded by a named limit. After an error the filter is spent: every further call is
/// an error, and nothing undecided has been written.
pub trait BodyFilter {
    /// Takes the next bytes of the body and appends what is decided to `out`.
    ///
    /// # Errors
    /// The body cannot be read, or a limit was reached.
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError>;

    /// The body has ended: appends what is left.
    ///
    /// # Errors
    /// The body is incomplete, or something the policy requires was not in it.
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError>;
}

/// The steps of a filter that leaves what happens after an error to [`BodyFilter`].
pub(crate) trait Steps {
    /// Takes the next bytes.
    fn read(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError>;

    /// The body has ended.
    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError>;

    /// Where the filter keeps that it takes no further step.
    fn spent(&mut self) -> &mut bool;
}

impl<F: Steps> BodyFilter for F {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        guarded(self, out, |filter, out| filter.read(chunk, out))
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        guarded(self, out, F::end)?;
        *self.spent() = true;
        Ok(())
    }
}

/// Takes a step. After an error or a panic in it the filter is spent, and nothing of the step is in `out`.
fn guarded<F: Steps>(
    filter: &mut F,
    out: &mut Vec<u8>,
    step: impl FnOnce(&mut F, &mut Vec<u8>) -> Result<(), BodyError>,
) -> Result<(), BodyError> {
    if std::mem::replace(filter.spent(), true) {
        return Err(BodyError::Spent);
    }
    let before = out.len();
    let done = step(filter, out);
    match done {
        Ok(()) => *filter.spent() = false,
        Err(_) => out.truncate(before),
    }
    done
}

/// Why a body may not leave. No variant holds any of the body's bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The bytes are not of the declared format.
    #[error("the body is not valid {format}: {what} at byte {offset}")]
    Malformed {
        /// The format that was expected.
        format: &'static str,
        /// What is wrong.
        what: &'static str,
        /// Where, counted in decoded bytes.
        offset: u64,
    },
    /// The body ended too early.
    #[error("the body ends before it is complete")]
    Incomplete,
    /// The content type is none that can be redacted here.
    #[error("the content type cannot be redacted on this route")]
    ContentType,
    /// The content coding is unknown, stacked too deep, or its data is damaged.
    #[error("the content coding cannot be decoded: {what}")]
    ContentCoding {
        /// What is wrong.
        what: &'static str,
    },
    /// Two readers could read the body differently, and what is hidden depends on it.
    #[error("the body can be read in more than one way: {what}")]
    Ambiguous {
        /// What is ambiguous.
        what: &'static str,
    },
    /// A limit was reached.
    #[error("the body exceeds the limit `{limit}`")]
    Limit {
        /// The limit's name in the server file.
        limit: &'static str,
    },
    /// A `required` selector matched nothing: the API has drifted from the policy.
    #[error("the body has nothing at a place that the policy requires")]
    RequiredMissing,
    /// A field nobody labelled, on a route that says `unlabelled: deny`.
    #[error("the body has a field that nobody labelled")]
    Unlabelled,
    /// The response head is ambiguous or of a kind that cannot be redacted.
    #[error("the response head cannot be accepted: {what}")]
    Head {
        /// What is wrong.
        what: &'static str,
    },
    /// The filter already failed, or an invariant did not hold.
    #[error("the body filter is spent")]
    Spent,
}
