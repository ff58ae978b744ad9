//! Cosignatures (C2SP tlog-cosignature, cosignature/v1): what a witness signs, and how it is stored.

/// The time before the signature.
const TIME_BYTES: usize = 8;

/// What is signed: that this checkpoint was the latest that the witness had seen at this time.
pub(crate) fn message(seconds: u64, checkpoint: &str) -> String {
    format!("cosignature/v1\ntime {seconds}\n{checkpoint}")
}

/// The time, in seconds since 1970, and the signature itself.
pub(crate) fn split(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (time, signature) = bytes.split_first_chunk::<TIME_BYTES>()?;
    Some((u64::from_be_bytes(*time), signature))
}

/// A time and a signature as a line carries them.
pub(crate) fn join(seconds: u64, signature: &[u8]) -> Vec<u8> {
    let mut bytes = seconds.to_be_bytes().to_vec();
    bytes.extend_from_slice(signature);
    bytes
}
