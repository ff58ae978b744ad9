//! Signed notes (C2SP signed-note): a text, an empty line, and signature lines. Reading a note trusts
//! nothing: [`Note::verified_by`] does.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::vkey::VerifierKey;

/// A note may carry this many signatures; the standard asks for at least 16.
const SIGNATURES_MAX: usize = 64;
/// A signature line begins with an em dash and a space.
const MARK: &str = "\u{2014} ";

/// Why a note is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It does not have the form of a signed note.
    #[error("not a signed note")]
    Malformed,
    /// A signature of a known key does not verify.
    #[error("a signature of a known key does not verify")]
    Forged,
    /// No known key signed it.
    #[error("no known key has signed it")]
    Unsigned,
}

/// One line of a note: who signed, with which key, and the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLine {
    /// The key's name.
    pub name: String,
    /// The first four bytes of the hash of the key.
    pub key_id: u32,
    /// What follows the key's id: a signature, with what its kind puts before it.
    pub signature: Vec<u8>,
}

impl SignatureLine {
    /// Reads one line, without its end.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(MARK)?.split_once(' ')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (id, signature) = bytes.split_first_chunk::<4>()?;
        (is_key_name(name) && !signature.is_empty()).then(|| Self {
            name: name.to_owned(),
            key_id: u32::from_be_bytes(*id),
            signature: signature.to_vec(),
        })
    }
}

/// With its end of line.
impl fmt::Display for SignatureLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.key_id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.signature);
        writeln!(f, "{MARK}{} {}", self.name, STANDARD.encode(bytes))
    }
}

/// A text and who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

impl Note {
    /// A note with a text that ends in a newline, and its first signature.
    #[must_use]
    pub fn new(text: String, signature: SignatureLine) -> Self {
        Self {
            text,
            signatures: vec![signature],
        }
    }

    /// Reads a note.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        Self::read(bytes).ok_or(NoteError::Malformed)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let whole = std::str::from_utf8(bytes).ok()?;
        if whole.chars().any(|c| c < ' ' && c != '\n') {
            return None;
        }
        let (text, lines) = whole.rsplit_once("\n\n")?;
        let lines = lines.strip_suffix('\n')?;
        let signatures: Vec<SignatureLine> = lines
            .split('\n')
            .take(SIGNATURES_MAX + 1)
            .map(SignatureLine::parse)
            .collect::<Option<_>>()?;
        (signatures.len() <= SIGNATURES_MAX).then(|| Self {
            text: format!("{text}\n"),
            signatures,
        })
    }

    /// The text that is signed, with its last newline.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, verified or not.
    #[must_use]
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// Adds a signature in place of those that the same key has made before: a witness that is asked again
    /// signs another time, and a note with too many lines is none.
    pub fn add(&mut self, signature: SignatureLine) {
        let is_of_another =
            |line: &SignatureLine| line.key_id != signature.key_id || line.name != signature.name;
        self.signatures.retain(is_of_another);
        self.signatures.push(signature);
    }

    /// Those of the known keys that signed it. Signatures of unknown keys are ignored.
    ///
    /// # Errors
    /// When a known key's signature does not verify, or no known key signed.
    pub fn verified_by<'k>(
        &self,
        known: &'k [VerifierKey],
    ) -> Result<Vec<(&'k VerifierKey, &SignatureLine)>, NoteError> {
        let mut signers = Vec::new();
        for line in &self.signatures {
            let key = known
                .iter()
                .find(|key| key.id() == line.key_id && key.name() == line.name);
            if let Some(key) = key {
                if !key.verifies(&self.text, &line.signature) {
                    return Err(NoteError::Forged);
                }
                signers.push((key, line));
            }
        }
        if signers.is_empty() {
            return Err(NoteError::Unsigned);
        }
        Ok(signers)
    }
}

/// The note as it is stored and sent.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|line| write!(f, "{line}"))
    }
}

/// Whether a key may have this name: not empty, no space of any kind, no plus.
pub(crate) fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+' || c < ' ')
}
