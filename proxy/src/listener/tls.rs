//! The TLS side of the data listener: TLS 1.3 only, HTTP/2 or HTTP/1.1 by ALPN, and client
//! certificates where the server file names who signs them.
//!
//! SECURITY: sessions are not resumed. A resumed session skips the check of the client's certificate,
//! so that a withdrawn authority would go on counting (spec 08, trap T4). Early data is off: it can be
//! replayed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pingora::listeners::tls::Acceptor;
use postern_config::secret::Reference;
use postern_config::server::ListenTls;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::certificate::Validity;

use crate::load;
use crate::start::StartError;

const CERT: &str = "listen.tls.cert";
const KEY: &str = "listen.tls.key";
const CLIENT_CA: &str = "listen.tls.client_ca";
/// How long before a certificate's end that is said.
const SOON: Duration = Duration::from_hours(7 * 24);

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
    say_how_long(chain.first(), &tls.cert);
    let mut config = builder
        .with_single_cert(chain, private_key(tls, base)?)
        .map_err(|error| no_pair(tls, &error))?;
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
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| {
        match matches!(error, pem::Error::NoItemsFound) {
            true => missing(KEY, "private key", &tls.key),
            false => tls_error(KEY, &error),
        }
    })
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
        return Err(missing(field, "certificate", reference));
    }
    Ok(chain)
}

/// Says when clients will not take the server's certificate, today or within a week.
fn say_how_long(certificate: Option<&CertificateDer<'_>>, reference: &Reference) {
    let parsed = certificate.and_then(|der| x509_parser::parse_x509_certificate(der).ok());
    let Some((_rest, certificate)) = parsed else {
        return;
    };
    let (validity, file) = (certificate.validity(), shown(reference));
    let (from, until) = (validity.not_before, validity.not_after);
    match lasts(validity) {
        Lasts::Well => {}
        Lasts::Soon => tracing::warn!(%file, %until, "the server's certificate ends soon"),
        Lasts::NotNow => {
            tracing::warn!(%file, %from, %until, "the server's certificate is not valid now: clients refuse it");
        }
    }
}

/// How a certificate's time stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lasts {
    Well,
    Soon,
    NotNow,
}

fn lasts(validity: &Validity) -> Lasts {
    match validity.time_to_expiration() {
        None => Lasts::NotNow,
        Some(left) if left < SOON => Lasts::Soon,
        Some(_) => Lasts::Well,
    }
}

fn missing(field: &'static str, what: &str, reference: &Reference) -> StartError {
    StartError::Tls {
        field,
        message: format!("there is no {what} in PEM in `{}`", shown(reference)),
    }
}

/// The certificate and the key cannot be used together.
fn no_pair(tls: &ListenTls, error: &rustls::Error) -> StartError {
    let (cert, key) = (shown(&tls.cert), shown(&tls.key));
    let message = match matches!(error, rustls::Error::InconsistentKeys(_)) {
        true => format!("the key in `{key}` is not that of the certificate in `{cert}`"),
        false => format!("`{cert}` with `{key}`: {error}"),
    };
    StartError::Tls {
        field: CERT,
        message,
    }
}

/// A reference as people write it.
fn shown(reference: &Reference) -> String {
    match reference {
        Reference::File(path) => path.clone(),
        Reference::Env(name) => format!("env:{name}"),
    }
}

fn tls_error(field: &'static str, error: &dyn std::fmt::Display) -> StartError {
    StartError::Tls {
        field,
        message: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn lasts_until(year: i32) -> Lasts {
        let mut parameters = CertificateParams::new(vec!["desk.example".to_owned()]).unwrap();
        parameters.not_before = date_time_ymd(2020, 1, 1);
        parameters.not_after = date_time_ymd(year, 1, 1);
        let certificate = parameters.self_signed(&KeyPair::generate().unwrap());
        let der = certificate.unwrap().der().clone();
        let (_rest, parsed) = x509_parser::parse_x509_certificate(&der).unwrap();
        lasts(parsed.validity())
    }

    #[test]
    fn a_certificate_whose_time_is_over_is_told_from_one_that_lasts() {
        assert_eq!(lasts_until(2021), Lasts::NotNow);
        assert_eq!(lasts_until(2120), Lasts::Well);
    }
}
