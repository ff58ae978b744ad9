//! The grammar of RFC 8259, sixty-four tokens at a time.
//!
//! A token is a bracket, a colon, a comma, a string, or a number or literal; white space and the
//! inside of strings are gone. What may stand beside what is then a shift by one:
//!
//! ```text
//! tokens      {  "a"  :  [  1  ,  2  ]  }
//! before      1   .   1  1  .  1  .  .  .     after these a value comes
//! after           1   .  1  1  .  1  .  .     = before << 1: where values must be, and only there
//! ```
//!
//! Only the kind of the innermost container needs a look at each bracket.

/// The deepest nesting that can be followed here.
pub(in crate::json::scanner) const DEPTH_MAX: usize = 1024;

const GROUPS: usize = DEPTH_MAX / 64;

/// What has to come next, as bits that are 0 or 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::json::scanner) struct Due {
    /// A value, or what may stand in its place.
    pub(in crate::json::scanner) value: u64,
    /// A container was opened: its end may come.
    pub(in crate::json::scanner) close: u64,
    /// A name, or what may stand in its place.
    pub(in crate::json::scanner) name: u64,
    /// The last token was a name: a colon.
    pub(in crate::json::scanner) colon: u64,
}

/// Up to sixty-four tokens, a bit in each word for each of them:
///
/// ```text
///            {  }  [  ]  :  ,  string  number or literal
/// brackets   1  1  1  1  .  .    .       .
/// first      1  .  1  .  1  .    1       .
/// third      1  1  .  .  1  1    .       .
/// ```
#[derive(Clone, Copy, Default)]
pub(super) struct Tokens {
    pub(super) brackets: u64,
    pub(super) first: u64,
    pub(super) third: u64,
}

/// Where in the grammar the document is, and inside of what.
#[derive(Clone)]
pub(in crate::json::scanner) struct Grammar {
    pub(in crate::json::scanner) due: Due,
    /// How many containers are open.
    depth: usize,
    depth_max: usize,
    /// Whether each container is an object, the innermost in the lowest bit; as many as the depth is
    /// above a multiple of 64, and all 64 at such a multiple.
    kinds: u64,
    /// The same as it was at each multiple of 64.
    outer: [u64; GROUPS],
    /// How few containers were open in this window.
    pub(in crate::json::scanner) lowest: usize,
    /// The root value has ended.
    pub(in crate::json::scanner) ended: bool,
}

impl Grammar {
    /// Within these containers, of which there is at least one.
    pub(in crate::json::scanner) fn new(depth_max: usize, objects: &[bool], due: Due) -> Self {
        let mut grammar = Self {
            due,
            depth: 0,
            depth_max: depth_max.min(DEPTH_MAX),
            kinds: 0,
            outer: [0; GROUPS],
            lowest: 0,
            ended: false,
        };
        for object in objects {
            grammar.push(u64::from(*object));
        }
        grammar
    }

    /// How many containers are open.
    pub(in crate::json::scanner) const fn depth(&self) -> usize {
        self.depth
    }

    /// The kinds of the open containers, the outermost first.
    pub(in crate::json::scanner) fn objects(&self) -> impl Iterator<Item = bool> + '_ {
        (1..=self.depth).map(|level| {
            let group = (level - 1) / 64;
            let whole = self.outer.get(group).copied().unwrap_or_default();
            let (word, top) = match group == (self.depth - 1) / 64 {
                true => (self.kinds, self.depth),
                false => (whole, (group + 1) * 64),
            };
            (word >> (top - level)) & 1 != 0
        })
    }

    #[inline]
    fn push(&mut self, object: u64) {
        self.kinds = (self.kinds << 1) | object;
        self.depth = self.depth.wrapping_add(1);
        if self.depth.is_multiple_of(64)
            && let Some(group) = self.outer.get_mut(self.depth / 64 - 1)
        {
            *group = self.kinds;
        }
    }

    #[inline]
    fn pop(&mut self) {
        self.kinds >>= 1;
        self.depth = self.depth.wrapping_sub(1);
        if self.depth.is_multiple_of(64) {
            let outer = (self.depth / 64).checked_sub(1);
            let outer = outer.and_then(|group| self.outer.get(group));
            self.kinds = outer.copied().unwrap_or_default();
        }
    }

    /// Checks the next `count` tokens, at least one, whose brackets [`Self::nest`] has followed; the bits
    /// after them are zero. `in_object` are those inside of an object, or that open one. Says whether
    /// something is wrong.
    #[inline]
    pub(super) fn check(&mut self, tokens: Tokens, count: u32, in_object: u64) -> bool {
        let there = u64::MAX >> (64 - count);
        let brackets = tokens.brackets;
        let opens = brackets & tokens.first;
        let closes = brackets & !tokens.first;
        let others = tokens.third & !brackets;
        let colons = others & tokens.first;
        let commas = others & !tokens.first;
        let strings = tokens.first & !(brackets | tokens.third);

        let due = self.due;
        let leads = opens | commas | colons;
        let value_due = (leads << 1) | due.value;
        let close_due = (opens << 1) | due.close;
        let no_value = closes | commas | colons;
        let mut wrong = there & !no_value & !value_due;
        wrong |= value_due & no_value & !(closes & close_due);
        let name_leads = (opens | commas) & in_object;
        let name_due = (name_leads << 1) | due.name;
        wrong |= name_due & there & !(strings | closes);
        let names = name_due & strings;
        wrong |= (colons ^ ((names << 1) | due.colon)) & there;

        let last = count - 1;
        self.due = Due {
            value: (leads >> last) & 1,
            close: (opens >> last) & 1,
            name: (name_leads >> last) & 1,
            colon: (names >> last) & 1,
        };
        wrong != 0
    }

    /// Follows the brackets of the next `count` tokens, of which `opened` open a container. The answer has
    /// a bit where the kind of the innermost container changes, and is 1 or 0 for its kind before them;
    /// none when they do not match, are too deep, or something follows the root value.
    #[inline]
    pub(super) fn nest(&mut self, tokens: Tokens, count: u32, opened: u32) -> Option<(u64, u64)> {
        if self.ended {
            return None;
        }
        let there = u64::MAX >> (64 - count);
        let (brackets, curly) = (tokens.brackets, tokens.third);
        let opens = brackets & tokens.first;
        let before = self.kinds & 1;
        // PERF: nearly always the kinds stay within one word, and the limit out of reach.
        let deepest = self.depth + opened as usize;
        let changes = match self.depth == 0 || deepest >= 64 || deepest > self.depth_max {
            true => self.nest_far(brackets, opens, curly, there),
            false => self.nest_near(brackets, opens, curly, there),
        };
        Some((changes?, before))
    }

    /// The same within one word of kinds.
    #[inline]
    fn nest_near(&mut self, brackets: u64, opens: u64, curly: u64, there: u64) -> Option<u64> {
        let (mut kinds, mut depth, mut lowest) = (self.kinds, self.depth, self.lowest);
        let (mut left, mut changes, mut unlike) = (brackets, 0, 0);
        while left != 0 {
            let rest = left & left.wrapping_sub(1);
            let bit = left ^ rest;
            left = rest;
            let was = kinds & 1;
            let object = u64::from(curly & bit != 0);
            if opens & bit != 0 {
                kinds = (kinds << 1) | object;
                depth = depth.wrapping_add(1);
            } else {
                unlike |= object ^ was;
                kinds >>= 1;
                depth = depth.wrapping_sub(1);
                lowest = lowest.min(depth);
                if depth == 0 {
                    self.ended = true;
                    if there > (bit | (bit - 1)) {
                        return None;
                    }
                }
            }
            changes |= bit & ((kinds & 1) ^ was).wrapping_neg();
        }
        (self.kinds, self.depth, self.lowest) = (kinds, depth, lowest);
        (unlike == 0).then_some(changes)
    }

    /// The same anywhere.
    #[cold]
    #[inline(never)]
    fn nest_far(&mut self, brackets: u64, opens: u64, curly: u64, there: u64) -> Option<u64> {
        let mut left = brackets;
        let mut changes = 0;
        while left != 0 {
            let bit = left & left.wrapping_neg();
            left ^= bit;
            let was = self.kinds & 1;
            let object = u64::from(curly & bit != 0);
            if opens & bit != 0 {
                if self.depth >= self.depth_max {
                    return None;
                }
                self.push(object);
            } else {
                if object != was || self.depth == 0 {
                    return None;
                }
                self.pop();
                self.lowest = self.lowest.min(self.depth);
                if self.depth == 0 {
                    self.ended = true;
                    if there > (bit | (bit - 1)) {
                        return None;
                    }
                }
            }
            changes |= bit & ((self.kinds & 1) ^ was).wrapping_neg();
        }
        Some(changes)
    }
}
