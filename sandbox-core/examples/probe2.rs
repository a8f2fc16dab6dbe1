//! scratch
use sandbox_core::{Run, scenario::Document};
use std::sync::Arc;
fn main() {
    let text = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    let doc = Document::parse(&text).unwrap();
    for v in ["A","B"] {
    let plan = Arc::new(doc.plan(v, &[]).unwrap());
    for _ in 0..3 {
    let t = std::time::Instant::now();
    let mut run = Run::new(plan.clone());
    run.run_to_end();
    println!("{v} {} {:.1} ms steps {}", run.digest(), t.elapsed().as_secs_f64()*1e3, run.steps()); }
    }
}
