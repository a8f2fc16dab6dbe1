//! The one small expression language of documents: branches of programs, fields of rows and metrics are written in it.
//!
//! ```text
//! condition  := both { "or" both }               both    := negated { "and" negated }
//! negated    := "not" negated | comparison       comparison := sum [ ( < | <= | > | >= | == | != ) sum ]
//! sum        := product { ( + | - ) product }    product := signed { ( * | / ) signed }
//! signed     := "-" signed | atom                atom    := number | name | true | false | "(" condition ")"
//!                                                         | ( min | max ) "(" sum { "," sum } ")" | floor "(" sum ")"
//! ```
//!
//! A name is a word, perhaps with dots (`row.version`); any other one stands between single quotes (`'GET /items'`). There
//! are two types, numbers and conditions, and no conversion between them. What an expression may name is up to its owner.

use super::reader::Reader;

/// An expression, read and checked: a flat program in postfix order.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    code: Vec<Op>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    Number(f64),
    Name(u16),
    Negate,
    Floor,
    Not,
    Add,
    Subtract,
    Multiply,
    Divide,
    Min,
    Max,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
    Equal,
    NotEqual,
    And,
    Or,
}

/// Longest text of an expression, in bytes.
const TEXT_MAX: usize = 1_000;
/// Values that are held at once: this bounds how deep an expression may be nested.
const STACK: usize = 32;

impl Expr {
    /// Reads an expression that gives a number, over these names. Errors say what was expected where, and the names there are.
    #[inline]
    pub fn number(text: &str, names: &[&str]) -> Result<Expr, String> {
        Expr::read(text, names, Type::Number)
    }

    /// Reads an expression that gives a truth value, over these names. Errors as for [`Expr::number`].
    #[inline]
    pub fn condition(text: &str, names: &[&str]) -> Result<Expr, String> {
        Expr::read(text, names, Type::Condition)
    }

    #[inline]
    fn read(text: &str, names: &[&str], wanted: Type) -> Result<Expr, String> {
        if text.len() > TEXT_MAX {
            return Err(format!("is longer than {TEXT_MAX} characters"));
        }
        let mut compiler = Compiler { reader: Reader::new(text), names, code: Vec::new(), held: 0, depth: 0 };
        let start = compiler.reader.space();
        let found = compiler.condition()?;
        if compiler.reader.takes("=") {
            return Err(format!("to compare, write `==` and not `=`, in `{text}`"));
        }
        compiler.must_be(wanted, found, start)?;
        compiler.reader.end("an operator or ")?;
        Ok(Expr { code: compiler.code })
    }

    /// The value, with `value_of` giving the value of each name by its position. A condition gives 1 or 0.
    ///
    /// Whatever is not finite counts as 0 (a division by zero, an overflow, such a value of a name), so that no
    /// not-a-number can enter.
    pub fn eval(&self, value_of: &mut dyn FnMut(u16) -> f64) -> f64 {
        let mut stack = [0.0; STACK];
        let mut top = 0;
        for op in &self.code {
            let value = match *op {
                Op::Number(value) => value,
                Op::Name(name) => value_of(name),
                Op::Negate => -stack[top - 1],
                Op::Floor => f64::floor(stack[top - 1]),
                Op::Not => truth(stack[top - 1] == 0.0),
                _ => op.of(stack[top - 2], stack[top - 1]),
            };
            top = top + 1 - op.takes();
            stack[top - 1] = if value.is_finite() { value } else { 0.0 };
        }
        stack[0]
    }

    /// The positions of the names it uses, in order of appearance; one that is used twice comes twice.
    pub fn names(&self) -> impl Iterator<Item = u16> {
        self.code.iter().filter_map(|op| match op {
            Op::Name(name) => Some(*name),
            _ => None,
        })
    }
}

impl Op {
    /// Values it takes from the stack; each operation puts one back.
    fn takes(self) -> usize {
        match self {
            Op::Number(_) | Op::Name(_) => 0,
            Op::Negate | Op::Floor | Op::Not => 1,
            _ => 2,
        }
    }

    /// The result of an operation on two values.
    fn of(self, left: f64, right: f64) -> f64 {
        match self {
            Op::Add => left + right,
            Op::Subtract => left - right,
            Op::Multiply => left * right,
            Op::Divide => left / right,
            // Not f64::min and f64::max: which zero they return is the machine's choice.
            Op::Min => {
                if right < left {
                    right
                } else {
                    left
                }
            }
            Op::Max => {
                if right > left {
                    right
                } else {
                    left
                }
            }
            Op::Less => truth(left < right),
            Op::LessOrEqual => truth(left <= right),
            Op::More => truth(left > right),
            Op::MoreOrEqual => truth(left >= right),
            Op::Equal => truth(left == right),
            Op::NotEqual => truth(left != right),
            Op::And => truth(left != 0.0 && right != 0.0),
            Op::Or => truth(left != 0.0 || right != 0.0),
            Op::Number(_) | Op::Name(_) | Op::Negate | Op::Floor | Op::Not => unreachable!("takes two values"),
        }
    }
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Number,
    Condition,
}

struct Compiler<'a> {
    reader: Reader<'a>,
    names: &'a [&'a str],
    code: Vec<Op>,
    /// Values on the stack after the code so far.
    held: usize,
    depth: usize,
}

/// What one step of the grammar reads: the type of its value.
type Read = Result<Type, String>;

impl Compiler<'_> {
    /// Takes a word that nothing continues: `or`, but not the beginning of `order`.
    #[inline]
    fn takes_word(&mut self, word: &str) -> bool {
        self.reader.space();
        let found = self.word() == word;
        if found {
            self.reader.at += word.len();
        }
        found
    }

    /// The word that comes next, perhaps empty.
    #[inline]
    fn word(&self) -> &str {
        let word = self.reader.stretch(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
        if word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') { word } else { "" }
    }

    #[inline]
    fn must_be(&self, wanted: Type, found: Type, start: usize) -> Result<(), String> {
        let called = |kind| if kind == Type::Number { "a number" } else { "a condition" };
        if wanted == found {
            return Ok(());
        }
        let part = self.reader.text[start..self.reader.at].trim_end();
        Err(format!(
            "expected {} at character {} of `{}`, found {}: `{part}`",
            called(wanted),
            start + 1,
            self.reader.text,
            called(found)
        ))
    }

    /// Adds an operation to the code.
    #[inline]
    fn emit(&mut self, op: Op) -> Result<(), String> {
        self.code.push(op);
        self.held = self.held + 1 - op.takes();
        self.within_depth(self.held)
    }

    #[inline]
    fn within_depth(&self, depth: usize) -> Result<(), String> {
        if depth <= STACK {
            return Ok(());
        }
        Err(format!("is nested too deep at character {} of `{}`", self.reader.at + 1, self.reader.text))
    }

    /// Operands joined by operators that all have the same rank, from left to right; `next` takes an operator.
    #[inline]
    fn chain(
        &mut self,
        operand: fn(&mut Self) -> Read,
        next: fn(&mut Self) -> Option<Op>,
        of: Type,
        gives: Type,
        most: usize,
    ) -> Read {
        let start = self.reader.space();
        let mut found = operand(self)?;
        for _ in 0..most {
            let before = self.reader.at;
            let Some(op) = next(self) else { break };
            let after = std::mem::replace(&mut self.reader.at, before);
            self.must_be(of, found, start)?;
            self.reader.at = after;
            let start = self.reader.space();
            let right = operand(self)?;
            self.must_be(of, right, start)?;
            self.emit(op)?;
            found = gives;
        }
        Ok(found)
    }

    #[inline]
    fn condition(&mut self) -> Read {
        let next = |compiler: &mut Self| compiler.takes_word("or").then_some(Op::Or);
        self.chain(Self::both, next, Type::Condition, Type::Condition, usize::MAX)
    }

    #[inline]
    fn both(&mut self) -> Read {
        let next = |compiler: &mut Self| compiler.takes_word("and").then_some(Op::And);
        self.chain(Self::negated, next, Type::Condition, Type::Condition, usize::MAX)
    }

    #[inline]
    fn negated(&mut self) -> Read {
        if !self.takes_word("not") {
            return self.comparison();
        }
        self.prefixed(Op::Not, Self::negated, Type::Condition)
    }

    #[inline]
    fn comparison(&mut self) -> Read {
        let next = |compiler: &mut Self| {
            let known = [
                ("<=", Op::LessOrEqual),
                (">=", Op::MoreOrEqual),
                ("==", Op::Equal),
                ("!=", Op::NotEqual),
                ("<", Op::Less),
                (">", Op::More),
            ];
            known.into_iter().find(|(token, _)| compiler.reader.takes(token)).map(|(_, op)| op)
        };
        self.chain(Self::sum, next, Type::Number, Type::Condition, 1)
    }

    #[inline]
    fn sum(&mut self) -> Read {
        let next = |compiler: &mut Self| match compiler.reader.takes("+") {
            true => Some(Op::Add),
            false => compiler.reader.takes("-").then_some(Op::Subtract),
        };
        self.chain(Self::product, next, Type::Number, Type::Number, usize::MAX)
    }

    #[inline]
    fn product(&mut self) -> Read {
        let next = |compiler: &mut Self| match compiler.reader.takes("*") {
            true => Some(Op::Multiply),
            false => compiler.reader.takes("/").then_some(Op::Divide),
        };
        self.chain(Self::signed, next, Type::Number, Type::Number, usize::MAX)
    }

    #[inline]
    fn signed(&mut self) -> Read {
        if !self.reader.takes("-") {
            return self.atom();
        }
        self.prefixed(Op::Negate, Self::signed, Type::Number)
    }

    /// The rest of an operation that stands before its operand.
    #[inline]
    fn prefixed(&mut self, op: Op, operand: fn(&mut Self) -> Read, of: Type) -> Read {
        self.depth += 1;
        self.within_depth(self.depth)?;
        let start = self.reader.space();
        let found = operand(self)?;
        self.must_be(of, found, start)?;
        self.depth -= 1;
        self.emit(op)?;
        Ok(of)
    }

    #[inline]
    fn atom(&mut self) -> Read {
        self.reader.space();
        if self.reader.takes("(") {
            return self.nested(Self::condition);
        }
        if let Some(value) = self.reader.number() {
            self.emit(Op::Number(value?))?;
            return Ok(Type::Number);
        }
        for (word, value) in [("true", 1.0), ("false", 0.0)] {
            if self.takes_word(word) {
                self.emit(Op::Number(value))?;
                return Ok(Type::Condition);
            }
        }
        if self.takes_word("floor") {
            self.reader.expect("(")?;
            self.nested(Self::one)?;
            self.emit(Op::Floor)?;
            return Ok(Type::Number);
        }
        for (word, op) in [("min", Op::Min), ("max", Op::Max)] {
            if self.takes_word(word) {
                self.reader.expect("(")?;
                return self.nested(if op == Op::Min { Self::smallest } else { Self::largest });
            }
        }
        self.name()
    }

    /// What stands between parentheses, the first of which is taken.
    #[inline]
    fn nested(&mut self, inside: fn(&mut Self) -> Read) -> Read {
        self.depth += 1;
        self.within_depth(self.depth)?;
        let found = inside(self)?;
        self.depth -= 1;
        if self.reader.takes(")") { Ok(found) } else { Err(self.reader.expected("an operator or `)`")) }
    }

    /// A sum and nothing else.
    #[inline]
    fn one(&mut self) -> Read {
        let start = self.reader.space();
        let found = self.sum()?;
        self.must_be(Type::Number, found, start)?;
        Ok(found)
    }

    #[inline]
    fn smallest(&mut self) -> Read {
        let next = |compiler: &mut Self| compiler.reader.takes(",").then_some(Op::Min);
        self.chain(Self::one, next, Type::Number, Type::Number, usize::MAX)
    }

    #[inline]
    fn largest(&mut self) -> Read {
        let next = |compiler: &mut Self| compiler.reader.takes(",").then_some(Op::Max);
        self.chain(Self::one, next, Type::Number, Type::Number, usize::MAX)
    }

    #[inline]
    fn name(&mut self) -> Read {
        let before = self.reader.at;
        let name = match self.reader.quoted() {
            Some(name) => name,
            None => {
                let word = self.word().len();
                self.reader.at += word;
                &self.reader.text[before..self.reader.at]
            }
        };
        let known = self.names.iter().position(|known| *known == name && !name.is_empty());
        let Some(place) = known.and_then(|place| u16::try_from(place).ok()) else {
            self.reader.at = before;
            return Err(self.reader.expected(&format!("a number, `(` or a name ({})", self.known())));
        };
        self.emit(Op::Name(place))?;
        Ok(Type::Number)
    }

    /// The names there are; of many the first ones.
    #[inline]
    fn known(&self) -> String {
        const SHOWN: usize = 30;
        let mut known = self.names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
        if self.names.len() > SHOWN {
            known.push_str(", ...");
        }
        if known.is_empty() { "there is none here".to_string() } else { known }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAMES: [&str; 4] = ["key", "row.version", "GET /items/{id}", "order"];

    /// An expression as a tree, which knows nothing of stacks and precedence.
    #[derive(Clone, Debug)]
    enum Tree {
        Leaf(Op),
        One(Op, Box<Tree>),
        Two(Op, Box<Tree>, Box<Tree>),
    }

    impl Tree {
        fn print(&self) -> String {
            match self {
                Tree::Leaf(Op::Number(value)) => format!("{value}"),
                Tree::Leaf(Op::Name(name)) if NAMES[usize::from(*name)].contains(' ') => {
                    format!("'{}'", NAMES[usize::from(*name)])
                }
                Tree::Leaf(Op::Name(name)) => NAMES[usize::from(*name)].to_string(),
                Tree::Leaf(_) => unreachable!("not a leaf"),
                Tree::One(Op::Negate, x) => format!("-({})", x.print()),
                Tree::One(Op::Floor, x) => format!("floor({})", x.print()),
                Tree::One(_, x) => format!("not ({})", x.print()),
                Tree::Two(op @ (Op::Min | Op::Max), x, y) => {
                    format!("{}({}, {})", if *op == Op::Min { "min" } else { "max" }, x.print(), y.print())
                }
                Tree::Two(op, x, y) => {
                    let sign = match op {
                        Op::Add => "+",
                        Op::Subtract => "-",
                        Op::Multiply => "*",
                        Op::Divide => "/",
                        Op::Less => "<",
                        Op::LessOrEqual => "<=",
                        Op::More => ">",
                        Op::MoreOrEqual => ">=",
                        Op::Equal => "==",
                        Op::NotEqual => "!=",
                        Op::And => "and",
                        _ => "or",
                    };
                    format!("({}) {sign} ({})", x.print(), y.print())
                }
            }
        }

        fn flat(&self) -> Vec<Op> {
            match self {
                Tree::Leaf(op) => vec![*op],
                Tree::One(op, x) => [x.flat(), vec![*op]].concat(),
                Tree::Two(op, x, y) => [x.flat(), y.flat(), vec![*op]].concat(),
            }
        }

        fn value(&self, values: &[f64]) -> f64 {
            let of = |tree: &Tree| tree.value(values);
            let bit = |holds: bool| if holds { 1.0 } else { 0.0 };
            let value = match self {
                Tree::Leaf(Op::Number(value)) => *value,
                Tree::Leaf(Op::Name(name)) => values[usize::from(*name)],
                Tree::Leaf(_) => unreachable!("not a leaf"),
                Tree::One(Op::Negate, x) => -of(x),
                Tree::One(Op::Floor, x) => of(x).floor(),
                Tree::One(_, x) => 1.0 - of(x),
                Tree::Two(op, x, y) => match (op, of(x), of(y)) {
                    (Op::Add, x, y) => x + y,
                    (Op::Subtract, x, y) => x - y,
                    (Op::Multiply, x, y) => x * y,
                    (Op::Divide, _, 0.0) => 0.0,
                    (Op::Divide, x, y) => x / y,
                    (Op::Min, x, y) => {
                        if x < y {
                            x
                        } else {
                            y
                        }
                    }
                    (Op::Max, x, y) => {
                        if x > y {
                            x
                        } else {
                            y
                        }
                    }
                    (Op::Less, x, y) => bit(x < y),
                    (Op::LessOrEqual, x, y) => bit(x <= y),
                    (Op::More, x, y) => bit(y < x),
                    (Op::MoreOrEqual, x, y) => bit(y < x || x == y),
                    (Op::Equal, x, y) => bit(x == y),
                    (Op::NotEqual, x, y) => 1.0 - bit(x == y),
                    (Op::And, x, y) => x * y,
                    (_, x, y) => bit(x + y > 0.0),
                },
            };
            if value.is_finite() { value } else { 0.0 }
        }
    }

    fn leaf() -> BoxedStrategy<Tree> {
        let number = (0..1_000_000u32).prop_map(|thousandths| Op::Number(f64::from(thousandths) / 1e3));
        prop_oneof![number, (0..4u16).prop_map(Op::Name)].prop_map(Tree::Leaf).boxed()
    }

    fn two(ops: &'static [Op], x: BoxedStrategy<Tree>) -> BoxedStrategy<Tree> {
        (prop::sample::select(ops), x.clone(), x).prop_map(|(op, x, y)| Tree::Two(op, x.into(), y.into())).boxed()
    }

    fn number() -> BoxedStrategy<Tree> {
        let deeper = |inner: BoxedStrategy<Tree>| {
            let ops = &[Op::Add, Op::Subtract, Op::Multiply, Op::Divide, Op::Min, Op::Max];
            let one = (prop::sample::select(&[Op::Negate, Op::Floor][..]), inner.clone());
            prop_oneof![two(ops, inner), one.prop_map(|(op, x)| Tree::One(op, x.into()))]
        };
        leaf().prop_recursive(4, 30, 2, deeper).boxed()
    }

    fn condition() -> BoxedStrategy<Tree> {
        let compare = two(&[Op::Less, Op::LessOrEqual, Op::More, Op::MoreOrEqual, Op::Equal, Op::NotEqual], number());
        let deeper = |inner: BoxedStrategy<Tree>| {
            prop_oneof![two(&[Op::And, Op::Or], inner.clone()), inner.prop_map(|x| Tree::One(Op::Not, x.into()))]
        };
        compare.prop_recursive(4, 30, 2, deeper).boxed()
    }

    fn run(text: &str) -> f64 {
        let read = Expr::number(text, &NAMES).or_else(|_| Expr::condition(text, &NAMES)).expect(text);
        read.eval(&mut |name| f64::from(name) + 1.0)
    }

    proptest! {
        /// What is printed and read again is the same expression, with the same value as the tree's.
        #[test]
        fn a_printed_tree_is_read_back(tree in prop_oneof![number(), condition()], values in prop::array::uniform4(prop_oneof![-1e3..1e3, Just(0.0), Just(1e300)])) {
            let read = Expr::number(&tree.print(), &NAMES).or_else(|_| Expr::condition(&tree.print(), &NAMES));
            if let Ok(read) = read {
                prop_assert_eq!(&read.code, &tree.flat());
                let value = read.eval(&mut |name| values[usize::from(name)]);
                prop_assert_eq!(value, tree.value(&values), "{}", tree.print());
                prop_assert!(read.names().all(|name| name < 4));
            } else {
                let why = read.unwrap_err();
                prop_assert!(why.contains("nested too deep") || why.contains("is longer"), "{why}");
            }
        }

        /// No text makes it panic, and no value makes the result anything but finite.
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z0-9 '.()<>=!+*/,\u{e9}-]{0,40}|(key|not|and|or|min|floor|\\(|\\)|-|\\+|/|<|,|0|1e308| ){0,40}", value in prop::num::f64::ANY) {
            for read in [Expr::number(&text, &NAMES), Expr::condition(&text, &NAMES)].into_iter().flatten() {
                prop_assert!(read.eval(&mut |_| value).is_finite());
            }
        }
    }

    #[test]
    fn operators_have_their_usual_rank() {
        let values = [
            ("1 + 2 * 3", 7.0),
            ("(1 + 2) * 3", 9.0),
            ("8 - 3 - 2", 3.0),
            ("8 / 4 / 2", 1.0),
            ("-2 * -3", 6.0),
            ("1e2+1", 101.0),
            ("max(1, key, row.version) + min(7, 3, 5)", 5.0),
            ("floor(7 / 2)", 3.0),
            ("1 / 0 + 1e308 * 10", 0.0),
            ("not 1 < 2 or 2 < 3 and key == 1", 1.0),
            ("not (1 < 2 or true)", 0.0),
            ("order != 'GET /items/{id}'", 1.0),
        ];
        for (text, value) in values {
            assert_eq!(run(text), value, "{text}");
        }
    }

    #[test]
    fn errors_say_what_was_expected_where() {
        let errors = [
            ("", "expected a number, `(` or a name (key, row.version, GET /items/{id}, order) at character 1"),
            ("key +", "at character 6 of `key +`, found the end"),
            ("price * 2", "expected a number, `(` or a name"),
            ("(key", "expected an operator or `)`"),
            ("min key", "expected `(` at character 5"),
            ("key key", "expected an operator or the end at character 5"),
            ("key = 3", "to compare, write `==` and not `=`"),
            ("1e999", "expected a number at character 1"),
            ("1 + true", "expected a number at character 5 of `1 + true`, found a condition: `true`"),
            ("key < 1", "expected a number at character 1 of `key < 1`, found a condition: `key < 1`"),
        ];
        for (text, expected) in errors {
            let error = Expr::number(text, &NAMES).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let error = Expr::condition("key and true", &NAMES).unwrap_err();
        assert!(
            error.contains("expected a condition at character 1 of `key and true`, found a number: `key`"),
            "{error}"
        );
        assert!(Expr::condition("1 < 2 < 3", &NAMES).is_err(), "a comparison is no number");
    }

    #[test]
    fn size_is_limited() {
        for text in ["(".repeat(900), "-".repeat(900), "not ".repeat(200), "1+(".repeat(300), "1+".repeat(600)] {
            let why = Expr::number(&text, &[]).unwrap_err();
            assert!(why.contains("nested too deep") || why.contains("is longer"), "{why}");
        }
        assert!(Expr::number(&"1+(".repeat(STACK - 1), &[]).unwrap_err().contains("a number"));
    }
}
