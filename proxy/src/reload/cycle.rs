//! One turn of the reloading task: hash, compare, load, swap or refuse.

use std::path::PathBuf;
use std::sync::Arc;

use postern_config::Revision;
use postern_config::secret::Reference;

use super::{ReloadOptions, ReloadOutcome};
use crate::evidence::{Act, Event};
use crate::listener::Looked;
use crate::load::{self, LoadError};
use crate::policy_signature;
use crate::policy_store::PolicyStore;

/// What a turn knows of the last policy that loaded.
#[derive(Clone)]
pub(super) struct Cycle {
    options: Arc<ReloadOptions>,
    store: Arc<PolicyStore>,
    loaded: Option<Revision>,
    keys: Option<Reference>,
    /// The key file of the policy that was read last, in force or not.
    keys_read: Option<Reference>,
    /// What was last said of certificates that are of no use.
    refused_certificates: String,
}

impl Cycle {
    pub(super) fn new(options: ReloadOptions, store: Arc<PolicyStore>) -> Self {
        Self {
            options: Arc::new(options),
            store,
            loaded: None,
            keys: None,
            keys_read: None,
            refused_certificates: String::new(),
        }
    }

    /// The files whose folders are to be watched.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let policy = &self.options.policy;
        let keys = match &self.keys {
            Some(Reference::File(path)) => Some(load::base_of(policy).join(path)),
            Some(Reference::Env(_)) | None => None,
        };
        let note = self.note();
        let tls = self.options.tls.iter().flat_map(|tls| tls.files());
        std::iter::once(policy.clone())
            .chain(note)
            .chain(keys)
            .chain(tls)
            .collect()
    }

    /// The file with the policy's signature, where there has to be one.
    fn note(&self) -> Option<PathBuf> {
        let signers = self.options.signers.as_ref();
        signers.map(|_signers| policy_signature::note_of(&self.options.policy))
    }

    /// Looks at the files and acts if they are not those in force.
    pub(super) fn turn(&mut self) -> ReloadOutcome {
        let certificates = self.look_at_certificates();
        match (self.turn_of_policy(), certificates) {
            (refused @ ReloadOutcome::Refused { .. }, _) => refused,
            (_, Some(report)) => ReloadOutcome::Refused { report },
            (outcome, None) => outcome,
        }
    }

    /// Puts new certificates into force. A report: why they are of no use.
    fn look_at_certificates(&mut self) -> Option<String> {
        let tls = self.options.tls.as_ref()?;
        let report = match tls.look() {
            Looked::Unchanged => None,
            Looked::Renewed => {
                tracing::info!("new certificates are in force");
                None
            }
            Looked::Refused(error) => Some(error.report(false)),
        };
        if let Some(report) = report
            .as_ref()
            .filter(|report| **report != self.refused_certificates)
        {
            tracing::error!(report, "certificates refused; those in force stay");
        }
        self.refused_certificates = report.clone().unwrap_or_default();
        report
    }

    fn turn_of_policy(&mut self) -> ReloadOutcome {
        let outcome = match self.is_in_force() {
            Ok(true) => {
                self.store.confirm();
                return ReloadOutcome::Unchanged;
            }
            Ok(false) => self.load(),
            Err(error) => Err(error),
        };
        match outcome {
            Ok(revision) => {
                tracing::info!(target: "postern::policy", %revision, "policy in force");
                ReloadOutcome::Loaded {
                    revision: revision.short(),
                }
            }
            Err(error) => self.refused(error.report(false)),
        }
    }

    /// Loads the files and puts them into force.
    pub(super) fn load(&mut self) -> Result<Revision, LoadError> {
        let options = &self.options;
        self.keys_read = None;
        let loaded = load::load_policy(&options.policy, options.keys.clone(), options.limits)?;
        let (revision, keys) = (loaded.revision.clone(), loaded.key_reference().cloned());
        self.keys_read.clone_from(&keys);
        let signers = options.signers.as_ref();
        let version = signers.map(|signers| signers.judge(&options.policy, &revision));
        let version = version.transpose()?;
        let running = self.store.snapshot();
        let snapshot =
            loaded.snapshot(Arc::clone(&options.clock), running.authenticator.as_deref())?;
        let before = match &self.loaded {
            Some(before) => before.short(),
            None => String::new(),
        };
        if let (Some(signers), Some(version)) = (signers, &version) {
            signers.keep(version)?;
        }
        options
            .evidence
            .record_and_wait(&Event::Act(Act::PolicyLoaded {
                revision: &revision.short(),
                before: &before,
            }))?;
        self.store.publish(snapshot, options.clock.wall());
        self.loaded = Some(revision.clone());
        self.keys = keys;
        Ok(revision)
    }

    /// Puts on record that the first policy does not come into force. The process ends after that, so it is waited
    /// for; where it cannot be put on record, the log says why.
    pub(super) fn refused_at_start(&self, report: &str) {
        let refused = Event::Act(Act::PolicyRefused {
            revision: "",
            refused: &self.revision_on_disk(),
            report,
        });
        if let Err(error) = self.options.evidence.record_and_wait(&refused) {
            tracing::error!(%error, "the refusal of the policy is not on record");
        }
    }

    /// Notes a refusal; it is said loudly once, and not again while the same files lie there.
    pub(super) fn refused(&self, report: String) -> ReloadOutcome {
        if self.store.refuse(&report, self.lying()) {
            let revision = self
                .loaded
                .as_ref()
                .map(Revision::short)
                .unwrap_or_default();
            let refused = Act::PolicyRefused {
                revision: &revision,
                refused: &self.revision_on_disk(),
                report: &report,
            };
            // Nothing changes, so nobody waits.
            drop(self.options.evidence.record(&Event::Act(refused)));
            tracing::error!(
                target: "postern::policy",
                report,
                "policy refused; the one in force stays"
            );
        }
        ReloadOutcome::Refused { report }
    }

    fn is_in_force(&self) -> Result<bool, LoadError> {
        let Some(loaded) = &self.loaded else {
            return Ok(false);
        };
        let policy = &self.options.policy;
        let on_disk = load::revision_on_disk(policy, self.keys.as_ref())?;
        if on_disk != *loaded {
            return Ok(false);
        }
        if let Some(signers) = &self.options.signers {
            // SECURITY: the same policy may have got another note, with which it would not start.
            signers.judge_again(policy, loaded)?;
        }
        Ok(true)
    }

    /// The revision of what lies there, in force or not; empty when it cannot be read.
    fn revision_on_disk(&self) -> String {
        let keys = self.keys_read.as_ref();
        let revision = load::revision_on_disk(&self.options.policy, keys);
        revision.as_ref().map(Revision::short).unwrap_or_default()
    }

    /// What tells one set of files from another: what each holds, or why it cannot be read.
    fn lying(&self) -> Revision {
        let policy = &self.options.policy;
        let held = |read: Result<Vec<u8>, LoadError>| match read {
            Ok(bytes) => ("read", bytes),
            Err(error) => ("unread", error.to_string().into_bytes()),
        };
        let keys = self.keys_read.as_ref();
        let keys = keys.map(|keys| load::resolve(keys, load::base_of(policy)));
        let note = self.note().map(|note| load::read_reference(&note));
        let files = std::iter::once(load::read_reference(policy));
        let held: Vec<_> = files.chain(note).chain(keys).map(held).collect();
        let parts: Vec<_> = held.iter().map(|(how, it)| (*how, it.as_slice())).collect();
        Revision::of_closure(&parts)
    }
}
