//! Where clients connect: a TCP address or a Unix socket.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pingora::protocols::l4::stream::Stream as L4Stream;
use tokio::net::{TcpListener, UnixListener};

use crate::start::StartError;

/// How many connections may wait to be accepted; the system may allow fewer. One more tries again a second later. The
/// standard library asks for 128, which a crowd that comes at once fills.
const WAITING_MAX: i32 = 4096;
/// Who may connect to a Unix socket: the user that Postern runs as, and nobody else.
const SOCKET_MODE: u32 = 0o600;

/// A bound socket.
#[derive(Debug)]
pub(crate) enum Socket {
    /// A TCP address.
    Tcp(TcpListener, SocketAddr),
    /// A Unix socket.
    Unix(UnixListener, Arc<SocketFile>),
}

/// The name of a Unix socket, which goes with it, unless another process listens there from then on.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    stays: AtomicBool,
}

/// A socket for the process that comes next.
#[derive(Debug)]
pub(crate) struct Heirloom {
    descriptor: OwnedFd,
    file: Option<Arc<SocketFile>>,
}

impl Heirloom {
    /// The socket, which another process listens on from now on.
    pub(crate) fn leave(self) -> OwnedFd {
        if let Some(file) = &self.file {
            file.stays.store(true, Ordering::Release);
        }
        self.descriptor
    }
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
            Some(path) => Self::bind_private(&base.join(path)),
            None => bind_tcp(address),
        };
        bound.map_err(|error| StartError::Listen {
            address: address.to_owned(),
            error,
        })
    }

    /// Binds a Unix socket that only the user who runs Postern can connect to.
    pub(crate) fn bind_private(path: &Path) -> io::Result<Self> {
        bind_unix(path)
    }

    /// Whether a Unix socket could have this name: one that is short enough, and that only another socket has.
    ///
    /// # Errors
    /// Why it could not.
    pub(crate) fn could_have_name(path: &Path) -> io::Result<()> {
        std::os::unix::net::SocketAddr::from_pathname(early_name(path))?;
        let found = std::fs::symlink_metadata(path);
        match found.is_ok_and(|found| !found.file_type().is_socket()) {
            true => Err(io::ErrorKind::AddrInUse.into()),
            false => Ok(()),
        }
    }

    /// The socket that another process listened on, at this address.
    pub(super) fn inherit(address: &str, base: &Path, socket: OwnedFd) -> Result<Self, StartError> {
        let inherited = match address.strip_prefix("unix:") {
            Some(path) => inherit_unix(base.join(path), socket),
            None => inherit_tcp(socket),
        };
        inherited.map_err(|error| StartError::Listen {
            address: address.to_owned(),
            error,
        })
    }

    /// The same socket once more, for the process that comes next.
    pub(super) fn heirloom(&self) -> io::Result<Heirloom> {
        let (descriptor, file) = match self {
            Self::Tcp(listener, _) => (listener.as_fd(), None),
            Self::Unix(listener, file) => (listener.as_fd(), Some(Arc::clone(file))),
        };
        Ok(Heirloom {
            descriptor: descriptor.try_clone_to_owned()?,
            file,
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
            Self::Unix(_, file) => format!("unix:{}", file.path.display()),
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

impl Drop for SocketFile {
    fn drop(&mut self) {
        if !self.stays.load(Ordering::Acquire)
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::debug!(kind = %error.kind(), "the Unix socket was already gone");
        }
    }
}

fn bind_tcp(address: &str) -> io::Result<Socket> {
    let addresses: Vec<SocketAddr> = address.to_socket_addrs()?.collect();
    let listener = std::net::TcpListener::bind(addresses.as_slice())?;
    listening(listener)
}

fn inherit_tcp(socket: OwnedFd) -> io::Result<Socket> {
    listening(std::net::TcpListener::from(socket))
}

fn listening(listener: std::net::TcpListener) -> io::Result<Socket> {
    listener.set_nonblocking(true)?;
    rustix::net::listen(&listener, WAITING_MAX)?;
    let address = listener.local_addr()?;
    Ok(Socket::Tcp(TcpListener::from_std(listener)?, address))
}

/// SECURITY: the socket gets its mode before it gets its name, so that there is no moment at which
/// somebody else could connect.
fn bind_unix(path: &Path) -> io::Result<Socket> {
    remove_stale(path)?;
    let early = early_name(path);
    remove_stale(&early)?;
    let listener = UnixListener::bind(&early)?;
    rustix::net::listen(&listener, WAITING_MAX)?;
    std::fs::set_permissions(&early, std::fs::Permissions::from_mode(SOCKET_MODE))?;
    std::fs::rename(&early, path)?;
    Ok(Socket::Unix(listener, named(path.to_owned())))
}

/// The name of a socket until it has its mode; another in each process.
fn early_name(path: &Path) -> PathBuf {
    let mut early = path.as_os_str().to_owned();
    early.push(format!(".{}.new", std::process::id()));
    PathBuf::from(early)
}

fn inherit_unix(path: PathBuf, socket: OwnedFd) -> io::Result<Socket> {
    let listener = std::os::unix::net::UnixListener::from(socket);
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    Ok(Socket::Unix(listener, named(path)))
}

fn named(path: PathBuf) -> Arc<SocketFile> {
    let stays = AtomicBool::new(false);
    Arc::new(SocketFile { path, stays })
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
    async fn a_crowd_that_comes_at_once_waits_to_be_accepted() {
        let Socket::Tcp(_listener, address) = bind_tcp("127.0.0.1:0").unwrap() else {
            panic!("a TCP address");
        };
        let system = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
        let crowd = system.trim().parse().unwrap_or(128).min(500);
        let time = std::time::Duration::from_millis(900);
        let connect = |_| std::net::TcpStream::connect_timeout(&address, time);
        let waiting: Result<Vec<_>, _> = (0..crowd).map(connect).collect();
        assert_eq!(waiting.unwrap().len(), crowd);
    }

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
