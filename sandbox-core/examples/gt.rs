use sandbox_core::truth;
fn main() {
    let mut args = std::env::args().skip(1);
    let filter = args.next().unwrap_or_default();
    let share: f64 = args.next().map_or(1.0, |s| s.parse().unwrap());
    let cases: Vec<serde_json::Value> =
        serde_json::from_str(&std::fs::read_to_string("/work/shared/ground-truth.json").unwrap()).unwrap();
    for mut case in cases {
        let id = case["id"].as_str().unwrap().to_string();
        if !id.contains(&filter) || case["model"]["type"] != "system" {
            continue;
        }
        for key in ["requests", "simulated_s"] {
            if let Some(n) = case["run"][key].as_f64() {
                case["run"][key] = serde_json::json!((n * share) as u64);
            }
        }
        let began = std::time::Instant::now();
        let got = truth::decide(&case, 1);
        println!("{id} ({:.1} s)", began.elapsed().as_secs_f64());
        match got {
            Err(e) => println!("   ERR {e:?}"),
            Ok(got) => {
                for (name, want) in case["expected"].as_object().unwrap() {
                    let tol = case["rel_tol"].as_f64().or(case["rel_tol"][name].as_f64()).unwrap_or(0.0);
                    let (g, w) =
                        (got.get(name).and_then(|v| v.as_f64()).unwrap_or(f64::NAN), want.as_f64().unwrap_or(f64::NAN));
                    let err = (g - w).abs() / w.abs().max(1e-12);
                    println!(
                        "   {} {name}: want {w} got {g} err {err:.4} tol {tol}",
                        if err <= tol + 1e-6 { "ok " } else { "BAD" }
                    );
                }
            }
        }
    }
}
