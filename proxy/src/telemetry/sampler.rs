//! Which traces are recorded, as `OTEL_TRACES_SAMPLER` says.

use super::trace_context::{Parent, TraceId};

/// Decides by the trace's id alone, or as the parent decided where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sampler {
    by_parent: bool,
    /// A trace is recorded when the low 63 bits of its id are below this.
    below: u64,
}

/// One past the largest of the 63 bits that decide.
const WHOLE: u64 = 1 << 63;

impl Sampler {
    pub(super) const fn always() -> Self {
        Self {
            by_parent: false,
            below: WHOLE,
        }
    }

    pub(super) const fn never() -> Self {
        Self {
            by_parent: false,
            below: 0,
        }
    }

    /// A share of all traces, from 0 to 1; the same traces as other implementations choose that look at
    /// the low bits of the id.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "INVARIANT: the product is from 0 to 2^63, and a float conversion saturates"
    )]
    pub(super) fn ratio(share: f64) -> Self {
        Self {
            by_parent: false,
            below: (share.clamp(0.0, 1.0) * WHOLE as f64) as u64,
        }
    }

    /// The same for traces that begin here; others are recorded when their parent is.
    pub(super) const fn by_parent(self) -> Self {
        Self {
            by_parent: true,
            ..self
        }
    }

    /// Whether the spans of a trace are recorded.
    pub(super) fn records(self, trace: TraceId, parent: Option<&Parent>) -> bool {
        match parent {
            Some(parent) if self.by_parent => parent.is_sampled(),
            Some(_) | None => trace.low_bits() >> 1 < self.below,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parent(flags: &str) -> Parent {
        let text = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
        Parent::read(&text).unwrap()
    }

    #[test]
    fn follows_the_parent_where_it_is_told_to() {
        let (yes, no) = (parent("01"), parent("00"));
        let trace = yes.trace();
        for (sampler, with_yes, with_no, alone) in [
            (Sampler::always(), true, true, true),
            (Sampler::never(), false, false, false),
            (Sampler::always().by_parent(), true, false, true),
            (Sampler::never().by_parent(), true, false, false),
            (Sampler::ratio(0.0).by_parent(), true, false, false),
        ] {
            assert_eq!(sampler.records(trace, Some(&yes)), with_yes, "{sampler:?}");
            assert_eq!(sampler.records(trace, Some(&no)), with_no, "{sampler:?}");
            assert_eq!(sampler.records(trace, None), alone, "{sampler:?}");
        }
    }

    #[test]
    fn records_a_share_of_the_traces() {
        let at = |high: u8| {
            let text = format!(
                "00-{}{high:02x}{}-b7ad6b7169203331-00",
                "0".repeat(16),
                "0".repeat(12) + "01"
            );
            Parent::read(&text).unwrap().trace()
        };
        let half = Sampler::ratio(0.5);
        assert!(half.records(at(0x7f), None));
        assert!(!half.records(at(0x80), None));
        assert!(Sampler::ratio(1.0).records(at(0xff), None));
        assert!(!Sampler::ratio(0.0).records(at(0x00), None));
    }
}
