//! Who is asking, and as what: the `identity` section of a policy.

mod session;

use core::net::IpAddr;

pub use session::{
    LoginRoute, LoginSuccess, RoleMap, SessionRoles, SessionRule, UserSource, typed_name,
};

use crate::secret::Reference;
use crate::selector::Selector;

/// How a policy recognises who is asking. Nobody without a role of the policy is let in.
#[derive(Debug, Clone)]
pub enum IdentityRule {
    /// A bearer JSON Web Token (RFC 7519).
    Jwt(JwtRule),
    /// A client certificate (mutual TLS).
    Mtls(MtlsRule),
    /// Headers set by a trusted neighbour.
    Header(HeaderRule),
    /// The application's own login.
    Session(SessionRule),
}

/// `from: jwt`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JwtRule {
    /// The only accepted `iss`.
    pub issuer: String,
    /// What `aud` must hold.
    pub audience: String,
    /// Where the JWK set is.
    pub keys: KeySource,
    /// Where the subject is in the claims.
    pub subject: Selector,
    /// Where the tenant is in the claims.
    pub tenant: Option<Selector>,
    /// Where the groups are in the claims.
    pub roles: Selector,
}

/// Where a JWK set is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file or an environment variable.
    Reference(Reference),
    /// An `https://` URL (`http://` only on loopback), fetched and cached.
    Url(String),
}

/// `from: mtls`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MtlsRule {
    /// Which name of the certificate is the subject.
    pub subject: CertificateName,
    /// Which roles a subject has.
    pub roles: RoleMap,
}

/// Which name of a client certificate names its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateName {
    /// The first URI of the subject alternative name.
    SanUri,
    /// The first DNS name of the subject alternative name.
    SanDns,
    /// The first e-mail address of the subject alternative name.
    SanEmail,
    /// The subject's common name.
    CommonName,
}

/// `from: header`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HeaderRule {
    /// The header that holds the subject.
    pub subject: String,
    /// The header that holds the tenant.
    pub tenant: Option<String>,
    /// The header that holds the roles, separated by commas.
    pub roles: String,
    /// The peers that may set them: loopback addresses or a Unix socket only.
    pub trusted: Vec<TrustedPeer>,
}

/// A peer whose identity headers are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustedPeer {
    /// Any process that can connect to our Unix socket.
    Unix,
    /// An address range; only loopback ranges are accepted.
    Net {
        /// The network's address.
        address: IpAddr,
        /// The number of leading bits that must agree.
        prefix: u8,
    },
}
