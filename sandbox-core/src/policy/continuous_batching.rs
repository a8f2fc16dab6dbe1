//! Continuous batching: which sequences a language model writes on in its next iteration, and who has to give up its memory.
//!
//! Scheduling at the level of iterations is Orca's (Yu et al., OSDI'22); the order of things is that of vLLM's scheduler
//! (Kwon et al., SOSP'23; `vllm/v1/core/sched/scheduler.py`). An iteration gives each sequence in the batch one token. The keys
//! and values of all tokens so far must lie in memory (the KV cache), so each sequence needs room for one more each time.
//! Those in the batch come first, the oldest first; where there is no room the youngest is thrown out, back to the head of the
//! line: what had been computed for it is forgotten, and computed again when it comes back (preemption by recomputation).
//! Only an iteration that throws nobody out takes in who waits, in order, while there are places and room for what each has
//! by now. Left out: prompts read in pieces (chunked prefill) and a bound of tokens in an iteration, memory in blocks
//! of 16 tokens, prefixes that are shared, swapping to the memory of the host.

use crate::time::Span;
use std::collections::VecDeque;

/// What a batch may hold, and what an iteration costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContinuousBatchingConfig {
    /// Sequences in the batch.
    max_sequences: u32,
    /// Tokens whose keys and values fit into memory.
    kv_tokens: u32,
    /// Time of an iteration whatever is in it: the weights are read from memory once.
    iteration: Span,
    /// Further time for each sequence in it.
    per_sequence: Span,
    /// Further time for each token that is read anew: of a prompt, or of what was thrown out.
    per_prefill_token: Span,
}

impl ContinuousBatchingConfig {
    /// Without a place, without memory, or with iterations of no length nothing would come of it.
    pub fn new(
        max_sequences: u32,
        kv_tokens: u32,
        [iteration, per_sequence, per_prefill_token]: [Span; 3],
    ) -> Result<ContinuousBatchingConfig, String> {
        match () {
            () if max_sequences == 0 => Err("a batch without a place: let it hold one sequence at least".into()),
            () if kv_tokens == 0 => Err("no memory: let it hold one token at least".into()),
            () if iteration == Span::ZERO => Err("iterations take no time: give them some".into()),
            () => Ok(ContinuousBatchingConfig { max_sequences, kv_tokens, iteration, per_sequence, per_prefill_token }),
        }
    }

    /// Sequences in the batch at most.
    pub fn max_sequences(&self) -> u32 {
        self.max_sequences
    }

    /// Whether a sequence can be written to its end, if it is alone.
    pub fn fits(&self, prompt: u32, output: u32) -> bool {
        // The last token is answered, and nobody reads it again.
        u64::from(prompt) + u64::from(output.saturating_sub(1)) <= u64::from(self.kv_tokens)
    }
}

/// A request to write `output` tokens after a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sequence {
    id: u32,
    prompt: u32,
    output: u32,
    written: u32,
    /// Tokens whose keys and values are in memory.
    held: u32,
}

/// A sequence that was thrown out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preempted {
    /// Which one.
    pub id: u32,
    /// So many tokens are to be computed again.
    pub tokens: u32,
    /// Who needed its room, or, if that was itself, the oldest one.
    pub by: u32,
}

/// An iteration that begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Iteration {
    /// Who was thrown out for it, in order.
    pub preempted: Vec<Preempted>,
    /// Who was taken in, in order.
    pub admitted: Vec<u32>,
    /// Tokens that are read anew.
    pub prefilled: u32,
    /// How long it takes.
    pub span: Span,
}

/// What an iteration did for a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Which one.
    pub id: u32,
    /// How many tokens it has now.
    pub tokens: u32,
    /// Whether that is all.
    pub done: bool,
}

/// The batch and the line before it.
#[derive(Clone, Debug)]
pub struct ContinuousBatch {
    config: ContinuousBatchingConfig,
    /// In the order in which they were taken in.
    running: Vec<Sequence>,
    waiting: VecDeque<Sequence>,
    /// Tokens in memory.
    held: u32,
}

impl ContinuousBatch {
    /// Nobody is there.
    pub fn new(config: ContinuousBatchingConfig) -> ContinuousBatch {
        ContinuousBatch { config, running: Vec::new(), waiting: VecDeque::new(), held: 0 }
    }

    /// What it goes by.
    pub fn config(&self) -> &ContinuousBatchingConfig {
        &self.config
    }

    /// Sequences in the batch.
    pub fn running(&self) -> u32 {
        self.running.len() as u32
    }

    /// The sequences in the batch, in the order in which they were taken in.
    pub fn in_batch(&self) -> impl Iterator<Item = u32> {
        self.running.iter().map(|sequence| sequence.id)
    }

    /// Sequences in line.
    pub fn waiting(&self) -> u32 {
        self.waiting.len() as u32
    }

    /// Tokens in memory.
    pub fn held(&self) -> u32 {
        self.held
    }

    /// Whether it is in line.
    pub fn waits(&self, id: u32) -> bool {
        // Whoever asks has mostly just come.
        self.waiting.iter().rev().any(|sequence| sequence.id == id)
    }

    /// Whether it is in the batch or in line.
    pub fn contains(&self, id: u32) -> bool {
        self.running.iter().any(|sequence| sequence.id == id) || self.waits(id)
    }

    /// Decides about the next iteration; none if there is nothing to do. Nobody is taken in unless it `admits`.
    pub fn decide(&mut self, admits: bool) -> Option<Iteration> {
        let mut iteration = Iteration::default();
        let mut place = 0;
        while place < self.running.len() {
            if self.held < self.config.kv_tokens {
                self.running[place].held += 1;
                self.held += 1;
                place += 1;
                continue;
            }
            let needs = self.running[place].id;
            let youngest = self.running.pop().expect("there is one at this place");
            let by = if youngest.id == needs { self.running.first().map_or(needs, |oldest| oldest.id) } else { needs };
            self.held -= youngest.held;
            iteration.preempted.push(Preempted { id: youngest.id, tokens: youngest.held, by });
            self.waiting.push_front(Sequence { held: 0, ..youngest });
        }
        while admits && iteration.preempted.is_empty() && self.has_room() {
            let mut next = self.waiting.pop_front().expect("there is room for it");
            next.held = next.prompt + next.written;
            self.held += next.held;
            iteration.prefilled += next.held;
            iteration.admitted.push(next.id);
            self.running.push(next);
        }
        iteration.span = self.config.iteration
            + self.config.per_sequence.scaled(f64::from(self.running()))
            + self.config.per_prefill_token.scaled(f64::from(iteration.prefilled));
        (!self.running.is_empty()).then_some(iteration)
    }

    /// Whether the first in line would be taken in now.
    pub fn has_room(&self) -> bool {
        self.waiting.front().is_some_and(|next| {
            self.running() < self.config.max_sequences
                && u64::from(self.held) + u64::from(next.prompt + next.written) <= u64::from(self.config.kv_tokens)
        })
    }

    /// A sequence that [fits](ContinuousBatchingConfig::fits) joins the line.
    pub fn on_request(&mut self, id: u32, prompt: u32, output: u32) {
        self.waiting.push_back(Sequence { id, prompt, output, written: 0, held: 0 });
    }

    /// An iteration is over: everybody in the batch has one more token, and who has all of them leaves.
    pub fn on_iteration(&mut self) -> Vec<Written> {
        let written = |sequence: &mut Sequence| {
            sequence.written += 1;
            Written { id: sequence.id, tokens: sequence.written, done: sequence.written >= sequence.output }
        };
        let all: Vec<Written> = self.running.iter_mut().map(written).collect();
        self.leave(|sequence| sequence.written >= sequence.output);
        all
    }

    /// Nobody waits for a sequence any more.
    pub fn on_withdrawn(&mut self, id: u32) {
        self.leave(|sequence| sequence.id == id);
        self.waiting.retain(|sequence| sequence.id != id);
    }

    fn leave(&mut self, is_over: impl Fn(&Sequence) -> bool) {
        let freed: u32 = self.running.iter().filter(|sequence| is_over(sequence)).map(|sequence| sequence.held).sum();
        self.held -= freed;
        self.running.retain(|sequence| !is_over(sequence));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(max_sequences: u32, kv_tokens: u32) -> ContinuousBatch {
        let spans = [20.0, 0.2, 0.5].map(Span::from_ms);
        ContinuousBatch::new(ContinuousBatchingConfig::new(max_sequences, kv_tokens, spans).unwrap())
    }

    /// Iterations until a sequence is done: how many, and the sequences that are.
    fn run(batch: &mut ContinuousBatch) -> (u32, Vec<u32>) {
        for iterations in 1.. {
            assert!(batch.decide(true).is_some(), "somebody is there");
            let done: Vec<u32> = batch.on_iteration().iter().filter(|it| it.done).map(|it| it.id).collect();
            if !done.is_empty() {
                return (iterations, done);
            }
        }
        unreachable!("somebody is done in the end")
    }

    #[test]
    fn an_iteration_costs_its_sequences_and_the_tokens_it_reads_anew() {
        let mut batch = batch(8, 1_000);
        batch.on_request(1, 100, 3);
        batch.on_request(2, 50, 1);
        let first = batch.decide(true).unwrap();
        assert_eq!((first.prefilled, first.span), (150, Span::from_ms(20.0 + 0.4 + 75.0)));
        let written = batch.on_iteration();
        assert_eq!(
            written.iter().map(|it| (it.id, it.tokens, it.done)).collect::<Vec<_>>(),
            [(1, 1, false), (2, 1, true)]
        );
        let second = batch.decide(true).unwrap();
        assert_eq!((second.prefilled, second.span, batch.held()), (0, Span::from_ms(20.2), 101));
        batch.on_iteration();
        assert_eq!(run(&mut batch), (1, vec![1]));
        assert_eq!((batch.decide(true), batch.held()), (None, 0));
    }

    #[test]
    fn nobody_is_taken_in_beyond_the_places_or_the_memory() {
        for (max_sequences, kv_tokens) in [(2, 1_000), (8, 29)] {
            let mut batch = batch(max_sequences, kv_tokens);
            (1..=3).for_each(|id| batch.on_request(id, 10, 2));
            assert_eq!(batch.decide(true).unwrap().admitted, [1, 2], "{max_sequences} and {kv_tokens}");
            assert_eq!((batch.running(), batch.waiting(), batch.has_room()), (2, 1, false));
        }
        let mut batch = batch(2, 100);
        batch.on_request(1, 10, 2);
        assert_eq!(batch.decide(false), None);
    }

    /// Two sequences of 10 tokens in a memory of 24: after two iterations each has 12, and the older one needs another.
    #[test]
    fn the_youngest_is_thrown_out_and_comes_back_to_the_head_of_the_line() {
        let mut batch = batch(8, 24);
        (1..=3).for_each(|id| batch.on_request(id, 10, 6));
        assert_eq!(batch.decide(true).unwrap().admitted, [1, 2]);
        for _ in 0..2 {
            batch.on_iteration();
            assert_eq!(batch.decide(true).unwrap().preempted, []);
        }
        batch.on_iteration();
        let tight = batch.decide(true).unwrap();
        assert_eq!(tight.preempted, [Preempted { id: 2, tokens: 12, by: 1 }]);
        assert_eq!((tight.admitted, batch.held()), (vec![], 13), "3 would have no room, and nobody is taken in now");
        assert_eq!(batch.on_iteration().len(), 1);
        assert_eq!(run(&mut batch), (2, vec![1]));
        // 2 comes before 3, with its ten tokens of the prompt and the three that it had written.
        let again = batch.decide(true).unwrap();
        assert_eq!((again.admitted, again.prefilled), (vec![2, 3], 23));
        assert_eq!(batch.on_iteration()[0], Written { id: 2, tokens: 4, done: false });
    }

    /// The last one that needs room is the youngest itself.
    #[test]
    fn whoever_finds_no_room_and_is_the_youngest_goes_itself() {
        let mut batch = batch(8, 23);
        (1..=2).for_each(|id| batch.on_request(id, 10, 6));
        batch.decide(true);
        batch.on_iteration();
        batch.decide(true);
        batch.on_iteration();
        assert_eq!(batch.decide(true).unwrap().preempted, [Preempted { id: 2, tokens: 11, by: 1 }]);
    }

    #[test]
    fn a_sequence_that_fits_alone_is_written_to_its_end() {
        let mut batch = batch(8, 15);
        assert!(batch.config().fits(10, 6) && !batch.config().fits(10, 7) && !batch.config().fits(u32::MAX, u32::MAX));
        (1..=3).for_each(|id| batch.on_request(id, 10, 6));
        assert_eq!([run(&mut batch), run(&mut batch), run(&mut batch)].map(|(_, done)| done), [[1], [2], [3]]);
    }

    #[test]
    fn whoever_is_withdrawn_leaves_its_room() {
        let mut batch = batch(8, 25);
        (1..=3).for_each(|id| batch.on_request(id, 10, 2));
        batch.decide(true);
        assert!(batch.contains(3) && !batch.has_room());
        batch.on_withdrawn(1);
        assert!(!batch.contains(1) && batch.has_room());
        batch.on_withdrawn(3);
        assert_eq!((batch.held(), batch.running(), batch.waiting()), (10, 1, 0));
    }

    /// Without preemption and once everybody has been read: n tokens in base + n times what each adds.
    #[test]
    fn throughput_is_the_closed_form() {
        let mut batch = batch(14, 100_000);
        (1..=14).for_each(|id| batch.on_request(id, 1, 1_001));
        batch.decide(true);
        batch.on_iteration();
        let spans = (0..1_000).map(|_| {
            let span = batch.decide(true).unwrap().span;
            assert_eq!(batch.on_iteration().len(), 14);
            span.as_seconds()
        });
        let rate = 14_000.0 / spans.sum::<f64>();
        assert!((rate / (14.0 / (0.02 + 14.0 * 0.0002)) - 1.0).abs() < 1e-9, "{rate}");
    }
}
