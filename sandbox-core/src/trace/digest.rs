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
    block: Box<[[u8; Record::BYTES]; BLOCK]>,
    filled: usize,
}

/// Records of a block: their bytes are a multiple of what XXH3 takes at once.
const BLOCK: usize = 128;

impl Digest {
    /// The digest of no records.
    pub fn new() -> Digest {
        Digest { hash: Xxh3Default::new(), block: Box::new([[0; Record::BYTES]; BLOCK]), filled: 0 }
    }

    /// Adds the next records.
    pub fn add(&mut self, records: &[Record]) {
        for record in records {
            record.encode(&mut self.block[self.filled]);
            self.filled += 1;
            if self.filled == BLOCK {
                self.hash_block();
            }
        }
    }

    #[cold]
    fn hash_block(&mut self) {
        self.hash.update(self.block.as_flattened());
        self.filled = 0;
    }

    /// 32 hexadecimal digits.
    pub fn hex(&self) -> String {
        let mut hash = self.hash.clone();
        hash.update(self.block[..self.filled].as_flattened());
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
