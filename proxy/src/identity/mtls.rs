//! Identity from the client certificate of a mutual TLS connection.
//!
//! The certificate was verified when the connection was made; here it is only read. The subject is the
//! one name the policy asks for: the first DNS name or e-mail address, or the only URI (SPIFFE X.509-SVID
//! section 2) or common name. A certificate with none of that kind, or several of the latter, names
//! nobody.

use postern_config::identity::{CertificateName, MtlsRule, RoleMap};
use postern_filters::Identity;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::{IdentityError, PeerFacts, is_name, refuse};

/// Reads the subject and its roles from a verified certificate.
pub(super) struct CertificateReader {
    subject: CertificateName,
    roles: RoleMap,
}

impl CertificateReader {
    pub(super) fn new(rule: &MtlsRule) -> Self {
        Self {
            subject: rule.subject,
            roles: rule.roles.clone(),
        }
    }

    pub(super) fn read(&self, peer: &PeerFacts) -> Result<Identity, IdentityError> {
        let der = peer.certificate.as_deref().ok_or(IdentityError::Missing)?;
        let Ok((rest, certificate)) = X509Certificate::from_der(der) else {
            return Err(refuse("certificate"));
        };
        if !rest.is_empty() {
            return Err(refuse("certificate"));
        }
        let names = self.names(&certificate)?;
        let only_one = match self.subject {
            CertificateName::SanUri | CertificateName::CommonName => true,
            CertificateName::SanDns | CertificateName::SanEmail => false,
        };
        let (Some(subject), true) = (names.first(), names.len() == 1 || !only_one) else {
            return Err(refuse("certificate-name"));
        };
        if !is_name(subject) {
            return Err(refuse("name"));
        }
        Ok(Identity {
            issuer: "mtls".to_owned(),
            subject: (*subject).to_owned(),
            tenant: None,
            groups: self.roles.roles_of(subject),
        })
    }

    /// Every name of the kind the policy asks for.
    fn names<'c>(
        &self,
        certificate: &'c X509Certificate<'_>,
    ) -> Result<Vec<&'c str>, IdentityError> {
        if self.subject == CertificateName::CommonName {
            return certificate
                .subject()
                .iter_common_name()
                .map(|name| name.as_str().map_err(|_unread| refuse("certificate-name")))
                .collect();
        }
        // An error here is a certificate with the extension twice.
        let extension = certificate
            .subject_alternative_name()
            .map_err(|_unread| refuse("certificate"))?;
        let names = extension.map_or(&[][..], |extension| &extension.value.general_names);
        Ok(names.iter().filter_map(|name| self.wanted(name)).collect())
    }

    fn wanted<'n>(&self, name: &'n GeneralName<'_>) -> Option<&'n str> {
        match (self.subject, name) {
            (CertificateName::SanUri, GeneralName::URI(text))
            | (CertificateName::SanDns, GeneralName::DNSName(text))
            | (CertificateName::SanEmail, GeneralName::RFC822Name(text)) => Some(text),
            (
                CertificateName::SanUri
                | CertificateName::SanDns
                | CertificateName::SanEmail
                | CertificateName::CommonName,
                _,
            ) => None,
        }
    }
}

#[cfg(test)]
mod tests;
