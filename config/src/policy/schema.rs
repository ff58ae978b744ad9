//! The JSON Schema of a policy file, for editors.
//!
//! Guarantees: it comes from the definitions that the loader reads with, so both know the same keys,
//! forms and words, and both refuse all others. It is wider where a schema cannot look: names that
//! must be defined elsewhere, selectors, ranges, and which identity keys go together.

use crate::policy::file::PolicyFile;

/// The JSON Schema (draft 2020-12) of policy files of version 1.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::SchemaGenerator::default().into_root_schema_for::<PolicyFile>();
    schema.insert("title".to_owned(), "Postern policy v1".into());
    schema.to_value()
}
