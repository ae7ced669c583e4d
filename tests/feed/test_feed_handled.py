"""How far a run was handled: to the end of the longest prefix of what was handed out, and no further."""

from __future__ import annotations

from feed_pieces import checkpoint
from hypothesis import given, strategies as st

from nexus_async.streaming.feed.handled import Handled

RUNS = ("run_1", "run_2")


def handed_out(*indices: int) -> Handled:
    handled = Handled()
    for index in indices:
        handled.hand_out(checkpoint(index))
    return handled


def test_what_was_handed_out_is_not_handled() -> None:
    handled = handed_out(0)
    assert handled.cursors == {}
    assert handled.take_changes() == {}


def test_the_cursor_moves_past_what_was_handled() -> None:
    handled = handed_out(0, 1)
    handled.ack(checkpoint(0))
    assert handled.cursors == {"run_1": "run_1 after 0"}


def test_what_was_handled_too_early_waits_for_those_before_it() -> None:
    handled = handed_out(0, 1, 2)
    handled.ack(checkpoint(2))
    handled.ack(checkpoint(1))
    assert handled.cursors == {}
    handled.ack(checkpoint(0))
    assert handled.cursors == {"run_1": "run_1 after 2"}


def test_what_was_held_back_moves_the_cursor_once_all_before_it_is_handled() -> None:
    handled = handed_out(0)
    handled.pass_over("run_1", "later")
    assert handled.cursors == {}
    handled.ack(checkpoint(0))
    assert handled.cursors == {"run_1": "later"}


def test_what_was_held_back_of_a_run_that_owes_nothing_moves_the_cursor_at_once() -> None:
    handled = Handled()
    handled.pass_over("run_1", "later")
    assert handled.take_changes() == {"run_1": "later"}


def test_what_is_handled_a_second_time_or_was_never_handed_out_changes_nothing() -> None:
    handled = handed_out(0)
    for index in (0, 0, 7):
        handled.ack(checkpoint(index))
    handled.ack(checkpoint(0, "run_2"))
    assert handled.cursors == {"run_1": "run_1 after 0"}


def test_what_is_handled_is_told_apart_from_what_is_handled_again() -> None:
    handled = handed_out(0)
    assert [handled.ack(checkpoint(index)) for index in (0, 0, 7)] == [True, False, False]


def test_an_event_that_was_handed_out_twice_is_handled_twice() -> None:
    handled = handed_out(0, 0, 1)
    handled.ack(checkpoint(0))
    handled.ack(checkpoint(1))
    assert handled.cursors == {"run_1": "run_1 after 0"}
    handled.ack(checkpoint(0))
    assert handled.cursors == {"run_1": "run_1 after 1"}


def test_changes_are_taken_once() -> None:
    handled = handed_out(0)
    handled.ack(checkpoint(0))
    assert handled.take_changes() == {"run_1": "run_1 after 0"}
    assert handled.take_changes() == {}


def test_changes_that_are_given_back_are_taken_as_they_are_by_then() -> None:
    handled = handed_out(0, 1)
    handled.ack(checkpoint(0))
    changes = handled.take_changes()
    handled.ack(checkpoint(1))
    handled.give_back(changes)
    assert handled.take_changes() == {"run_1": "run_1 after 1"}


def test_nothing_is_remembered_of_what_was_handled() -> None:
    handled = handed_out(*range(10))
    for index in range(10):
        handled.ack(checkpoint(index))
    assert handled._steps == {}


steps = st.lists(st.tuples(st.sampled_from(RUNS), st.booleans()), max_size=15)
"""What is handed out, of which run, or held back."""


@given(steps, st.data())
def test_the_cursor_is_always_at_the_end_of_the_longest_prefix_that_was_handled(
    told: list[tuple[str, bool]], data: st.DataObject
) -> None:
    handled, done, kept = Handled(), set[int](), dict[str, str]()
    events = [checkpoint(index, run_id) for index, (run_id, _) in enumerate(told)]
    order = data.draw(st.permutations([*range(len(told)), *range(len(told))]))
    begun: list[int] = []
    for number, index in enumerate(order):
        if number < len(told):  # the first half of the turns hands out, all of them handle
            begun.append(number)
            run_id, is_held_back = told[number]
            if is_held_back:
                handled.pass_over(run_id, events[number].cursor)
                done.add(number)
            else:
                handled.hand_out(events[number])
        if index in begun and not told[index][1]:
            handled.ack(events[index])
            done.add(index)
        kept |= handled.take_changes()
        for run_id in RUNS:
            prefix = None
            for own in [each for each in begun if told[each][0] == run_id]:
                if own not in done:
                    break
                prefix = events[own].cursor
            assert kept.get(run_id) == handled.cursors.get(run_id) == prefix
