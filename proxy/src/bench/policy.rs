//! The policy and the server file of each row.

use std::net::SocketAddr;

use super::plan::Row;

/// Where a row's policy lies: in a folder of its own, which is watched and which nobody else writes to.
pub(super) const POLICY: &str = "policy/policy.yaml";
/// The folder.
pub(super) const POLICY_FOLDER: &str = "policy";
/// What stands in place of a redacted value.
pub(super) const CONSTANT: &str = "[redacted]";
/// The path below which documents are, and the one where a session begins.
pub(super) const CASES: &str = "/cases/";
/// Where a session begins.
pub(super) const LOGIN: &str = "/login";

/// What ten selectors select of a case.
pub(super) const TEN: [&str; 10] = [
    "customer.name",
    "customer.email",
    "customer.phone",
    "customer.tax_id",
    "customer.birthday",
    "customer.address.street",
    "assignee.email",
    "payments[*].card_number",
    "payments[*].holder",
    "internal_note",
];

/// Neighbours say who asks.
const BY_HEADER: &str = "{ from: header, subject: X-Subject, roles: X-Roles, trusted: [127.0.0.1/32], without_a_role: deny }";
/// A login says who asks.
const BY_SESSION: &str = "{ from: session, login: { match: GET /login, success: { status: 200 }, user: { json: $.user } }, roles: { '*': agent }, without_a_role: deny }";
/// What ties a session to its holder is looked at with every request.
const BOUND: &str = "sessions: { bind: [context], required: { export: 0 } }\n";
/// Nobody ever reaches these limits; each record and each data subject is charged all the same.
const COUNTED: &str = "quotas:
  records: { unit: records, per: identity, window: 24h, limit: { '*': 1000000000000 } }
  subjects: { unit: subjects, per: identity, window: 24h, limit: { '*': 1000000 } }
";

impl Row {
    /// The role that asks.
    pub(super) const fn role(self) -> &'static str {
        match self {
            Self::HidesNothing => "owner",
            Self::FreeText => "reader",
            Self::TenRules | Self::Sessions | Self::Quotas | Self::Audit | Self::Everything => {
                "agent"
            }
        }
    }

    /// Whether a login comes first.
    pub(super) const fn has_session(self) -> bool {
        match self {
            Self::Sessions | Self::Everything => true,
            Self::HidesNothing | Self::TenRules | Self::FreeText | Self::Quotas | Self::Audit => {
                false
            }
        }
    }

    const fn has_quotas(self) -> bool {
        match self {
            Self::Quotas | Self::Everything => true,
            Self::HidesNothing | Self::TenRules | Self::FreeText | Self::Sessions | Self::Audit => {
                false
            }
        }
    }

    const fn has_audit(self) -> bool {
        match self {
            Self::Audit | Self::Everything => true,
            Self::HidesNothing
            | Self::TenRules
            | Self::FreeText
            | Self::Sessions
            | Self::Quotas => false,
        }
    }

    /// The policy.
    pub(super) fn policy(self) -> String {
        let identity = if self.has_session() {
            BY_SESSION
        } else {
            BY_HEADER
        };
        let selectors: String = TEN
            .iter()
            .map(|path| format!("      $.cases[*].{path}: pii\n"))
            .collect();
        let quotas = if self.has_quotas() { COUNTED } else { "" };
        let sessions = if self.has_session() { BOUND } else { "" };
        format!(
            "policy: v1
name: bench
identity: {identity}
labels:
  pii: Personal data
  text.free: Message bodies
routes:
  cases:
    match: GET {CASES}{{bytes}}
    label:
{selectors}      $.cases[*].messages[*].body: text.free
    records: $.cases[*]
    subjects: $.cases[*].customer.id
  everything_else:
    match: ANY /{{path...}}
    deny: true
detect:
  text.free: {{ find: [card, iban, us_ssn, email, phone, secret], then: redact }}
roles:
  owner:
    sees: {{ pii: show, text.free: show }}
  agent:
    sees: {{ pii: {{ redact: {{ with: \"{CONSTANT}\" }} }}, text.free: show }}
  reader:
    sees: {{ pii: show, text.free: detect }}
{quotas}{sessions}"
        )
    }

    /// The server file.
    pub(super) fn server(self, upstream: SocketAddr) -> String {
        let audit = if self.has_audit() { "" } else { "audit: off\n" };
        format!(
            "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nupstream: http://{upstream}\npolicy: {POLICY}\n\
             state: state\ndrain: 1s\n{audit}"
        )
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_row_has_a_policy_and_a_server_file_that_load() {
        for row in Row::value_variants() {
            let folder = tempfile::tempdir().unwrap();
            let server = folder.path().join("postern.yaml");
            let policy = folder.path().join(POLICY);
            std::fs::create_dir(folder.path().join(POLICY_FOLDER)).unwrap();
            std::fs::write(&policy, row.policy()).unwrap();
            std::fs::write(&server, row.server(([127, 0, 0, 1], 9).into())).unwrap();
            let loaded = crate::load::load_server(&server);
            assert!(loaded.is_ok_and(|server| server.audit.is_some() == row.has_audit()));
            let policy = crate::load::samples::load(&policy);
            assert!(policy.is_ok(), "{row:?}: {:?}", policy.err());
        }
    }
}
