//! How the engine is run on a case: always with both scanners, side by side.
//!
//! After every piece they must have written the same bytes, or refuse it both. Which of several errors
//! of one piece is named may differ.

use std::sync::Arc;

use postern_filters::json::{Engine, JsonFilter, JsonPlan};
use postern_filters::{BodyError, BodyFilter};

use super::case::Ready;
use super::chunking::Chunking;
use crate::reference::{Output, Refused};

/// How the scanners differ, in words.
pub(crate) type Difference = String;

impl Ready {
    /// What the engine follows.
    pub(crate) fn plan(&self) -> Arc<JsonPlan> {
        Arc::clone(&self.plan)
    }

    /// Runs both scanners; what they wrote is in `written`, also before an error.
    ///
    /// The outer error is a difference, the inner one the engine's.
    pub(crate) fn compared(
        &self,
        document: &[u8],
        chunking: Chunking,
        written: &mut Vec<u8>,
    ) -> Result<Result<Vec<u64>, BodyError>, Difference> {
        let always = self.compared_on(Engine::SimdAlways, document, chunking, &mut Vec::new())?;
        let usual = self.compared_on(Engine::Simd, document, chunking, written)?;
        match always.is_ok() == usual.is_ok() {
            true => Ok(usual),
            false => Err(format!(
                "{always:?} where always vectorised, {usual:?} where it is worth it"
            )),
        }
    }

    /// One vectorised scanner beside the scalar one.
    fn compared_on(
        &self,
        engine: Engine,
        document: &[u8],
        chunking: Chunking,
        written: &mut Vec<u8>,
    ) -> Result<Result<Vec<u64>, BodyError>, Difference> {
        let on = |engine| JsonFilter::with_engine(Arc::clone(&self.plan), engine);
        let (mut filter, mut reference) = (on(engine), on(Engine::Scalar));
        let (mut expected, start) = (Vec::new(), written.len());
        let pieces = chunking.pieces(document).into_iter().map(Some);
        for piece in pieces.chain([None]) {
            let before = expected.len();
            let (got, wanted) = match piece {
                Some(piece) => (
                    filter.push(piece, written),
                    reference.push(piece, &mut expected),
                ),
                None => (filter.finish(written), reference.finish(&mut expected)),
            };
            let same = written.get(start + before..) == expected.get(before..);
            if got.is_ok() != wanted.is_ok() || !same {
                return Err(format!(
                    "the scanners differ: {got:?} by {engine:?}, {wanted:?} by the scalar one\n  \
                     {}\n  {}",
                    written[start..].escape_ascii(),
                    expected.escape_ascii()
                ));
            }
            if let Err(error) = got {
                return Ok(Err(error));
            }
        }
        let (counts, wanted) = (filter.withheld(), reference.withheld());
        match counts == wanted {
            true => Ok(Ok(counts.to_vec())),
            false => Err(format!("the scanners count {counts:?} and {wanted:?}")),
        }
    }

    /// The same where a difference ends the test.
    pub(crate) fn stream(
        &self,
        document: &[u8],
        chunking: Chunking,
        written: &mut Vec<u8>,
    ) -> Result<Vec<u64>, Refused> {
        let compared = self.compared(document, chunking, written);
        let agreed = compared.unwrap_or_else(|difference| panic!("{chunking:?}: {difference}"));
        agreed.map_err(|_refused| Refused)
    }

    /// Runs the engine and keeps only what a complete run gives.
    pub(crate) fn engine(&self, document: &[u8], chunking: Chunking) -> Result<Output, Refused> {
        let mut written = Vec::new();
        let withheld = self.stream(document, chunking, &mut written)?;
        Ok((written, withheld))
    }

    /// The same, and nothing where the engine met a limit that the reference does not know.
    pub(crate) fn within_limits(
        &self,
        document: &[u8],
        chunking: Chunking,
    ) -> Result<Option<Result<Output, Refused>>, Difference> {
        let mut written = Vec::new();
        Ok(match self.compared(document, chunking, &mut written)? {
            Ok(withheld) => Some(Ok((written, withheld))),
            Err(BodyError::Limit { limit }) if limit != "json_depth" => None,
            Err(_) => Some(Err(Refused)),
        })
    }
}
