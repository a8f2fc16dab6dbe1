//! Parts of the page: plain properties in, callbacks out. What they show is computed in `view_model`.

pub mod chart;
pub mod events;
pub mod header;
pub mod health;
pub mod help;
pub mod icon;
pub mod knobs;
pub mod lanes;
pub mod log;
pub mod problems;
pub mod screen;
pub mod scrub;
pub mod story;
pub mod topology;
pub mod transport;
pub mod why;

use sandbox_core::scenario::Plan;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

/// A plan that is equal only to itself.
#[derive(Clone, Debug)]
pub struct PlanRef(pub Arc<Plan>);

impl PartialEq for PlanRef {
    fn eq(&self, other: &PlanRef) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Something shared that is equal only to itself: cheap to compare, so that parts are drawn again only when it is replaced.
#[derive(Debug)]
pub struct Shared<T>(pub Rc<T>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        Shared(self.0.clone())
    }
}

impl<T> PartialEq for Shared<T> {
    fn eq(&self, other: &Shared<T>) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
