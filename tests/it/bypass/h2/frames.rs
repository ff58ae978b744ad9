//! HTTP/2 frames (RFC 9113 section 4), written and read without judging them.

/// What a client says first.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Frame types.
pub(crate) mod kind {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const HEADERS: u8 = 1;
    pub(crate) const PRIORITY: u8 = 2;
    pub(crate) const RST_STREAM: u8 = 3;
    pub(crate) const SETTINGS: u8 = 4;
    pub(crate) const PING: u8 = 6;
    pub(crate) const GOAWAY: u8 = 7;
    pub(crate) const WINDOW_UPDATE: u8 = 8;
    pub(crate) const CONTINUATION: u8 = 9;
}

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const PADDED: u8 = 8;
pub(crate) const PRIORITY_FLAG: u8 = 0x20;

/// One frame as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// The payload without padding and priority.
    pub(crate) fn block(&self) -> &[u8] {
        let mut block = &self.payload[..];
        if self.flags & PADDED != 0 && matches!(self.kind, kind::DATA | kind::HEADERS) {
            let padding = usize::from(block[0]);
            block = &block[1..block.len() - padding];
        }
        if self.kind == kind::HEADERS && self.flags & PRIORITY_FLAG != 0 {
            block = &block[5..];
        }
        block
    }

    /// The stream ends with this frame.
    pub(crate) fn ends_stream(&self) -> bool {
        matches!(self.kind, kind::DATA | kind::HEADERS) && self.flags & END_STREAM != 0
    }

    /// The 32-bit number at an offset of the payload, such as an error code.
    pub(crate) fn code(&self, at: usize) -> u32 {
        let bytes = self.payload.get(at..at + 4).unwrap_or(&[0; 4]);
        u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }
}

/// One frame's bytes.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("small").to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// SETTINGS with these parameters.
pub(crate) fn settings(parameters: &[(u16, u32)]) -> Vec<u8> {
    let mut payload = Vec::new();
    for (name, value) in parameters {
        payload.extend(name.to_be_bytes());
        payload.extend(value.to_be_bytes());
    }
    frame(kind::SETTINGS, 0, 0, &payload)
}

/// A complete header block.
pub(crate) fn headers(stream: u32, block: &[u8], ends: bool) -> Vec<u8> {
    let flags = END_HEADERS | if ends { END_STREAM } else { 0 };
    frame(kind::HEADERS, flags, stream, block)
}

/// A body, in frames of at most 16 KiB.
pub(crate) fn data(stream: u32, body: &[u8], ends: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let pieces = body.chunks(16 << 10).count();
    for (index, piece) in body.chunks(16 << 10).enumerate() {
        let last = ends && index + 1 == pieces;
        bytes.extend(frame(kind::DATA, u8::from(last), stream, piece));
    }
    bytes
}

/// Takes the next frame off a buffer, once it is whole.
pub(crate) fn take(buffer: &mut Vec<u8>) -> Option<Frame> {
    let head = buffer.get(..9)?;
    let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
    let (kind, flags) = (head[3], head[4]);
    let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
    if buffer.len() < 9 + length {
        return None;
    }
    let payload = buffer[9..9 + length].to_vec();
    buffer.drain(..9 + length);
    Some(Frame {
        kind,
        flags,
        stream,
        payload,
    })
}

/// What a polite client answers to a frame: acknowledgements and window.
pub(crate) fn reply(got: &Frame) -> Vec<u8> {
    let ack = got.flags & 1 != 0;
    match got.kind {
        kind::SETTINGS if !ack => frame(kind::SETTINGS, 1, 0, &[]),
        kind::PING if !ack => frame(kind::PING, 1, 0, &got.payload),
        kind::DATA if !got.payload.is_empty() => {
            let by = u32::try_from(got.payload.len())
                .expect("small")
                .to_be_bytes();
            let window = |stream| frame(kind::WINDOW_UPDATE, 0, stream, &by);
            [window(0), window(got.stream)].concat()
        }
        _ => Vec::new(),
    }
}
