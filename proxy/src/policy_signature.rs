//! Policies that have to be signed before they come into force, each with a version that never goes back.
//!
//! ```text
//!  policy.yaml ─▶ revision ─────────────────────────────┐
//!  policy.yaml.note ─▶ signed by a known key? ─▶ of this revision? ─▶ not older? ─▶ kept ─▶ in force
//!                                        state/policy.version ───────────┘ ▲────────┘
//! ```
//!
//! The note is a C2SP signed note whose text is [`text`]. The revision covers the policy and the key file it names.
//! The last version is kept in the state folder: whoever can write there can put it back, and needs a signed
//! policy of that age all the same.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use postern_audit::{Note, VerifierKey};
use postern_config::{Revision, Server};

use crate::load::{self, LoadError, LoadedPolicy};

/// The first line of what is signed.
const HEADING: &str = "postern-policy/v1";
/// What the note's file is called beyond the policy's.
const NOTE_SUFFIX: &str = ".note";
/// Where the last version is, in the state folder.
const KEPT_FILE: &str = "policy.version";

/// Who signs policies, and which one was the last.
#[derive(Debug, Clone)]
pub(crate) struct PolicySigners {
    keys: Vec<VerifierKey>,
    kept: PathBuf,
}

/// A version of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    number: u64,
    revision: String,
}

impl Version {
    /// Reads a number and a revision, each once.
    fn read<'t>(mut words: impl Iterator<Item = &'t str>) -> Option<Self> {
        let (number, revision) = (words.next()?, words.next()?);
        let is_plain = number.bytes().all(|b| b.is_ascii_digit()) && !number.starts_with('0');
        (is_plain && words.next().is_none()).then_some(())?;
        Some(Self {
            number: number.parse().ok()?,
            revision: revision.to_owned(),
        })
    }
}

/// The text that is signed: a heading, the version, the revision.
pub(crate) fn text(version: u64, revision: &Revision) -> String {
    format!("{HEADING}\n{version}\n{}\n", revision.digest())
}

/// Where the note of a policy is.
pub(crate) fn note_of(policy: &Path) -> PathBuf {
    let mut path = policy.as_os_str().to_owned();
    path.push(NOTE_SUFFIX);
    PathBuf::from(path)
}

/// A policy that could come into force under a server file: signed, if it has to be.
///
/// # Errors
/// It could not; why.
pub(crate) fn judged(
    server: &Server,
    base: &Path,
    loaded: LoadedPolicy,
) -> Result<LoadedPolicy, LoadError> {
    if let Some(signers) = PolicySigners::of(server, base)? {
        signers.judge(&loaded.source.path, &loaded.revision)?;
    }
    Ok(loaded)
}

impl PolicySigners {
    /// Those that a server file names; none where policies need no signature.
    ///
    /// # Errors
    /// A key is not one.
    pub(crate) fn of(server: &Server, base: &Path) -> Result<Option<Self>, LoadError> {
        if server.policy_signers.is_empty() {
            return Ok(None);
        }
        let keys = server.policy_signers.iter().map(|key| {
            VerifierKey::parse(key).ok_or_else(|| LoadError::Unsigned {
                path: "policy_signers".to_owned(),
                message: format!("`{key}` is no key: its id is not that of the key"),
            })
        });
        Ok(Some(Self {
            keys: keys.collect::<Result<_, _>>()?,
            kept: base.join(&server.state).join(KEPT_FILE),
        }))
    }

    /// The version of a policy, if it may come into force.
    ///
    /// # Errors
    /// Nobody who may has signed this policy, or a newer one was in force before.
    pub(crate) fn judge(&self, policy: &Path, revision: &Revision) -> Result<Version, LoadError> {
        let refuse = |message: &str| refusal(&note_of(policy), message);
        let version = self.signed(policy)?;
        if version.revision != revision.digest() {
            return Err(refuse("another policy was signed, or another key file"));
        }
        match self.last()? {
            Some(last) if version.number < last.number => Err(refuse(&format!(
                "version {} is older than {}, which was in force; sign it again with a version past {1}",
                version.number, last.number
            ))),
            Some(last) if version.number == last.number && version.revision != last.revision => {
                Err(refuse(&format!(
                    "another policy was in force as version {}; give each a version of its own",
                    last.number
                )))
            }
            Some(_) | None => Ok(version),
        }
    }

    /// Judges the note beside the policy in force, which may be another one by now, and keeps its version.
    ///
    /// # Errors
    /// With this note the policy could not come into force, and the note is not that of the next one, which is put in
    /// place before its policy.
    pub(crate) fn judge_again(&self, policy: &Path, revision: &Revision) -> Result<(), LoadError> {
        let (signed, last) = (self.signed(policy)?, self.last()?);
        let is_newer = last.is_some_and(|last| signed.number > last.number);
        if is_newer && signed.revision != revision.digest() {
            return Ok(());
        }
        self.keep(&self.judge(policy, revision)?)
    }

    /// The version that a known key has signed, of whichever policy.
    fn signed(&self, policy: &Path) -> Result<Version, LoadError> {
        let path = note_of(policy);
        let refuse = |message: &str| refusal(&path, message);
        let note = Note::parse(&load::read_reference(&path)?)
            .map_err(|error| refuse(&error.to_string()))?;
        note.verified_by(&self.keys)
            .map_err(|error| refuse(&error.to_string()))?;
        let mut lines = note.text().lines();
        (lines.next() == Some(HEADING))
            .then(|| Version::read(lines))
            .flatten()
            .ok_or_else(|| refuse("what is signed is no version of a policy"))
    }

    /// Keeps a version before it comes into force.
    ///
    /// # Errors
    /// It cannot be kept: the policy must not come into force.
    pub(crate) fn keep(&self, version: &Version) -> Result<(), LoadError> {
        if self.last()?.as_ref() == Some(version) {
            return Ok(());
        }
        let line = format!("{} {}\n", version.number, version.revision);
        let beside = self.kept.with_extension("version.new");
        let folder = load::base_of(&self.kept);
        let writing = || {
            let mut file = fs::File::create(&beside)?;
            file.write_all(line.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, &self.kept)?;
            fs::File::open(folder)?.sync_all()
        };
        writing().map_err(|error: std::io::Error| LoadError::Unsigned {
            path: self.kept.display().to_string(),
            message: format!("the version cannot be kept: {error}"),
        })
    }

    /// The version that was kept last; none before the first.
    fn last(&self) -> Result<Option<Version>, LoadError> {
        let refuse = |message: String| LoadError::Unsigned {
            path: self.kept.display().to_string(),
            message,
        };
        let line = match fs::read_to_string(&self.kept) {
            Ok(line) => line,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(refuse(format!("cannot be read: {error}"))),
        };
        let version = Version::read(line.split_whitespace());
        let unreadable =
            || refuse("it holds no version: restore it, or remove it to begin anew".to_owned());
        version.map(Some).ok_or_else(unreadable)
    }
}

fn refusal(path: &Path, message: &str) -> LoadError {
    LoadError::Unsigned {
        path: path.display().to_string(),
        message: message.to_owned(),
    }
}

/// The note that signs a policy.
pub(crate) fn sign(signer: &postern_audit::Signer, number: u64, loaded: &LoadedPolicy) -> String {
    signer.sign(text(number, &loaded.revision)).to_string()
}

#[cfg(test)]
impl PolicySigners {
    /// One signer, whose last version is kept in this folder.
    pub(crate) fn only(signer: &postern_audit::Signer, folder: &Path) -> Self {
        Self {
            keys: vec![signer.key().clone()],
            kept: folder.join(KEPT_FILE),
        }
    }
}

#[cfg(test)]
mod tests {
    use postern_audit::{KeyKind, Signer};

    use super::*;

    struct Desk {
        folder: tempfile::TempDir,
        signer: Signer,
        signers: PolicySigners,
    }

    impl Desk {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let signer = Signer::from_seed("desk", KeyKind::Log, &[7; 32]).unwrap();
            let signers = PolicySigners::only(&signer, folder.path());
            Self {
                folder,
                signer,
                signers,
            }
        }

        fn judge(&self, note: &str, revision: &Revision) -> Result<Version, String> {
            let policy = self.folder.path().join("policy.yaml");
            fs::write(note_of(&policy), note).unwrap();
            let judged = self.signers.judge(&policy, revision);
            judged.map_err(|error| error.to_string())
        }

        /// Brings a version into force, if it may.
        fn bring(&self, number: u64, revision: &Revision) -> Result<(), String> {
            let note = self.signer.sign(text(number, revision)).to_string();
            let version = self.judge(&note, revision)?;
            self.signers.keep(&version).map_err(|e| e.to_string())
        }
    }

    fn revision(text: &str) -> Revision {
        Revision::of_closure(&[("policy", text.as_bytes())])
    }

    #[test]
    fn a_version_never_goes_back_and_stands_for_one_policy() {
        let desk = Desk::new();
        let (old, new) = (revision("old"), revision("new"));
        desk.bring(7, &old).unwrap();
        desk.bring(7, &old).unwrap();
        assert!(desk.bring(7, &new).unwrap_err().contains("of its own"));
        desk.bring(10, &new).unwrap();
        let older = desk.bring(7, &old).unwrap_err();
        assert!(older.contains("7 is older than 10"), "{older}");
        assert!(older.ends_with("a version past 10"), "{older}");
        desk.bring(11, &old).unwrap();
    }

    #[test]
    fn what_nobody_signed_or_somebody_else_did_is_refused() {
        let desk = Desk::new();
        let policy = revision("policy");
        let good = desk.signer.sign(text(7, &policy)).to_string();
        let other = Signer::from_seed("desk", KeyKind::Log, &[8; 32]).unwrap();
        let signed = |text: &str| desk.signer.sign(text.to_owned()).to_string();
        for bad in [
            String::new(),
            text(7, &policy),
            other.sign(text(7, &policy)).to_string(),
            good.replacen("\n7\n", "\n8\n", 1),
            signed("another text\n7\nx\n"),
            signed(&text(7, &revision("another"))),
            signed(&format!("{}more\n", text(7, &policy))),
            signed(&text(7, &policy).replacen("\n7\n", "\n07\n", 1)),
            signed(&text(7, &policy).replacen("\n7\n", "\n+7\n", 1)),
        ] {
            assert!(desk.judge(&bad, &policy).is_err(), "{bad}");
        }
        assert!(desk.judge(&good, &policy).is_ok());
    }

    #[test]
    fn a_version_that_cannot_be_read_or_kept_lets_nothing_in() {
        let desk = Desk::new();
        let policy = revision("policy");
        fs::write(&desk.signers.kept, "seven\n").unwrap();
        assert!(desk.bring(8, &policy).unwrap_err().contains("no version"));
        fs::remove_file(&desk.signers.kept).unwrap();
        fs::create_dir(desk.folder.path().join("policy.version.new")).unwrap();
        assert!(
            desk.bring(8, &policy)
                .unwrap_err()
                .contains("cannot be kept")
        );
    }
}
