//! Looks for the tokens that a body itself has given away: what stands beside a token's name in one place may
//! stand without it in another, such as a form's token that a script of the page has as well.
//!
//! Guarantees: what looks random and got another text in its place by its name is taken out wherever else it stands in the same or a
//! later chunk, as it would be in the next answer. What left before is gone: a body has one reading. A body gives
//! tokens away anew in [`SWEEPS_MAX`] of its chunks at most, so that the time stays linear.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::body_filter::{BodyError, BodyFilter};
use crate::token_rules::{FoundToken, Instead, Why, looks_random};
use crate::token_sweep::{Secret, SecretSweep, Secrets};

/// In how many chunks of a body new tokens are noted.
const SWEEPS_MAX: usize = 16;
/// What the server file has no name for: the bound is one of this crate.
const TOO_MANY: BodyError = BodyError::Limit {
    limit: "tokens that are looked for",
};

/// A token, and what stands in its place.
type Replaced = (Vec<u8>, String);

/// Tokens that were found by their names.
#[derive(Clone, Default)]
pub(super) struct Noted(Arc<Mutex<Vec<Replaced>>>);

/// See the module's documentation.
pub(super) struct FreshTokens {
    /// What is looked for anyway.
    known: Arc<Secrets>,
    noted: Noted,
    seen: BTreeSet<Vec<u8>>,
    sweeps: Vec<SecretSweep>,
}

impl Noted {
    /// Notes what became of a token.
    pub(super) fn note(&self, found: FoundToken<'_>, instead: &Instead) {
        if let (Why::Name, Instead::Text(text)) = (found.why, instead) {
            let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // A word or a date that stands beside such a name stands in many texts.
            if looks_random(found.value) {
                noted.push((found.value.to_vec(), text.clone()));
            }
        }
    }

    fn take(&self) -> Vec<Replaced> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl FreshTokens {
    /// Before the first byte of a body, of which `known` is looked for anyway.
    pub(super) const fn new(known: Arc<Secrets>, noted: Noted) -> Self {
        Self {
            known,
            noted,
            seen: BTreeSet::new(),
            sweeps: Vec::new(),
        }
    }

    /// Takes up what was noted since it was called last.
    ///
    /// # Errors
    /// There is too much of it to be looked for.
    pub(super) fn take_up(&mut self) -> Result<(), BodyError> {
        let mut noted = self.noted.take();
        noted.retain(|(value, _)| !self.known.contains(value) && self.seen.insert(value.clone()));
        if noted.is_empty() || self.sweeps.len() == SWEEPS_MAX {
            return Ok(());
        }
        let secrets = noted.iter().map(|(value, instead)| Secret {
            value,
            instead: instead.as_bytes(),
        });
        let secrets: Vec<Secret<'_>> = secrets.collect();
        let secrets = Secrets::new(&secrets).map_err(|_limit| TOO_MANY)?;
        self.sweeps.push(SecretSweep::new(Arc::new(secrets)));
        Ok(())
    }

    /// Whether nothing is looked for yet.
    pub(super) const fn is_empty(&self) -> bool {
        self.sweeps.is_empty()
    }

    /// How many times something was taken out.
    pub(super) fn found(&self) -> u64 {
        self.sweeps.iter().map(SecretSweep::found).sum()
    }
}

impl BodyFilter for FreshTokens {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        let mut text = chunk.to_vec();
        for sweep in &mut self.sweeps {
            let mut swept = Vec::with_capacity(text.len());
            sweep.push(&text, &mut swept)?;
            text = swept;
        }
        out.append(&mut text);
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        let mut text = Vec::new();
        for sweep in &mut self.sweeps {
            let mut swept = Vec::with_capacity(text.len());
            sweep.push(&text, &mut swept)?;
            sweep.finish(&mut swept)?;
            text = swept;
        }
        out.append(&mut text);
        Ok(())
    }
}
