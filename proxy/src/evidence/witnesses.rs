//! Asks witnesses to cosign what is published (C2SP tlog-witness), and believes them when they know more.
//!
//! ```text
//! every checkpoint: published head + consistency proof ─▶ each witness ─▶ cosignature ─▶ the checkpoint
//!                                          409 ◀─ again from its size ┘  └─ larger, or another tree: stop
//! ```
//!
//! No exchange waits for any of this. A witness that cannot be reached changes nothing but the metric; one
//! that has seen more of this log than is here, or another tree, ends it: it was rolled back or forked.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::CONTENT_TYPE;
use http_body_util::Full;
use postern_audit::{
    Asking, Disk, Hash, Heard, KeyKind, LogError, Note, SignatureLine, TileReader, VerifierKey,
    WithProofs, last_signed, prove_consistency, witness_size,
};
use postern_config::server::WitnessAddress;
use rustls::RootCertStore;

use super::{EvidenceError, Kept};
use crate::clock::Clock;
use crate::endpoint::{self, CallError, Endpoint};

/// How long one witness may take for one answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);
/// The longest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 16 << 10;
/// How often a witness is asked again from the size that it says.
const TRIES_MAX: usize = 3;

/// A witness that is asked.
#[derive(Debug)]
pub(super) struct Asked {
    key: VerifierKey,
    endpoint: Endpoint,
    /// What it has cosigned last, as far as is known.
    size: AtomicU64,
}

/// What witnesses know of a log that is about to be opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// The largest size.
    pub(super) size: Option<u64>,
    /// A size at which one has seen another tree.
    pub(super) forked: Option<u64>,
}

/// What became of asking one witness.
enum Outcome {
    Cosigned(SignatureLine),
    Ahead(u64),
    Forked(u64),
    /// Nothing, this time.
    Nothing,
}

impl Asked {
    /// # Errors
    /// The address or the key is of no use.
    pub(super) fn new(address: &WitnessAddress, base: &Path) -> Result<Self, EvidenceError> {
        let wrong = |message: String| EvidenceError::Anchor {
            field: "witnesses",
            message,
        };
        let key = VerifierKey::parse(&address.key).filter(|key| key.kind() == KeyKind::Witness);
        let key = key.ok_or_else(|| {
            let what = "is no key of a witness; copy it anew from what the witness says";
            wrong(format!("`{}` {what}", address.key))
        })?;
        let roots = match &address.ca {
            None => None,
            Some(reference) => {
                let mut roots = RootCertStore::empty();
                let certificates =
                    crate::listener::certificates(reference, base, "audit.witnesses.ca");
                for certificate in certificates.map_err(|error| wrong(error.to_string()))? {
                    let added = roots.add(certificate);
                    added.map_err(|error| wrong(error.to_string()))?;
                }
                Some(roots)
            }
        };
        let endpoint = Endpoint::parse(&address.url, || {
            roots.map_or_else(endpoint::system_roots, Ok)
        });
        Ok(Self {
            key,
            endpoint: endpoint.map_err(|error| wrong(format!("`{}`: {error}", address.url)))?,
            size: AtomicU64::new(0),
        })
    }

    /// Takes a head to the witness, with a proof from the size that it is thought to have seen. `prove` makes
    /// another proof when it has seen something else.
    async fn ask<P, F>(&self, asking: &Asking, first: Vec<Hash>, prove: P) -> Outcome
    where
        P: Fn(u64) -> F,
        F: Future<Output = Option<Vec<Hash>>>,
    {
        let mut old = self.size.load(Ordering::Relaxed);
        let mut proof = first;
        for _ in 0..TRIES_MAX {
            let answer = match self.post(asking.request(old, &proof)).await {
                Ok(answer) => answer,
                Err(error) => {
                    tracing::warn!(witness = self.key.name(), %error, "a witness cannot be asked");
                    return Outcome::Nothing;
                }
            };
            let heard = asking.hear(old, &self.key, (answer.0, &answer.1));
            match heard {
                Heard::Cosigned(line) => {
                    self.size.store(asking.checkpoint().size, Ordering::Relaxed);
                    return Outcome::Cosigned(line);
                }
                Heard::Ahead { size } => return Outcome::Ahead(size),
                Heard::Forked { size } => return Outcome::Forked(size),
                Heard::Behind { size } => {
                    self.size.store(size, Ordering::Relaxed);
                    old = size;
                    match prove(size).await {
                        Some(another) => proof = another,
                        None => return Outcome::Nothing,
                    }
                }
                Heard::Unknown | Heard::Useless { .. } => {
                    tracing::warn!(
                        witness = self.key.name(),
                        status = answer.0,
                        "a witness does not cosign"
                    );
                    return Outcome::Nothing;
                }
            }
        }
        Outcome::Nothing
    }

    async fn post(&self, body: String) -> Result<(u16, Bytes), CallError> {
        let request = self.endpoint.request(Method::POST, "/add-checkpoint");
        let request = request
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .body(Full::from(body))
            .map_err(|_invalid| CallError::Connect)?;
        let (status, body) = self
            .endpoint
            .call(request, ANSWER_BYTES_MAX, ANSWER_TIME_MAX)
            .await?;
        Ok((status.as_u16(), body))
    }
}

/// Asks every witness what it knows of the log on a disk, before anything is written there.
///
/// # Errors
/// What is there cannot be read.
pub(super) async fn ask_before_opening(
    witnesses: &Arc<[Asked]>,
    disk: Arc<dyn Disk>,
) -> Result<Known, EvidenceError> {
    if witnesses.is_empty() {
        return Ok(Known::default());
    }
    let (asked, read) = (Arc::clone(witnesses), Arc::clone(&disk));
    let reading = tokio::task::spawn_blocking(move || {
        for witness in asked.iter() {
            let size = witness_size(read.as_ref(), &witness.key);
            witness.size.store(size, Ordering::Relaxed);
        }
        last_signed(read.as_ref())
    });
    let note = reading.await.map_err(|_panicked| EvidenceError::Fault)?;
    let note = note.map_err(postern_audit::OpenError::Disk)?;
    let Some(asking) = note.as_deref().and_then(Asking::new) else {
        return Ok(Known::default());
    };
    let new = asking.checkpoint().size;
    let prove = |old: u64| {
        let disk = Arc::clone(&disk);
        let proving = tokio::task::spawn_blocking(move || proof_on(disk.as_ref(), old, new));
        async move { proving.await.ok().flatten() }
    };
    let each = witnesses.iter().map(async |witness| {
        let old = witness.size.load(Ordering::Relaxed);
        if old > new {
            // It is remembered here that there was more.
            return Outcome::Ahead(old);
        }
        match prove(old).await {
            Some(proof) => witness.ask(&asking, proof, prove).await,
            None => Outcome::Nothing,
        }
    });
    let mut known = Known::default();
    for outcome in futures::future::join_all(each).await {
        match outcome {
            Outcome::Ahead(size) => known.size = known.size.max(Some(size)),
            Outcome::Forked(size) => known.forked = known.forked.or(Some(size)),
            Outcome::Cosigned(_) | Outcome::Nothing => {}
        }
    }
    Ok(known)
}

fn proof_on(disk: &dyn Disk, old: u64, new: u64) -> Option<Vec<Hash>> {
    let mut tiles = TileReader::new(new, |tile| disk.read(&tile.path()));
    prove_consistency(old, new, &mut tiles).ok().flatten()
}

/// Asks after each new checkpoint, until the log is closed.
pub(super) async fn run(kept: Weak<Kept>, clock: Arc<dyn Clock>) {
    let mut tick = tokio::time::interval(match kept.upgrade() {
        Some(kept) => kept.anchors.every(),
        None => return,
    });
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut cosigned = Vec::new();
    loop {
        tick.tick().await;
        let Some(witnesses) = kept
            .upgrade()
            .map(|kept| Arc::clone(kept.anchors.witnesses()))
        else {
            return;
        };
        if witnesses.is_empty() {
            return;
        }
        // What each has cosigned last: asked again, it would sign the same with another time.
        cosigned.resize(witnesses.len(), String::new());
        round(&kept, (&witnesses, &mut cosigned), clock.as_ref()).await;
        if let Some(kept) = kept.upgrade() {
            kept.anchors.look(clock.as_ref());
        }
    }
}

/// Takes the published head to every witness that has not cosigned its text yet.
async fn round(
    kept: &Weak<Kept>,
    (witnesses, cosigned): (&Arc<[Asked]>, &mut [String]),
    clock: &dyn Clock,
) {
    let sizes: Vec<u64> = witnesses
        .iter()
        .map(|witness| witness.size.load(Ordering::Relaxed))
        .collect();
    let published = on_log(kept, move |kept| kept.log.asking(&sizes)).await;
    let Some(Ok(Some(WithProofs { asking, proofs }))) = published else {
        return;
    };
    let again = |old: u64| {
        let text = asking.text().to_owned();
        let proving = on_log(kept, move |kept| {
            let now = kept.log.asking(&[old]).ok().flatten()?;
            // Another head has been published: the next round takes that one.
            (now.asking.text() == text).then(|| now.proofs.into_iter().next())?
        });
        async move { proving.await.flatten() }
    };
    let waiting = witnesses.iter().zip(cosigned).zip(proofs);
    let waiting = waiting.filter(|((_, cosigned), _)| cosigned.as_str() != asking.text());
    let asked = waiting.map(async |((witness, cosigned), proof)| {
        let outcome = witness.ask(&asking, proof, again).await;
        (witness, cosigned, outcome)
    });
    let (mut lines, mut signed) = (Vec::new(), Vec::new());
    for (witness, cosigned, outcome) in futures::future::join_all(asked).await {
        match outcome {
            Outcome::Cosigned(line) => {
                signed.push(cosigned);
                lines.push((witness.key.clone(), line));
            }
            Outcome::Ahead(known) | Outcome::Forked(known) => stop(kept, witness, known).await,
            Outcome::Nothing => {}
        }
    }
    if lines.is_empty() {
        return;
    }
    if let Some(kept) = kept.upgrade() {
        kept.anchors.note_cosigned(clock);
    }
    let text = asking.text().to_owned();
    match on_log(kept, move |kept| store(kept, &asking, lines)).await {
        // What cannot be kept is asked for again.
        Some(Err(error)) => tracing::error!(%error, "cosignatures cannot be kept"),
        Some(Ok(_)) => signed
            .into_iter()
            .for_each(|cosigned| text.clone_into(cosigned)),
        None => {}
    }
}

/// Keeps cosignatures with the checkpoint, and which witness has seen how much.
fn store(
    kept: &Kept,
    asking: &Asking,
    lines: Vec<(VerifierKey, SignatureLine)>,
) -> Result<(), LogError> {
    let size = asking.checkpoint().size;
    let (keys, lines): (Vec<VerifierKey>, Vec<SignatureLine>) = lines.into_iter().unzip();
    match kept.log.cosign(asking.text(), lines.clone()) {
        Err(LogError::Superseded) => {
            let mut note: Note = asking.note().clone();
            lines.into_iter().for_each(|line| note.add(line));
            kept.log.keep_cosigned(&note)?;
        }
        cosigned => cosigned?,
    }
    keys.iter()
        .try_for_each(|key| kept.log.remember_witness(key, size))
}

/// The log was rolled back or forked: nothing is put on record any more, and so nothing is answered.
async fn stop(kept: &Weak<Kept>, witness: &Asked, known: u64) {
    tracing::error!(
        witness = witness.key.name(),
        known,
        "a witness knows more of the audit log than is here, or another one: it was rolled back or forked, and takes no entries"
    );
    on_log(kept, |kept| kept.log.stop_for_rollback())
        .await
        .unwrap_or_default();
}

/// Does something with the log off the runtime's threads, and holds it no longer. Nothing when it is closed.
async fn on_log<T: Send + 'static>(
    kept: &Weak<Kept>,
    act: impl FnOnce(&Kept) -> T + Send + 'static,
) -> Option<T> {
    let kept = kept.upgrade()?;
    tokio::task::spawn_blocking(move || act(&kept)).await.ok()
}
