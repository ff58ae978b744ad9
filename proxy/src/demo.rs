//! The demo of `postern run`: a case API in the process, a policy in front of it, and tokens for four
//! roles, so that one command shows what Postern does.
//!
//! It is for looking at: its cases are invented, it listens on loopback unless told otherwise, and its
//! keys are made at each start. The case API is also an origin for tests ([`api`]).

pub mod api;
pub mod cases;
mod folder;
pub(crate) mod random;
mod tokens;
mod welcome;
mod words;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub use folder::{Addresses, Folder, POLICY};
pub use tokens::NoRandomness;
pub use welcome::welcome;

use folder::{Claim, Contents};
use tokens::SigningKey;

/// The roles of the demo's policy.
pub const ROLES: [&str; 4] = ["agent", "contractor", "supervisor", "auditor"];

/// The ports the demo takes when they are free: clients, admin, case API.
const PORTS: [u16; 3] = [8080, 9090, 3000];

/// Where the demo is to listen and to write; what is not said is chosen.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// The folder for its files.
    pub folder: PathBuf,
    /// Where clients connect.
    pub listen: Option<SocketAddr>,
    /// The admin listener.
    pub admin: Option<SocketAddr>,
    /// The case API.
    pub api: Option<SocketAddr>,
}

/// A demo whose case API runs and whose files are written; Postern itself is not started yet.
pub struct Demo {
    /// Where everything listens.
    pub addresses: Addresses,
    /// The files.
    pub folder: Folder,
    /// A token for each role.
    pub tokens: Vec<(&'static str, String)>,
    /// What is worth knowing about this start, a line each.
    pub notes: Vec<String>,
    _claim: Claim,
}

impl std::fmt::Debug for Demo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Demo")
            .field("addresses", &self.addresses)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

/// Why the demo cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// An address that was asked for cannot be had.
    #[error("cannot listen on `{address}`: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        error: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write `{path}`: {error}; `--state DIR` chooses another folder")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// Another demo works in the folder.
    #[error("a demo already runs in `{folder}`; `--state DIR` chooses another folder")]
    Running {
        /// The folder.
        folder: PathBuf,
    },
    /// The case API cannot be started.
    #[error("cannot start the case API: {0}")]
    Api(io::Error),
    /// No keys can be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

impl Demo {
    /// Chooses the addresses, starts the case API on a thread of its own, and writes the files.
    ///
    /// # Errors
    /// See [`DemoError`].
    pub fn prepare(wishes: &Wishes, now: SystemTime) -> Result<Self, DemoError> {
        let written = |(path, error)| DemoError::Write { path, error };
        let Some(claim) = folder::claim(&wishes.folder).map_err(written)? else {
            let folder = wishes.folder.clone();
            return Err(DemoError::Running { folder });
        };
        let mut notes = Vec::new();
        let mut bind = |wish, port| listen_or_free(wish, port, &mut notes);
        let [listen_port, admin_port, api_port] = PORTS;
        let listen = bind(wishes.listen, listen_port)?;
        let admin = bind(wishes.admin, admin_port)?;
        let api = bind(wishes.api, api_port)?;
        let address = |listener: &TcpListener| listener.local_addr().map_err(DemoError::Api);
        let addresses = Addresses {
            listen: address(&listen)?,
            admin: address(&admin)?,
            api: address(&api)?,
        };
        // Postern binds these two itself; they were only held until all three were chosen.
        drop((listen, admin));
        start_api(api).map_err(DemoError::Api)?;

        let key = SigningKey::generate()?;
        let folder = write_folder(&wishes.folder, addresses, &key)?;
        if folder.policy_changed {
            notes.push("the policy is one you changed; delete it to get the demo's own".to_owned());
        }
        Ok(Self {
            addresses,
            folder,
            tokens: ROLES.map(|role| (role, key.token(role, now))).into(),
            notes,
            _claim: claim,
        })
    }
}

fn write_folder(root: &Path, addresses: Addresses, key: &SigningKey) -> Result<Folder, DemoError> {
    let pseudonym_key = hex::encode(tokens::random_bytes::<32>()?);
    let contents = Contents {
        addresses,
        key_set: &key.key_set(),
        pseudonym_key: &pseudonym_key,
    };
    Folder::write(root, &contents).map_err(|(path, error)| DemoError::Write { path, error })
}

/// Binds the wished address, or the usual port, or, when that is taken, any free one.
fn listen_or_free(
    wish: Option<SocketAddr>,
    port: u16,
    notes: &mut Vec<String>,
) -> Result<TcpListener, DemoError> {
    let address = wish.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let failed = |address| move |error| DemoError::Listen { address, error };
    match TcpListener::bind(address) {
        Ok(listener) => Ok(listener),
        Err(error) if wish.is_some() => Err(failed(address)(error)),
        Err(_taken) => {
            notes.push(format!("port {port} is taken, so another one is used"));
            let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            TcpListener::bind(any).map_err(failed(any))
        }
    }
}

/// Runs the case API on a thread and a runtime of its own, so that it is to Postern what a neighbour
/// on the network would be. It ends with the process.
fn start_api(listener: TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let serve = move || {
        runtime.block_on(async {
            if let Err(error) = serve_std(listener).await {
                tracing::error!(%error, "the demo's case API has ended");
            }
        });
    };
    std::thread::Builder::new()
        .name("demo-api".to_owned())
        .spawn(serve)
        .map(drop)
}

async fn serve_std(listener: TcpListener) -> io::Result<()> {
    api::serve(tokio::net::TcpListener::from_std(listener)?).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_port_that_is_taken_is_replaced_and_said_so() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let mut notes = Vec::new();
        let other = listen_or_free(None, port, &mut notes).unwrap();
        assert_ne!(other.local_addr().unwrap().port(), port);
        assert_eq!(
            notes,
            [format!("port {port} is taken, so another one is used")]
        );
    }

    #[test]
    fn a_wished_address_that_is_taken_is_an_error() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let refused = listen_or_free(Some(address), 0, &mut Vec::new());
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains(&address.to_string())
        );
    }
}
