//! A strict RFC 8259 reader that keeps what a redactor must not lose: order, duplicates, lexemes and
//! the place of every byte.
//!
//! It is recursive and bounded by the depth it is given. It refuses byte order marks, lone surrogates
//! and everything the grammar does not name.

use std::rc::Rc;

use super::opened::Opened;

/// The document is not strict JSON, or the rules refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused;

/// A node of a [`Document`], by number; the root is 0.
pub(crate) type NodeId = usize;

/// A parsed document with its text.
pub(crate) struct Document<'t> {
    pub(crate) text: &'t str,
    pub(crate) nodes: Vec<Node>,
}

/// One value and where it stands.
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) children: Vec<Child>,
    /// The text it stands in, where that is not the document's own.
    text: Option<Rc<str>>,
    /// What a string holds, once it has been opened.
    pub(crate) opened: Option<Opened>,
}

/// What a value is; strings decoded, numbers to be read from the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String(String),
    Number,
    Bool(bool),
    Null,
}

/// One member or element of a container.
pub(crate) struct Child {
    /// Where the name begins, or the value when there is none.
    pub(crate) start: usize,
    /// The decoded member name.
    pub(crate) name: Option<String>,
    pub(crate) node: NodeId,
}

impl<'t> Document<'t> {
    /// Reads `bytes`, which may nest `depth_max` containers.
    pub(crate) fn read(bytes: &'t [u8], depth_max: usize) -> Result<Self, Refused> {
        let text = std::str::from_utf8(bytes).map_err(|_invalid| Refused)?;
        let mut reader = Reader {
            text,
            position: 0,
            source: None,
            depth_left: depth_max,
            nodes: Vec::new(),
        };
        reader.document()?;
        Ok(Self {
            text,
            nodes: reader.nodes,
        })
    }

    /// Reads another text into the same tree: the root of its own.
    pub(super) fn graft(&mut self, text: &Rc<str>, depth_max: usize) -> Result<NodeId, Refused> {
        let root = self.nodes.len();
        let mut reader = Reader {
            text,
            position: 0,
            source: Some(Rc::clone(text)),
            depth_left: depth_max,
            nodes: std::mem::take(&mut self.nodes),
        };
        let read = reader.document();
        self.nodes = reader.nodes;
        read.map(|()| root)
    }

    /// The text of a node.
    pub(crate) fn lexeme(&self, node: NodeId) -> &str {
        self.between(node, self.nodes[node].start, self.nodes[node].end)
    }

    /// The text between two places of the text that a node stands in.
    pub(crate) fn between(&self, node: NodeId, from: usize, to: usize) -> &str {
        let text = self.nodes[node].text.as_deref();
        text.unwrap_or(self.text).get(from..to).unwrap()
    }

    /// What a value stands for: the root of its document where it is a string that has been opened.
    pub(crate) fn meant(&self, node: NodeId) -> NodeId {
        let mut meant = node;
        while let Some(opened) = &self.nodes[meant].opened {
            meant = opened.root;
        }
        meant
    }

    /// The children of a node, in order.
    pub(crate) fn children(&self, node: NodeId) -> &[Child] {
        &self.nodes[node].children
    }

    /// Whether a node is an object or an array.
    pub(crate) fn is_container(&self, node: NodeId) -> bool {
        matches!(self.nodes[node].kind, Kind::Object | Kind::Array)
    }
}

struct Reader<'t> {
    text: &'t str,
    position: usize,
    source: Option<Rc<str>>,
    depth_left: usize,
    nodes: Vec<Node>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    /// Goes past `byte` if it is next.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.position += usize::from(found);
        found
    }

    fn rest(&self) -> &str {
        self.text.get(self.position..).unwrap()
    }

    fn need(&mut self, byte: u8) -> Result<(), Refused> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(Refused)
        }
    }

    fn white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.position += 1;
        }
    }

    /// One value and the white space around it.
    fn document(&mut self) -> Result<(), Refused> {
        self.white_space();
        self.value()?;
        self.white_space();
        match self.position == self.text.len() {
            true => Ok(()),
            false => Err(Refused),
        }
    }

    fn value(&mut self) -> Result<NodeId, Refused> {
        let id = self.nodes.len();
        let start = self.position;
        self.nodes.push(Node {
            kind: Kind::Null,
            start,
            end: start,
            children: Vec::new(),
            text: self.source.clone(),
            opened: None,
        });
        let (kind, children) = match self.peek() {
            Some(b'{') => (Kind::Object, self.container(b'}')?),
            Some(b'[') => (Kind::Array, self.container(b']')?),
            Some(b'"') => (Kind::String(self.string()?), Vec::new()),
            Some(b't') => (self.word("true", Kind::Bool(true))?, Vec::new()),
            Some(b'f') => (self.word("false", Kind::Bool(false))?, Vec::new()),
            Some(b'n') => (self.word("null", Kind::Null)?, Vec::new()),
            _ => (self.number()?, Vec::new()),
        };
        self.nodes[id] = Node {
            kind,
            start,
            end: self.position,
            children,
            text: self.source.clone(),
            opened: None,
        };
        Ok(id)
    }

    fn container(&mut self, close: u8) -> Result<Vec<Child>, Refused> {
        self.depth_left = self.depth_left.checked_sub(1).ok_or(Refused)?;
        self.position += 1;
        self.white_space();
        let mut children = Vec::new();
        if !self.take(close) {
            loop {
                children.push(self.child(close == b'}')?);
                self.white_space();
                if self.take(close) {
                    break;
                }
                self.need(b',')?;
                self.white_space();
            }
        }
        self.depth_left += 1;
        Ok(children)
    }

    fn child(&mut self, named: bool) -> Result<Child, Refused> {
        let start = self.position;
        let name = if named {
            let name = self.string()?;
            self.white_space();
            self.need(b':')?;
            self.white_space();
            Some(name)
        } else {
            None
        };
        let node = self.value()?;
        Ok(Child { start, name, node })
    }

    fn word(&mut self, word: &str, kind: Kind) -> Result<Kind, Refused> {
        if !self.rest().starts_with(word) {
            return Err(Refused);
        }
        self.position += word.len();
        Ok(kind)
    }

    /// RFC 8259 section 6.
    fn number(&mut self) -> Result<Kind, Refused> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits()?;
        }
        Ok(Kind::Number)
    }

    fn digits(&mut self) -> Result<(), Refused> {
        let before = self.position;
        while let Some(b'0'..=b'9') = self.peek() {
            self.position += 1;
        }
        if self.position == before {
            return Err(Refused);
        }
        Ok(())
    }

    /// RFC 8259 section 7; decoded.
    fn string(&mut self) -> Result<String, Refused> {
        self.need(b'"')?;
        let mut decoded = String::new();
        loop {
            let next = self.rest().chars().next().ok_or(Refused)?;
            self.position += next.len_utf8();
            match next {
                '"' => return Ok(decoded),
                '\\' => decoded.push(self.escape()?),
                '\0'..='\u{1f}' => return Err(Refused),
                other => decoded.push(other),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Refused> {
        let letter = self.peek().ok_or(Refused)?;
        self.position += 1;
        match letter {
            b'"' | b'\\' | b'/' => Ok(char::from(letter)),
            b'b' => Ok('\u{8}'),
            b'f' => Ok('\u{c}'),
            b'n' => Ok('\n'),
            b'r' => Ok('\r'),
            b't' => Ok('\t'),
            b'u' => self.code_point(),
            _ => Err(Refused),
        }
    }

    /// `\uXXXX`, or two of them that form a surrogate pair.
    fn code_point(&mut self) -> Result<char, Refused> {
        let first = self.hex4()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or(Refused);
        }
        self.need(b'\\')?;
        self.need(b'u')?;
        let second = self.hex4()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(Refused);
        }
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(Refused)
    }

    fn hex4(&mut self) -> Result<u32, Refused> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or(Refused)?;
            self.position += 1;
        }
        Ok(code)
    }
}
