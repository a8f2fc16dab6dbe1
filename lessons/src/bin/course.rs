//! Writes what the page fetches of the course into the folder `course` of a site that Trunk builds (`Trunk.toml` calls it).

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let site = env::var_os("TRUNK_STAGING_DIR").expect("Trunk says where the site lies: TRUNK_STAGING_DIR");
    let folder = PathBuf::from(site).join("course");
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for (name, json) in lessons::FILES {
        let path = folder.join(name);
        fs::write(&path, json).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}
