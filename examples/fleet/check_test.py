"""What `check.py` must notice, each in a log or a store that was made up: python3 check_test.py"""

import unittest

from check import check

HEALTHY = {"findings": []}


def item(id, needs=(), parent=None, done=None, by="1.1", times=1):
    """An item as an export has it: completed at `done`, or pending."""
    history = [{"version": 1, "event": "created"}]
    if done is not None:
        made = {"version": 2, "event": "completed", "session": f"run-{by}"}
        history += [made | {"version": 2 + time} for time in range(times)]
    return {
        "id": id,
        "version": len(history),
        "status": "pending" if done is None else "completed",
        "depends_on": [{"id": other} for other in needs],
        "parent": parent and {"id": parent},
        "completed_at": done and f"1970-01-01T00:00:00.{done:06}Z",
        "claim": None,
        "history": history,
    }


def found(log, *after, before=None, doctor=HEALTHY):
    pending = [item(i["id"], [n["id"] for n in i["depends_on"]], p(i)) for i in after]
    before = pending if before is None else before
    return check(
        log.strip().splitlines(), {i["id"]: i for i in before}, {i["id"]: i for i in after}, doctor
    )[0]


def p(item):
    return item["parent"] and item["parent"]["id"]


ONE = "10 begin 1.1 A\n20 step 1.1 A\n30 end 1.1 A\n35 ack 1.1 -"


class Check(unittest.TestCase):
    def assert_finds(self, words, wrong):
        self.assertEqual(len(wrong), 1, wrong)
        self.assertIn(words, wrong[0])

    def test_what_is_in_order(self):
        log = ONE + "\n50 begin 2.1 B\n60 end 2.1 B\n65 ack 2.1 B"
        a, b = item("A", done=33), item("B", ["A"], done=63, by="2.1")
        self.assertEqual(found(log, a, b), [])

    def test_two_at_once(self):
        log = ONE + "\n25 begin 2.1 A\n28 end 2.1 A"
        self.assert_finds("by two at once", found(log, item("A", done=33)))

    def test_one_within_a_longer_one(self):
        log = "1 begin 3.1 A\n2 end 3.1 A\n3 begin 2.1 A\n4 begin 4.1 A\n5 end 4.1 A\n" + ONE
        log += "\n15 end 2.1 A"
        wrong = found(log, item("A", done=33))
        self.assertEqual(["two at once" in line for line in wrong], [True, True], wrong)

    def test_one_that_is_not_claimed_any_more_goes_on(self):
        log = "1 begin 2.1 A\n5 step 2.1 A\n" + ONE + "\n15 step 2.1 A"
        self.assert_finds("by two at once", found(log, item("A", done=33)))

    def test_a_killed_one_works_until_the_kill(self):
        log = "1 begin 2.1 A\n5 step 2.1 A\n{} killed-both-work 2.1 -\n" + ONE
        self.assertEqual(found(log.format(9), item("A", done=33)), [])
        self.assert_finds("by two at once", found(log.format(11), item("A", done=33)))

    def test_a_killed_jerry_does_not_end_the_work(self):
        log = "1 begin 2.1 A\n9 killed-jerry-work 2.1 -\n" + ONE + "\n12 step 2.1 A\n13 end 2.1 A"
        self.assert_finds("by two at once", found(log, item("A", done=33)))

    def test_whoever_has_ended_is_not_killed(self):
        log = "1 begin 2.1 A\n5 end 2.1 A\n11 killed-both-work 2.1 -\n" + ONE
        self.assertEqual(found(log, item("A", done=33)), [])

    def test_a_lost_item(self):
        before = [item("A"), item("B")]
        self.assert_finds("B is gone", found(ONE, item("A", done=33), before=before))

    def test_an_item_too_many(self):
        log = ONE + "\n50 begin 2.1 B\n60 end 2.1 B"
        after = [item("A", done=33), item("B", done=63, by="2.1")]
        self.assert_finds("B came out of nowhere", found(log, *after, before=[item("A")]))

    def test_an_item_that_is_not_done(self):
        self.assert_finds("B is pending", found(ONE, item("A", done=33), item("B")))

    def test_an_item_that_nobody_has_done(self):
        log = "10 begin 1.1 A\n20 step 1.1 A"
        self.assert_finds("nobody has finished it", found(log, item("A", done=33)))

    def test_work_after_the_item_is_completed(self):
        self.assert_finds("worked on after that", found(ONE, item("A", done=29)))

    def test_an_item_that_is_completed_twice(self):
        log = "10 begin 1.1 A\n30 end 1.1 A"
        self.assert_finds("completed 2 times", found(log, item("A", done=33, times=2)))

    def test_a_completion_that_was_told_and_is_not_there(self):
        wrong = found(ONE, item("A", done=33, by="2.2"))
        self.assert_finds("run 1.1 was told that it completed A", wrong)

    def test_an_item_before_what_it_needs(self):
        log = ONE + "\n28 begin 2.1 B\n60 end 2.1 B"
        a, b = item("A", done=33), item("B", ["A"], done=63, by="2.1")
        self.assert_finds("B was begun at 28", found(log, a, b))

    def test_an_item_that_is_completed_before_what_it_needs(self):
        log = ONE + "\n50 begin 2.1 B\n60 end 2.1 B"
        a, b = item("A", done=70), item("B", ["A"], done=63, by="2.1")
        self.assert_finds("B was completed before A", found(log, a, b))

    def test_a_parent_before_its_part(self):
        log = ONE + "\n28 begin 2.1 B\n60 end 2.1 B"
        a, b = item("A", parent="B", done=33), item("B", done=63, by="2.1")
        self.assert_finds("B was begun at 28", found(log, a, b))

    def test_a_claim_that_is_left(self):
        a = item("A", done=33) | {"claim": {"fence": 2}}
        self.assert_finds("A is claimed still", found(ONE, a))

    def test_a_sick_store(self):
        ailments = ("temp_litter", "stale_index", "duplicate_uid")
        doctor = {"findings": [{"ailment": ailment} for ailment in ailments]}
        self.assert_finds("duplicate_uid", found(ONE, item("A", done=33), doctor=doctor))

    def test_a_log_that_cannot_be(self):
        for line in ("1 end 1.1 A", "1 begin 1.1 A\n2 step 1.1 B", "1 jump 1.1 A"):
            with self.assertRaises(ValueError):
                found(line, item("A"))


if __name__ == "__main__":
    unittest.main()
