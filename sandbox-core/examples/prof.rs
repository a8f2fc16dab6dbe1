use sandbox_core::Run;
use sandbox_core::scenario::Document;
use std::sync::Arc;
fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().unwrap();
    let variant = args.next().unwrap_or("B".into());
    let text = std::fs::read_to_string(path).unwrap();
    let doc = Document::parse(&text).unwrap();
    let plan = Arc::new(doc.plan(&variant, &[]).unwrap_or_else(|p| panic!("{p:?}")));
    let t = std::time::Instant::now();
    let mut run = Run::new(plan);
    if args.next().as_deref() != Some("0") {
    while !run.advance(4096) {}
    }
    eprintln!("{} steps {} records {} requests {} {:?}", run.digest(), run.steps(), run.record_count(), run.folds().requests().len(), t.elapsed());
}
