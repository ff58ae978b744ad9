//! A body on its way down, charged before it leaves where a quota counts it.
//!
//! Guarantees: of a counted body nothing is handed out before records, data subjects and bytes of it
//! were granted. While the answer is held whole nothing is charged either, so that an answer that is
//! refused at its end has cost nothing.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use postern_filters::export_meter::MeteredBody;
use postern_filters::pipeline::HELD_WHOLE_BYTES;
use postern_filters::{
    BodyError, BodyPipeline, BodySummary, ExchangePlan, FoundTokens, Redacted, ResponsePlan,
    TokenFilter,
};

use super::stopwatch::Stopwatch;
use crate::metering::Meter;
use crate::respond::Problem;
use crate::service::Halt;

/// One body, counted or not.
pub(super) enum ChargedBody {
    /// No quota counts anything of it.
    Free(BodyPipeline),
    /// What leaves is charged.
    Metered(Box<Metered>),
}

/// A counted body and who is charged for it.
pub(super) struct Metered {
    body: MeteredBody,
    meter: Meter,
    /// Records past a limit were removed.
    cut: bool,
}

impl ChargedBody {
    /// Judges the upstream's head and says what leaves; see [`ExchangePlan::respond`].
    ///
    /// # Errors
    /// Nothing of the answer may leave.
    pub(super) fn plan(
        plan: &ExchangePlan,
        meter: Option<Meter>,
        method: &Method,
        (status, headers): (StatusCode, &HeaderMap),
    ) -> Result<ResponsePlan<Self>, BodyError> {
        let Some(meter) = meter else {
            let planned = plan.respond(method, status, headers)?;
            return Ok(ResponsePlan {
                headers: planned.headers,
                body: planned.body.map(Self::Free),
                keep_length: planned.keep_length,
            });
        };
        let planned = plan.respond_metered(method, status, headers, meter.subject_key())?;
        let metered = |body| {
            Self::Metered(Box::new(Metered {
                body,
                meter,
                cut: false,
            }))
        };
        Ok(ResponsePlan {
            headers: planned.headers,
            body: planned.body.map(metered),
            keep_length: planned.keep_length,
        })
    }

    /// Whether the body is decoded and read.
    pub(super) fn reads(&self) -> bool {
        match self {
            Self::Free(pipeline) => pipeline.reads(),
            Self::Metered(metered) => metered.body.reads(),
        }
    }

    /// How many session tokens were taken out so far.
    pub(super) fn found_tokens(&self) -> FoundTokens {
        match self {
            Self::Free(pipeline) => pipeline.found_tokens(),
            Self::Metered(metered) => metered.body.found_tokens(),
        }
    }

    /// The same body, out of which session tokens are taken as well.
    pub(super) fn stripping(self, tokens: TokenFilter) -> Self {
        match self {
            Self::Free(pipeline) => Self::Free(pipeline.stripping(tokens)),
            Self::Metered(metered) => Self::Metered(Box::new(Metered {
                body: metered.body.stripping(tokens),
                meter: metered.meter,
                cut: metered.cut,
            })),
        }
    }

    /// Takes the next bytes of the upstream and gives what may leave. `held` says that nothing has
    /// reached the client yet; `keep` makes durable what stands for tokens in what leaves.
    ///
    /// # Errors
    /// The body may not leave any further.
    pub(super) async fn push(
        &mut self,
        chunk: Bytes,
        held: bool,
        watch: &mut Stopwatch<'_>,
        keep: impl Future<Output = Result<(), Halt>>,
    ) -> Result<Redacted, Halt> {
        match self {
            Self::Free(pipeline) => {
                let redacted = watch.time(|| pipeline.push(chunk)).map_err(withheld)?;
                keep.await.map(|()| redacted)
            }
            Self::Metered(metered) => {
                watch.time(|| metered.body.push(chunk)).map_err(withheld)?;
                match held && metered.body.decoded_bytes() <= HELD_WHOLE_BYTES {
                    true => Ok(Redacted::default()),
                    false => metered.release(watch, keep).await,
                }
            }
        }
    }

    /// The upstream's body has ended: gives what is left. `keep` is as for [`Self::push`].
    ///
    /// # Errors
    /// The body is incomplete, or may not leave.
    pub(super) async fn finish(
        &mut self,
        watch: &mut Stopwatch<'_>,
        keep: impl Future<Output = Result<(), Halt>>,
    ) -> Result<Redacted, Halt> {
        match self {
            Self::Free(pipeline) => {
                let redacted = watch.time(|| pipeline.finish()).map_err(withheld)?;
                keep.await.map(|()| redacted)
            }
            Self::Metered(metered) => {
                watch.time(|| metered.body.finish()).map_err(withheld)?;
                metered.release(watch, keep).await
            }
        }
    }

    /// Whether more than is held whole has come, and what has been handed out may leave.
    pub(super) fn streams(&self) -> bool {
        match self {
            Self::Free(pipeline) => pipeline.decoded_bytes() > HELD_WHOLE_BYTES,
            Self::Metered(metered) => {
                metered.body.decoded_bytes() > HELD_WHOLE_BYTES && !metered.body.due().incomplete
            }
        }
    }

    /// Whether records past a limit were removed.
    pub(super) fn is_cut(&self) -> bool {
        match self {
            Self::Free(_) => false,
            Self::Metered(metered) => metered.cut,
        }
    }

    /// What was done so far.
    pub(super) fn summary(&self) -> &BodySummary {
        match self {
            Self::Free(pipeline) => pipeline.summary(),
            Self::Metered(metered) => metered.body.summary(),
        }
    }

    /// What was charged, and how many records were removed; none where nothing is counted.
    pub(super) fn meter(&self) -> Option<(&Meter, u64)> {
        match self {
            Self::Free(_) => None,
            Self::Metered(metered) => Some((&metered.meter, metered.body.cut_records())),
        }
    }
}

impl Metered {
    /// Charges what waits and hands it out. What cannot leave because its tokens cannot be kept costs nothing.
    async fn release(
        &mut self,
        watch: &mut Stopwatch<'_>,
        keep: impl Future<Output = Result<(), Halt>>,
    ) -> Result<Redacted, Halt> {
        let due = self.body.due();
        if due.incomplete {
            return Ok(Redacted::default());
        }
        let grant = self.meter.charge(due, self.body.truncates()).await?;
        self.cut |= grant.cut;
        let released = watch.time(|| self.body.release(grant.admitted));
        let kept = match released {
            Ok(redacted) => keep.await.map(|()| redacted),
            Err(error) => Err(withheld(error)),
        };
        let redacted = match kept {
            Ok(redacted) => redacted,
            Err(halt) => {
                self.meter.give_back().await;
                return Err(halt);
            }
        };
        let bytes = self.body.summary().bytes_out;
        let bytes = bytes.saturating_sub(self.meter.charged().bytes);
        self.meter.bytes(bytes).await?;
        Ok(redacted)
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` hands over"
)]
fn withheld(error: BodyError) -> Halt {
    tracing::info!(%error, "the body was withheld");
    Problem::UnreadableBody.into()
}

#[cfg(test)]
mod tests;
