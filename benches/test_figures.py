"""Tests of `figures.py` and `table.py`: `python3 -m unittest discover benches`."""
import unittest

from figures import Spread, latency, median, milliseconds, percentile, ratio, significant, verdict
from table import Row, markdown


class Figures(unittest.TestCase):
    def test_the_median_of_an_even_number_is_the_mean_of_the_middle(self):
        self.assertEqual(median([9, 1, 2]), 2)
        self.assertEqual(median([4, 1, 9, 2]), 3)

    def test_p99_is_a_measured_value_that_one_in_a_hundred_exceeds(self):
        hundred = list(range(1, 101))
        self.assertEqual(percentile(hundred, 99), 99)
        self.assertEqual(percentile(list(range(1, 202)), 99), 199)
        self.assertEqual(percentile([5], 99), 5)
        self.assertEqual(percentile([1, 2, 3], 99), 3)

    def test_a_spread_does_not_depend_on_the_order(self):
        spread = Spread([3.0, 1.0, 2.0])
        self.assertEqual((spread.least, spread.median, spread.p99, spread.most), (1.0, 2.0, 3.0, 3.0))
        self.assertRaises(ValueError, Spread, [])

    def test_figures_keep_their_digits(self):
        self.assertEqual([ratio(value) for value in (1.0444, 4.84, 99.96, 2213.4)],
                         ["1.04×", "4.8×", "100.0×", "2213×"])
        self.assertEqual([significant(value) for value in (0, 0.012345, 4.5, 1234.5)],
                         ["0", "0.0123", "4.50", "1,234"])
        self.assertEqual([milliseconds(value) for value in (19.96e-6, 0.0012, 0.861)],
                         ["20.0 µs", "1.20 ms", "861 ms"])
        self.assertEqual(latency(Spread([0.001, 0.002, 0.003])), "2.00 ms / 3.00 ms / 3.00 ms (3)")

    def test_a_verdict_counts_what_was_missed(self):
        self.assertEqual([verdict(held) for held in ([], [True], [True, True], [False], [True, False])],
                         ["", "met", "met", "**missed**", "**missed** 1 of 2"])


class Table(unittest.TestCase):
    def test_a_cell_cannot_break_the_table(self):
        text = markdown([Row("a|b", "at most 1", "line\nbreak", held=[True], floor="0.5")])
        self.assertEqual(text.splitlines()[2], "| a\\|b | at most 1 | line break | met | 0.5 |  |")


if __name__ == "__main__":
    unittest.main()
