//! The embedded ground truth, with one seed each.

use sandbox_core::truth::{Verdict, read_cases};

#[test]
fn what_is_built_is_right() {
    let cases = read_cases(include_str!("../../tests/ground-truth/ground-truth.json")).unwrap();
    let mut passed = 0;
    for case in &cases {
        let report = case.judge(&[case.answer(1)]);
        match report.verdict {
            Verdict::Unsupported => {}
            Verdict::Pass => passed += 1,
            verdict => panic!("{}: {verdict:?} {:?} {:#?}", case.id, report.reason, report.values),
        }
    }
    assert!(passed >= 14, "only {passed} cases are supported");
}
