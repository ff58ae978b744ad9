//! The proof of a key that a request brings (RFC 9449 section 7): checked for this request and its handle,
//! at the origins that the server file names, and good once on whichever replica.

use std::time::SystemTime;

use http::HeaderMap;
use http::header::HeaderName;

use crate::clock::unix_millis;
use crate::session::dpop::{DpopError, DpopVerifier, Proven};
use crate::session::store::{SessionStore, StoreError};
use crate::session::vault::Handle;

/// The field that brings a proof.
pub const DPOP: HeaderName = HeaderName::from_static("dpop");
/// The field of an answer that gives a nonce (RFC 9449 section 8.2).
pub const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// What a request shows of a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ShownDpop {
    /// Nothing.
    #[default]
    Absent,
    /// Its sender holds the key with this thumbprint.
    Proven(String),
    /// A proof that does not hold.
    Refused(DpopRefusal),
}

/// Why a proof is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DpopRefusal {
    /// It is not one for this request.
    Proof,
    /// It was used before.
    Replay,
    /// It needs a nonce of ours, which the answer brings in [`DPOP_NONCE`]: [`DpopVerifier::nonce`].
    Nonce,
    /// It is one of another key than the session's.
    OtherKey,
}

impl DpopRefusal {
    /// The code of RFC 9449 sections 7.1 and 9.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Proof | Self::Replay => "invalid_dpop_proof",
            Self::Nonce => "use_dpop_nonce",
            Self::OtherKey => "invalid_token",
        }
    }
}

/// A request that may bring a proof.
#[derive(Debug, Clone, Copy)]
pub struct DpopRequest<'a> {
    /// Its fields.
    pub headers: &'a HeaderMap,
    /// Its method.
    pub method: &'a str,
    /// Its canonical path.
    pub path: &'a str,
    /// The handle that it is authorized with.
    pub handle: &'a Handle,
    /// The thumbprint that the session is bound to, if it is.
    pub bound_to: Option<&'a str>,
}

/// Checks the proof that a request brings.
///
/// # Errors
/// The store cannot say whether it was used before: nothing may be done with it.
pub async fn shown_dpop(
    request: &DpopRequest<'_>,
    verifier: &DpopVerifier,
    store: &dyn SessionStore,
    now: SystemTime,
) -> Result<ShownDpop, StoreError> {
    let fields = request.headers.get_all(DPOP).iter();
    // What is no text is no proof, and fails the checks as such.
    let proofs: Vec<&str> = fields
        .map(|field| field.to_str().unwrap_or_default())
        .collect();
    if proofs.is_empty() {
        return Ok(ShownDpop::Absent);
    }
    let handle = request.handle.text();
    let proven = Proven {
        proofs: &proofs,
        method: request.method,
        path: request.path,
        token: &handle,
        bound_to: request.bound_to,
    };
    let checked = match verifier.check(&proven, now) {
        Ok(checked) => checked,
        Err(error) => {
            return Ok(ShownDpop::Refused(match error {
                DpopError::Proof(_) => DpopRefusal::Proof,
                DpopError::Nonce => DpopRefusal::Nonce,
                DpopError::OtherKey => DpopRefusal::OtherKey,
            }));
        }
    };
    let times = (checked.made, checked.until);
    let first = store.is_first(&checked.replay, times, unix_millis(now));
    Ok(match first.await? {
        true => ShownDpop::Proven(checked.thumbprint),
        false => ShownDpop::Refused(DpopRefusal::Replay),
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::session::EmbeddedSessions;
    use crate::session::samples::{Browser, NOW};

    const TARGET: (&str, &str) = ("POST", "https://desk.example/cases/1");

    /// What the proofs show in a request to POST /cases/1 that says to be for another host.
    async fn shown(
        store: &EmbeddedSessions,
        proofs: &[&str],
        (needs_nonce, bound_to): (bool, Option<&str>),
    ) -> ShownDpop {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::HOST, "other.example".parse().unwrap());
        for proof in proofs {
            headers.append(DPOP, proof.parse().unwrap());
        }
        let request = DpopRequest {
            headers: &headers,
            method: "POST",
            path: "/cases/1",
            handle: &Handle::new([7; 32]),
            bound_to,
        };
        let origins = ["https://desk.example".to_owned()];
        let verifier = DpopVerifier::new(&origins, &[1; 32], needs_nonce);
        let now = UNIX_EPOCH + Duration::from_millis(NOW);
        shown_dpop(&request, &verifier, store, now).await.unwrap()
    }

    #[tokio::test]
    async fn a_proof_for_this_request_and_handle_is_good_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = EmbeddedSessions::open(&folder.path().join("sessions"), 0).unwrap();
        let (browser, handle) = (Browser::new(), Handle::new([7; 32]).text());
        let any = (false, None);
        assert_eq!(shown(&store, &[], any).await, ShownDpop::Absent);
        let proof = browser.dpop(TARGET, &handle, "one");
        let ShownDpop::Proven(key) = shown(&store, &[&proof], any).await else {
            panic!("not proven");
        };
        let refused = ShownDpop::Refused;
        let again = shown(&store, &[&proof], any).await;
        assert_eq!(again, refused(DpopRefusal::Replay));
        let another = browser.dpop(TARGET, &handle, "two");
        let bound = shown(&store, &[&another], (false, Some(&key))).await;
        assert_eq!(bound, ShownDpop::Proven(key));
        let host = ("POST", "https://other.example/cases/1");
        let token = Handle::new([8; 32]).text();
        for proofs in [
            vec![browser.dpop(host, &handle, "three")],
            vec![browser.dpop(("GET", TARGET.1), &handle, "three")],
            vec![browser.dpop(TARGET, &token, "three")],
            vec![another, browser.dpop(TARGET, &handle, "three")],
            vec!["\u{e9}".to_owned()],
        ] {
            let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
            let shown = shown(&store, &proofs, any).await;
            assert_eq!(shown, refused(DpopRefusal::Proof), "{proofs:?}");
        }
        let three = browser.dpop(TARGET, &handle, "three");
        let other = shown(&store, &[&three], (false, Some("other"))).await;
        assert_eq!(other, refused(DpopRefusal::OtherKey));
        let nonce = shown(&store, &[&three], (true, None)).await;
        assert_eq!(nonce, refused(DpopRefusal::Nonce));
        // None of that used it up.
        let good = shown(&store, &[&three], any).await;
        assert!(matches!(good, ShownDpop::Proven(_)));
    }
}
