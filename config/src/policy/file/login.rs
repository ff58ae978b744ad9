//! `login` and `logout` of `from: session` as they are written.

use crate::document::read::OneOrMany;
use crate::document::section::section;

section! {
    /// How a login of the application is recognised.
    LoginFile, required: ["match", "success", "user"] {
        /// The requests that somebody without a session may send, `METHOD /path`.
        matches: "match" => OneOrMany<String>,
        /// Which answers to them are successful logins.
        success: "success" => SuccessFile,
        /// Who has logged in.
        user: "user" => UserFile,
    }
}

section! {
    /// What a successful login's answer is like: all that is written holds.
    SuccessFile, required: [] {
        /// Its status, or several.
        status: "status" => OneOrMany<u64>,
        /// Its `Location`; `*` stands for any run of characters.
        location: "location" => String,
        /// A selector that selects something in it.
        json: "json" => String,
    }
}

section! {
    /// Where the user's name is: in the posted form, in the answer, or in the answer to another request.
    UserFile, required: [] {
        /// The field of the posted form.
        form: "form" => String,
        /// A selector into the answer.
        json: "json" => String,
        /// `GET /path`: the request whose answer `json` reads.
        follow: "follow" => String,
    }
}

section! {
    /// Which requests end a session.
    LogoutFile, required: ["match"] {
        /// `METHOD /path`, one or several.
        matches: "match" => OneOrMany<String>,
    }
}
