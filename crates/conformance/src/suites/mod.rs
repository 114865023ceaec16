//! The rules of each port, one function each. A function panics where the rule is broken.

pub mod cursors;
pub mod ids;
pub mod locks;
pub mod repository;

/// Makes one `#[test]` of each rule.
#[doc(hidden)]
#[macro_export]
macro_rules! stamp {
    ($suite:ident, $fixture:path: $($rule:ident)*) => {$(
        #[test]
        fn $rule() {
            $crate::$suite::$rule(&$fixture());
        }
    )*};
}

#[cfg(test)]
mod tests {
    /// A rule that is left out of its macro would be a rule that nobody keeps.
    #[test]
    fn every_rule_is_stamped() {
        for source in [
            include_str!("cursors.rs"),
            include_str!("repository.rs"),
            include_str!("ids.rs"),
            include_str!("locks.rs"),
        ] {
            let (head, rules) = source.split_once("\n}\n").expect("the macro comes first");
            let mut count = 0;
            for line in rules.lines().filter_map(|line| line.strip_prefix("pub fn ")) {
                let name = line.split('(').next().expect("a name");
                let stamped = head.lines().any(|line| line.trim() == name);
                assert!(stamped, "{name} is not in the macro");
                count += 1;
            }
            assert!(count > 5, "the rules were not found");
        }
    }
}
