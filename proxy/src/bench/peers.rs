//! Proxies of others that are measured beside ours: how each is started, and what it has to answer.
//!
//! A peer is a command. It learns from variables where the application is, where to listen, how many threads it may
//! work with and where its files go; it goes on until its standard input ends, and takes with it what it started.
//! Which proxies there are, and how they are set up, this module does not know.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use http::HeaderMap;
use serde::Deserialize;
use tokio::process::Command;

use super::BenchError;
use super::child::Child;
use super::place::{Part, Place};
use super::redacted::Expected;

/// A proxy of somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Peer {
    /// What tables call it: small letters, digits and hyphens.
    pub(crate) name: String,
    /// The program and its arguments, as seen from where the bench was started.
    start: Vec<String>,
    /// What it does with documents.
    answers: Answers,
}

/// What a peer does with documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answers {
    /// It passes them on.
    Whole,
    /// It puts the constant in place of what ten selectors select.
    Redacted,
}

impl Peer {
    /// The peers that a file lists, as JSON.
    ///
    /// # Errors
    /// The file cannot be read, is no such list, or gives a name that cannot be one or that comes twice.
    pub(crate) fn all_of(file: &Path) -> Result<Vec<Self>, BenchError> {
        let refused = |reason: String| BenchError::Peers {
            file: file.to_owned(),
            reason,
        };
        let text = fs::read_to_string(file).map_err(|error| refused(error.to_string()))?;
        listed(&text).map_err(refused)
    }

    /// Starts it in front of `upstream`; its files go to a folder of its own below `root`.
    pub(super) async fn start(
        &self,
        upstream: SocketAddr,
        (root, threads): (&Path, usize),
    ) -> Result<(Child, Place), BenchError> {
        let folder = root.join(&self.name);
        fs::create_dir(&folder).map_err(BenchError::Folder)?;
        let address = free_address().map_err(BenchError::Folder)?;
        let (program, arguments) = self.start.split_first().unzip();
        let mut command = Command::new(program.map_or("", String::as_str));
        command
            .args(arguments.unwrap_or_default())
            .env("BENCH_UPSTREAM", upstream.to_string())
            .env("BENCH_LISTEN", address.to_string())
            .env("BENCH_THREADS", threads.to_string())
            .env("BENCH_FOLDER", &folder);
        let child = Child::of_others(&self.name, &mut command, address, &folder).await?;
        let place = Place {
            name: self.name.clone(),
            part: Part::Peer,
            address,
            process: child.number(),
            path: None,
            fields: HeaderMap::new(),
            expected: match self.answers {
                Answers::Whole => Expected::Whole,
                Answers::Redacted => Expected::TenRedactedAsATree,
            },
        };
        Ok((child, place))
    }
}

fn listed(text: &str) -> Result<Vec<Peer>, String> {
    let peers: Vec<Peer> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    for (index, peer) in peers.iter().enumerate() {
        let name = &peer.name;
        if name.is_empty() || !name.bytes().all(is_name) {
            return Err(format!(
                "`{}` is no name: it takes small letters, digits and hyphens",
                name.escape_debug()
            ));
        }
        if peers.iter().take(index).any(|other| other.name == *name) {
            return Err(format!("`{name}` is there twice"));
        }
        if peer.start.is_empty() {
            return Err(format!("`{name}` has nothing in `start`"));
        }
    }
    Ok(peers)
}

/// An address of this machine on which nobody listens now.
fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_peers_is_read() {
        let peers = listed(
            r#"[{"name":"nginx","start":["run","nginx"],"answers":"whole"},
                {"name":"nginx-js","start":["run"],"answers":"redacted"}]"#,
        )
        .unwrap();
        let [first, second] = &peers[..] else {
            panic!("{peers:?}")
        };
        assert_eq!((first.start.len(), first.answers), (2, Answers::Whole));
        assert_eq!(second.answers, Answers::Redacted);
        assert_eq!(listed("[]"), Ok(Vec::new()));
    }

    #[test]
    fn a_peer_that_cannot_be_told_apart_or_started_is_refused() {
        let of = |name: &str, start: &str| {
            format!(r#"{{"name":"{name}","start":{start},"answers":"whole"}}"#)
        };
        let (good, same) = (of("a", "[\"x\"]"), of("a", "[\"y\"]"));
        for (text, reason) in [
            (format!("[{good},{same}]"), "twice"),
            (format!("[{}]", of("a", "[]")), "`start`"),
            (format!("[{}]", of("", "[\"x\"]")), "no name"),
            (format!("[{}]", of("../a", "[\"x\"]")), "no name"),
            (format!("[{}]", good.replace("whole", "half")), "half"),
            (good, "sequence"),
        ] {
            let refused = listed(&text).unwrap_err();
            assert!(refused.contains(reason), "{text}: {refused}");
        }
    }
}
