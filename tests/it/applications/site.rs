//! A desk behind a name: the address that clients know, and what stands behind it, Postern or nothing.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{KeyPair, PublicKeyData};
use sha2::{Digest, Sha256};

use super::agent::Agent;
use super::desk::Desk;
use super::relay::{Onward, Relay};
use super::starter::Application;
use crate::postern::{self, Setting, start_with};
use crate::secure::Authority;

/// An address with TLS that keeps what it passes on.
pub(super) struct Door {
    authority: Authority,
    certificate: (String, String),
    /// The relay in front.
    pub(super) front: Relay,
}

/// A desk behind a door.
pub(super) struct Site {
    /// Which one.
    pub(super) desk: Desk,
    /// Where clients come in.
    pub(super) door: Door,
    /// The desk itself.
    pub(super) application: Application,
}

impl Door {
    /// A door that leads nowhere yet.
    pub(super) async fn new() -> Self {
        let authority = Authority::new();
        let certificate = authority.sign("localhost");
        let front = Relay::secure(&certificate).await;
        Self {
            authority,
            certificate,
            front,
        }
    }

    /// The origin that clients know.
    pub(super) fn origin(&self) -> String {
        format!("https://localhost:{}", self.front.address().port())
    }

    /// What a browser has to trust: the SHA-256 of the certificate's key, in base64.
    pub(super) fn trusted(&self) -> String {
        let key = KeyPair::from_pem(&self.certificate.1).unwrap();
        STANDARD.encode(Sha256::digest(key.subject_public_key_info()))
    }

    /// A client without cookies.
    pub(super) fn agent(&self) -> Agent {
        let config = self.authority.client(b"http/1.1", None);
        Agent::new(self.front.address(), Some(Arc::new(config)))
    }

    /// Puts a Postern with this policy between the door and what the relay leads to.
    pub(super) async fn guard(
        &self,
        policy: String,
        behind: &Relay,
        setting: Setting,
    ) -> postern::Stage {
        let setting = Setting {
            policy,
            listen: self.listen(),
            files: self.authority.files(),
            ..setting
        };
        let stage = start_with(&setting, behind.address()).await;
        let config = self.authority.client(b"http/1.1", None);
        self.front
            .lead_to(Onward::Tls(stage.address(), Arc::new(config)));
        stage
    }

    /// What Postern listens on, and the host that clients know it by: browsers bind sessions to an origin.
    fn listen(&self) -> String {
        let port = self.front.address().port();
        let tls = "tls: { cert: 'file:cert.pem', key: 'file:key.pem' }";
        format!("{{ address: '127.0.0.1:0', hosts: 'localhost:{port}', {tls} }}")
    }
}

impl Site {
    /// Starts a desk; none where it cannot be installed.
    pub(super) async fn of(desk: Desk) -> Option<Self> {
        let door = Door::new().await;
        let application = Application::start(desk, &format!("{}/", door.origin())).await?;
        Some(Self {
            desk,
            door,
            application,
        })
    }
}
