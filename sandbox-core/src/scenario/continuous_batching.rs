//! Text that a language model writes in batches which change from one iteration to the next: as written, and checked.

use super::compiler::Compiler;
use super::path::Path;
use super::planner::Planner;
use super::program::{GenerateStep, Step};
use super::spec_macro::spec;
use super::steps::any_step;
use super::{DisciplineSpec, HoldSpec, ServiceSpec, StepSpec, limits};
use crate::policy::continuous_batching::ContinuousBatchingConfig;
use crate::time::Span;

spec! {
    /// Continuous batching of a language model (Orca, vLLM; ARCHITECTURE.md, "Policies"). Each iteration gives every sequence in the
    /// batch one token. The keys and values of all its tokens lie in memory; where there is no room for one more, the youngest
    /// sequence is thrown out (preempted), and computed again when it comes back.
    #[derive(Copy)]
    pub struct ContinuousBatchingSpec {
        /// Sequences in the batch at most (vLLM: `max_num_seqs`).
        pub max_sequences: u32 = 256,
        /// Tokens whose keys and values fit into memory, those of prompts and of answers (the KV cache).
        pub kv_tokens: u32,
        /// Time of an iteration, whatever is in it.
        pub iteration_ms: f64,
        /// Further time for each sequence in it.
        pub per_sequence_ms?: f64,
        /// Further time for each token that is read anew in it: of a prompt, or of what was thrown out.
        pub per_prefill_token_ms?: f64,
    }
}

spec! {
    /// Has the service's model write an answer. A prompt and an answer that do not fit into memory even alone fail with 400.
    pub struct GenerateSpec {
        /// Tokens of the prompt, as an expression.
        pub prompt_tokens: String,
        /// Tokens of the answer, as an expression.
        pub output_tokens: String,
    }
}

/// Tokens of the largest memory.
const KV_TOKENS_MAX: u32 = 100_000_000;
/// Sequences of the largest batch.
const SEQUENCES_MAX: u32 = 4_096;
/// Iterations of all instances of a service, times the sequences of each.
const TOKENS_MAX: f64 = 500e6;

impl Planner<'_> {
    /// The batch that a service writes in; None: it has none.
    #[inline]
    pub(super) fn continuous_batching(
        &mut self,
        path: &Path,
        service: &ServiceSpec,
    ) -> Option<ContinuousBatchingConfig> {
        let in_routes = path.at("routes");
        let writes =
            |(_, steps): &(&String, &Vec<StepSpec>)| any_step(steps, &|step| matches!(step, StepSpec::Generate(_)));
        let writing = service.routes.iter().find(writes).map(|(route, _)| in_routes.at(route));
        let at = path.at("continuous_batching");
        let batching = match (service.continuous_batching, writing) {
            (Some(batching), Some(_)) => batching,
            (None, Some(route)) => {
                self.problem(&route, "has no model to write with", "Give the service `continuous_batching`.");
                return None;
            }
            (Some(_), None) => {
                self.is_unused(&at, "writes nothing", "Use it in a step `generate`, or take it out.");
                return None;
            }
            (None, None) => return None,
        };
        self.within(&at.at("max_sequences"), f64::from(batching.max_sequences), 1.0, f64::from(SEQUENCES_MAX));
        self.within(&at.at("kv_tokens"), f64::from(batching.kv_tokens), 1.0, f64::from(KV_TOKENS_MAX));
        self.within(&at.at("iteration_ms"), batching.iteration_ms, 1.0, limits::LENGTH_MS);
        self.within(&at.at("per_sequence_ms"), batching.per_sequence_ms, 0.0, limits::LENGTH_MS);
        self.within(&at.at("per_prefill_token_ms"), batching.per_prefill_token_ms, 0.0, 1_000.0);
        let iterations = self.duration_s() * 1e3 / batching.iteration_ms * f64::from(service.replicas);
        if iterations * f64::from(batching.max_sequences) > TOKENS_MAX {
            let hint = "Let iterations take longer, or the run be shorter, or the batch hold less.";
            self.problem(&at, format!("could write more than {TOKENS_MAX:.0} tokens"), hint);
        }
        if service.workers.is_some() || service.static_batch || service.hold == HoldSpec::Work {
            let hint =
                "Take `workers`, `static_batch` and `hold` out: `max_sequences` says how many are written at once.";
            self.problem(&at, "is no work of workers", hint);
        }
        let lines = service.max_waiting.is_some() || service.patience.is_some() || service.drop_expired;
        if lines || service.discipline != DisciplineSpec::Fifo {
            let hint = "Take `max_waiting`, `patience`, `drop_expired` and `discipline` out: its line is without end, first come, first served.";
            self.problem(&at, "has a line of its own", hint);
        }
        if service.cpu_limit.is_some() {
            self.problem(&at, "does not go with `cpu_limit`", "Take one of the two out.");
        }
        let span = |ms: f64, least: f64| Span::from_ms(ms.clamp(least, limits::LENGTH_MS));
        let spans = [
            span(batching.iteration_ms, 1.0),
            span(batching.per_sequence_ms, 0.0),
            span(batching.per_prefill_token_ms, 0.0),
        ];
        let sizes = [(batching.max_sequences, SEQUENCES_MAX), (batching.kv_tokens, KV_TOKENS_MAX)];
        let [max_sequences, kv_tokens] = sizes.map(|(size, most)| size.clamp(1, most));
        ContinuousBatchingConfig::new(max_sequences, kv_tokens, spans).ok()
    }
}

impl Compiler<'_, '_> {
    #[inline]
    pub(super) fn generate(&mut self, path: &Path, generate: &GenerateSpec) {
        let prompt = self.number(&path.at("prompt_tokens"), &generate.prompt_tokens);
        let output = self.number(&path.at("output_tokens"), &generate.output_tokens);
        if let (Some(prompt), Some(output)) = (prompt, output) {
            self.push(Step::Generate(GenerateStep { prompt, output }));
        }
    }
}
