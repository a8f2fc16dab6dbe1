//! Prints how large a built site is: as it lies there, through gzip, through brotli.

use anyhow::{Context, Result, bail};
use flate2::{Compression, write::GzEncoder};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

struct Sizes {
    raw: usize,
    gzip: usize,
    brotli: usize,
}

fn main() -> Result<()> {
    let Some(site) = std::env::args_os().nth(1).map(PathBuf::from) else { bail!("usage: sizes FOLDER") };
    let mut files = Vec::new();
    collect(&site, &mut files)?;
    files.sort();
    let mut total = Sizes { raw: 0, gzip: 0, brotli: 0 };
    println!("{:>10} {:>10} {:>10}  file (bytes)", "raw", "gzip", "brotli");
    for path in &files {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let sizes = measure(&bytes)?;
        print(&sizes, &path.strip_prefix(&site).unwrap_or(path).display().to_string());
        total =
            Sizes { raw: total.raw + sizes.raw, gzip: total.gzip + sizes.gzip, brotli: total.brotli + sizes.brotli };
    }
    print(&total, "total");
    Ok(())
}

fn print(sizes: &Sizes, name: &str) {
    println!("{:>10} {:>10} {:>10}  {name}", sizes.raw, sizes.gzip, sizes.brotli);
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// At the levels that a content network uses for files that it compresses once.
fn measure(bytes: &[u8]) -> Result<Sizes> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes)?;
    let mut brotli = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    brotli::BrotliCompress(&mut &bytes[..], &mut brotli, &parameters)?;
    Ok(Sizes { raw: bytes.len(), gzip: gzip.finish()?.len(), brotli: brotli.len() })
}
