//! Which hits of a breakpoint stop.

use crate::{Error, Result};

/// Which hits of a breakpoint stop, counted from the start of the recording, the first being 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HitCondition {
    /// `5` or `== 5`: exactly the fifth.
    Equal(u64),
    /// `> 5`.
    Greater(u64),
    /// `>= 5`.
    GreaterOrEqual(u64),
    /// `< 5`.
    Less(u64),
    /// `<= 5`.
    LessOrEqual(u64),
    /// `% 5`: every fifth.
    Multiple(u64),
}

impl HitCondition {
    /// Reads a condition as a user writes it; blanks do not matter.
    ///
    /// # Errors
    ///
    /// [`Error::BadHitCondition`]. `% 0` is one.
    pub fn parse(text: &str) -> Result<HitCondition> {
        let bad = || Error::BadHitCondition {
            text: text.to_owned(),
        };
        type Make = fn(u64) -> HitCondition;
        let makers: [(&str, Make); 7] = [
            ("==", HitCondition::Equal),
            (">=", HitCondition::GreaterOrEqual),
            ("<=", HitCondition::LessOrEqual),
            (">", HitCondition::Greater),
            ("<", HitCondition::Less),
            ("%", HitCondition::Multiple),
            ("", HitCondition::Equal),
        ];
        let trimmed = text.trim();
        let (make, number) = makers
            .iter()
            .find_map(|(sign, make)| Some((make, trimmed.strip_prefix(sign)?)))
            .ok_or_else(bad)?;
        let number = number.trim();
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(bad());
        }
        match make(number.parse().map_err(|_| bad())?) {
            HitCondition::Multiple(0) => Err(bad()),
            condition => Ok(condition),
        }
    }

    /// The smallest hit number from `hit` on that stops.
    #[must_use]
    pub(crate) fn next(self, hit: u64) -> Option<u64> {
        let hit = hit.max(1);
        match self {
            HitCondition::Equal(n) => (n >= hit).then_some(n),
            HitCondition::Greater(n) => Some(hit.max(n.checked_add(1)?)),
            HitCondition::GreaterOrEqual(n) => Some(hit.max(n)),
            HitCondition::Less(n) => (hit < n).then_some(hit),
            HitCondition::LessOrEqual(n) => (hit <= n).then_some(hit),
            HitCondition::Multiple(n) => hit.div_ceil(n).checked_mul(n),
        }
    }

    /// The largest hit number up to `hit` that stops.
    #[must_use]
    pub(crate) fn previous(self, hit: u64) -> Option<u64> {
        let found = match self {
            HitCondition::Equal(n) => (n <= hit).then_some(n)?,
            HitCondition::Greater(n) => (hit > n).then_some(hit)?,
            HitCondition::GreaterOrEqual(n) => (hit >= n).then_some(hit)?,
            HitCondition::Less(n) => hit.min(n.checked_sub(1)?),
            HitCondition::LessOrEqual(n) => hit.min(n),
            HitCondition::Multiple(n) => hit - hit % n,
        };
        (found >= 1).then_some(found)
    }

    /// How many of the first `hits` hits stop.
    #[must_use]
    pub(crate) fn count_up_to(self, hits: u64) -> u64 {
        match self {
            HitCondition::Equal(n) => u64::from(n >= 1 && n <= hits),
            HitCondition::Greater(n) => hits.saturating_sub(n),
            HitCondition::GreaterOrEqual(n) => hits.saturating_sub(n.max(1) - 1),
            HitCondition::Less(n) => hits.min(n.saturating_sub(1)),
            HitCondition::LessOrEqual(n) => hits.min(n),
            HitCondition::Multiple(n) => hits / n,
        }
    }

    /// Whether the `hit`th hit stops.
    #[must_use]
    pub fn holds(self, hit: u64) -> bool {
        hit >= 1 && self.next(hit) == Some(hit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn understands_every_form() {
        let cases = [
            ("5", HitCondition::Equal(5)),
            (" == 5 ", HitCondition::Equal(5)),
            (">5", HitCondition::Greater(5)),
            (">= 5", HitCondition::GreaterOrEqual(5)),
            ("<5", HitCondition::Less(5)),
            ("<=5", HitCondition::LessOrEqual(5)),
            ("% 3", HitCondition::Multiple(3)),
        ];
        for (text, expected) in cases {
            assert_eq!(HitCondition::parse(text).unwrap(), expected, "{text}");
        }
        for text in [
            "",
            "x",
            "=5",
            "-1",
            "% 0",
            "5 5",
            "> ",
            "1.5",
            "99999999999999999999999",
        ] {
            assert!(HitCondition::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn next_and_previous_agree_with_holds() {
        let holds = |condition: HitCondition, hit: u64| match condition {
            HitCondition::Equal(n) => hit == n,
            HitCondition::Greater(n) => hit > n,
            HitCondition::GreaterOrEqual(n) => hit >= n,
            HitCondition::Less(n) => hit < n,
            HitCondition::LessOrEqual(n) => hit <= n,
            HitCondition::Multiple(n) => hit.is_multiple_of(n),
        };
        for n in 1..6 {
            for condition in [
                HitCondition::Equal(n),
                HitCondition::Greater(n),
                HitCondition::GreaterOrEqual(n),
                HitCondition::Less(n),
                HitCondition::LessOrEqual(n),
                HitCondition::Multiple(n),
            ] {
                for hit in 1..20 {
                    assert_eq!(
                        condition.count_up_to(hit),
                        (1..=hit).filter(|&hit| holds(condition, hit)).count() as u64
                    );
                    assert_eq!(condition.holds(hit), holds(condition, hit));
                    assert_eq!(
                        condition.next(hit),
                        (hit..100).find(|&hit| holds(condition, hit)),
                        "{condition:?} from {hit}"
                    );
                    assert_eq!(
                        condition.previous(hit),
                        (1..=hit).rev().find(|&hit| holds(condition, hit)),
                        "{condition:?} back from {hit}"
                    );
                }
            }
        }
    }
}
