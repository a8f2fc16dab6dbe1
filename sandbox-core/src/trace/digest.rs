//! A fingerprint of a whole run: equal digests mean equal traces.

use super::Record;
use xxhash_rust::xxh3::Xxh3Default;

/// XXH3-128 over the records of a run in their fixed layout (ARCHITECTURE.md, "Digest").
///
/// XXH3 is a published, portable hash with the same result on every target; it is not cryptographic and need not be.
#[derive(Clone)]
pub struct Digest {
    hash: Xxh3Default,
    /// Records are gathered here and hashed in one go.
    block: Box<[u8; BLOCK]>,
    filled: usize,
}

/// Bytes of 128 records: a multiple of what XXH3 takes at once.
const BLOCK: usize = 128 * Record::BYTES;

impl Digest {
    /// The digest of no records.
    pub fn new() -> Digest {
        Digest { hash: Xxh3Default::new(), block: Box::new([0; BLOCK]), filled: 0 }
    }

    /// Adds the next records.
    pub fn add(&mut self, records: &[Record]) {
        for record in records {
            if self.filled == BLOCK {
                self.hash.update(&self.block[..]);
                self.filled = 0;
            }
            let place = &mut self.block[self.filled..];
            record.encode(place.first_chunk_mut().expect("a block holds whole records"));
            self.filled += Record::BYTES;
        }
    }

    /// 32 hexadecimal digits.
    pub fn hex(&self) -> String {
        let mut hash = self.hash.clone();
        hash.update(&self.block[..self.filled]);
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
