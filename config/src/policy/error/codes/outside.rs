//! Whoever asks, the addresses of both sides, keys and sizes. `PN030` to `PN049`.

use super::{Code, code};

pub(super) const CODES: &[Code] = &[
    code(
        "PN030",
        "an identity key belongs to another source",
        "The keys of `identity` depend on `from`. `jwt` has issuer, audience, keys, subject, tenant and \
         roles; `mtls` has subject and a map of roles; `header` has subject, tenant, roles and trusted; \
         `session` has login, logout and roles. \
         A key of another source would have no effect. Remove it, or correct `from`.",
    ),
    code(
        "PN031",
        "an identity value is not valid",
        "The value does not fit the identity source: an empty issuer or audience, a header name that is \
         no token of RFC 9110, two keys that name one header, or `roles` in the form of another source \
         (a selector for `jwt`, a map from patterns to roles for `mtls`, a header name for `header`, one of \
         the first two for `session`).",
    ),
    code(
        "PN032",
        "identity headers would be believed from afar",
        "`trusted` lists who may say who is asking. Headers are not signed, so only neighbours on the \
         same host are accepted: `unix` for our own Unix socket, or loopback addresses such as \
         `127.0.0.1/32` and `::1`. For anything further away use `jwt` or `mtls`.",
    ),
    code(
        "PN033",
        "a secret or key is not a reference",
        "Secrets and key files are named, never written out: `env:NAME` or `file:PATH`, and for JWT keys \
         also `https://...`. Policies are reviewed, copied and logged; a secret in one is a secret lost. \
         If a real secret was written here, replace it at its source too. Plain `http://` keys are \
         accepted from loopback only, since whoever changes them on the way decides who is let in.",
    ),
    code(
        "PN040",
        "an address is not valid",
        "An address is `HOST:PORT`, such as `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`; the data \
         listener may also be `unix:PATH`. The admin listener accepts loopback addresses only in this \
         build, and must not be the address of the data listener: nothing of it may be reachable \
         through the data listener.",
    ),
    code(
        "PN041",
        "the upstream is not valid",
        "The upstream is `http://HOST:PORT` or `https://HOST:PORT`, the port optional, without user, \
         path, query or fragment: paths are forwarded as they come, and credentials are given by \
         `credential` as a reference. `ca` belongs to `https`.",
    ),
    code(
        "PN042",
        "a size or duration is not valid",
        "Sizes are whole numbers of bytes with a unit, `16KiB`, `1MiB`, `512B`; durations likewise, \
         `250ms`, `25s`, `10m`, `24h`, `31d` (a day is 24 hours). Decimal units such as `kB` are not \
         accepted: a limit that two people read differently is no limit.",
    ),
    code(
        "PN043",
        "a key id is not valid",
        "Key ids appear in pseudonyms, `~k1.…`, and tell which key made them. An id is 1 to 16 lower-case \
         letters and digits, and each id comes once; the list is newest first. An id that was used \
         before must not be given to another key.",
    ),
    code(
        "PN044",
        "the store is not valid",
        "`store` says where quotas are kept: `redb:PATH`, one file for one process, by default \
         `postern.redb` in the state folder; or a server that several replicas share, \
         `redis://HOST:PORT`, `valkey://HOST:PORT`, and with TLS `rediss://` and `valkeys://`, the port \
         6379 unless given, a database's number after a slash. Users and passwords do not stand in a URL: \
         `store: { url: valkeys://HOST:PORT, username: postern, password: env:VALKEY_PASSWORD }`.",
    ),
    code(
        "PN045",
        "the audit log cannot be named so",
        "`audit: { dir: state/audit, domain: audit.example.org, checkpoint: 1s }` says where the log is, what \
         its name begins with, and how often its signed head is published. The name is a domain of yours \
         and a part that is made once and never used again; verifiers tell logs apart by it. `audit: off` \
         keeps no log, and then nobody can say afterwards who saw what.",
    ),
    code(
        "PN046",
        "a witness or a peer of the audit log is not valid",
        "`audit: { witnesses: [ { url: https://witness.example.org, key: NAME+ID+KEY } ] }` says who is asked to cosign the \
         log's head, so that it cannot be rolled back unseen; `peers` holds the keys of other replicas' logs, or \
         `file:PATH` with one on each line, which this one cosigns in turn. A witness (`postern audit witness`, or a replica: \
         `postern audit keys`) says its key, which begins with `B`; a log's is in `keys/log.vkey` of its folder and \
         begins with `A`.",
    ),
    code(
        "PN047",
        "a key that signs policies is not valid",
        "`policy_signers: [ \"NAME+ID+KEY\" ]` lets a policy come into force only if one of these keys has signed it, with a version that \
         never goes back: whoever can write the policy file can neither change it nor put an older one back. \
         `postern sign --key FILE --name NAME --version 8 policy.yaml` signs, and prints the key, which begins with `A`.",
    ),
];
