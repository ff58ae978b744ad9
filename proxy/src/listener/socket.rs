//! Where clients connect: a TCP address or a Unix socket.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use pingora::protocols::l4::stream::Stream as L4Stream;
use tokio::net::{TcpListener, UnixListener};

use crate::start::StartError;

/// Who may connect to a Unix socket: the user that Postern runs as, and nobody else.
const SOCKET_MODE: u32 = 0o600;

/// A bound socket.
#[derive(Debug)]
pub(crate) enum Socket {
    /// A TCP address.
    Tcp(TcpListener, SocketAddr),
    /// A Unix socket.
    Unix(UnixListener, PathBuf),
}

/// A connection that was accepted.
pub(super) struct Accepted {
    /// The connection, as pingora wants it.
    pub stream: L4Stream,
    /// The peer's address; none on a Unix socket.
    pub address: Option<SocketAddr>,
    /// Whether it came over the Unix socket.
    pub unix: bool,
}

impl Socket {
    /// Binds `host:port` or `unix:PATH`; a relative path starts from `base`.
    pub(super) fn bind(address: &str, base: &Path) -> Result<Self, StartError> {
        let bound = match address.strip_prefix("unix:") {
            Some(path) => bind_unix(&base.join(path)),
            None => bind_tcp(address),
        };
        bound.map_err(|error| StartError::Listen {
            address: address.to_owned(),
            error,
        })
    }

    /// The TCP address; none for a Unix socket.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(_, address) => Some(*address),
            Self::Unix(..) => None,
        }
    }

    /// How operators are told where clients connect.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Tcp(_, address) => address.to_string(),
            Self::Unix(_, path) => format!("unix:{}", path.display()),
        }
    }

    pub(super) async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener, _) => {
                let (stream, address) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Accepted {
                    stream: stream.into(),
                    address: Some(address),
                    unix: false,
                })
            }
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok(Accepted {
                    stream: stream.into(),
                    address: None,
                    unix: true,
                })
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self
            && let Err(error) = std::fs::remove_file(path)
        {
            tracing::debug!(kind = %error.kind(), "the Unix socket was already gone");
        }
    }
}

fn bind_tcp(address: &str) -> io::Result<Socket> {
    let addresses: Vec<SocketAddr> = address.to_socket_addrs()?.collect();
    let listener = std::net::TcpListener::bind(addresses.as_slice())?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok(Socket::Tcp(TcpListener::from_std(listener)?, address))
}

/// SECURITY: the socket gets its mode before it gets its name, so that there is no moment at which
/// somebody else could connect.
fn bind_unix(path: &Path) -> io::Result<Socket> {
    remove_stale(path)?;
    let mut early = path.as_os_str().to_owned();
    early.push(format!(".{}.new", std::process::id()));
    let early = PathBuf::from(early);
    remove_stale(&early)?;
    let listener = UnixListener::bind(&early)?;
    std::fs::set_permissions(&early, std::fs::Permissions::from_mode(SOCKET_MODE))?;
    std::fs::rename(&early, path)?;
    Ok(Socket::Unix(listener, path.to_owned()))
}

/// Removes the socket of a process that is gone; anything else in its place is an error.
fn remove_stale(path: &Path) -> io::Result<()> {
    let Ok(found) = std::fs::symlink_metadata(path) else {
        return Ok(());
    };
    let alive = std::os::unix::net::UnixStream::connect(path).is_ok();
    if alive || !found.file_type().is_socket() {
        return Err(io::ErrorKind::AddrInUse.into());
    }
    std::fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_unix_socket_is_for_its_owner_only_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let socket = Socket::bind("unix:postern.sock", folder.path()).unwrap();
        let path = folder.path().join("postern.sock");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, SOCKET_MODE);
        assert!(
            Socket::bind("unix:postern.sock", folder.path()).is_err(),
            "in use"
        );
        drop(socket);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn takes_the_place_of_a_dead_socket_but_not_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("postern.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        drop(Socket::bind("unix:postern.sock", folder.path()).unwrap());
        std::fs::write(&path, "precious").unwrap();
        assert!(Socket::bind("unix:postern.sock", folder.path()).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    }
}
