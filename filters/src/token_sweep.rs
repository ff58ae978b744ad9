//! Looks for the secrets of one session in everything that leaves, and takes them out.
//!
//! ```text
//! text ─▶ [ may begin a secret ] ─▶ known ─▶ out
//!                  held                └── a secret, or several that overlap ─▶ what takes its place
//! ```
//!
//! Guarantees: no byte leaves while it may belong to a secret, so that it does not matter how a text is
//! split; what overlaps is taken out as one; what is held is less than the longest spelling. Bytes that are
//! no part of a secret leave unchanged. It knows nothing of formats: it works on what leaves last, before
//! content coding.

mod beginnings;
mod forms;
mod secrets;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::body_filter::{BodyError, BodyFilter};

pub use forms::Form;
pub(crate) use secrets::different;
use secrets::{Cursor, Hit};
pub use secrets::{
    REMOVED, SECRET_BYTES_MAX, SECRET_BYTES_MIN, SECRET_DIFFERENT_MIN, SPELLING_BYTES_MAX, Secret,
    Secrets, SecretsError, Unswept,
};

impl Secrets {
    /// A short text such as a header value without the secrets in it; none when there are none.
    #[must_use]
    pub fn rewrite(self: &Arc<Self>, text: &[u8]) -> Option<Vec<u8>> {
        let mut sweep = SecretSweep::new(Arc::clone(self));
        sweep.read(text);
        if sweep.regions.is_empty() {
            return None;
        }
        let mut out = Vec::with_capacity(text.len());
        sweep.settle(text, text.len() as u64, &mut out);
        Some(out)
    }
}

/// One body, or one direction of a connection, on its way past the secrets of a session.
pub struct SecretSweep {
    secrets: Arc<Secrets>,
    cursor: Cursor,
    /// What has been read and is not known yet: the last bytes up to the cursor.
    held: Vec<u8>,
    /// How many bytes are known and have left or were taken out.
    settled: u64,
    /// What is to be taken out behind that, in order, without overlaps.
    regions: VecDeque<Region>,
    found: u64,
    by_secret: Vec<u64>,
    spent: bool,
}

/// A secret, or several that overlap.
#[derive(Clone, Copy)]
struct Region {
    from: u64,
    to: u64,
    /// The first of them, and the longest of those: it says what takes their place.
    first: Hit,
    /// What takes their place has left already.
    written: bool,
}

impl SecretSweep {
    /// A sweep before the first byte of a text.
    #[must_use]
    pub fn new(secrets: Arc<Secrets>) -> Self {
        Self {
            cursor: secrets.cursor(),
            secrets,
            held: Vec::new(),
            settled: 0,
            regions: VecDeque::new(),
            found: 0,
            by_secret: Vec::new(),
            spent: false,
        }
    }

    /// The same as [`BodyFilter::push`] for a buffer of its own: what holds no secret leaves in it, without
    /// being copied.
    ///
    /// # Errors
    /// The sweep has ended.
    pub fn push_bytes(&mut self, chunk: Bytes) -> Result<Bytes, BodyError> {
        if self.spent {
            return Err(BodyError::Spent);
        }
        let whole = self.held.is_empty() && self.regions.is_empty();
        self.read(&chunk);
        let known = self.secrets.known(&self.cursor);
        if !(whole && self.regions.is_empty()) {
            let mut out = Vec::with_capacity(self.held.len() + chunk.len());
            self.settle(&chunk, known, &mut out);
            return Ok(out.into());
        }
        let mut known_part = chunk;
        let length = usize::try_from(known - self.settled).unwrap_or(usize::MAX);
        let held = known_part.split_off(length.min(known_part.len()));
        self.held.extend_from_slice(&held);
        self.settled = known;
        Ok(known_part)
    }

    /// How many times something was taken out.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.found
    }

    /// How many times something was taken out because of each secret, by its index; what comes after the
    /// last one that was found is left out.
    #[must_use]
    pub fn found_by_secret(&self) -> &[u64] {
        &self.by_secret
    }

    /// Looks through the next bytes and notes what is to be taken out.
    fn read(&mut self, chunk: &[u8]) {
        let regions = &mut self.regions;
        self.secrets.read(chunk, &mut self.cursor, &mut |hit| {
            let mut region = Region {
                from: hit.from,
                to: hit.to,
                first: hit,
                written: false,
            };
            while let Some(last) = regions.pop_back_if(|last| last.to > region.from) {
                region = region.joined(last);
            }
            regions.push_back(region);
        });
    }

    /// Lets everything before `known` leave that is not to be taken out. `chunk` follows what is held.
    fn settle(&mut self, chunk: &[u8], known: u64, out: &mut Vec<u8>) {
        let mut held = std::mem::take(&mut self.held);
        let copied = !held.is_empty();
        if copied {
            held.extend_from_slice(chunk);
        }
        let text = if copied { held.as_slice() } else { chunk };
        let begins = self.settled;
        let span = |from: u64, to: u64| {
            let place = |at: u64| usize::try_from(at.saturating_sub(begins)).unwrap_or(usize::MAX);
            text.get(place(from)..place(to)).unwrap_or_default()
        };
        while let Some(region) = self.regions.pop_front_if(|region| region.from < known) {
            if !region.written {
                out.extend_from_slice(span(self.settled, region.from));
                out.extend_from_slice(self.secrets.instead(region.first));
                self.count(region.first.secret);
            }
            self.settled = region.to.min(known);
            if region.to > known {
                self.regions.push_front(Region {
                    written: true,
                    ..region
                });
                break;
            }
        }
        out.extend_from_slice(span(self.settled, known));
        let rest = span(known, self.cursor.offset).to_vec();
        self.settled = known;
        self.held = rest;
    }

    fn count(&mut self, secret: usize) {
        self.found += 1;
        if self.by_secret.len() <= secret {
            self.by_secret.resize(secret + 1, 0);
        }
        if let Some(count) = self.by_secret.get_mut(secret) {
            *count += 1;
        }
    }
}

impl Region {
    fn joined(self, other: Self) -> Self {
        let rank = |hit: &Hit| (hit.from, u64::MAX - hit.to);
        let first = if rank(&other.first) <= rank(&self.first) {
            other.first
        } else {
            self.first
        };
        Self {
            from: self.from.min(other.from),
            to: self.to.max(other.to),
            first,
            written: self.written || other.written,
        }
    }
}

impl BodyFilter for SecretSweep {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        if self.spent {
            return Err(BodyError::Spent);
        }
        self.read(chunk);
        let known = self.secrets.known(&self.cursor);
        self.settle(chunk, known, out);
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        if self.spent {
            return Err(BodyError::Spent);
        }
        self.settle(&[], self.cursor.offset, out);
        self.spent = true;
        Ok(())
    }
}

impl fmt::Debug for SecretSweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretSweep")
            .field("read", &self.cursor.offset)
            .field("held", &self.held.len())
            .field("found", &self.found)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
