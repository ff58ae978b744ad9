//! Two processes' parts, played in one.

use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd as _;

use super::*;

fn addresses(listen: &str) -> Addresses {
    Addresses {
        listen: listen.to_owned(),
        admin: "127.0.0.1:9090".to_owned(),
    }
}

fn taking(state: &Path, listen: &str) -> JoinHandle<Result<Inherited, UpgradeError>> {
    let (state, wanted) = (state.to_owned(), addresses(listen));
    tokio::task::spawn_blocking(move || take_over(&state, &wanted))
}

#[tokio::test]
async fn a_successor_gets_the_very_sockets_and_nobody_is_refused_meanwhile() {
    let state = tempfile::tempdir().unwrap();
    let mut successors = Successors::listen(state.path(), addresses("127.0.0.1:0")).unwrap();
    let taking = taking(state.path(), "127.0.0.1:0");
    let successor = successors.next().await;
    assert!(
        !state.path().join(SOCKET).exists(),
        "the place is free for its own"
    );
    let listens = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [at, _] = listens
        .each_ref()
        .map(|socket| socket.local_addr().unwrap());
    let [listen, admin] = listens.map(OwnedFd::from);
    let ours = Inherited { listen, admin };
    let client = TcpStream::connect(at).unwrap();
    successor.give(&ours).unwrap();
    drop(ours);
    let theirs = TcpListener::from(taking.await.unwrap().unwrap().listen);
    assert_eq!(theirs.local_addr().unwrap(), at);
    let (_, from) = theirs.accept().unwrap();
    assert_eq!(from, client.local_addr().unwrap());
    assert!(
        rustix::io::fcntl_getfd(theirs.as_fd())
            .unwrap()
            .contains(rustix::io::FdFlags::CLOEXEC)
    );
}

#[tokio::test]
async fn one_that_wants_other_addresses_is_told_which_there_are() {
    let state = tempfile::tempdir().unwrap();
    let mut successors = Successors::listen(state.path(), addresses("127.0.0.1:1")).unwrap();
    let error = taking(state.path(), "127.0.0.1:2")
        .await
        .unwrap()
        .unwrap_err();
    assert!(
        error.to_string().contains("listens on `127.0.0.1:1` and"),
        "{error}"
    );
    // It still waits for the right one.
    let right = taking(state.path(), "127.0.0.1:1");
    drop(successors.next().await);
    let broken = right.await.unwrap().unwrap_err();
    assert!(matches!(broken, UpgradeError::Broken(_)), "{broken}");
}

#[tokio::test]
async fn where_nobody_runs_it_says_so() {
    let state = tempfile::tempdir().unwrap();
    let error = taking(state.path(), "127.0.0.1:0")
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(error, UpgradeError::NobodyThere(_)), "{error}");
    // What a process that was killed leaves behind.
    drop(std::os::unix::net::UnixListener::bind(state.path().join(SOCKET)).unwrap());
    let error = taking(state.path(), "127.0.0.1:0")
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(error, UpgradeError::NobodyThere(_)), "{error}");
}

#[tokio::test]
async fn where_it_cannot_be_asked_it_says_why() {
    let not_a_folder = tempfile::NamedTempFile::new().unwrap();
    let error = taking(not_a_folder.path(), "127.0.0.1:0")
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(error, UpgradeError::Unreachable(..)), "{error}");
    assert!(error.to_string().contains("Not a directory"), "{error}");
}
