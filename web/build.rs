//! Links a released page without the names of its functions: they are a fifth of its size and say nothing to a reader.
//! `FAULTLINE_NAMES=1` keeps them, for whoever wants to know what the size is made of.
//!
//! The list of processor features stays, because wasm-bindgen reads it (the profile's `strip` would take it out as well).

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=FAULTLINE_NAMES");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if is("CARGO_CFG_TARGET_ARCH", "wasm32") && is("PROFILE", "release") && !is("FAULTLINE_NAMES", "1") {
        println!("cargo:rustc-link-arg-bins=--strip-all");
        println!("cargo:rustc-link-arg-bins=--keep-section=target_features");
    }
}
