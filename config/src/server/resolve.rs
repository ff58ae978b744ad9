//! From the mirror of a server file to a [`Server`]: addresses, ranges, references, all judged.

use std::time::Duration;

use super::file::{
    KeyFile, LimitsFile, ListenFile, PolicyPath, ServerFile, TlsFile, UpstreamFile, UpstreamLong,
};
use super::{
    KeyRef, Limits, Listen, ListenTls, OF_SERVER_FILES, Server, Upstream, addresses, anchors,
    audit, stores,
};
use crate::document::read::{At, OneOrMany, Read, Secret, Slot};
use crate::document::{Node, Place};
use crate::policy::error::{PolicyErrors, Problems};
use crate::policy::resolve::{OF_POLICIES, is_key_id, not_enforced_yet};
use crate::secret::Reference;
use crate::units;

const DRAIN: Duration = Duration::from_secs(25);
const ADMIN: &str = "127.0.0.1:9090";
const STATE: &str = "state";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(60);
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
const POOL: usize = 128;
/// What is said of a file without anything in it.
const OF_EMPTY: &str = "a server file says `listen`, `upstream` and `policy`";
/// What is said of a policy in the place of a server file.
const OF_A_POLICY: (&str, &str) = (
    "this looks like a policy, and a server file is expected here",
    "`postern check FILE` checks a policy; a server file names it under `policy`",
);

/// Reads and resolves a text.
pub(super) fn server(name: &str, text: &str) -> Result<Server, PolicyErrors> {
    let mut problems = Problems::default();
    let server = Node::read(text, &mut problems)
        .and_then(|root| root.unless_empty(OF_EMPTY, &mut problems))
        .and_then(|root| {
            let keys = (OF_SERVER_FILES, OF_POLICIES);
            root.unless_the_other(keys, OF_A_POLICY, &mut problems)
        })
        .and_then(|root| ServerFile::read(&root, &mut problems))
        .and_then(|file| resolve(&file, &mut problems));
    let errors = problems.into_errors(name, text);
    match server {
        Some(server) if errors.errors.is_empty() => Ok(server),
        _ => Err(errors),
    }
}

/// INVARIANT: `None`, here or in an optional part, only when a problem was reported, and then nothing is
/// returned; every part is judged before the first `?`.
fn resolve(file: &ServerFile, problems: &mut Problems) -> Option<Server> {
    let listen = file.listen.found.as_ref();
    let listen = listen.and_then(|at| self::listen(at, problems));
    let upstream = file.upstream.found.as_ref();
    let upstream = upstream.and_then(|at| self::upstream(at, problems));
    let policy = policy_path(&file.policy, problems);
    let policy_signers = anchors::signers(&file.policy_signers, problems);
    let state = path("state", &file.state, STATE, problems);
    let store = stores::address(&file.store, state.as_deref(), problems);
    let audit = audit::log(&file.audit, state.as_deref(), problems);
    let admin = match &file.admin.found {
        Some(at) => addresses::admin(&at.value, at.place, problems),
        None => Some(ADMIN.to_owned()),
    };
    if let (Some(listen), Some(admin)) = (&listen, &admin)
        && addresses::collide(&listen.address, admin)
    {
        let place = file.admin.found.as_ref().map(|at| at.place);
        let place = place.or(file.listen.key_place).unwrap_or_default();
        let message = format!("`admin` is `{admin}`, where clients connect");
        problems
            .add("PN040", place, message)
            .help("give the admin listener a port of its own");
    }
    let limits = limits(file.limits.value(), problems);
    let drain = units::duration("drain", &file.drain, 100..=600_000, problems);
    let written = file.keys.value().map(|keys| &keys.0);
    let pseudonym_keys = keys(written.and_then(|keys| keys.pseudonym.value()), problems);
    let session_keys = keys(written.and_then(|keys| keys.sessions.value()), problems);
    Some(Server {
        listen: listen?,
        upstream: upstream?,
        policy: policy?,
        policy_signers,
        admin: admin?,
        state: state?,
        store: store?,
        audit: audit?,
        limits,
        drain: drain.unwrap_or(DRAIN),
        pseudonym_keys,
        session_keys,
    })
}

fn listen(at: &At<ListenFile>, problems: &mut Problems) -> Option<Listen> {
    match &at.value {
        ListenFile::Address(address) => Some(Listen {
            address: addresses::listener(address, at.place, problems)?,
            tls: None,
            hosts: Vec::new(),
        }),
        ListenFile::Long(long) => {
            let address = long.address.found.as_ref();
            let address = address.and_then(|at| addresses::listener(&at.value, at.place, problems));
            let tls = long.tls.found.as_ref();
            let tls = tls.and_then(|tls| listen_tls(&tls.value, problems));
            let hosts = long.hosts.value();
            let hosts = hosts.map(|hosts| served_hosts(hosts, problems));
            Some(Listen {
                address: address?,
                tls,
                hosts: hosts.unwrap_or_default(),
            })
        }
    }
}

fn served_hosts(hosts: &OneOrMany<String>, problems: &mut Problems) -> Vec<String> {
    let each = hosts.0.iter();
    each.filter_map(|at| addresses::served_host(&at.value, at.place, problems))
        .collect()
}

fn listen_tls(file: &TlsFile, problems: &mut Problems) -> Option<ListenTls> {
    let cert = reference("cert", &file.cert, problems);
    let key = reference("key", &file.key, problems);
    let client_ca = reference("client_ca", &file.client_ca, problems);
    Some(ListenTls {
        cert: cert?,
        key: key?,
        client_ca,
    })
}

/// SECURITY: the message does not repeat the value, and the report blots it out: it may be a secret.
pub(super) fn reference(
    key: &str,
    slot: &Slot<Secret<String>>,
    problems: &mut Problems,
) -> Option<Reference> {
    let at = slot.found.as_ref()?;
    match Reference::parse(&at.value.0) {
        Ok(reference) => Some(reference),
        Err(help) => {
            let message = format!("`{key}` is a reference, never the thing itself");
            problems.add("PN033", at.place, message).help(help);
            None
        }
    }
}

fn upstream(at: &At<UpstreamFile>, problems: &mut Problems) -> Option<Upstream> {
    match &at.value {
        UpstreamFile::Url(url) => Some(Upstream {
            url: addresses::upstream(url, at.place, problems)?,
            ca: None,
            credential: None,
            connect_timeout: CONNECT_TIMEOUT,
            read_timeout: READ_TIMEOUT,
            write_timeout: WRITE_TIMEOUT,
            pool: POOL,
        }),
        UpstreamFile::Long(long) => upstream_in_full(long, problems),
    }
}

fn upstream_in_full(file: &UpstreamLong, problems: &mut Problems) -> Option<Upstream> {
    /// From a tenth of a second to an hour, in milliseconds.
    const TIMEOUT: std::ops::RangeInclusive<u64> = 100..=3_600_000;
    let url = file.url.found.as_ref();
    let url = url.and_then(|at| addresses::upstream(&at.value, at.place, problems));
    let ca = reference("ca", &file.ca, problems);
    if let (Some(url), Some(place)) = (&url, file.ca.key_place)
        && url.starts_with("http://")
    {
        problems
            .add(
                "PN041",
                place,
                "`ca` has no effect on an `http://` upstream",
            )
            .help("use `https://`, or remove `ca`");
    }
    let credential = reference("credential", &file.credential, problems);
    let connect = units::duration(
        "connect_timeout",
        &file.connect_timeout,
        100..=60_000,
        problems,
    );
    let read = units::duration("read_timeout", &file.read_timeout, TIMEOUT, problems);
    let write = units::duration("write_timeout", &file.write_timeout, TIMEOUT, problems);
    let pool = units::number("pool", &file.pool, 1..=65_536, problems);
    Some(Upstream {
        url: url?,
        ca,
        credential,
        connect_timeout: connect.unwrap_or(CONNECT_TIMEOUT),
        read_timeout: read.unwrap_or(READ_TIMEOUT),
        write_timeout: write.unwrap_or(WRITE_TIMEOUT),
        pool: pool.unwrap_or(POOL),
    })
}

fn policy_path(slot: &Slot<PolicyPath>, problems: &mut Problems) -> Option<String> {
    let at = slot.found.as_ref()?;
    match &at.value {
        PolicyPath::Path(path) => not_blank("policy", path, at.place, problems),
        PolicyPath::Bundle => {
            let place = slot.key_place.unwrap_or_default();
            not_enforced_yet("a policy bundle", place, problems);
            None
        }
    }
}

fn path(
    key: &str,
    slot: &Slot<String>,
    otherwise: &str,
    problems: &mut Problems,
) -> Option<String> {
    match &slot.found {
        Some(at) => not_blank(key, &at.value, at.place, problems),
        None => Some(otherwise.to_owned()),
    }
}

pub(super) fn not_blank(
    key: &str,
    path: &str,
    place: Place,
    problems: &mut Problems,
) -> Option<String> {
    if path.trim().is_empty() || path.contains('\0') {
        problems.add("PN007", place, format!("`{key}` is no path"));
        return None;
    }
    Some(path.to_owned())
}

/// Limits that are wrong were reported, and stand at their defaults.
fn limits(file: Option<&LimitsFile>, problems: &mut Problems) -> Limits {
    let mut limits = Limits::default();
    if let Some(file) = file {
        sizes(file, &mut limits, problems);
        counts(file, &mut limits, problems);
    }
    limits
}

fn sizes(file: &LimitsFile, limits: &mut Limits, problems: &mut Problems) {
    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;
    let mut set = |key: &str, slot, range, limit: &mut usize| {
        *limit = units::size(key, slot, range, problems).unwrap_or(*limit);
    };
    let to = limits;
    set(
        "header_bytes",
        &file.header_bytes,
        KIB..=MIB,
        &mut to.header_bytes,
    );
    set(
        "target_bytes",
        &file.target_bytes,
        256..=64 * KIB,
        &mut to.target_bytes,
    );
    set(
        "held_bytes",
        &file.held_bytes,
        KIB..=64 * MIB,
        &mut to.held_bytes,
    );
    set(
        "request_body",
        &file.request_body,
        KIB..=KIB * MIB,
        &mut to.request_body,
    );
}

fn counts(file: &LimitsFile, limits: &mut Limits, problems: &mut Problems) {
    let mut set = |key: &str, slot, range, limit: &mut usize| {
        *limit = units::number(key, slot, range, problems).unwrap_or(*limit);
    };
    let to = limits;
    set(
        "header_count",
        &file.header_count,
        8..=1_000,
        &mut to.header_count,
    );
    set(
        "json_depth",
        &file.json_depth,
        4..=1_024,
        &mut to.json_depth,
    );
    set(
        "expand_ratio",
        &file.expand_ratio,
        2..=10_000,
        &mut to.expand_ratio,
    );
    set(
        "connections",
        &file.connections,
        1..=1_000_000,
        &mut to.connections,
    );
    set(
        "exchanges",
        &file.exchanges,
        1..=1_000_000,
        &mut to.exchanges,
    );
    let seconds = units::number("header_seconds", &file.header_seconds, 1..=120, problems);
    if let Some(seconds) = seconds.and_then(|n| u64::try_from(n).ok()) {
        to.header_seconds = seconds;
    }
}

fn keys(
    written: Option<&Secret<Vec<At<Secret<KeyFile>>>>>,
    problems: &mut Problems,
) -> Vec<KeyRef> {
    let mut keys: Vec<KeyRef> = Vec::new();
    let written = written.into_iter().flat_map(|written| &written.0);
    for Secret(key) in written.map(|at| &at.value) {
        let secret = reference("secret", &key.secret, problems);
        let Some(id) = &key.id.found else {
            continue;
        };
        if !is_key_id(&id.value) {
            problems
                .add("PN043", id.place, format!("`{}` is no key id", id.value))
                .help("1 to 16 lower-case letters and digits, such as `k1`");
        } else if keys.iter().any(|earlier| earlier.id == id.value) {
            problems
                .add(
                    "PN043",
                    id.place,
                    format!("the key id `{}` comes twice", id.value),
                )
                .help("each key has an id of its own, newest first");
        } else if let Some(secret) = secret {
            let id = id.value.clone();
            keys.push(KeyRef { id, secret });
        }
    }
    keys
}
