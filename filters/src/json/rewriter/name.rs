//! Names of members: their numbers, by which the automaton steps.

use postern_config::routes::Names;

use super::Pass;
use crate::json::automaton::NameId;
use crate::json::held::characters;

impl Pass<'_> {
    /// The number of a member's name, given as it is written.
    pub(super) fn name_id(&mut self, raw: &[u8], escaped: bool) -> NameId {
        let names = self.plan.automaton().names();
        let caseless = self.plan.automaton().fold() == Names::Caseless;
        if !escaped && !caseless {
            return names.find(raw);
        }
        let scratch = &mut self.rewriter.scratch;
        scratch.clear();
        if escaped {
            scratch.extend_from_slice(characters(raw).as_bytes());
        } else {
            scratch.extend_from_slice(raw);
        }
        if caseless {
            scratch.make_ascii_lowercase();
        }
        names.find(scratch)
    }
}
