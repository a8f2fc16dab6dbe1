//! Undo and redo over states of a document.

/// So many states can be undone.
const DEEPEST: usize = 200;

/// The states before the present one, and those that were undone.
#[derive(Clone, Debug)]
pub struct History<T> {
    before: Vec<T>,
    after: Vec<T>,
    /// What the latest change was about: another one about the same is undone together with it.
    about: Option<String>,
}

impl<T> Default for History<T> {
    fn default() -> History<T> {
        History { before: Vec::new(), after: Vec::new(), about: None }
    }
}

impl<T> History<T> {
    /// The state that a change leaves behind. Changes in a row about the same, such as a turned knob, are undone together.
    pub fn leave(&mut self, state: T, about: Option<&str>) {
        let goes_on = about.is_some() && self.about.as_deref() == about;
        self.after.clear();
        if !goes_on {
            self.before.push(state);
            self.before.drain(..self.before.len().saturating_sub(DEEPEST));
        }
        self.about = about.map(str::to_string);
    }

    /// The next change is undone by itself.
    pub fn settle(&mut self) {
        self.about = None;
    }

    /// The state before the present one, which is handed in.
    pub fn undo(&mut self, present: T) -> Result<T, T> {
        self.about = None;
        go(&mut self.before, &mut self.after, present)
    }

    /// The state that was undone last, for the present one.
    pub fn redo(&mut self, present: T) -> Result<T, T> {
        self.about = None;
        go(&mut self.after, &mut self.before, present)
    }

    /// Whether anything can be undone, and whether anything can be done again.
    pub fn can(&self) -> (bool, bool) {
        (!self.before.is_empty(), !self.after.is_empty())
    }
}

fn go<T>(from: &mut Vec<T>, to: &mut Vec<T>, present: T) -> Result<T, T> {
    match from.pop() {
        Some(state) => {
            to.push(present);
            Ok(state)
        }
        None => Err(present),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undo_and_redo_mirror_each_other_and_a_change_forgets_what_was_undone() {
        let mut history = History::default();
        history.leave(0, None);
        history.leave(1, None);
        assert_eq!(history.undo(2), Ok(1));
        assert_eq!(history.undo(1), Ok(0));
        assert_eq!(history.undo(0), Err(0));
        assert_eq!(history.redo(0), Ok(1));
        assert_eq!(history.can(), (true, true));
        history.leave(1, None);
        assert_eq!((history.redo(9), history.undo(9)), (Err(9), Ok(1)));
    }

    #[test]
    fn changes_in_a_row_about_the_same_are_undone_together() {
        let mut history = History::default();
        history.leave(0, Some("knob"));
        history.leave(1, Some("knob"));
        history.settle();
        history.leave(2, Some("knob"));
        history.leave(3, Some("text"));
        assert_eq!([history.undo(4), history.undo(3), history.undo(2)], [Ok(3), Ok(2), Ok(0)]);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut history = History::default();
        (0..1_000).for_each(|state| history.leave(state, None));
        assert_eq!((0..1_000).filter(|_| history.undo(0).is_ok()).count(), DEEPEST);
    }
}
