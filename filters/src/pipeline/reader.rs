//! Reading a body: decode, redact, take tokens out, encode, in this order and nowhere else.

use std::sync::Arc;

use bytes::Bytes;

use crate::body_filter::{BodyError, BodyFilter};
use crate::coding::{Coding, Decoder, Encoder};
use crate::export_meter::{Admitted, Due};
use crate::json::JsonPlan;
use crate::pipeline::BodySummary;
use crate::pipeline::format::{BodyFormat, Counting, FormatFilter};
use crate::pipeline::gate::Gate;
use crate::pipeline::tokens::{FoundTokens, TokenFilter};

/// What a body that is read goes through.
pub(crate) struct Reader {
    decoder: Decoder,
    /// Where it waits for its records to be admitted, if some may be cut.
    gate: Option<Gate>,
    cut_records: u64,
    filter: FormatFilter,
    exit: Exit,
    labels: Arc<[String]>,
}

/// What a [`Reader`] is made of.
pub(crate) struct ReaderParts<'a> {
    /// The codings the upstream applied, in order.
    pub(crate) codings: &'a [Coding],
    /// The limit of [`Decoder`].
    pub(crate) expand_ratio: usize,
    /// The format of the decoded body.
    pub(crate) format: BodyFormat,
    /// What happens to its values.
    pub(crate) plan: Arc<JsonPlan>,
    /// The labels' names, by label id.
    pub(crate) labels: Arc<[String]>,
    /// The coding the client gets.
    pub(crate) encode: Option<Coding>,
    /// How the body is counted, if it is.
    pub(crate) counting: Option<Counting>,
}

impl Reader {
    /// A reader at the start of a body.
    ///
    /// # Errors
    /// A decoder or encoder cannot be set up.
    pub(crate) fn new(parts: ReaderParts<'_>) -> Result<Self, BodyError> {
        let encoder = match parts.encode {
            Some(coding) => Some(Encoder::new(coding).ok_or(BodyError::Spent)?),
            None => None,
        };
        let (gate, filter) = match parts.counting {
            None => (None, FormatFilter::new(parts.format, parts.plan)),
            Some(counting) if counting.truncates() => {
                let (gate, format) = Gate::new(parts.format, counting).ok_or(BodyError::Spent)?;
                (Some(gate), FormatFilter::new(format, parts.plan))
            }
            Some(counting) => {
                let filter = FormatFilter::new(parts.format, parts.plan);
                (None, filter.counted(counting))
            }
        };
        Ok(Self {
            decoder: Decoder::new(parts.codings, parts.expand_ratio)?,
            gate,
            cut_records: 0,
            filter,
            exit: Exit {
                redacted: Vec::new(),
                tokens: None,
                encoder,
                ready: Vec::new(),
                bytes_out: 0,
            },
            labels: parts.labels,
        })
    }

    /// Reads the next bytes and returns what is decided.
    ///
    /// # Errors
    /// The body cannot be decoded or read.
    pub(crate) fn push(
        &mut self,
        chunk: &[u8],
        summary: &mut BodySummary,
    ) -> Result<Bytes, BodyError> {
        let (gate, filter, exit) = (&mut self.gate, &mut self.filter, &mut self.exit);
        self.decoder.push(chunk, &mut |decoded| {
            summary.bytes_in += decoded.len() as u64;
            if let Some(gate) = gate {
                return gate.push(decoded);
            }
            if let Some(tally) = filter.tally()
                && !decoded.is_empty()
            {
                tally.begin_body();
            }
            // PERF: what leaves is about as long as what came (`postern bench`).
            exit.redacted.reserve(decoded.len());
            filter.push(decoded, &mut exit.redacted)?;
            exit.encode()
        })?;
        let ready = exit.take()?;
        summary.bytes_out = exit.bytes_out;
        Ok(ready)
    }

    /// The body has ended: returns the rest, unless it waits to be admitted.
    ///
    /// # Errors
    /// The body is incomplete or lacks what the policy requires.
    pub(crate) fn finish(&mut self, summary: &mut BodySummary) -> Result<Bytes, BodyError> {
        self.decoder.finish()?;
        if let Some(gate) = &mut self.gate {
            gate.finish()?;
            return Ok(Bytes::new());
        }
        self.end(summary)
    }

    /// Adds what is due to `due`.
    pub(crate) fn drain_into(&mut self, due: &mut Due) {
        match &mut self.gate {
            Some(gate) => gate.drain_into(due),
            None => self.filter.drain_into(due),
        }
    }

    /// What was due has been admitted: returns what may leave for that.
    ///
    /// # Errors
    /// What was admitted cannot be redacted, or not all was where nothing can be cut.
    pub(crate) fn admit(
        &mut self,
        admitted: Admitted,
        summary: &mut BodySummary,
    ) -> Result<Bytes, BodyError> {
        let Some(gate) = &mut self.gate else {
            if let Some(tally) = self.filter.tally() {
                tally.released();
            }
            return match admitted {
                Admitted::All => Ok(Bytes::new()),
                Admitted::Records(_) => Err(BodyError::Spent),
            };
        };
        let (filter, exit) = (&mut self.filter, &mut self.exit);
        let ended = gate.admit(admitted, |text| {
            filter.push(text, &mut exit.redacted)?;
            exit.encode()
        })?;
        self.cut_records = gate.cut_records();
        if ended {
            self.gate = None;
            return self.end(summary);
        }
        let ready = exit.take()?;
        summary.bytes_out = exit.bytes_out;
        Ok(ready)
    }

    /// Takes tokens out of what is redacted.
    pub(crate) fn strip(&mut self, tokens: TokenFilter) {
        self.exit.tokens = Some(tokens);
    }

    /// How many tokens were taken out so far.
    pub(crate) fn found_tokens(&self) -> FoundTokens {
        self.exit
            .tokens
            .as_ref()
            .map_or_else(FoundTokens::default, TokenFilter::found)
    }

    /// Whether records can be cut.
    pub(crate) fn truncates(&self) -> bool {
        self.gate.is_some()
    }

    /// How many records were removed.
    pub(crate) fn cut_records(&self) -> u64 {
        self.cut_records
    }

    /// Returns the rest.
    fn end(&mut self, summary: &mut BodySummary) -> Result<Bytes, BodyError> {
        self.filter.finish(&mut self.exit.redacted)?;
        if let Some(tally) = self.filter.tally() {
            tally.end_body();
        }
        let counted = self.labels.iter().zip(self.filter.withheld());
        summary.withheld = counted
            .filter(|(_, count)| **count > 0)
            .map(|(label, count)| (label.clone(), *count))
            .collect();
        let (rest, bytes_out) = self.exit.finish()?;
        summary.bytes_out = bytes_out;
        Ok(rest)
    }
}

/// Where redacted bytes wait to lose their tokens and to be encoded, and encoded ones to be taken.
struct Exit {
    redacted: Vec<u8>,
    tokens: Option<TokenFilter>,
    encoder: Option<Encoder>,
    ready: Vec<u8>,
    bytes_out: u64,
}

impl Exit {
    /// Encodes what has been redacted.
    fn encode(&mut self) -> Result<(), BodyError> {
        if self.encoder.is_some() {
            let stripped = self.stripped()?;
            self.encode_text(&stripped)?;
        }
        Ok(())
    }

    fn encode_text(&mut self, text: &[u8]) -> Result<(), BodyError> {
        if let Some(encoder) = &mut self.encoder {
            self.bytes_out += text.len() as u64;
            self.ready.extend(encoder.push(text)?);
        }
        Ok(())
    }

    /// What has been redacted and is known to hold no token.
    fn stripped(&mut self) -> Result<Vec<u8>, BodyError> {
        let redacted = std::mem::take(&mut self.redacted);
        let Some(tokens) = &mut self.tokens else {
            return Ok(redacted);
        };
        let mut stripped = Vec::with_capacity(redacted.len());
        tokens.push(&redacted, &mut stripped)?;
        Ok(stripped)
    }

    /// What may leave now.
    fn take(&mut self) -> Result<Bytes, BodyError> {
        if self.encoder.is_some() {
            return Ok(std::mem::take(&mut self.ready).into());
        }
        let stripped = self.stripped()?;
        self.bytes_out += stripped.len() as u64;
        Ok(stripped.into())
    }

    /// The rest, and how many bytes left in all before encoding.
    fn finish(&mut self) -> Result<(Bytes, u64), BodyError> {
        let mut rest = self.stripped()?;
        if let Some(tokens) = &mut self.tokens {
            tokens.finish(&mut rest)?;
        }
        if self.encoder.is_none() {
            let bytes_out = self.bytes_out + rest.len() as u64;
            return Ok((rest.into(), bytes_out));
        }
        self.encode_text(&rest)?;
        let mut ready = std::mem::take(&mut self.ready);
        if let Some(encoder) = self.encoder.take() {
            ready.extend(encoder.finish()?);
        }
        Ok((ready.into(), self.bytes_out))
    }
}
