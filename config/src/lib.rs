//! WHAT is allowed: the policy language v1 and the server file, from text to values that are valid by
//! construction.
//!
//! This crate is pure: text in, a [`Policy`] or every error at once out. It reads no file, opens no
//! socket and knows no clock; whoever calls it brings the text and its name.

#![forbid(unsafe_code)]

pub mod action;
pub mod detect;
mod document;
#[cfg(test)]
mod documented;
pub mod formats;
pub mod glob;
pub mod identity;
pub mod labels;
pub mod params;
pub mod policy;
pub mod quota;
pub mod rfc9110;
pub mod roles;
pub mod routes;
pub mod secret;
pub mod selector;
pub mod server;
pub mod sessions;
mod units;

pub use action::{Action, Generalize, Mask, PseudonymScope};
pub use detect::{Detection, Detector};
pub use formats::{FormatKind, RouteFormat};
pub use glob::Glob;
pub use labels::{Embedded, Label, LabelTree};
pub use policy::Policy;
pub use policy::digest::Revision;
pub use policy::error::{PolicyError, PolicyErrors};
pub use quota::{IfStoreIsDown, OnExceed, Per, Quota, Unit};
pub use roles::{Role, SeveralRoles};
pub use routes::{Route, RouteMatch};
pub use selector::Selector;
pub use server::Server;
pub use sessions::Sessions;
