//! What the scanner reports of a document, taken step by step.

use std::ops::Range;

use postern_config::routes::Unlabelled;

use super::frame::{Cover, FrameKind};
use super::{Halt, Hidden, Inside, Interest, JsonKind, Pass, Sink, Terms, spent};

impl Sink for Pass<'_> {
    #[inline]
    fn value_begins(&mut self, kind: JsonKind, at: usize) -> Result<Inside, Halt> {
        self.decide(kind, at)
    }

    #[inline]
    fn value_ends(&mut self, at: usize) -> Result<(), Halt> {
        if self.rewriter.holding.is_some() {
            return self.replay(at);
        }
        if self.rewriter.captured.is_some() {
            self.replace_captured(at)?;
        } else if self.rewriter.searched.is_some() {
            self.search_ends(at)?;
        }
        if self.rewriter.watches {
            self.watched_ends(at)?;
        }
        let level = self.rewriter.parents.len();
        if let Some(hidden) = self.rewriter.hidden
            && hidden.level == level
        {
            self.tape.cut(hidden.from, at)?;
            let top = &mut self.rewriter.top;
            top.pending = !top.kept_any;
            // A removed document leaves nothing, not even the white space around it.
            if top.kind != FrameKind::Document || top.kept_any {
                self.rewriter.hidden = None;
            }
        }
        self.rewriter.top.index += 1;
        Ok(())
    }

    fn closes(&mut self, at: usize) -> Result<(), Halt> {
        let hidden = self.rewriter.hidden.is_some();
        if !hidden {
            self.check_held(at)?;
        }
        let parent = self.rewriter.parents.pop().ok_or_else(spent)?;
        let frame = std::mem::replace(&mut self.rewriter.top, parent);
        let level = self.rewriter.parents.len();
        if hidden || self.rewriter.lazy.is_none_or(|lazy| lazy > level + 1) {
            return Ok(());
        }
        // The container has ended, and nothing in it is to be seen.
        if self.rewriter.lazy == Some(level + 1) {
            self.rewriter.lazy = None;
        }
        match self.plan.settings().unlabelled {
            Unlabelled::Redact => self.tape.cut(frame.cut_from, at),
            Unlabelled::Remove | Unlabelled::Show | Unlabelled::Deny => {
                let from = frame.cut_from;
                self.rewriter.hidden = Some(Hidden { from, level });
                Ok(())
            }
        }
    }

    #[inline]
    fn name_begins(&mut self, at: usize) -> Result<(), Halt> {
        self.begin_member(at);
        if let Cover::Searched(_) = self.rewriter.top.cover {
            self.rewriter.name_from = self.tape.here(at);
        }
        Ok(())
    }

    #[inline]
    fn name_ends(&mut self, raw: &[u8], escaped: bool) -> Result<(), Halt> {
        if let Cover::Searched(_) = self.rewriter.top.cover {
            self.search_name(raw)?;
        }
        self.rewriter.name = self.name_id(raw, escaped);
        Ok(())
    }

    #[inline]
    fn comma(&mut self, at: usize) -> Result<(), Halt> {
        if self.rewriter.hidden.is_some() {
            return Ok(());
        }
        let top = &mut self.rewriter.top;
        if top.kept_any {
            top.member_from = self.tape.here(at);
            top.pending = true;
            return Ok(());
        }
        let from = top.member_from;
        self.check_held(at)?;
        self.rewriter.top.pending = false;
        self.tape.cut(from, at + 1)
    }

    #[inline]
    fn terms(&self) -> Terms {
        self.present_terms()
    }

    fn unheard_max(&self) -> usize {
        self.plan.settings().held_bytes_max
    }

    #[inline]
    fn ignores(&self, word: u64) -> bool {
        self.plan.glance().ignores(word)
    }

    #[inline]
    fn meets(&mut self, raw: &[u8]) -> Interest {
        self.interest(raw)
    }

    #[inline]
    fn meets_short(&mut self, word: u64, raw: &[u8]) -> Option<Interest> {
        self.short_interest(word, raw)
    }

    #[inline]
    fn replaces(&mut self, kind: JsonKind, value: Range<usize>) -> Result<bool, Halt> {
        self.replace_unheard(kind, value)
    }

    #[inline]
    fn enters(&mut self, object: bool) -> Option<Terms> {
        self.enter_unheard(object)
    }

    #[inline]
    fn leaves(&mut self) -> Option<Terms> {
        self.leave_unheard()
    }

    #[inline]
    fn meets_another(&mut self) {
        self.rewriter.name = 0;
    }

    #[inline]
    fn passed(&mut self) {
        self.keep_unheard();
    }

    #[inline]
    fn awaits_comma(&self) -> bool {
        self.rewriter.top.pending
    }
}
