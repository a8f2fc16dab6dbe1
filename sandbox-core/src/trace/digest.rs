//! A fingerprint of a whole run: equal digests mean equal traces.

use super::Record;
use xxhash_rust::xxh3::Xxh3Default;

/// XXH3-128 over the records of a run in their fixed layout (ARCHITECTURE.md, "Digest").
///
/// XXH3 is a published, portable hash with the same result on every target; it is not cryptographic and need not be.
#[derive(Clone)]
pub struct Digest {
    hash: Xxh3Default,
    bytes: Vec<u8>,
}

impl Digest {
    /// The digest of no records.
    pub fn new() -> Digest {
        Digest { hash: Xxh3Default::new(), bytes: Vec::with_capacity(Self::BATCH + Record::BYTES) }
    }

    /// Bytes gathered before they are hashed in one go.
    const BATCH: usize = 4096;

    /// Adds the next record.
    pub fn add(&mut self, record: &Record) {
        self.bytes.extend_from_slice(&record.encode());
        if self.bytes.len() >= Self::BATCH {
            self.hash.update(&self.bytes);
            self.bytes.clear();
        }
    }

    /// 32 hexadecimal digits.
    pub fn hex(&self) -> String {
        let mut hash = self.hash.clone();
        hash.update(&self.bytes);
        format!("{:032x}", hash.digest128())
    }
}

impl Default for Digest {
    fn default() -> Digest {
        Digest::new()
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Digest({})", self.hex())
    }
}
