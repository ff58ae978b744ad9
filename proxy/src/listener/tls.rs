//! The TLS side of the data listener: TLS 1.3 only, HTTP/2 or HTTP/1.1 by ALPN, and client
//! certificates where the server file names who signs them.
//!
//! SECURITY: sessions are not resumed. A resumed session skips the check of the client's certificate,
//! so that a withdrawn authority would go on counting (spec 08, trap T4). Early data is off: it can be
//! replayed.

use std::path::Path;
use std::sync::Arc;

use pingora::listeners::tls::Acceptor;
use postern_config::secret::Reference;
use postern_config::server::ListenTls;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::load;
use crate::start::StartError;

const CERT: &str = "listen.tls.cert";
const KEY: &str = "listen.tls.key";
const CLIENT_CA: &str = "listen.tls.client_ca";

/// Makes the acceptor that the server file asks for.
///
/// # Errors
/// A certificate or key cannot be read or is of no use.
pub(super) fn acceptor(tls: &ListenTls, base: &Path) -> Result<Acceptor, StartError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| tls_error("listen.tls", &error))?;
    let builder = match &tls.client_ca {
        None => builder.with_no_client_auth(),
        Some(reference) => builder.with_client_cert_verifier(verifier(reference, base, provider)?),
    };
    let chain = certificates(&tls.cert, base, CERT)?;
    let mut config = builder
        .with_single_cert(chain, private_key(tls, base)?)
        .map_err(|error| tls_error(CERT, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Acceptor::from_server_config(Arc::new(config)))
}

/// Everything that keeps an acceptor from being made, each with the key of the server file that it is about.
pub(super) fn faults(tls: &ListenTls, base: &Path) -> Vec<(&'static str, StartError)> {
    let provider = Arc::new(ring::default_provider());
    let authorities = tls.client_ca.as_ref();
    let each = [
        (CERT, certificates(&tls.cert, base, CERT).err()),
        (KEY, private_key(tls, base).err()),
        (
            CLIENT_CA,
            authorities.and_then(|reference| verifier(reference, base, provider).err()),
        ),
    ];
    let mut faults: Vec<_> = each
        .into_iter()
        .filter_map(|(key, error)| Some((key, error?)))
        .collect();
    if faults.is_empty() {
        // Each by itself is of use: together they may not be.
        faults.extend(acceptor(tls, base).err().map(|error| (CERT, error)));
    }
    faults
}

/// What checks the certificates of clients.
fn verifier(
    authorities: &Reference,
    base: &Path,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, StartError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authorities, base, CLIENT_CA)? {
        roots
            .add(certificate)
            .map_err(|error| tls_error(CLIENT_CA, &error))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| tls_error(CLIENT_CA, &error))
}

fn private_key(tls: &ListenTls, base: &Path) -> Result<PrivateKeyDer<'static>, StartError> {
    let pem = load::resolve(&tls.key, base)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| tls_error(KEY, &error))
}

/// The certificates of a PEM file; at least one.
pub(crate) fn certificates(
    reference: &Reference,
    base: &Path,
    field: &'static str,
) -> Result<Vec<CertificateDer<'static>>, StartError> {
    let pem = load::resolve(reference, base)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| tls_error(field, &error))?;
    if chain.is_empty() {
        return Err(StartError::Tls {
            field,
            message: "no certificate in the file".to_owned(),
        });
    }
    Ok(chain)
}

fn tls_error(field: &'static str, error: &dyn std::fmt::Display) -> StartError {
    StartError::Tls {
        field,
        message: error.to_string(),
    }
}
