//! An ordered map in shared nodes, copied on write.
//!
//! A clone is one pointer, whatever the map holds, so a keyframe of the world and a snapshot inside a transaction cost
//! nothing. The first write after a clone copies the nodes on the way to its entry (a B-tree of [`WIDTH`] entries a
//! node: four nodes at a million entries) and shares all others. [`crate::chunks`] is the same idea for tables of a
//! fixed length.

use std::sync::Arc;

/// Entries per node: small enough that a write after a clone copies little, large enough that the tree stays flat.
const WIDTH: usize = 32;

/// An ordered map whose clones share what neither of them has written since.
#[derive(Clone, Debug)]
pub struct SharedMap<K, V> {
    root: Arc<Node<K, V>>,
    len: usize,
}

/// A branch keeps a lower bound of each child's keys; the bound of its first child is not looked at. Only the root may
/// be empty.
#[derive(Clone, Debug)]
enum Node<K, V> {
    Leaf(Vec<(K, V)>),
    Branch(Vec<Child<K, V>>),
}

type Child<K, V> = (K, Arc<Node<K, V>>);

use Node::{Branch, Leaf};

impl<K: Ord + Copy, V: Clone> SharedMap<K, V> {
    /// An empty map.
    pub fn new() -> SharedMap<K, V> {
        SharedMap { root: Arc::new(Leaf(Vec::new())), len: 0 }
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no entry at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value under `key`.
    pub fn get(&self, key: K) -> Option<&V> {
        let mut node = &self.root;
        loop {
            match &**node {
                Branch(children) => node = &children[child(children, key)].1,
                Leaf(entries) => {
                    let at = entries.binary_search_by_key(&key, |(key, _)| *key).ok()?;
                    return Some(&entries[at].1);
                }
            }
        }
    }

    /// The value under `key`, to be changed; copies the nodes on the way that a clone shares.
    pub fn get_mut(&mut self, key: K) -> Option<&mut V> {
        let mut node = &mut self.root;
        loop {
            match Arc::make_mut(node) {
                Branch(children) => {
                    let at = child(children, key);
                    node = &mut children[at].1;
                }
                Leaf(entries) => {
                    let at = entries.binary_search_by_key(&key, |(key, _)| *key).ok()?;
                    return Some(&mut entries[at].1);
                }
            }
        }
    }

    /// The first entry whose key is `from` or later.
    pub fn first_from(&self, from: K) -> Option<(K, &V)> {
        first_from(&self.root, from)
    }

    /// Puts `value` under `key` and returns what was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let (old, right) = insert(&mut self.root, key, value);
        if let Some(right) = right {
            let left = (key, self.root.clone());
            self.root = Arc::new(Branch(vec![left, right]));
        }
        self.len += usize::from(old.is_none());
        old
    }

    /// Takes the entry under `key` out.
    pub fn remove(&mut self, key: K) -> Option<V> {
        self.get(key)?;
        let old = remove(&mut self.root, key);
        self.len -= 1;
        while let Branch(children) = &*self.root {
            match &children[..] {
                [] => self.root = Arc::new(Leaf(Vec::new())),
                [(_, only)] => self.root = only.clone(),
                _ => break,
            }
        }
        Some(old)
    }

    /// How many keys lie in `from..to`; looks at no more than the edges of that range.
    pub fn count(&self, from: K, to: K) -> usize {
        self.below(to).saturating_sub(self.below(from))
    }

    /// How many keys are less than `key`.
    fn below(&self, key: K) -> usize {
        let (mut node, mut count) = (&self.root, 0);
        loop {
            match &**node {
                Branch(children) => {
                    let at = child(children, key);
                    count += children[..at].iter().map(|(_, child)| child.len()).sum::<usize>();
                    node = &children[at].1;
                }
                Leaf(entries) => return count + entries.partition_point(|(other, _)| *other < key),
            }
        }
    }

    /// All entries in order.
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter::new(&self.root, None)
    }

    /// All entries in order whose key is `from` or later.
    pub fn iter_from(&self, from: K) -> Iter<'_, K, V> {
        Iter::new(&self.root, Some(from))
    }
}

impl<K: Ord + Copy, V: Clone> Default for SharedMap<K, V> {
    fn default() -> Self {
        SharedMap::new()
    }
}

impl<K, V> Node<K, V> {
    /// Entries in it and below it.
    fn len(&self) -> usize {
        match self {
            Leaf(entries) => entries.len(),
            Branch(children) => children.iter().map(|(_, child)| child.len()).sum(),
        }
    }
}

/// Which child holds `key`, if any does.
fn child<K: Ord + Copy, N>(children: &[(K, N)], key: K) -> usize {
    children.partition_point(|(bound, _)| *bound <= key).saturating_sub(1)
}

fn first_from<K: Ord + Copy, V>(node: &Node<K, V>, from: K) -> Option<(K, &V)> {
    match node {
        Leaf(entries) => {
            let (key, value) = entries.get(entries.partition_point(|(key, _)| *key < from))?;
            Some((*key, value))
        }
        Branch(children) => {
            let at = child(children, from);
            children[at..].iter().find_map(|(_, child)| first_from(child, from))
        }
    }
}

/// What an insertion replaced, and the right half of the node with its bound if the node had to be split.
type Inserted<K, V> = (Option<V>, Option<Child<K, V>>);

fn insert<K: Ord + Copy, V: Clone>(node: &mut Arc<Node<K, V>>, key: K, value: V) -> Inserted<K, V> {
    match Arc::make_mut(node) {
        Leaf(entries) => match entries.binary_search_by_key(&key, |(key, _)| *key) {
            Ok(at) => (Some(std::mem::replace(&mut entries[at].1, value)), None),
            Err(at) => {
                entries.insert(at, (key, value));
                (None, split(entries, at).map(|(bound, right)| (bound, Arc::new(Leaf(right)))))
            }
        },
        Branch(children) => {
            let at = child(children, key);
            let (old, right) = insert(&mut children[at].1, key, value);
            let Some(right) = right else { return (old, None) };
            children.insert(at + 1, right);
            (old, split(children, at + 1).map(|(bound, right)| (bound, Arc::new(Branch(right)))))
        }
    }
}

/// Splits off the right half of a node that an insertion at `at` made too wide. A node that grows at its end keeps all
/// the rest, so keys that come in order fill their nodes.
fn split<K: Copy, T>(items: &mut Vec<(K, T)>, at: usize) -> Option<(K, Vec<(K, T)>)> {
    if items.len() <= WIDTH {
        return None;
    }
    let right = items.split_off(if at == WIDTH { WIDTH } else { WIDTH / 2 });
    Some((right[0].0, right))
}

/// Takes out an entry that is there.
fn remove<K: Ord + Copy, V: Clone>(node: &mut Arc<Node<K, V>>, key: K) -> V {
    match Arc::make_mut(node) {
        Leaf(entries) => {
            let at = entries.partition_point(|(other, _)| *other < key);
            entries.remove(at).1
        }
        Branch(children) => {
            let at = child(children, key);
            let old = remove(&mut children[at].1, key);
            let empty = match &*children[at].1 {
                Leaf(entries) => entries.is_empty(),
                Branch(children) => children.is_empty(),
            };
            if empty {
                children.remove(at);
            }
            old
        }
    }
}

/// Entries in order; see [`SharedMap::iter`].
#[derive(Clone, Debug)]
pub struct Iter<'a, K, V> {
    branches: Vec<std::slice::Iter<'a, Child<K, V>>>,
    leaf: std::slice::Iter<'a, (K, V)>,
}

impl<'a, K: Ord + Copy, V> Iter<'a, K, V> {
    fn new(root: &'a Node<K, V>, from: Option<K>) -> Iter<'a, K, V> {
        let mut iter = Iter { branches: Vec::new(), leaf: [].iter() };
        iter.descend(root, from);
        iter
    }

    /// Goes down to the leaf where `from` would be, or to the first one.
    fn descend(&mut self, mut node: &'a Node<K, V>, from: Option<K>) {
        loop {
            match node {
                Leaf(entries) => {
                    let start = from.map_or(0, |from| entries.partition_point(|(key, _)| *key < from));
                    self.leaf = entries[start..].iter();
                    return;
                }
                Branch(children) => {
                    let at = from.map_or(0, |from| child(children, from));
                    self.branches.push(children[at + 1..].iter());
                    node = &children[at].1;
                }
            }
        }
    }
}

impl<'a, K: Ord + Copy, V> Iterator for Iter<'a, K, V> {
    type Item = (K, &'a V);

    fn next(&mut self) -> Option<(K, &'a V)> {
        loop {
            if let Some((key, value)) = self.leaf.next() {
                return Some((*key, value));
            }
            match self.branches.last_mut()?.next() {
                Some((_, node)) => self.descend(node, None),
                None => drop(self.branches.pop()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_clone_keeps_its_moment_and_shares_what_was_not_written() {
        let mut old = SharedMap::new();
        (0..10_000u32).for_each(|key| assert_eq!(old.insert(key, 0), None));
        let mut new = old.clone();
        new.insert(5_000, 7);
        assert_eq!((old.get(5_000), new.get(5_000)), (Some(&0), Some(&7)));
        let leaves = |map: &SharedMap<u32, i32>| {
            let mut leaves = vec![map.root.clone()];
            while let Branch(_) = *leaves[0] {
                let children = leaves.iter().flat_map(|node| match &**node {
                    Branch(children) => children.iter().map(|(_, child)| child.clone()).collect(),
                    Leaf(_) => Vec::new(),
                });
                leaves = children.collect();
            }
            leaves
        };
        let copied = leaves(&old).iter().zip(leaves(&new)).filter(|(old, new)| !Arc::ptr_eq(old, new)).count();
        assert_eq!((leaves(&old).len(), copied), (10_000usize.div_ceil(WIDTH), 1));
    }

    proptest! {
        /// Behaves as the standard library's map does, and a clone keeps the entries of its moment.
        #[test]
        fn agrees_with_a_b_tree_map(steps in prop::collection::vec((0u16..600, any::<Option<u8>>()), 0..2_000)) {
            let (mut map, mut plain) = (SharedMap::new(), BTreeMap::new());
            let mut kept = (map.clone(), plain.clone());
            for (at, (key, value)) in steps.iter().enumerate() {
                if at == steps.len() / 2 {
                    kept = (map.clone(), plain.clone());
                }
                match value {
                    Some(value) => prop_assert_eq!(map.insert(*key, *value), plain.insert(*key, *value)),
                    None => prop_assert_eq!(map.remove(*key), plain.remove(key)),
                }
                let other = key / 2;
                prop_assert_eq!(map.get_mut(other), plain.get_mut(&other));
                if let (Some(value), Some(plain)) = (map.get_mut(other), plain.get_mut(&other)) {
                    (*value, *plain) = (value.wrapping_add(1), plain.wrapping_add(1));
                }
                prop_assert_eq!((map.len(), map.is_empty()), (plain.len(), plain.is_empty()));
            }
            for (map, plain) in [(map, plain), kept] {
                prop_assert!(map.iter().eq(plain.iter().map(|(key, value)| (*key, value))));
                for key in (0..600).step_by(7) {
                    prop_assert_eq!(map.get(key), plain.get(&key));
                    let after = || plain.range(key..).map(|(key, value)| (*key, value));
                    prop_assert_eq!(map.first_from(key), after().next());
                    prop_assert_eq!(map.count(key, key + 50), plain.range(key..key + 50).count());
                    prop_assert!(map.iter_from(key).eq(after()));
                }
            }
        }
    }
}
