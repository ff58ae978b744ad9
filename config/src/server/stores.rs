//! Where quotas are kept: a file of ours, or a server that replicas share.

use std::path::{Path, PathBuf};

use super::addresses::{host_and_port, host_of};
use super::file::{StoreFile, StoreLong};
use super::resolve::{not_blank, reference};
use super::{SharedStore, StoreAddress};
use crate::document::Place;
use crate::document::read::Slot;
use crate::policy::error::Problems;

/// The embedded store's file, in the state folder.
const FILE: &str = "postern.redb";
/// The port of Valkey and Redis.
const PORT: u16 = 6379;
/// The highest number of a database.
const DATABASE_MAX: u32 = 65_535;
/// The schemes of shared stores, and whether they encrypt.
const SCHEMES: [(&str, bool); 4] = [
    ("redis", false),
    ("valkey", false),
    ("rediss", true),
    ("valkeys", true),
];
const FORMS: &str = "`redb:PATH`, or `redis://HOST:PORT`, `rediss://`, `valkey://`, `valkeys://`";

/// Where quotas are kept; in the state folder when nothing is said.
pub(super) fn address(
    slot: &Slot<StoreFile>,
    state: Option<&str>,
    problems: &mut Problems,
) -> Option<StoreAddress> {
    match slot.found.as_ref().map(|at| (&at.value, at.place)) {
        Some((StoreFile::Url(text), place)) => store(text, place, problems),
        Some((StoreFile::Long(long), _)) => in_full(long, problems),
        None if slot.is_written() => None,
        None => Some(StoreAddress::Embedded(Path::new(state?).join(FILE))),
    }
}

fn in_full(file: &StoreLong, problems: &mut Problems) -> Option<StoreAddress> {
    let url = file.url.found.as_ref();
    let store = url.and_then(|at| store(&at.value, at.place, problems));
    let password = reference("password", &file.password, problems);
    let username = file.username.found.as_ref();
    if let Some(at) = username
        && (at.value.is_empty() || at.value.chars().any(char::is_control))
    {
        problems.add(
            "PN044",
            at.place,
            "`username` is empty, or holds control characters",
        );
    }
    if let Some(place) = file.username.key_place
        && !file.password.is_written()
    {
        problems
            .add(
                "PN044",
                place,
                "`username` has no effect without `password`",
            )
            .help("add `password: env:NAME` or `password: file:PATH`, or remove it");
    }
    match store? {
        StoreAddress::Shared(shared) => Some(StoreAddress::Shared(SharedStore {
            username: username.map(|at| at.value.clone()),
            password,
            ..shared
        })),
        StoreAddress::Embedded(path) => {
            let written = file.username.key_place.or(file.password.key_place);
            if let Some(place) = written {
                problems
                    .add("PN044", place, "nobody signs in to a file")
                    .help("remove it, or name a server: `valkeys://HOST:PORT`");
            }
            Some(StoreAddress::Embedded(path))
        }
    }
}

fn store(text: &str, place: Place, problems: &mut Problems) -> Option<StoreAddress> {
    if let Some(path) = text.strip_prefix("redb:") {
        let path = not_blank("store", path, place, problems)?;
        return Some(StoreAddress::Embedded(PathBuf::from(path)));
    }
    // SECURITY: what may hold a password reaches no message; of a bad URL the scheme alone is told.
    if text.contains(['@', '?']) {
        problems
            .add(
                "PN033",
                place,
                "users, passwords and options do not stand in a URL",
            )
            .help("write `store: { url: redis://HOST:PORT, password: env:NAME }`");
        return None;
    }
    let scheme = text.split(':').next().unwrap_or_default();
    let known = SCHEMES.iter().find(|(known, _)| *known == scheme);
    let Some((_, tls)) = known else {
        let words = SCHEMES.iter().map(|(word, _)| *word).chain(["redb"]);
        problems
            .add("PN044", place, format!("`{scheme}` is no kind of store"))
            .choose_from(scheme, words)
            .help(FORMS);
        return None;
    };
    let rest = text.get(scheme.len()..)?.strip_prefix("://");
    let shared = rest.and_then(|rest| server(rest, *tls));
    if shared.is_none() {
        problems
            .add("PN044", place, format!("this is no `{scheme}` store"))
            .help(FORMS);
    }
    shared.map(StoreAddress::Shared)
}

/// `HOST[:PORT][/DATABASE]`.
fn server(rest: &str, tls: bool) -> Option<SharedStore> {
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let is_plain = database.bytes().all(|b| b.is_ascii_digit());
    let database = match database {
        "" => 0,
        digits => digits.parse().ok().filter(|_| is_plain)?,
    };
    let named = host_and_port(authority).filter(|(_, port)| *port != 0);
    let (host, port) = named.or_else(|| Some((host_of(authority)?, PORT)))?;
    let scheme = if tls { "rediss" } else { "redis" };
    let shown = match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    };
    (database <= DATABASE_MAX).then(|| SharedStore {
        url: format!("{scheme}://{shown}:{port}/{database}"),
        host: host.to_owned(),
        port,
        database,
        tls,
        username: None,
        password: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<StoreAddress, Vec<&'static str>> {
        let mut problems = Problems::default();
        let store = store(text, Place::default(), &mut problems);
        let errors = problems.into_list();
        let codes = errors.iter().map(|error| error.code).collect();
        store.ok_or(codes)
    }

    #[test]
    fn stores_are_a_file_or_a_server() {
        let file = StoreAddress::Embedded(PathBuf::from("state/p.redb"));
        assert_eq!(read("redb:state/p.redb"), Ok(file));
        for (text, url, tls) in [
            ("redis://cache", "redis://cache:6379/0", false),
            (
                "valkey://127.0.0.1:7000/3",
                "redis://127.0.0.1:7000/3",
                false,
            ),
            ("rediss://[::1]:1/", "rediss://[::1]:1/0", true),
            (
                "valkeys://a.example/65535",
                "rediss://a.example:6379/65535",
                true,
            ),
        ] {
            let Ok(StoreAddress::Shared(shared)) = read(text) else {
                panic!("{text} is refused")
            };
            assert_eq!((shared.url.as_str(), shared.tls), (url, tls));
        }
    }

    #[test]
    fn whatever_else_is_refused() {
        for bad in [
            "",
            "state/postern.redb",
            "memcached://a:1",
            "redis:a",
            "redis://",
            "redis://a:0",
            "redis://a:x",
            "redis://a/x",
            "redis://a/+1",
            "redis://a/65536",
            "redis://a/1/2",
            "REDIS://a",
        ] {
            assert_eq!(read(bad), Err(vec!["PN044"]), "{bad}");
        }
        assert_eq!(read("redb:"), Err(vec!["PN007"]));
        assert_eq!(read("redis://:secret@a:1"), Err(vec!["PN033"]));
        assert_eq!(read("secret@a:1"), Err(vec!["PN033"]));
        assert_eq!(read("redis://a?password=x"), Err(vec!["PN033"]));
    }
}
