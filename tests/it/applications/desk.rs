//! The two desks: where an agent's work is in each, as data.

use std::path::Path;

use super::forms::Form;
use super::messages::Message;

/// One of the applications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Desk {
    /// django-helpdesk.
    Helpdesk,
    /// Roundup.
    Roundup,
}

/// Where things are in a desk, for programs as paths and texts, for browsers as CSS selectors.
#[derive(Debug)]
pub(super) struct Places {
    /// The page with the form to log in, a text of that form, and the names of its two fields.
    pub(super) login: (&'static str, &'static str, [&'static str; 2]),
    /// The button of that form.
    pub(super) login_button: &'static str,
    /// What pages say to whoever is logged in only.
    pub(super) inside: &'static str,
    /// The list of tickets, what it says, and an element of one that is listed.
    pub(super) list: (&'static str, &'static str, &'static str),
    /// A ticket, and a text of the form for a comment.
    pub(super) ticket: (&'static str, &'static str),
    /// What brings that form to the front, where it is behind a tab.
    pub(super) comment_tab: Option<&'static str>,
    /// The fields of that form for the comment and for a file.
    pub(super) comment: [&'static str; 2],
    /// The button of that form.
    pub(super) comment_button: &'static str,
    /// A record that programs read, and what it says.
    pub(super) record: (&'static str, &'static str),
    /// The cookies by which the desk knows people.
    pub(super) cookies: &'static [&'static str],
}

const HELPDESK: Places = Places {
    login: ("/login/", "name=\"username\"", ["username", "password"]),
    login_button: "form[role=form] button[type=submit]",
    inside: "action=\"/logout/\"",
    list: (
        "/tickets/",
        "datatables_ticket_list",
        "#ticketTable tbody a[href]",
    ),
    ticket: ("/tickets/5/", "id=\"ticket-respond-form\""),
    comment_tab: Some("[data-bs-target=\"#respond-tab-pane\"]"),
    comment: ["comment", "attachment"],
    comment_button: "#ticket-respond-form button[type=submit]",
    record: ("/api/tickets/5/", "\"followup_set\""),
    cookies: &["sessionid", "csrftoken"],
};

const ROUNDUP: Places = Places {
    login: (
        "/",
        "name=\"__login_name\"",
        ["__login_name", "__login_password"],
    ),
    login_button: "input[type=submit][value=Login]",
    inside: "Hello, agent",
    list: (
        "/issue?@columns=id,title,status&@sort=id&@filter=status&status=-1,1,2,3,4,5,6,7&@pagesize=50&@startwith=0",
        "issue25",
        "table.list a[href=issue25]",
    ),
    ticket: ("/issue25", "name=\"itemSynopsis\""),
    comment_tab: None,
    comment: ["@note", "@file"],
    comment_button: "#submit_button",
    record: ("/rest/data/issue/25", "\"attributes\""),
    cookies: &["roundup_session_Supportdesk"],
};

impl Desk {
    /// What its installer and its examples are called.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Helpdesk => "helpdesk",
            Self::Roundup => "roundup",
        }
    }

    /// Where things are.
    pub(super) const fn places(self) -> &'static Places {
        match self {
            Self::Helpdesk => &HELPDESK,
            Self::Roundup => &ROUNDUP,
        }
    }

    /// The policy that ships for people who log in to it, for this origin. Exports need no key of the device here, since
    /// the clients of these tests have none.
    pub(super) fn policy(self, origin: &str) -> String {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples");
        let policy = std::fs::read_to_string(examples.join(self.name()).join("sessions.yaml"));
        let policy = policy.unwrap().replace("https://desk.example", origin);
        let weaker = policy.replace("{ export: 2 }", "{ export: 1 }");
        assert_ne!(weaker, policy);
        weaker
    }

    /// The request that exports tickets: a form to send, or none for the address alone.
    pub(super) fn export(self, page: &str) -> (&'static str, Option<Form>) {
        match self {
            Self::Helpdesk => ("/api/tickets/?format=csv", None),
            Self::Roundup => {
                let form = Form::with(page, self.places().ticket.1).unwrap();
                let token = form.value("@csrf").unwrap();
                let form = Form::bare("/issue").set("@action", "export_csv");
                (
                    "/issue25",
                    Some(form.set("@columns", "id,title,status").set("@csrf", token)),
                )
            }
        }
    }

    /// What ends the session: a form to send, or none for the address alone.
    pub(super) fn logout(self, page: &str) -> (&'static str, Option<Form>) {
        match self {
            Self::Helpdesk => ("/tickets/", Form::with(page, self.places().inside)),
            Self::Roundup => ("/?@action=logout", None),
        }
    }

    /// Whether the desk itself has let somebody in to its pages or its records.
    pub(super) fn let_in(self, answer: &Message) -> bool {
        answer.status() == 200
            && (answer.text().contains(self.places().inside)
                || answer.text().contains(self.places().record.1))
    }
}
