//! Hands the listening sockets over to the process that takes this one's place, so that a new binary is put in
//! without one connection being refused.
//!
//! ```text
//! new: reads its files ─▶ asks ─────────────────────────────▶ takes the sockets ─▶ opens the stores ─▶ accepts
//! old:                    accepts no more, drains, closes all ─▶ gives them, and ends
//! ```
//!
//! Guarantees: only the user that Postern runs as can ask, and only for the addresses that are listened on; no
//! two processes have the audit log or a store open at once; whoever connects in between waits in the kernel's
//! queue and is not refused. A process whose files are of no use does not ask. What runs for longer than `drain`
//! is cut, as at any other stop.

mod descriptors;

use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::listener::{Socket, Socket::Unix};

/// The socket in the state folder at which a successor asks.
const SOCKET: &str = "upgrade.sock";
/// What a successor says first; the number goes up when what follows changes.
const GREETING: &str = "postern-upgrade 1";
/// How long a successor may take to say what it wants.
const ASKING_TIME_MAX: Duration = Duration::from_secs(5);
/// How long to wait after no call could be taken, before the next.
const PAUSE: Duration = Duration::from_secs(1);
/// How long what it says may be, in bytes.
const ASKING_BYTES_MAX: u64 = 4 << 10;
/// What the old process says beside the sockets.
const GIVEN: &[u8] = b"given\n";

/// Where a process listens, as its server file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// For clients.
    pub listen: String,
    /// For operators.
    pub admin: String,
}

/// The listening sockets of the process before this one.
#[derive(Debug)]
pub struct Inherited {
    /// For clients.
    pub listen: OwnedFd,
    /// For operators.
    pub admin: OwnedFd,
}

impl Inherited {
    /// The socket for clients and that for operators, where there are any.
    pub(crate) fn parts(inherited: Option<Self>) -> (Option<OwnedFd>, Option<OwnedFd>) {
        inherited
            .map(|sockets| (sockets.listen, sockets.admin))
            .unzip()
    }
}

/// Why no process was taken over from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// Nobody is there.
    #[error("no Postern runs with `{}`: start this one without `--upgrade`", .0.display())]
    NobodyThere(PathBuf),
    /// Whether anybody is there cannot be found out.
    #[error("cannot ask the Postern that runs, at `{}`: {}", .0.display(), .1)]
    Unreachable(PathBuf, io::Error),
    /// It does not give its sockets away.
    #[error("the Postern that runs refuses: {0}")]
    Refused(String),
    /// It ended on the way, or something else is wrong.
    #[error("the Postern that runs did not hand over: {0}")]
    Broken(#[from] io::Error),
}

/// Takes over from the process that keeps its state in this folder: waits until it has drained and closed
/// everything. It blocks.
///
/// # Errors
/// See [`UpgradeError`]. After [`UpgradeError::Broken`] the other process may have ended.
pub fn take_over(state: &Path, addresses: &Addresses) -> Result<Inherited, UpgradeError> {
    let mut stream =
        UnixStream::connect(state.join(SOCKET)).map_err(|error| unasked(error, state))?;
    let Addresses { listen, admin } = addresses;
    stream.write_all(format!("{GREETING}\n{listen}\n{admin}\n").as_bytes())?;
    let mut said = [0; 512];
    let (length, sockets) = descriptors::receive(&stream, &mut said)?;
    let said = said.get(..length).unwrap_or_default();
    match <[OwnedFd; 2]>::try_from(sockets) {
        Ok([listen, admin]) if said == GIVEN => Ok(Inherited { listen, admin }),
        Ok(_) | Err(_) if said.is_empty() => {
            Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
        }
        Ok(_) | Err(_) => {
            let mut rest = Vec::new();
            (&stream).take(ASKING_BYTES_MAX).read_to_end(&mut rest)?;
            let said = [said, &rest].concat();
            Err(UpgradeError::Refused(
                String::from_utf8_lossy(&said).trim().to_owned(),
            ))
        }
    }
}

/// Why nobody could be asked. A socket that is left over refuses; one that another user has is there.
fn unasked(error: io::Error, state: &Path) -> UpgradeError {
    let nobody = [io::ErrorKind::NotFound, io::ErrorKind::ConnectionRefused];
    if nobody.contains(&error.kind()) {
        UpgradeError::NobodyThere(state.to_owned())
    } else {
        UpgradeError::Unreachable(state.join(SOCKET), error)
    }
}

/// A process that waits to take this one's place.
#[derive(Debug)]
pub struct Successor {
    stream: UnixStream,
}

impl Successor {
    /// Gives the sockets. Everything else must be closed by then.
    ///
    /// # Errors
    /// It is gone.
    pub(crate) fn give(self, sockets: &Inherited) -> io::Result<()> {
        let Inherited { listen, admin } = sockets;
        descriptors::send(&self.stream, GIVEN, &[listen, admin])
    }
}

/// Waits for a successor; the socket at which one asks is there while this is.
#[derive(Debug)]
pub struct Successors {
    asked: mpsc::Receiver<Successor>,
    task: JoinHandle<()>,
}

impl Successors {
    /// Listens in the state folder.
    ///
    /// # Errors
    /// The socket cannot be made there.
    pub(crate) fn listen(state: &Path, ours: Addresses) -> io::Result<Self> {
        let socket = Socket::bind_private(&state.join(SOCKET))?;
        let (tell, asked) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            let successor = first(&socket, &ours).await;
            // The successor makes its own.
            drop(socket);
            drop(tell.send(successor).await);
        });
        Ok(Self { asked, task })
    }

    /// The process that asks. Nothing is lost when this is dropped and called again.
    pub async fn next(&mut self) -> Successor {
        match self.asked.recv().await {
            Some(successor) => successor,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Successors {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The first process that asks for what we have.
async fn first(socket: &Socket, ours: &Addresses) -> Successor {
    loop {
        let Unix(listener, _) = socket else {
            return std::future::pending().await;
        };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        match tokio::time::timeout(ASKING_TIME_MAX, heard(stream, ours)).await {
            Ok(Ok(successor)) => return successor,
            Ok(Err(error)) => tracing::warn!(%error, "a process asked to take over, and may not"),
            Err(_late) => tracing::warn!("a process asked to take over, and did not say for what"),
        }
    }
}

/// Hears what a process asks for.
async fn heard(mut stream: tokio::net::UnixStream, ours: &Addresses) -> io::Result<Successor> {
    // SECURITY: the socket's mode says the same; on some systems it is not looked at.
    let asking = stream.peer_cred()?.uid();
    if asking != rustix::process::geteuid().as_raw() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let wanted = format!("{GREETING}\n{}\n{}\n", ours.listen, ours.admin);
    let mut said = Vec::new();
    let mut limited = (&mut stream).take(ASKING_BYTES_MAX);
    while said.iter().filter(|byte| **byte == b'\n').count() < 3 {
        if limited.read_buf(&mut said).await? == 0 {
            break;
        }
    }
    if said != wanted.as_bytes() {
        let Addresses { listen, admin } = ours;
        let refusal = format!(
            "it listens on `{listen}` and `{admin}`; start the new one with the same addresses, or stop it first\n"
        );
        stream.write_all(refusal.as_bytes()).await?;
        return Err(io::Error::other("it listens elsewhere"));
    }
    let stream = stream.into_std()?;
    stream.set_nonblocking(false)?;
    Ok(Successor { stream })
}

#[cfg(test)]
mod tests;
