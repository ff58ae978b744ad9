//! W3C Trace Context: reads what a request brings, and writes what goes upstream.
//!
//! Guarantees: only a sound and single `traceparent` is continued; in doubt a new trace begins. The bytes
//! of `tracestate` are passed on and never recorded.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::random_id::random_id;

pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub(crate) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// A `tracestate` longer than this is dropped (W3C Trace Context section 3.3.1.5 asks for 512 at least).
const TRACESTATE_BYTES_MAX: usize = 512;
/// The flag `sampled` (W3C Trace Context section 3.2.2.5.1).
const SAMPLED: u8 = 1;
/// The flag `random` (W3C Trace Context level 2): the id's low bytes are random.
const RANDOM: u8 = 2;

/// The id of a trace: not all zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceId([u8; 16]);

/// The id of a span: not all zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SpanId([u8; 8]);

/// The span of somebody else that caused the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parent {
    trace: TraceId,
    span: SpanId,
    flags: u8,
}

impl TraceId {
    /// A new one. Without randomness it is a constant: it only serves to find records again.
    pub(crate) fn random() -> Self {
        Self(random().unwrap_or([1; 16]))
    }

    pub(crate) const fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// The last eight bytes as a number.
    pub(crate) const fn low_bits(self) -> u64 {
        u64::from_be_bytes([
            self.0[8], self.0[9], self.0[10], self.0[11], self.0[12], self.0[13], self.0[14],
            self.0[15],
        ])
    }
}

impl SpanId {
    /// A new one; see [`TraceId::random`].
    pub(crate) fn random() -> Self {
        Self(random().unwrap_or([1; 8]))
    }

    pub(crate) const fn bytes(self) -> [u8; 8] {
        self.0
    }
}

impl std::fmt::Display for TraceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl std::fmt::Display for SpanId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl Parent {
    /// The one sound `traceparent` of a request.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut parents = headers.get_all(&TRACEPARENT).iter();
        let (Some(parent), None) = (parents.next(), parents.next()) else {
            return None;
        };
        Self::read(parent.to_str().ok()?)
    }

    /// Reads a value of `traceparent` (W3C Trace Context section 3.2.2). A later version may have more
    /// parts; what is known of it is read.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace, span, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let [version]: [u8; 1] = lower_hex(version)?;
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return None;
        }
        let [flags]: [u8; 1] = lower_hex(flags)?;
        Some(Self {
            trace: TraceId(lower_hex(trace).filter(|id| *id != [0; 16])?),
            span: SpanId(lower_hex(span).filter(|id| *id != [0; 8])?),
            flags: flags & (SAMPLED | RANDOM),
        })
    }

    pub(crate) const fn trace(&self) -> TraceId {
        self.trace
    }

    pub(crate) const fn span(&self) -> SpanId {
        self.span
    }

    pub(crate) const fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// Its flags with our own decision about sampling.
    pub(crate) const fn flags(parent: Option<&Self>, sampled: bool) -> u8 {
        // Level 1 knows no other flag, and an upstream may know no other level.
        let random = match parent {
            Some(parent) => parent.flags & RANDOM,
            None => 0,
        };
        random | sampled as u8
    }
}

/// The value of `traceparent` for what is asked of somebody else.
pub(crate) fn traceparent(trace: TraceId, span: SpanId, flags: u8) -> String {
    format!("00-{trace}-{span}-{flags:02x}")
}

/// The one `tracestate` of a request, if it is short enough to pass on.
pub(crate) fn tracestate(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut states = headers.get_all(&TRACESTATE).iter();
    let (Some(state), None) = (states.next(), states.next()) else {
        return None;
    };
    (state.len() <= TRACESTATE_BYTES_MAX && state.to_str().is_ok()).then_some(state)
}

fn lower_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let mut bytes = [0; N];
    (text.bytes().all(lower) && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

fn random<const N: usize>() -> Option<[u8; N]> {
    random_id().filter(|id| *id != [0; N])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn parents(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(TRACEPARENT, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn continues_a_sound_trace() {
        let parent = Parent::of(&parents(&[SOUND])).unwrap();
        assert_eq!(
            parent.trace().to_string(),
            "0af7651916cd43dd8448eb211c80319c"
        );
        assert_eq!(parent.span().to_string(), "b7ad6b7169203331");
        assert!(parent.is_sampled());
        assert_eq!(parent.trace().low_bits(), 0x8448_eb21_1c80_319c);
    }

    #[test]
    fn continues_what_it_knows_of_a_later_version() {
        let later = format!("{}-what-comes", SOUND.replacen("00", "cc", 1));
        assert!(Parent::read(&later).is_some());
        assert!(Parent::read(&later.replacen("cc", "ff", 1)).is_none());
    }

    #[test]
    fn begins_a_new_trace_when_in_doubt() {
        let no_trace = format!("00-{}-b7ad6b7169203331-01", "0".repeat(32));
        let no_span = format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", "0".repeat(16));
        let upper = SOUND.to_uppercase();
        let long = format!("{SOUND}-x");
        let short = SOUND.trim_end_matches('1');
        for bad in ["", "00", &no_trace, &no_span, &upper, &long, short] {
            assert!(Parent::of(&parents(&[bad])).is_none(), "{bad}");
        }
        assert!(Parent::of(&parents(&[SOUND, SOUND])).is_none());
    }

    #[test]
    fn passes_one_short_state_on() {
        let mut headers = HeaderMap::new();
        headers.append(TRACESTATE, "a".repeat(512).parse().unwrap());
        assert!(tracestate(&headers).is_some());
        headers.insert(TRACESTATE, "a".repeat(513).parse().unwrap());
        assert!(tracestate(&headers).is_none());
        headers.insert(TRACESTATE, "a=b".parse().unwrap());
        headers.append(TRACESTATE, "c=d".parse().unwrap());
        assert!(tracestate(&headers).is_none());
    }
}
