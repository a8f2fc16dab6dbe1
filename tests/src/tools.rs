//! Where the tools and build products are.

use std::env;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's root.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie below the root").to_path_buf()
}

/// A program: named by the variable, or of one of these names on the PATH.
pub fn program(variable: &str, names: &[&str]) -> PathBuf {
    let on_path = || {
        let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
        names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
    };
    env::var_os(variable).map(PathBuf::from).or_else(on_path).unwrap_or_else(|| {
        panic!("{} is neither on the PATH nor named by {variable}: run `cargo xtask test`, which installs it", names[0])
    })
}

/// The server's release binary.
pub fn faultline() -> PathBuf {
    let built = || {
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
        target.join("release").join(format!("faultline{}", env::consts::EXE_SUFFIX))
    };
    let path = env::var_os("FAULTLINE_BIN").map_or_else(built, PathBuf::from);
    assert!(path.is_file(), "{} is missing: run `cargo build --release -p server`", path.display());
    path
}

/// The folder of the built site.
pub fn site() -> PathBuf {
    let path = env::var_os("FAULTLINE_SITE").map_or_else(|| root().join("dist"), PathBuf::from);
    assert!(path.join("index.html").is_file(), "{} holds no site: run `trunk build --release`", path.display());
    path
}

/// Copies the built site into a folder, where a test may add to it.
pub fn copy_site(to: &Path) {
    copy(&site(), to);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder can be made");
    for entry in std::fs::read_dir(from).expect("the folder can be read") {
        let entry = entry.expect("it can be read");
        let to = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to),
            false => _ = std::fs::copy(entry.path(), to).expect("it can be copied"),
        }
    }
}

/// What `faultline export` makes of a lesson of the built site, written to a file.
pub fn exported(form: &str, what: &str, to: &Path) -> Vec<u8> {
    let (site, file) = (site().display().to_string(), to.display().to_string());
    let output = Command::new(faultline()).args(["export", form, what, "--site", &site, "-o", &file]).output();
    let output = output.expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(to).expect("it was written")
}

/// The script of axe-core.
pub fn axe() -> String {
    script("FAULTLINE_AXE", "axe/axe_playwright_python/axe.min.js")
}

/// The script of scorm-again's SCORM 1.2.
pub fn scorm_again() -> String {
    script("FAULTLINE_SCORM_AGAIN", "scorm-again/node_modules/scorm-again/dist/scorm12.min.js")
}

/// A script of other people: named by the variable, or installed.
fn script(variable: &str, installed: &str) -> String {
    let installed = || root().join(".tools").join(installed);
    let path = env::var_os(variable).map_or_else(installed, PathBuf::from);
    std::fs::read_to_string(&path)
        .unwrap_or_else(|why| panic!("{}: {why}: run `cargo xtask test`, which installs it", path.display()))
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    listener.local_addr().expect("it is bound").port()
}
