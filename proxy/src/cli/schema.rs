//! `postern schema`: the JSON Schema of policies, for editors.

use super::output::{Exit, Output};

pub(super) fn run(output: &Output) -> Exit {
    if !output.is_human_or_json() {
        return Exit::Unreadable;
    }
    output.json(&postern_config::policy::schema());
    Exit::Fine
}
