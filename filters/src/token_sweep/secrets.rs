//! The secrets of one session and the automaton that finds all of their spellings.
//!
//! Guarantees: every secret is either looked for or reported as not looked for; what an automaton may
//! hold is bounded, and a session with more than that has none at all. It is built once for a session's
//! present secrets and shared by all of its exchanges.

use std::collections::BTreeMap;
use std::fmt;

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::nfa::contiguous::{Builder, NFA};
use aho_corasick::{Anchored, MatchKind};

use super::beginnings::Beginnings;
use super::forms::{Form, spellings};

/// The shortest secret that is looked for: 48 bits in base64. Anything shorter is found by chance.
pub const SECRET_BYTES_MIN: usize = 8;
/// The longest secret that is looked for.
pub const SECRET_BYTES_MAX: usize = 16 << 10;
/// How many different bytes a secret has at least.
pub const SECRET_DIFFERENT_MIN: usize = 4;
/// What all spellings of one session's secrets may take together.
pub const SPELLING_BYTES_MAX: usize = 2 << 20;

/// What stands for a secret that was removed. It is not empty, so that nothing grows together around it.
pub const REMOVED: &[u8] = b"***";

/// One secret.
#[derive(Clone, Copy)]
pub struct Secret<'v> {
    /// Its exact bytes.
    pub value: &'v [u8],
    /// What takes its place where it is written out, a placeholder as a rule; [`REMOVED`] to remove it. In
    /// base64, in hex and where only a part was found it is always removed.
    pub instead: &'v [u8],
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.value.len())
    }
}

/// Why a secret is not looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unswept {
    /// It is shorter than [`SECRET_BYTES_MIN`].
    TooShort,
    /// It has fewer than [`SECRET_DIFFERENT_MIN`] different bytes, such as a line of dashes.
    TooUniform,
}

/// Why a session's secrets cannot be looked for: nothing of the session may leave then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// A secret is longer than [`SECRET_BYTES_MAX`].
    #[error("a secret has more than {SECRET_BYTES_MAX} bytes")]
    TooLong,
    /// All spellings take more than [`SPELLING_BYTES_MAX`].
    #[error("the spellings of a session's secrets take more than {SPELLING_BYTES_MAX} bytes")]
    TooMany,
}

/// See the module. `Debug` shows no secret.
pub struct Secrets {
    machine: Option<Machine>,
    /// What takes the place of each secret.
    instead: Vec<Vec<u8>>,
    unswept: Vec<(usize, Unswept)>,
}

struct Machine {
    automaton: NFA,
    start: StateID,
    beginnings: Beginnings,
    /// Whose spelling each pattern is.
    patterns: Vec<(usize, Form)>,
    longest: usize,
}

/// Where a secret was found, in bytes from the beginning of the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) secret: usize,
    pub(super) form: Form,
}

/// How far a text has been read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor {
    state: StateID,
    /// Bytes read.
    pub(super) offset: u64,
    /// No spelling that has not ended begins before this place.
    rooted: u64,
}

impl Secrets {
    /// No secrets: whatever is swept for them passes.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            machine: None,
            instead: Vec::new(),
            unswept: Vec::new(),
        }
    }

    /// The automaton for these secrets. Of two equal ones the first counts. What is too short or too uniform
    /// to be told from ordinary text is left out: see [`Self::unswept`].
    ///
    /// # Errors
    /// A limit is exceeded.
    pub fn new(secrets: &[Secret<'_>]) -> Result<Self, SecretsError> {
        let mut all: BTreeMap<Vec<u8>, (usize, Form)> = BTreeMap::new();
        let mut unswept = Vec::new();
        let mut bytes = 0;
        for (index, secret) in secrets.iter().enumerate() {
            if let Some(reason) = refusal(secret.value) {
                unswept.push((index, reason));
                continue;
            }
            if secret.value.len() > SECRET_BYTES_MAX {
                return Err(SecretsError::TooLong);
            }
            for (spelling, form) in spellings(secret.value) {
                bytes += spelling.len();
                // A secret as it is comes before what another one looks like in some form.
                let entry = all.entry(spelling).or_insert((index, form));
                if form < entry.1 {
                    *entry = (index, form);
                }
            }
            if bytes > SPELLING_BYTES_MAX {
                return Err(SecretsError::TooMany);
            }
        }
        let machine = match all.is_empty() {
            true => None,
            false => Some(Machine::new(&all).ok_or(SecretsError::TooMany)?),
        };
        let instead = secrets.iter().map(|secret| secret.instead.to_vec());
        Ok(Self {
            machine,
            instead: instead.collect(),
            unswept,
        })
    }

    /// Whether nothing is looked for, so that a text need not be swept at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.machine.is_none()
    }

    /// Which of the secrets are not looked for, by their index, and why.
    #[must_use]
    pub fn unswept(&self) -> &[(usize, Unswept)] {
        &self.unswept
    }

    /// The longest spelling in bytes: a sweep holds less than this beyond one chunk.
    #[must_use]
    pub fn longest_bytes(&self) -> usize {
        self.machine.as_ref().map_or(0, |machine| machine.longest)
    }

    /// What the automaton takes in memory.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.machine.as_ref().map_or(0, |machine| {
            machine.automaton.memory_usage()
                + machine.beginnings.memory_bytes()
                + size_of_val(machine.patterns.as_slice())
        })
    }

    /// Whether a text holds a secret in any spelling.
    #[must_use]
    pub fn contains(&self, text: &[u8]) -> bool {
        let mut cursor = self.cursor();
        let mut found = false;
        self.read(text, &mut cursor, &mut |_| found = true);
        found
    }

    /// What takes the place of a hit.
    pub(super) fn instead(&self, hit: Hit) -> &[u8] {
        match self.instead.get(hit.secret) {
            Some(instead) if hit.form.is_faithful() => instead,
            Some(_) | None => REMOVED,
        }
    }

    pub(super) fn cursor(&self) -> Cursor {
        let machine = self.machine.as_ref();
        Cursor {
            state: machine.map_or_else(StateID::default, |machine| machine.start),
            offset: 0,
            rooted: 0,
        }
    }

    /// Reads on, and reports what ends in this piece, by where it ends.
    pub(super) fn read(&self, text: &[u8], cursor: &mut Cursor, found: &mut impl FnMut(Hit)) {
        match &self.machine {
            Some(machine) => machine.read(text, cursor, found),
            None => {
                cursor.offset += text.len() as u64;
                cursor.rooted = cursor.offset;
            }
        }
    }

    /// The place before which nothing can begin that has not been reported.
    pub(super) fn known(&self, cursor: &Cursor) -> u64 {
        let unknown = self.longest_bytes().saturating_sub(1) as u64;
        cursor.rooted.max(cursor.offset.saturating_sub(unknown))
    }
}

impl Machine {
    fn new(all: &BTreeMap<Vec<u8>, (usize, Form)>) -> Option<Self> {
        let automaton = Builder::new()
            .match_kind(MatchKind::Standard)
            .prefilter(false)
            .build(all.keys())
            .ok()?;
        let start = automaton.start_state(Anchored::No).ok()?;
        Some(Self {
            automaton,
            start,
            beginnings: Beginnings::new(all.keys().map(Vec::as_slice))?,
            patterns: all.values().copied().collect(),
            longest: all.keys().map(Vec::len).max()?,
        })
    }

    fn read(&self, text: &[u8], cursor: &mut Cursor, found: &mut impl FnMut(Hit)) {
        let begins = cursor.offset;
        let mut at = 0;
        while at < text.len() {
            if cursor.state == self.start {
                at += self.beginnings.skipped(text.get(at..).unwrap_or_default());
                cursor.rooted = begins + at as u64;
            }
            let Some(byte) = text.get(at) else {
                break;
            };
            cursor.state = self.automaton.next_state(Anchored::No, cursor.state, *byte);
            at += 1;
            if self.automaton.is_match(cursor.state) {
                self.report(cursor.state, begins + at as u64, found);
            }
        }
        cursor.offset += text.len() as u64;
        if cursor.state == self.start {
            cursor.rooted = cursor.offset;
        }
    }

    fn report(&self, state: StateID, to: u64, found: &mut impl FnMut(Hit)) {
        for index in 0..self.automaton.match_len(state) {
            let pattern = self.automaton.match_pattern(state, index);
            let length = self.automaton.pattern_len(pattern) as u64;
            if let Some((secret, form)) = self.patterns.get(pattern.as_usize()) {
                found(Hit {
                    from: to.saturating_sub(length),
                    to,
                    secret: *secret,
                    form: *form,
                });
            }
        }
    }
}

/// Why these bytes are not looked for; none when they are.
pub(super) fn refusal(value: &[u8]) -> Option<Unswept> {
    if value.len() < SECRET_BYTES_MIN {
        return Some(Unswept::TooShort);
    }
    (different(value) < SECRET_DIFFERENT_MIN).then_some(Unswept::TooUniform)
}

/// How many different bytes there are.
pub(crate) fn different(text: &[u8]) -> usize {
    let mut seen = [false; 256];
    for byte in text {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    seen.iter().filter(|seen| **seen).count()
}

impl Default for Secrets {
    fn default() -> Self {
        Self::none()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spellings = self
            .machine
            .as_ref()
            .map_or(0, |machine| machine.patterns.len());
        f.debug_struct("Secrets")
            .field("secrets", &self.instead.len())
            .field("spellings", &spellings)
            .field("unswept", &self.unswept)
            .finish_non_exhaustive()
    }
}
