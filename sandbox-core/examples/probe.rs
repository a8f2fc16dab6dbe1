//! scratch
use sandbox_core::{Run, scenario::Document, metrics::RunReport};
use std::{sync::Arc, time::Instant};
fn main() {
    let text = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    let doc = Document::parse(&text).unwrap();
    for v in doc.variants() {
        let plan = match doc.plan(&v, &[]) { Ok(p) => p, Err(e) => { for p in e { println!("{p}") } continue } };
        if v=="A" {println!("{}", plan.describe());}
        let plan = Arc::new(plan);
        for k in 0..2 {
        let t = Instant::now();
        let mut run = Run::new(plan.clone());
        run.run_to_end();
        let ms = t.elapsed().as_secs_f64()*1e3;
        let r = RunReport::new(&run, ms);
        println!("{v} {} {:.1} ms events {} records {} req {:?} lat {:?}", r.digest, ms, r.events, run.record_count(), r.requests.by_outcome, (r.latency_ms.p50,r.latency_ms.p95,r.latency_ms.p99));
        if k==1 { for row in run.folds().rows().iter().step_by(3) { println!("  {:2} fresh {} stale {} 5xx {} 4xx {} p {:?}", row.second, row.fresh(), row.stale(), row.server_errors(), row.client_errors(), row.latency().percentiles().map(|p|(p.p50.as_ms(),p.p95.as_ms(),p.p99.as_ms()))); }
          println!("{:?}", r.metrics.get("recovery_seconds")); 
          for m in run.folds().milestones() { println!("   {} {:?}", m.record.at.as_seconds(), m.record.what) }
          let t=Instant::now(); for i in 0..300u64 { run.seek(i*1103515245 % run.steps()); } println!("seek avg {:.3} ms", t.elapsed().as_secs_f64()*1e3/300.0);
        }}
    }
}
